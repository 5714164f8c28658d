# Descriptors, the choice of each round's structures, the learner, the ranking.


rule features:
    input:
        molecule=MOLECULE,
        conformers=CONFORMERS,
        landscape=LANDSCAPE,
    output:
        FEATURES,
    log:
        f"{LOGS}/features.log",
    threads: CORES
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        slice=part("features"),
    shell:
        command(
            "features",
            " --molecule {input.molecule:q} --conformers {input.conformers:q} --landscape {input.landscape:q}"
            " --output {output:q} --cores {threads}",
        )


rule dispersion:
    input:
        molecule=MOLECULE,
        conformers=CONFORMERS,
        landscape=LANDSCAPE,
    output:
        DISPERSION,
    log:
        f"{LOGS}/dispersion.log",
    threads: CORES
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        slice=part("dispersion"),
    shell:
        command(
            "dispersion",
            " --molecule {input.molecule:q} --conformers {input.conformers:q} --landscape {input.landscape:q}"
            " --output {output:q} --cores {threads}",
        )


rule select_first:
    input:
        landscape=LANDSCAPE,
        features=FEATURES,
        dispersion=DISPERSION,
        molecules=ISOLATED,  # their cost counts, and tells how fast this machine is
    output:
        f"{FOLDER}/selection/round0.parquet",
    log:
        f"{LOGS}/select/round0.log",
    resources:
        **LEARNING,
    params:
        slice=part("selection"),
        provenance=f"{FOLDER}/provenance",
    shell:
        command(
            "selection",
            "--round 0"
            " --landscape {input.landscape:q} --features {input.features:q} --dispersion {input.dispersion:q}"
            " --molecules {input.molecules:q} --provenance {params.provenance:q} --output {output:q}",
        )


rule select_next:
    input:
        landscape=LANDSCAPE,
        features=FEATURES,
        dispersion=DISPERSION,
        molecules=ISOLATED,
        points=lambda wildcards: plan.slot_files(rounds=int(wildcards.round)),
    output:
        f"{FOLDER}/selection/round{{round}}.parquet",
    log:
        f"{LOGS}/select/round{{round}}.log",
    wildcard_constraints:
        round=r"[1-9]\d*",
    resources:
        **LEARNING,
    params:
        slice=part("selection"),
        points=lambda wildcards: plan.slot_words(rounds=int(wildcards.round)),
        provenance=f"{FOLDER}/provenance",
    shell:
        command(
            "selection",
            "--round {wildcards.round}"
            " --landscape {input.landscape:q} --features {input.features:q} --dispersion {input.dispersion:q}"
            " --molecules {input.molecules:q} --points {params.points}"
            " --provenance {params.provenance:q} --output {output:q}",
        )


rule learn:
    input:
        landscape=LANDSCAPE,
        features=FEATURES,
        dispersion=DISPERSION,
        molecules=ISOLATED,
        points=lambda wildcards: plan.slot_files(rounds=int(wildcards.round) + 1),
    output:
        f"{FOLDER}/posterior/round{{round}}.parquet",
    log:
        f"{LOGS}/learn/round{{round}}.log",
    resources:
        **LEARNING,
    params:
        slice=part("learn"),
        points=lambda wildcards: plan.slot_words(rounds=int(wildcards.round) + 1),
    shell:
        command(
            "learn",
            " --landscape {input.landscape:q} --features {input.features:q} --dispersion {input.dispersion:q}"
            " --molecules {input.molecules:q} --points {params.points} --output {output:q}",
        )


rule rank:
    input:
        landscape=LANDSCAPE,
        features=FEATURES,
        dispersion=DISPERSION,
        molecules=ISOLATED,
        points=plan.slot_files(rounds=LAST + 1),
        stored=STORED,
    output:
        ranking=RANKING,
        calibration=CALIBRATION,
    log:
        f"{LOGS}/rank.log",
    resources:
        **LEARNING,
    params:
        slice=part("rank"),
        points=all_slots,
    shell:
        command(
            "rank",
            " --landscape {input.landscape:q} --features {input.features:q} --dispersion {input.dispersion:q}"
            " --molecules {input.molecules:q} --points {params.points} {input.stored:q}"
            " --output {output.ranking:q} --output-calibration {output.calibration:q}",
        )
