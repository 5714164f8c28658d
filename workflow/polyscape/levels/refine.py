"""The cost model corrected by what points really took.

In logarithms, a point of level l on a machine m that was predicted to take t_0 takes

    log t = log t_0 + speed_m + offset_l + slope_l (log t_0 - center_l) + noise

Every coefficient has a normal prior around zero, so that one point moves little, eight move much, and what was never
seen stays as predicted.  A point that a busy machine or a hard self-consistency made far too dear counts little: the
noise is Student's, by iterated weights (K. L. Lange, R. J. A. Little, J. M. G. Taylor, J. Am. Stat. Assoc. 84, 881
(1989), https://doi.org/10.1080/01621459.1989.10478852).  Memory is corrected in the same way, alike on all machines.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from polyscape.levels.cost import Cost, predict, together
from polyscape.settings.levels import Level

Reals = NDArray[np.float64]

_FREEDOM: Final = 3.0
"""Degrees of freedom of Student's noise."""

_ITERATIONS: Final = 30
_COARSE: Final = math.log(4.0)


@dataclass(frozen=True)
class Observation:
    """What a point took, and what the laws of `polyscape.levels.cost` had said.

    Attributes
    ----------
    level : str
        Name of the level.
    machine : str
        Model of the processor.
    predicted, actual : Cost
        Before and after; all positive.
    """

    level: str
    machine: str
    predicted: Cost
    actual: Cost


@dataclass(frozen=True)
class Prior:
    """Standard deviations in logarithms: of machines, levels, slopes, and of single points."""

    speed: float
    offset: float
    slope: float
    noise: float


TIME: Final = Prior(speed=math.log(3.0), offset=math.log(1.5), slope=0.15, noise=0.15)
OTHER_TIME: Final = Prior(speed=math.log(3.0), offset=math.log(10.0), slope=0.4, noise=0.2)
"""Of a law of which only the order of magnitude is meant."""
MEMORY: Final = Prior(speed=1e-3, offset=math.log(1.5), slope=0.15, noise=0.1)


@dataclass(frozen=True)
class Correction:
    """``log t - log t_0 = offset + slope (log t_0 - center)`` of a level."""

    offset: float = 0.0
    slope: float = 0.0
    center: float = 0.0

    def apply(self, value: float) -> float:
        """The corrected value of a prediction."""
        return value * math.exp(self.offset + self.slope * (math.log(value) - self.center))


_NONE: Final = Correction()


@dataclass(frozen=True)
class CostModel:
    """The laws of `polyscape.levels.cost` with what was learned from points; without any, the laws themselves.

    Attributes
    ----------
    time, memory : mapping of str to Correction
        By name of the level.
    points : int
        Points that it was learned from, on the machine that it speaks of.
    """

    time: Mapping[str, Correction] = field(default_factory=dict)
    memory: Mapping[str, Correction] = field(default_factory=dict)
    points: int = 0

    def predict(self, atoms: Atoms, levels: Sequence[Level], index: int) -> Cost:
        """Cost of level `index` alone, on orbitals that are there if it needs any."""
        return self.corrected(predict(atoms, levels, index), levels[index].name)

    def climb(self, atoms: Atoms, levels: Sequence[Level], level: str) -> Cost:
        """Cost of climbing the ladder up to and including `level` in one job."""
        names = [rung.name for rung in levels]
        return together([self.predict(atoms, levels, index) for index in range(names.index(level) + 1)])

    def corrected(self, cost: Cost, level: str) -> Cost:
        """A prediction of the laws with what was learned."""
        core_s = self.time.get(level, _NONE).apply(cost.core_s)
        return Cost(core_s, self.memory.get(level, _NONE).apply(cost.memory_MB))

    def coarse(self) -> "CostModel":
        """The model for choosing between structures: levels against each other to a factor of four, no slopes.

        Measured times wobble, and the same config shall choose the same structures again.  What all levels share,
        the speed of the machine, does not matter for a choice.
        """
        if not self.time:
            return self
        first = next(iter(self.time.values())).offset
        steps = {name: round((known.offset - first) / _COARSE) for name, known in self.time.items()}
        return CostModel({name: Correction(step * _COARSE) for name, step in steps.items()}, self.memory)


