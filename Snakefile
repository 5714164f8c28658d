# polyscape: crystal structure prediction of organic molecules.
# One config file is one campaign; everything it makes stands in results/<campaign>/.
#   snakemake --cores all                                             (this machine)
#   snakemake --workflow-profile workflow/profiles/slurm              (SLURM)
#   snakemake --cores all --configfile config/examples/urea.yaml      (another molecule)


include: "workflow/rules/common.smk"
include: "workflow/rules/molecule.smk"
include: "workflow/rules/search.smk"
include: "workflow/rules/levels.smk"
include: "workflow/rules/learn.smk"
include: "workflow/rules/report.smk"


# On a cluster every job is SLURM's: the login node does nothing but drive.
localrules:
    all,


rule all:
    default_target: True
    input:
        rules.report.output,


onstart:
    keep_config(plan)
    print(plan.summary(), file=sys.stderr)
    settle(settings.campaign, log, kept={"isolated_molecule", "single_point"})


onsuccess:
    if Path(f"{FOLDER}/report/index.html").exists():
        print(f"done; open {FOLDER}/report/index.html", file=sys.stderr)


onerror:
    print(f"stopped; logs in {FOLDER}/logs/; the same command goes on from here", file=sys.stderr)
