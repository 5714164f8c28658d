# What it cost, and the page that shows it all.


rule ledger:
    input:
        ranking=RANKING,
        landscape=LANDSCAPE,
        points=[ISOLATED, *plan.slot_files(rounds=LAST + 1), STORED],
    output:
        LEDGER,
    log:
        f"{LOGS}/ledger.log",
    params:
        slice=part("ledger"),
        provenance=f"{FOLDER}/provenance",
    shell:
        command(
            "ledger",
            " --landscape {input.landscape:q} --points {input.points:q}"
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
        points=[*plan.slot_files(rounds=LAST + 1), STORED],
        calibration=CALIBRATION,
        ledger=LEDGER,
        trials=plan.chunk_files("trials"),
        minima=plan.chunk_files("minima"),
    output:
        page=f"{FOLDER}/report/index.html",
        picture=f"{FOLDER}/report/landscape.png",
        table=f"{FOLDER}/report/ranking.csv",
    log:
        f"{LOGS}/report.log",
    params:
        slice=part("report"),
        folder=subpath(output.page, parent=True),
        versions=f"{FOLDER}/provenance/ranking.json",
    shell:
        command(
            "report",
            " --landscape {input.landscape:q} --known-forms {input.known_forms:q} --conformers {input.conformers:q}"
            " --molecule {input.molecule:q} --molecules {input.molecules:q} --dispersion {input.dispersion:q}"
            " --ranking {input.ranking:q} --posterior {input.posterior:q} --points {input.points:q}"
            " --calibration {input.calibration:q} --ledger {input.ledger:q}"
            " --trials {input.trials:q} --minima {input.minima:q}"
            " --provenance {params.versions:q} --output-dir {params.folder:q}",
        )
