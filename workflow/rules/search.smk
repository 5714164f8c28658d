# Trial crystals by chunks, drawn or imported, their minimisation, and the landscape of distinct structures.


rule search:
    input:
        # first, to say at once when a known form's conformer is not searched; a form added later redoes no search
        known_forms=ancient(KNOWN_FORMS),
        molecule=MOLECULE,
        conformers=CONFORMERS,
    output:
        f"{FOLDER}/trials/{{series}}/{{chunk}}.parquet",
    log:
        f"{LOGS}/search/{{series}}-{{chunk}}.log",
    wildcard_constraints:
        series=r"\d{3}(s|z\d)?",
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        slice=part("search"),
        start=lambda wildcards: chunk_of(wildcards).start,
        trials=lambda wildcards: chunk_of(wildcards).count,
        hall=lambda wildcards: plan.hall_symbol(chunk_of(wildcards)),
        kind=lambda wildcards: chunk_of(wildcards).kind,
    shell:
        command(
            "search",
            " --hall {params.hall:q} --kind {params.kind} --start {params.start} --count {params.trials}"
            " --molecule {input.molecule:q} --conformers {input.conformers:q} --output {output:q}",
        )


rule import_crystals:
    input:
        known_forms=ancient(KNOWN_FORMS),
        molecule=MOLECULE,
        conformers=CONFORMERS,
        file=lambda wildcards: plan.imported[wildcards.chunk],
    output:
        f"{FOLDER}/trials/import/{{chunk}}.parquet",
    log:
        f"{LOGS}/import/{{chunk}}.log",
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        slice=part("import_crystals"),
    shell:
        command(
            "import_crystals",
            " --name {wildcards.chunk} --file {input.file:q} --molecule {input.molecule:q}"
            " --conformers {input.conformers:q} --output {output:q}",
        )


if settings.search.stop_at_coverage is None:

    rule minimise:
        input:
            molecule=MOLECULE,
            conformers=CONFORMERS,
            trials=f"{FOLDER}/trials/{{series}}/{{chunk}}.parquet",
        output:
            f"{FOLDER}/minima/{{series}}/{{chunk}}.parquet",
        log:
            f"{LOGS}/minimise/{{series}}-{{chunk}}.log",
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

else:

    # a chunk waits for those before it that the last checkpoint in its reach is judged from
    rule minimise_until_complete:
        input:
            molecule=MOLECULE,
            conformers=CONFORMERS,
            trials=f"{FOLDER}/trials/{{series}}/{{chunk}}.parquet",
            earlier=lambda wildcards: plan.judged_minima(wildcards.series, wildcards.chunk),
        output:
            f"{FOLDER}/minima/{{series}}/{{chunk}}.parquet",
        log:
            f"{LOGS}/minimise/{{series}}-{{chunk}}.log",
        threads: threads_per_chunk
        resources:
            mem_mb=2000,
            runtime=240,
        params:
            slice=part("minimise_until_complete"),
        shell:
            command(
                "minimise_until_complete",
                " --molecule {input.molecule:q} --conformers {input.conformers:q} --trials {input.trials:q}"
                " --earlier {input.earlier:q} --output {output:q} --cores {threads}",
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
