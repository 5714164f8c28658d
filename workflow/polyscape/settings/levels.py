"""Settings of the ladder of levels of theory."""

import difflib
import json
import re
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from polyscape.settings.base import Name, Section, refusal
from polyscape.settings.gpaw import GpawSettings

_IMPORT_PATH = re.compile(r"ase:[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")


class TbliteSettings(Section):
    """Extended tight binding with tblite."""

    method: Literal["GFN2-xTB", "GFN1-xTB"] = Field("GFN2-xTB", description="Parametrisation.")
    supercell_width_A: float = Field(
        11.0,
        description="Least width of the supercell along every axis. The program has no k-points: an energy per cell is "
        "that of a supercell at Gamma, divided by its cells.",
        ge=0,
        le=60,
    )
    accuracy: float = Field(
        0.1, description="Factor on the program's thresholds; smaller is tighter.", gt=0, le=100
    )
    electronic_temperature_K: float = Field(300.0, description="Of the Fermi smearing.", ge=0, le=5000)
    max_scf_steps: int = Field(250, description="Steps before the point is given up.", ge=1)


class AseSettings(Section):
    """Any calculator of ASE, by its import path: ``backend: ase:package.module.Class``."""

    keywords: dict[str, Any] = Field(
        default_factory=dict,
        description="Keyword arguments of the calculator. What is hashed for the store, with the package's version and, "
        "where a value is the path of a file, with its content.",
    )
    ion_charge: Literal["none", "info", "initial_charges"] = Field(
        "none",
        description="How the calculator is told the charge of an isolated ion, which the lattice energies of a salt count "
        "from: by `atoms.info['charge']`, or by the sum of the atoms' initial charges. Its documentation says which, if "
        "any; with `none` salts are refused.",
        exclude_if=lambda value: value == "none",  # neutral campaigns keep their stages' settings
    )

    @model_validator(mode="after")
    def _keywords_are_plain(self) -> Self:
        """They are hashed and handed to jobs as JSON: a date would not get there, and a key 1 would be the text "1"."""
        try:
            plain = json.loads(json.dumps(self.keywords, allow_nan=False)) == self.keywords
        except (TypeError, ValueError):
            plain = False
        if not plain:
            problem = (
                "holds what is no text, finite number, true, false, null, list or mapping with texts as keys"
            )
            raise refusal("keywords", str(self.keywords), problem, "write it in quotes, if it is a date")
        return self


class RelaxationSettings(Section):
    """When a relaxation has converged, and when it is given up."""

    force_eV_per_A: float = Field(0.02, description="Largest force on an atom at the end.", gt=0)
    stress_GPa: float = Field(
        0.05, description="Largest component of the stress at the end (`relax: cell`).", gt=0
    )
    max_steps: int = Field(200, description="Steps before the relaxation is given up.", ge=1)


class Level(Section):
    """One rung of the ladder."""

    name: Name = Field(description="Name of the level in tables and reports.")
    backend: str = Field(
        "gpaw",
        description="Program that computes the level: `gpaw`, `tblite`, or `ase:` and the import path of a calculator of "
        "ASE, `ase:mace.calculators.mace_mp` for instance.",
    )
    dispersion: Literal["none", "d3bj", "d3bj-atm", "d4", "mbd"] = Field(
        "d3bj",
        description="Dispersion correction added to the electronic energy: D3(BJ) without and with three-body terms, D4, "
        "many-body dispersion (needs pymbd). `none` where the back end is not GPAW and nothing is given.",
    )
    dispersion_functional: str | None = Field(
        None, description="Functional whose dispersion parameters are used; by default the level's own."
    )
    mbd_volume_ratios: dict[str, float] = Field(
        default_factory=dict,
        description="For `dispersion: mbd`: Hirshfeld volume over that of the free atom, by element.",
    )
    gpaw: GpawSettings = Field(default_factory=GpawSettings, description="Settings of the GPAW back end.")
    tblite: TbliteSettings = Field(
        default_factory=TbliteSettings, description="Settings of the tblite back end."
    )
    ase: AseSettings = Field(default_factory=AseSettings, description="Settings of a calculator of ASE.")
    relax: Literal["none", "atoms", "cell"] = Field(
        "none",
        description="What moves before the single point, from the geometry of the level below: nothing, the atoms, or "
        "the atoms and the cell.  The levels above take the relaxed geometry.",
    )
    relaxation: RelaxationSettings = Field(
        default_factory=RelaxationSettings, description="Convergence of the relaxation."
    )

    @property
    def program(self) -> str:
        """The back end without its import path: ``gpaw``, ``tblite`` or ``ase``."""
        return self.backend.partition(":")[0]

    @model_validator(mode="before")
    @classmethod
    def _others_have_no_dispersion(cls, data: Any) -> Any:
        if isinstance(data, dict) and "dispersion" not in data and data.get("backend", "gpaw") != "gpaw":
            return data | {"dispersion": "none"}
        return data

    @model_validator(mode="after")
    def _backend_exists(self) -> Self:
        if self.backend in ("gpaw", "tblite") or _IMPORT_PATH.fullmatch(self.backend):
            return self
        if self.backend.startswith("ase:"):
            problem, remedy = "is no import path", "write ase:package.module.Class"
            raise refusal("backend", self.backend, problem, remedy)
        choices = ["gpaw", "tblite", "ase:<import.path>"]
        close = difflib.get_close_matches(self.backend.lower(), choices, n=1)
        remedy = f"did you mean '{close[0]}'? (choices: " if close else "choose one of ("
        raise refusal("backend", self.backend, "is not one of the choices", f"{remedy}{', '.join(choices)})")

    @model_validator(mode="after")
    def _dispersion_fits(self) -> Self:
        if self.program == "tblite" and self.dispersion != "none":
            problem = "GFN1-xTB and GFN2-xTB have a dispersion of their own"
            raise refusal("dispersion", self.dispersion, problem, "leave the key out")
        if self.program == "ase" and self.dispersion != "none" and self.dispersion_functional is None:
            problem = "the functional of an ASE calculator is not known"
            raise refusal("dispersion_functional", None, problem, "name the functional")
        if (self.dispersion == "mbd") != bool(self.mbd_volume_ratios):
            problem = "is needed by `dispersion: mbd`, and by nothing else"
            remedy = "give a ratio for every element, {H: 0.6, C: 0.85, ...}, or choose d3bj or d4"
            raise refusal("mbd_volume_ratios", self.mbd_volume_ratios, problem, remedy)
        return self

    @model_validator(mode="after")
    def _no_section_is_idle(self) -> Self:
        """Settings of a program that does not compute the level would be read and never used."""
        for key in ("gpaw", "tblite", "ase"):
            if key != self.program and getattr(self, key) != Level.model_fields[key].get_default(
                call_default_factory=True
            ):
                problem = f"has no effect: the level's back end is {self.backend}"
                raise refusal(key, "", problem, f"leave it out, or write `backend: {key}`")
        if self.relax == "none" and self.relaxation != RelaxationSettings():
            raise refusal(
                "relaxation", "", "has no effect: nothing is relaxed", "write `relax: atoms` or `cell`"
            )
        if self.relax != "none" and self.gpaw.hybrid != "none":
            problem = "a hybrid functional on the orbitals of another has no forces"
            raise refusal("relax", self.relax, problem, "relax at the level below")
        return self
