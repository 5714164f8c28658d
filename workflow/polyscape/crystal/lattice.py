"""Lattices that a space group allows: tied axes, free angles, and how a random one is drawn."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from polyscape.crystal.groups import SpaceGroup

CellParameters = tuple[float, float, float, float, float, float]

_MONOCLINIC_DEG: Final = (90.0, 135.0)
"""With the setting fixed, a' = a + n c and c' = c + 2 m a bring the angle of every P2_1/c cell between 45 and
135 degrees (|cos beta| <= min(c / 2a, a / c)); reversing two axes makes it obtuse."""

_REDUCED_DEG: Final = (60.0, 120.0)
"""Angles of every Niggli cell; J. Gruber in International Tables for Crystallography A, chapter 3.1."""

_FLATTEST: Final = 0.4
"""Volume over abc: flatter cells are brought nearer to a box."""


def tied_axes(group: SpaceGroup) -> list[list[int]]:
    """Axes that an operation carries into one another and whose lengths are therefore equal, as classes."""
    linked_cc = np.sum([np.abs(rotation_cc) for rotation_cc, _ in group.operations], axis=0) > 0
    classes: list[list[int]] = []
    for axis in range(3):
        home = next(
            (c for c in classes if any(linked_cc[axis, other] or linked_cc[other, axis] for other in c)), None
        )
        if home is None:
            classes.append([axis])
        else:
            home.append(axis)
    return classes


def symmetrised(metric_cc: NDArray[np.float64], group: SpaceGroup) -> NDArray[np.float64]:
    """Metric tensor averaged over the group, ``mean of W^T G W``: every operation W leaves it unchanged."""
    rotations = np.array([rotation_cc for rotation_cc, _ in group.operations])
    return np.einsum("nki,kl,nlj->ij", rotations, metric_cc, rotations) / len(rotations)


def draw_lattice(
    point: NDArray[np.float64], group: SpaceGroup, volume_A3: float, shortest_A: float
) -> CellParameters:
    """Cell parameters of the given volume from five uniform numbers.

    With s_i = ln(a_i / shortest) the lengths of a box are uniform on the simplex s_i >= 0, sum s_i = ln(V /
    shortest^3): from cubes to needles and plates, none thinner than a molecule.  Angles are uniform in the
    range that reduced cells need.  Averages over the group (lengths of tied axes, then the metric tensor)
    make the lattice fit its symmetry in any setting, and a last scaling restores the volume.

    Parameters
    ----------
    point : numpy.ndarray, shape (5,)
        Uniform numbers: two for the shape, three for the angles.
    group : SpaceGroup
        The space group.
    volume_A3 : float
        Wanted volume.
    shortest_A : float
        Shortest axis.

    Returns
    -------
    tuple of float
        a, b, c in Angstrom, alpha, beta, gamma in degrees.
    """
    room = max(0.0, np.log(volume_A3 / shortest_A**3))
    root = np.sqrt(point[0])
    share_c = np.array([1.0 - root, root * (1.0 - point[1]), root * point[1]])
    for axes in tied_axes(group):
        share_c[axes] = share_c[axes].mean()
    length_c = shortest_A * np.exp(room * share_c)
    low, high = _MONOCLINIC_DEG if group.crystal_system == "monoclinic" else _REDUCED_DEG
    metric_cc = _metric(length_c, np.cos(np.radians(low + (high - low) * point[2:5])), group)
    metric_cc *= (volume_A3**2 / np.linalg.det(metric_cc)) ** (1 / 3)
    return cell_parameters(metric_cc)


def _metric(
    length_c: NDArray[np.float64], cosine_c: NDArray[np.float64], group: SpaceGroup
) -> NDArray[np.float64]:
    """Metric tensor of the group nearest to the given lengths and cosines that is not too flat."""
    while True:
        bc, ca, ab = cosine_c
        cosine_cc = np.array([[1.0, ab, ca], [ab, 1.0, bc], [ca, bc, 1.0]])
        metric_cc = symmetrised(np.outer(length_c, length_c) * cosine_cc, group)
        if np.linalg.det(metric_cc) > _FLATTEST**2 * np.prod(np.diag(metric_cc)):
            return metric_cc
        cosine_c = 0.95 * cosine_c


def cell_parameters(metric_cc: NDArray[np.float64]) -> CellParameters:
    """Cell parameters (Angstrom, degrees) of a metric tensor."""
    length_c = np.sqrt(np.diag(metric_cc))
    cosine_cc = metric_cc / np.outer(length_c, length_c)
    alpha, beta, gamma = np.degrees(np.arccos([cosine_cc[1, 2], cosine_cc[2, 0], cosine_cc[0, 1]]))
    a, b, c = length_c
    return float(a), float(b), float(c), float(alpha), float(beta), float(gamma)
