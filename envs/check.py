"""Does GPAW work here: libxc, PAW setups, a PBE energy and a PBE0 energy on its orbitals?  Seconds, one line."""

import contextlib
import io
import sys


def h2_energies_eV() -> tuple[float, float]:
    """PBE energy of H2 in a small box, and what PBE0 on the PBE orbitals adds to it."""
    from ase import Atoms
    from gpaw import GPAW, PW
    from gpaw.hybrids.energy import non_self_consistent_energy

    atoms = Atoms("H2", [(0, 0, 0), (0, 0, 0.74)], cell=(5, 5, 5), pbc=True)
    atoms.center()
    atoms.calc = GPAW(mode=PW(300), xc="PBE", txt=None)
    with contextlib.redirect_stdout(io.StringIO()):
        pbe_eV = atoms.get_potential_energy()
        pbe0_eV = float(non_self_consistent_energy(atoms.calc, "PBE0").sum())
    return pbe_eV, pbe0_eV - pbe_eV


def main() -> None:
    """Print one line; exit code 1 when something is missing or wrong."""
    try:
        import _gpaw
        import gpaw
        from gpaw.mpi import world
    except ImportError as error:
        sys.exit(f"GPAW cannot be imported: {error}")
    version = getattr(_gpaw, "libxc_version", None)
    if version is None:
        sys.exit("GPAW was built without libxc, so PBE0 is not possible")
    try:
        pbe_eV, change_eV = h2_energies_eV()
    except FileNotFoundError as error:
        sys.exit(
            f"GPAW finds no PAW setups ({str(error).splitlines()[0]}); install gpaw-data or set GPAW_SETUP_PATH"
        )
    # Relative to two spin-paired atoms H2 is bound by some 6.5 eV in PBE; PBE0 changes that by tenths of an eV.
    if not (-8 < pbe_eV < -5 and 0 < abs(change_eV) < 2):
        sys.exit(f"GPAW gives nonsense for H2: PBE {pbe_eV:.3f} eV, PBE0 - PBE {change_eV:.3f} eV")
    if world.rank == 0:
        ranks = f"{world.size} rank{'s' if world.size > 1 else ''}"
        energies = f"H2 with PBE {pbe_eV:.3f} eV, with PBE0 {pbe_eV + change_eV:.3f} eV"
        print(f"GPAW {gpaw.__version__}, libxc {version}, on {ranks}: {energies}")


if __name__ == "__main__":
    main()
