# Density functional theory: the isolated molecule, the slots of each round, what the store holds beyond them.
# A slot is a structure that climbs the ladder of levels in one job; a result that the store has is only looked up.


rule isolated_molecule:
    input:
        molecule=MOLECULE,
        conformers=CONFORMERS,
    output:
        ISOLATED,
    log:
        f"{LOGS}/isolated_molecule.log",
    priority: 10
    retries: 2
    threads: ranks_or_one(molecule_request)
    resources:
        **level_resources(molecule_request),
    params:
        slice=part("isolated_molecule"),
    shell:
        command(
            "isolated_molecule",
            " --molecule {input.molecule:q} --conformers {input.conformers:q} --output {output:q}",
            launch="{resources.launch}",
            store=settings.store,
        )


rule single_point:
    input:
        landscape=LANDSCAPE,
        molecules=ISOLATED,  # lattice energies count from them
        selection=f"{FOLDER}/selection/round{{round}}.parquet",
    output:
        f"{FOLDER}/points/round{{round}}/slot{{slot}}.parquet",
    log:
        f"{LOGS}/single_point/round{{round}}-slot{{slot}}.log",
    retries: 2
    threads: ranks_or_one(slot_request)
    resources:
        **level_resources(slot_request),
    params:
        slice=part("single_point"),
    shell:
        command(
            "single_point",
            " --landscape {input.landscape:q} --molecules {input.molecules:q} --selection {input.selection:q} --slot {wildcards.slot}"
            " --output {output:q}",
            launch="{resources.launch}",
            store=settings.store,
        )


rule stored_points:
    input:
        points=plan.slot_files(rounds=LAST + 1),
        landscape=LANDSCAPE,
        molecules=ISOLATED,
    output:
        STORED,
    log:
        f"{LOGS}/stored_points.log",
    params:
        slice=part("stored_points"),
        points=all_slots,
    shell:
        command(
            "stored_points",
            " --landscape {input.landscape:q} --molecules {input.molecules:q} --points {params.points} --output {output:q}",
            store=settings.store,
        )
