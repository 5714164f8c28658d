"""What one level adds to the level below: a linear trend, sums of the force field whose weights are mended, a Gaussian
process on descriptors, and an unexplained part.

    delta(x) = h(x)^T b + z(x)^T c + g(x) + u(x),
    c ~ N(0, s^2),   g ~ GP(0, sigma^2 k(|x - x'| / length)),   u ~ N(0, tau^2) for each structure

with k Matern's kernel (nu = 5/2), z of total variance 1 over the landscape; b ~ N(b0, B) and c are integrated out
(Rasmussen & Williams, Gaussian Processes for Machine Learning, MIT Press 2006, section 2.7).  sigma, length, tau and
s maximise the marginal likelihood times log-normal priors that keep a handful of points sane.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_solve
from scipy.optimize import minimize
from sklearn.gaussian_process.kernels import Matern

from polyscape.learn.linalg import cholesky_lower
from polyscape.learn.protocol import Reals

_STARTS = ((0.0, 0.0, 0.0, 0.0), (1.0, 1.0, 0.0, -1.0), (-1.0, -1.0, 0.0, 1.0), (-1.0, 0.0, 1.0, 0.0))
"""Starts of the optimiser, in standard deviations of the priors from their medians."""


@dataclass(frozen=True)
class LogNormal:
    """A prior of a positive number: its logarithm is normal about log(median) with the given spread."""

    median: float
    spread: float


@dataclass(frozen=True)
class Priors:
    """Priors of the hyperparameters; lengths in units of the root mean square distance of two structures."""

    sigma_kJ_per_mol: LogNormal = LogNormal(4.0, 1.0)
    length: LogNormal = LogNormal(0.7, 0.5)
    tau_kJ_per_mol: LogNormal = LogNormal(1.5, 0.7)
    linear_kJ_per_mol: LogNormal = LogNormal(4.0, 0.5)

    @property
    def median_h(self) -> Reals:
        """Logarithms of the medians, shape (4,)."""
        return np.log([prior.median for prior in self._all()])

    @property
    def spread_h(self) -> Reals:
        """Standard deviations of the logarithms, shape (4,)."""
        return np.array([prior.spread for prior in self._all()])

    def _all(self) -> tuple[LogNormal, ...]:
        return (self.sigma_kJ_per_mol, self.length, self.tau_kJ_per_mol, self.linear_kJ_per_mol)


FIRST_LEVEL = Priors()
"""From a force field to quantum mechanics: corrections of some kJ/mol, partly beyond the descriptors."""

HIGHER_LEVELS = Priors(
    sigma_kJ_per_mol=LogNormal(1.5, 1.0),
    tau_kJ_per_mol=LogNormal(0.5, 0.7),
    linear_kJ_per_mol=LogNormal(0.5, 0.5),
)
"""From one quantum-mechanical level to the next: smaller corrections."""


@dataclass(frozen=True)
class Hyperparameters:
    """sigma, tau and s in kJ/mol per formula unit, length in units of the descriptors given."""

    sigma_kJ_per_mol: float
    length: float
    tau_kJ_per_mol: float
    linear_kJ_per_mol: float = 0.0


@dataclass(frozen=True)
class Rung:
    """The data of one level's discrepancy.

    Attributes
    ----------
    X_pf : numpy.ndarray, shape (points, features)
        Scaled descriptors of the computed structures, all distinct.
    Z_pj : numpy.ndarray, shape (points, sums)
        The force field's sums z of these structures; none where there are none.
    residual_p : numpy.ndarray, shape (points,)
        Computed values less the prior mean, kJ/mol.
    known_pp : numpy.ndarray, shape (points, points)
        The covariance that does not depend on the hyperparameters: trend, level below, numerical noise.
    """

    X_pf: Reals
    Z_pj: Reals
    residual_p: Reals
    known_pp: Reals

    def objective(self, theta_h: Reals, priors: Priors) -> tuple[float, Reals]:
        """Minus the logarithm of marginal likelihood times priors, and its gradient.

        ``-log L = (r^T K^-1 r + log |K| + n log 2 pi) / 2`` and
        ``d(-log L) = (tr(K^-1 dK) - a^T dK a) / 2, a = K^-1 r`` (Rasmussen & Williams 2006, eqs. 5.8 and
        5.9).

        Parameters
        ----------
        theta_h : numpy.ndarray, shape (4,)
            Logarithms of sigma, length, tau and s.
        priors : Priors
            Priors of the four.
        """
        sigma, length, tau, linear = np.exp(theta_h)
        correlation_pp, gradient_ppt = Matern(length, nu=2.5)(self.X_pf, eval_gradient=True)
        one_pp, linear_pp = np.eye(len(self.residual_p)), linear**2 * self.Z_pj @ self.Z_pj.T
        lower = cholesky_lower(self.known_pp + sigma**2 * correlation_pp + tau**2 * one_pp + linear_pp)
        a_p = cho_solve((lower, True), self.residual_p)
        inner_pp = cho_solve((lower, True), one_pp) - np.outer(a_p, a_p)
        d_h = (
            2 * sigma**2 * correlation_pp,
            sigma**2 * gradient_ppt[:, :, 0],
            2 * tau**2 * one_pp,
            2 * linear_pp,
        )
        deviation_h = (theta_h - priors.median_h) / priors.spread_h
        value = 0.5 * (self.residual_p @ a_p + len(a_p) * np.log(2 * np.pi)) + np.log(np.diag(lower)).sum()
        gradient_h = np.array([0.5 * np.sum(inner_pp * d_pp) for d_pp in d_h])
        return float(value + 0.5 * deviation_h @ deviation_h), gradient_h + deviation_h / priors.spread_h

    def fit(self, priors: Priors) -> Hyperparameters:
        """The hyperparameters of the highest posterior density, from a few fixed starts."""
        if not len(self.residual_p):
            return Hyperparameters(*np.exp(priors.median_h))
        bounds = list(
            zip(priors.median_h - 4 * priors.spread_h, priors.median_h + 4 * priors.spread_h, strict=True)
        )
        ends = [
            minimize(
                self.objective,
                priors.median_h + np.asarray(start) * priors.spread_h,
                args=(priors,),
                jac=True,
                method="L-BFGS-B",
                bounds=bounds,
            )
            for start in _STARTS
        ]
        best = min(ends, key=lambda end: float(end.fun))
        return Hyperparameters(*np.exp(best.x))
