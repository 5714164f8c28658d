"""Lattice energies of crystals, term by term: as they stand, and with --minimise relaxed: within their space group, and in a
subgroup where that ends on a saddle.

A FILE is a CIF of a molecular crystal (hydrogens included), or a JSON file with distributed multipoles, a table of
pair potentials and the settings of DMACRYS.  A JSON file is summed by DMACRYS's convention with what stands in it (only
the pressure comes from --config).  Of a CIF the molecules are found by their bonds; their multipoles are computed for
the geometry that they have in the crystal (minutes), or taken with the rigid molecules of a finished campaign.

Prints one JSON object per file, one per line.  Energies are in kJ/mol per formula unit of the asymmetric unit, which
holds `molecules_per_unit` molecules (of a JSON file: the Z-th part of the cell).
  initial, minimised   charge_charge, charge_dipole, dipole_dipole, higher_multipole, repulsion_dispersion (also in
                       two parts), intramolecular, total; pV apart, enthalpy = total + pV; all with _kJ_per_mol;
                       cell (a, b, c in A, angles in degrees), fractional_coordinates of the independent molecules
                       (interaction sites), symmetry_operations; minimised is null where no minimum was reached
  saddle               the same of the lowest point within the space group, where that was a saddle and was left
  steps, status        of the minimisation: ok, or how it failed
  cpu_s, notes         processor time in seconds without wave functions; what had to be assumed
Exit code 2 and one line when a file, an option or an element cannot be used; nothing has then been computed.
"""

import argparse
import json
import sys
from pathlib import Path

from polyscape.errors import InputError
from polyscape.stages.crystal_energy import energy_report
from polyscape.stages.crystal_files import open_crystal, read_request

EXAMPLE = "example:\n  python scripts/energy.py benzene.cif --minimise --potential w99rev --config config/config.yaml"


def main() -> None:
    """Check all files, then compute one after another."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("python scripts/energy.py", None, __doc__, EXAMPLE, formatter_class=form)
    parser.add_argument("file", type=Path, nargs="+", metavar="FILE", help="CIF or JSON file of a crystal")
    parser.add_argument("--minimise", "--minimize", action="store_true", help="relax the crystal")
    parser.add_argument(
        "--potential",
        metavar="NAME|FILE",
        help="fit, w99rev or a potential file (default: JSON's own; config's)",
    )
    parser.add_argument(
        "--config", type=Path, help="config: force field, pressure, minimiser, gas-phase level"
    )
    parser.add_argument("--campaign", type=Path, help="results/<campaign>: molecules for CIFs from there")
    options = parser.parse_args()
    try:
        request = read_request(options.config, options.potential, options.campaign)
        for opened in [open_crystal(path, request) for path in options.file]:
            report = energy_report(opened.ready(), request.minimiser, options.minimise)
            print(json.dumps({"file": str(opened.path)} | report), flush=True)
    except InputError as error:
        print(f"error: {error.line()}", file=sys.stderr)
        sys.exit(InputError.exit_code)


if __name__ == "__main__":
    main()
