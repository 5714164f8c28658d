# The isolated molecule: conformers, gas-phase energies, multipoles; the known forms minimised with them.


rule molecule:
    input:
        plan.user_files("molecule"),
    output:
        molecule=MOLECULE,
        conformers=CONFORMERS,
    log:
        f"{LOGS}/molecule.log",
    threads: 2
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        slice=part("molecule"),
    shell:
        command(
            "molecule",
            " --output-molecule {output.molecule:q} --output-conformers {output.conformers:q} --cores {threads}",
        )


rule known_forms:
    input:
        plan.user_files("known_forms"),
        molecule=MOLECULE,
        conformers=CONFORMERS,
    output:
        KNOWN_FORMS,
    log:
        f"{LOGS}/known_forms.log",
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        slice=part("known_forms"),
    shell:
        command(
            "known_forms",
            " --molecule {input.molecule:q} --conformers {input.conformers:q} --output {output:q}",
        )
