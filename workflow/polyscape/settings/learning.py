"""Settings of descriptors, learner, ranking and report."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from polyscape.settings.base import Section

BLOCKS: Final = ("soap", "acsf", "amd", "terms", "pairs")
AUTO: Final = "auto"


def _check_descriptor(text: str) -> str:
    names = text.split("+")
    if text != AUTO and (len(set(names)) < len(names) or not set(names) <= set(BLOCKS)):
        raise ValueError(f"use {AUTO}, or different ones of {', '.join(BLOCKS)} joined by '+'")
    return text


class FeaturesSettings(Section):
    """The descriptor of a crystal."""

    descriptor: Annotated[str, AfterValidator(_check_descriptor)] = Field(
        AUTO,
        description="What crystals are compared by: averaged SOAP (`soap`), atom-centred symmetry functions (`acsf`), "
        "average minimum distances (`amd`), the force field's energy terms (`terms`) or its sums by kinds of "
        "atoms (`pairs`), several joined by `+`; `auto` takes of a few combinations the one that predicts left-out points "
        "best.",
    )
    acsf_cutoff_A: float = Field(4.0, description="Radius of the symmetry functions.", gt=2, le=10)
    soap_cutoff_A: float = Field(
        3.0, description="Radius of the atomic environments; short ones learn hydrogen bonds.", gt=1, le=10
    )
    soap_n_max: int = Field(6, description="Radial functions.", ge=1, le=12)
    soap_l_max: int = Field(6, description="Angular functions.", ge=0, le=12)
    soap_sigma_A: float = Field(
        0.3, description="Width of the Gaussians on the atoms; wider ones see less detail.", gt=0.05, le=2
    )
    components: int = Field(
        16, description="Principal components kept of each; more for large, flexible molecules.", ge=1, le=100
    )
    terms_weight: float = Field(
        1.0,
        description="Weight of the force field's energy terms or sums against the components.",
        ge=0,
        le=10,
    )


class LearningSettings(Section):
    """The multi-fidelity Gaussian process and its posterior draws."""

    learner: Literal["cokriging"] = Field(
        "cokriging", description="Learner: autoregressive Gaussian processes, one per level."
    )
    draws: int = Field(
        4000, description="Joint posterior draws behind the ranking's probabilities.", ge=100, le=1_000_000
    )
    min_noise_kJ_per_mol: float = Field(
        0.2,
        description="Numerical noise of a single point; two settings of one packing differ by this much.",
        gt=0,
    )


class ReportSettings(Section):
    """What the report shows."""

    structures: int = Field(
        20, description="Lowest structures exported as CIF and listed first.", ge=1, le=1000
    )
