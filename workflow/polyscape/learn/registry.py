"""Descriptors and learners by their name in the config: a new one is a new file and a line here."""

from collections.abc import Callable
from typing import Final

from polyscape.learn.acsf import AcsfDescriptor
from polyscape.learn.cokriging import CoKriging
from polyscape.learn.protocol import Descriptor, Learner
from polyscape.learn.scaling import Combined, Scaled
from polyscape.learn.soap import SoapDescriptor
from polyscape.learn.sums import AmdDescriptor, PairsDescriptor, TermsDescriptor
from polyscape.settings.learning import AUTO, FeaturesSettings, LearningSettings

CANDIDATES: Final = ("soap+pairs", "soap+terms", "acsf+pairs", "amd+pairs")
"""Combinations that `auto` chooses from, the one to start with first."""

LINEAR: Final = "linear"
"""The block of the sums that corrections may be linear in."""

_ALL_COMPONENTS: Final = 1000


def _soap(settings: FeaturesSettings) -> Descriptor:
    raw = SoapDescriptor(
        settings.soap_cutoff_A, settings.soap_n_max, settings.soap_l_max, settings.soap_sigma_A
    )
    return Scaled(raw, settings.components)


def _acsf(settings: FeaturesSettings) -> Descriptor:
    return Scaled(AcsfDescriptor(settings.acsf_cutoff_A), settings.components)


def _amd(settings: FeaturesSettings) -> Descriptor:
    return Scaled(AmdDescriptor(), settings.components)


def _terms(settings: FeaturesSettings) -> Descriptor:
    return Scaled(TermsDescriptor(), settings.components, settings.terms_weight)


def _pairs(settings: FeaturesSettings) -> Descriptor:
    return Scaled(PairsDescriptor(), settings.components, settings.terms_weight)


def _linear(settings: FeaturesSettings) -> Descriptor:
    return Scaled(PairsDescriptor(), _ALL_COMPONENTS)


def _cokriging(settings: LearningSettings) -> Learner:
    return CoKriging(noise_kJ_per_mol=settings.min_noise_kJ_per_mol)


DESCRIPTORS: dict[str, Callable[[FeaturesSettings], Descriptor]] = {
    "soap": _soap,
    "acsf": _acsf,
    "amd": _amd,
    "terms": _terms,
    "pairs": _pairs,
}
LEARNERS: dict[str, Callable[[LearningSettings], Learner]] = {"cokriging": _cokriging}


def candidates(settings: FeaturesSettings) -> tuple[str, ...]:
    """The combinations of blocks that the learner may choose from."""
    return CANDIDATES if settings.descriptor == AUTO else (settings.descriptor,)


def build_blocks(settings: FeaturesSettings) -> dict[str, Descriptor]:
    """The descriptors that the config's combinations are made of, and the sums for linear corrections."""
    names = dict.fromkeys(name for one in candidates(settings) for name in one.split("+"))
    return {name: DESCRIPTORS[name](settings) for name in names} | {LINEAR: _linear(settings)}


def build_descriptor(settings: FeaturesSettings) -> Descriptor:
    """The descriptor that the config names; the first candidate where it leaves the choice."""
    names = candidates(settings)[0].split("+")
    return Combined(tuple(DESCRIPTORS[name](settings) for name in names))


def build_learner(settings: LearningSettings) -> Learner:
    """The learner that the config names."""
    return LEARNERS[settings.learner](settings)
