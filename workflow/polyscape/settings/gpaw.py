"""Settings of plane-wave DFT with GPAW."""

from typing import Literal

from pydantic import Field

from polyscape.settings.base import Section


class GpawSettings(Section):
    """Plane-wave DFT with GPAW."""

    functional: str = Field(
        "PBE",
        description="Exchange-correlation functional: PBE, r2SCAN, ..., or names of libxc; docs/levels.md says which.",
    )
    plane_wave_cutoff_eV: float = Field(
        600.0,
        description="Plane-wave cutoff. At 600 eV energies of packings are within 0.3 kJ/mol per molecule; at 500 eV "
        "the number of plane waves in a small cell moves them by kJ/mol.",
        ge=200,
    )
    grid_spacing_A: float = Field(
        0.16,
        description="Spacing of the real-space grid; fixed, so that all structures share one grid density. Its plane "
        "waves must reach twice the cutoff: 0.17 at 600 eV, 0.15 at 800 eV.",
        gt=0.05,
        lt=0.4,
    )
    k_spacing_per_A: float = Field(
        0.6,
        description="Largest distance between points of the Monkhorst-Pack mesh, 2 pi included. Meshes are not "
        "centred on Gamma; 10 is one point.",
        gt=0.05,
        le=10,
    )
    hybrid: Literal["none", "non_self_consistent", "self_consistent"] = Field(
        "none",
        description="`non_self_consistent` evaluates a hybrid functional on the orbitals of the level below; "
        "`self_consistent` starts from them, or from PBE's, and costs ten to thirty times as much.",
    )
    max_scf_steps: int = Field(100, description="Steps before the next remedy is tried.", ge=1)
    molecule_box_A: float = Field(
        10.0,
        description="Edge of the isolated molecule's cubic box; its extent plus 6 A where that is larger.",
        ge=6,
        le=60,
    )
