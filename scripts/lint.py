"""`snakemake --lint`, without its wish for a conda or container directive: one .venv serves every rule."""

import re
import subprocess
import sys
from pathlib import Path

UNWANTED = "Specify a conda environment or container for each rule."


def complaints(text: str) -> list[str]:
    """One line per complaint of Snakemake's report: ``rule search (line 14, ...): ...``."""
    lines, place = [], ""
    for line in text.splitlines():
        if heading := re.fullmatch(r"Lints for (.*):", line):
            place = heading[1]
        elif (title := re.fullmatch(r" {4}\* (.*):", line)) and title[1] != UNWANTED:
            lines.append(f"{place}: {title[1]}")
    return lines


def main() -> None:
    """Exit code 1 and a line per complaint, or nothing at all."""
    snakemake = Path(sys.executable).with_name("snakemake")
    done = subprocess.run([snakemake, "--lint"], capture_output=True, text=True, check=False)
    report = done.stdout + done.stderr
    if done.returncode and "Lints for" not in report:
        sys.exit(f"snakemake --lint failed:\n{report}")
    if lines := complaints(report):
        sys.exit("\n".join(lines))


if __name__ == "__main__":
    main()