def refine(observations: Sequence[Observation], levels: Sequence[Level]) -> CostModel:
    """The cost model of a ladder, for the machine that most observations come from."""
    names = {level.name for level in levels}
    seen = [point for point in observations if point.level in names]
    if not seen:
        return CostModel()
    machine, count = Counter(point.machine for point in seen).most_common(1)[0]
    priors = {level.name: _prior(level) for level in levels}
    time = _Fit([(p.machine, p.level, p.predicted.core_s, p.actual.core_s) for p in seen], priors)
    alike = dict.fromkeys(priors, MEMORY)
    memory = _Fit([("", p.level, p.predicted.memory_MB, p.actual.memory_MB) for p in seen], alike)
    return CostModel(time.corrections(machine), memory.corrections(""), count)


def _prior(level: Level) -> Prior:
    """How far the times of a level may be off: little where its steps are known, much where they are not."""
    known = level.program == "gpaw" and level.relax == "none" and level.gpaw.hybrid != "self_consistent"
    return TIME if known else OTHER_TIME


class _Fit:
    """The most probable coefficients, found once.

    Parameters
    ----------
    points : list of (machine, level, predicted, actual)
        What is fitted.
    priors : mapping of str to Prior
        By name of the level, in the order of the ladder.
    """

    def __init__(self, points: list[tuple[str, str, float, float]], priors: Mapping[str, Prior]) -> None:
        machines, names, predicted, actual = zip(*points, strict=True)
        self.machines, self.levels = sorted(set(machines)), list(priors)
        log_n = np.log(predicted)
        one_nm = np.array([[machine == other for other in self.machines] for machine in machines], float)
        one_nl = np.array([[name == other for other in self.levels] for name in names], float)
        self.center_l = (one_nl.T @ log_n) / np.maximum(one_nl.sum(axis=0), 1.0)
        X_nq = np.hstack([one_nm, one_nl, one_nl * (log_n[:, np.newaxis] - self.center_l)])
        sd_q = [next(iter(priors.values())).speed] * len(self.machines)
        sd_q += [prior.offset for prior in priors.values()] + [prior.slope for prior in priors.values()]
        noise_n = one_nl @ np.array([prior.noise for prior in priors.values()])
        self.coefficient_q = _robust_fit(X_nq, np.log(actual) - log_n, np.array(sd_q), noise_n)

    def corrections(self, machine: str) -> dict[str, Correction]:
        """What is known of each level on a machine."""
        speed = float(self.coefficient_q[self.machines.index(machine)])
        offset_l, slope_l = np.split(self.coefficient_q[len(self.machines) :], 2)
        values = zip(self.levels, offset_l.tolist(), slope_l.tolist(), self.center_l.tolist(), strict=True)
        return {name: Correction(speed + offset, slope, center) for name, offset, slope, center in values}


def _robust_fit(X_nq: Reals, y_n: Reals, sd_q: Reals, noise_n: Reals) -> Reals:
    """Coefficients of ``y = X c`` with normal priors of width `sd_q` and Student's noise of width `noise_n`."""
    weight_n = np.ones(len(y_n))
    for _ in range(_ITERATIONS):
        precision_n = weight_n / noise_n**2
        A_qq = X_nq.T @ (precision_n[:, np.newaxis] * X_nq) + np.diag(sd_q**-2.0)
        coefficient_q = np.linalg.solve(A_qq, X_nq.T @ (precision_n * y_n))
        weight_n = (_FREEDOM + 1) / (_FREEDOM + ((y_n - X_nq @ coefficient_q) / noise_n) ** 2)
    return np.asarray(coefficient_q)
