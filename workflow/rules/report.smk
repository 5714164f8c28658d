# What it cost, and the page that shows it all.


rule ledger:
    input:
        ranking=RANKING,
        landscape=LANDSCAPE,
        molecules=ISOLATED,
        points=plan.slot_files(rounds=LAST + 1),
        stored=STORED,
    output:
        LEDGER,
    log:
        f"{LOGS}/ledger.log",
    params:
        slice=part("ledger"),
        points=all_slots,
        provenance=f"{FOLDER}/provenance",
    shell:
        command(
            "ledger",
            " --landscape {input.landscape:q} --points {input.molecules:q} {params.points} {input.stored:q}"
            " --provenance {params.provenance:q} --output {output:q}",
        )


rule report:
    input:
        landscape=LANDSCAPE,
        known_forms=KNOWN_FORMS,
        conformers=CONFORMERS,
        molecule=MOLECULE,
        molecules=ISOLATED,
        dispersion=DISPERSION,
        ranking=RANKING,
        posterior=[f"{FOLDER}/posterior/round{r}.parquet" for r in plan.rounds],
        points=plan.slot_files(rounds=LAST + 1),
        stored=STORED,
        calibration=CALIBRATION,
        ledger=LEDGER,
        completeness=COMPLETENESS,
        trials=plan.chunk_files("trials"),
        minima=plan.chunk_files("minima"),
    output:
        page=f"{FOLDER}/report/index.html",
        picture=f"{FOLDER}/report/landscape.png",
        table=f"{FOLDER}/report/ranking.csv",
        lowest=f"{FOLDER}/report/lowest.extxyz",
        cifs=directory(f"{FOLDER}/report/cif"),
    log:
        f"{LOGS}/report.log",
    params:
        slice=part("report"),
        points=all_slots,
        trials=all_chunks("trials"),
        minima=all_chunks("minima"),
        folder=subpath(output.page, parent=True),
        versions=f"{FOLDER}/provenance/ranking.json",
    shell:
        command(
            "report",
            " --landscape {input.landscape:q} --known-forms {input.known_forms:q} --conformers {input.conformers:q}"
            " --molecule {input.molecule:q} --molecules {input.molecules:q} --dispersion {input.dispersion:q}"
            " --ranking {input.ranking:q} --posterior {input.posterior:q} --points {params.points} {input.stored:q}"
            " --calibration {input.calibration:q} --ledger {input.ledger:q}"
            " --completeness {input.completeness:q} --trials {params.trials} --minima {params.minima}"
            " --provenance {params.versions:q} --output-dir {params.folder:q}",
        )
