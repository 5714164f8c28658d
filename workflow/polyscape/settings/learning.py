"""Settings of descriptors, learner, ranking and report."""

from typing import Literal

from pydantic import Field

from polyscape.settings.base import Section


class FeaturesSettings(Section):
    """The descriptor of a crystal."""

    descriptor: Literal["soap"] = Field(
        "soap", description="Descriptor of a crystal: averaged SOAP with the force field's energy terms."
    )
    soap_cutoff_A: float = Field(
        4.0, description="Radius of the atomic environments; short ones learn hydrogen bonds.", gt=1, le=10
    )
    soap_n_max: int = Field(6, description="Radial functions.", ge=1, le=12)
    soap_l_max: int = Field(6, description="Angular functions.", ge=0, le=12)
    soap_sigma_A: float = Field(
        0.4, description="Width of the Gaussians on the atoms; wider ones see less detail.", gt=0.05, le=2
    )
    components: int = Field(
        16, description="Principal components kept; more for large, flexible molecules.", ge=1, le=100
    )
    terms_weight: float = Field(
        1.0,
        description="Weight of the force field's energy terms against the components; 0 leaves them out.",
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
