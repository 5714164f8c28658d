"""Settings of the molecule stage: components, conformers, gas-phase level, multipoles."""

from math import gcd
from typing import Literal, Self

from pydantic import Field, model_validator

from polyscape.settings.base import Name, Section, refusal


class Component(Section):
    """One kind of molecule of the crystal."""

    name: Name = Field(description="Name of the component in tables and reports.")
    smiles: str | None = Field(None, description="SMILES of the molecule; give this or `file`.")
    file: str | None = Field(
        None,
        description="XYZ, MOL, SDF or CIF file of the molecule; give this or `smiles`. Its geometry is one start.",
    )
    charge: int = Field(
        0,
        description="Net charge in e. A salt is given as its ions; the charges of a formula unit must sum to 0.",
        ge=-9,
        le=9,
    )
    stoichiometry: int = Field(1, description="Molecules of this component per formula unit.", ge=1, le=12)
    conformers: Literal["lowest", "all", "known_forms"] | list[str] = Field(
        "lowest",
        description="Conformers to search: the `lowest` in the gas phase (and what `symmetric_window_kJ_per_mol` puts "
        "beside it), `all` in the window, those of the "
        "`known_forms`, or a list of names (a letter per rotatable bond, tTt for instance; case does not matter) "
        "and of XYZ, MOL, SDF or CIF files, each for the conformer nearest to the molecule in it. "
        "Name them when the crystal's conformer is not the gas phase's.",
    )
    multipoles_file: str | None = Field(
        None,
        description="GDMA punch, fchk or Molden file whose multipoles replace our own; for one conformer only.",
    )

    @model_validator(mode="after")
    def _some_conformer(self) -> Self:
        if not self.conformers:
            raise refusal("conformers", [], "names no conformer", "name one, or write lowest or all")
        return self

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.smiles is None) == (self.file is None):
            raise ValueError("give either `smiles` or `file`")
        return self

    @property
    def files(self) -> list[str]:
        """The user's files that describe the molecule."""
        named = self.conformers if not isinstance(self.conformers, str) else []
        shapes = [name for name in named if name.lower().endswith((".xyz", ".mol", ".sdf", ".cif"))]
        return [name for name in (self.file, self.multipoles_file, *shapes) if name is not None]


class GasPhase(Section):
    """Level of theory of the isolated molecule."""

    functional: Literal["hf", "b3lyp", "pbe", "pbe0"] = Field(
        "b3lyp", description="Functional of geometry, energy and wave function; W99rev was made for B3LYP."
    )
    basis: Literal["sto-3g", "6-31g**", "6-311g**", "def2-svp", "def2-tzvp"] = Field(
        "6-311g**", description="Gaussian basis set; a smaller one for a quick look only."
    )


class MoleculeSettings(Section):
    """The molecules of a formula unit."""

    components: list[Component] = Field(
        description="The kinds of molecules of the crystal.", min_length=1, max_length=4
    )
    conformer_window_kJ_per_mol: float = Field(
        30.0,
        description="Conformers up to this energy above the lowest are kept; wider for strong crystal fields.",
        ge=0,
    )
    symmetric_window_kJ_per_mol: float = Field(
        10.0,
        description="A geometry of higher symmetry near a conformer (planar NH2, coplanar rings) up to this energy above "
        "it is a conformer too, `<name>-<point group>`, and searched with it by `lowest` and `all`; below 2.5 it stands "
        "in the conformer's place. 0 keeps to the minima of the isolated molecule.",
        ge=0,
    )
    max_conformers: int = Field(
        20,
        description="Most conformers optimised with DFT; more for long chains, at a cost of minutes each.",
        ge=1,
    )
    gas_phase: GasPhase = Field(
        default_factory=GasPhase, description="Level of theory of the isolated molecule."
    )
    multipole_switch: float = Field(
        4.0,
        description="Exponent (1/bohr^2) below which the multipole analysis works on a grid (GDMA's `switch`); "
        "0 is the original, basis-sensitive analysis.",
        ge=0,
    )

    @model_validator(mode="after")
    def _formula_unit_is_the_smallest(self) -> Self:
        common = gcd(*(component.stoichiometry for component in self.components))
        if common > 1:
            problem = (
                f"all stoichiometries have the common factor {common}: a formula unit is the smallest one"
            )
            remedy = f"divide each by {common}; Z' > 1 is not a stoichiometry"
            raise refusal("components[0].stoichiometry", self.components[0].stoichiometry, problem, remedy)
        return self
