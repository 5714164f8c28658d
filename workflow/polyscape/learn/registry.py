"""Descriptors and learners by their name in the config: a new one is a new file and a line here."""

from collections.abc import Callable

from polyscape.learn.cokriging import CoKriging
from polyscape.learn.protocol import Descriptor, Learner
from polyscape.learn.soap import SoapDescriptor
from polyscape.settings.learning import FeaturesSettings, LearningSettings


def _soap(settings: FeaturesSettings) -> Descriptor:
    return SoapDescriptor(
        cutoff_A=settings.soap_cutoff_A,
        n_max=settings.soap_n_max,
        l_max=settings.soap_l_max,
        sigma_A=settings.soap_sigma_A,
        components=settings.components,
        terms_weight=settings.terms_weight,
    )


def _cokriging(settings: LearningSettings) -> Learner:
    return CoKriging(noise_kJ_per_mol=settings.min_noise_kJ_per_mol)


DESCRIPTORS: dict[str, Callable[[FeaturesSettings], Descriptor]] = {"soap": _soap}
LEARNERS: dict[str, Callable[[LearningSettings], Learner]] = {"cokriging": _cokriging}


def build_descriptor(settings: FeaturesSettings) -> Descriptor:
    """The descriptor that the config names."""
    return DESCRIPTORS[settings.descriptor](settings)


def build_learner(settings: LearningSettings) -> Learner:
    """The learner that the config names."""
    return LEARNERS[settings.learner](settings)
