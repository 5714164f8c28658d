# Trial crystals by chunks, their minimisation, and the landscape of distinct structures.


rule search:
    input:
        # first, to say at once when a known form's conformer is not searched; a form added later redoes no search
        known_forms=ancient(KNOWN_FORMS),
        molecule=MOLECULE,
        conformers=CONFORMERS,
    output:
        f"{FOLDER}/trials/{{space_group}}/{{chunk}}.parquet",
    log:
        f"{LOGS}/search/{{space_group}}-{{chunk}}.log",
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        slice=part("search"),
        start=lambda wildcards: chunk_of(wildcards).start,
        trials=lambda wildcards: chunk_of(wildcards).count,
        hall=lambda wildcards: plan.groups[int(wildcards.space_group)],
    shell:
        command(
            "search",
            " --space-group {wildcards.space_group} --hall {params.hall:q} --start {params.start} --count {params.trials}"
            " --molecule {input.molecule:q} --conformers {input.conformers:q} --output {output:q}",
        )


rule minimise:
    input:
        molecule=MOLECULE,
        conformers=CONFORMERS,
        trials=f"{FOLDER}/trials/{{space_group}}/{{chunk}}.parquet",
    output:
        f"{FOLDER}/minima/{{space_group}}/{{chunk}}.parquet",
    log:
        f"{LOGS}/minimise/{{space_group}}-{{chunk}}.log",
    threads: threads_per_chunk
    resources:
        mem_mb=2000,
        runtime=240,
    params:
        slice=part("minimise"),
    shell:
        command(
            "minimise",
            " --molecule {input.molecule:q} --conformers {input.conformers:q} --trials {input.trials:q}"
            " --output {output:q} --cores {threads}",
        )


rule landscape:
    input:
        molecule=MOLECULE,
        conformers=CONFORMERS,
        known_forms=KNOWN_FORMS,
        minima=plan.chunk_files("minima"),
    output:
        LANDSCAPE,
    log:
        f"{LOGS}/landscape.log",
    threads: CORES
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        slice=part("landscape"),
        minima=all_chunks("minima"),
    shell:
        command(
            "landscape",
            " --molecule {input.molecule:q} --conformers {input.conformers:q} --known-forms {input.known_forms:q}"
            " --minima {params.minima} --output {output:q} --cores {threads}",
        )


rule completeness:
    input:
        landscape=LANDSCAPE,
        minima=plan.chunk_files("minima"),
    output:
        COMPLETENESS,
    log:
        f"{LOGS}/completeness.log",
    params:
        slice=part("completeness"),
        minima=all_chunks("minima"),
    shell:
        command(
            "completeness",
            " --landscape {input.landscape:q} --minima {params.minima} --output {output:q}",
        )
