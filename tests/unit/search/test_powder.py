"""Similarity of powder patterns."""

import numpy as np
import pytest

from polyscape.crystal.cif import read_cif
from polyscape.search.powder import PowderPattern, powder_pattern, powder_similarity


def pattern(root, name, stretch=1.0):
    crystal = read_cif(root / f"config/known_forms/{name}.cif")
    cell_cv = crystal.cell_cv * stretch
    return powder_pattern(crystal.atomic_number_a, crystal.fractional_ac @ cell_cv, cell_cv)


def test_strongest_line_of_urea_is_where_it_is_observed(root):
    """110 at d = 5.565 / sqrt(2) A, by Bragg's law with Cu K alpha."""
    lines = pattern(root, "urea")
    strongest = lines.two_theta_h[np.argmax(lines.intensity_h)]
    bragg = 2 * np.degrees(np.arcsin(1.54056 / (2 * 5.565 / np.sqrt(2))))
    assert strongest == pytest.approx(bragg, abs=1e-6)  # rounding


def test_body_centred_absences():
    """Atoms at 0 and at the body centre: no line with odd h + k + l."""
    cell_cv = 6.0 * np.eye(3)
    lines = powder_pattern(np.array([6, 6]), np.array([[0.0, 0, 0], [3.0, 3, 3]]), cell_cv)
    d = 1.54056 / (2 * np.sin(np.radians(lines.two_theta_h / 2)))
    odd = np.isclose((6.0 / d) ** 2 % 2, 1.0)
    assert odd.any()
    assert lines.intensity_h[odd].max() < 1e-20 * lines.intensity_h.max()


def test_equal_alike_and_unlike_patterns(root):
    alpha, beta = pattern(root, "oxalic_acid_alpha"), pattern(root, "oxalic_acid_beta")
    assert powder_similarity(alpha, alpha) == pytest.approx(1.0)
    assert powder_similarity(alpha, beta) == pytest.approx(powder_similarity(beta, alpha))
    warm = powder_similarity(alpha, pattern(root, "oxalic_acid_alpha", stretch=1.01))
    # 1 % shifts the lines by 0.3 degree at most, 0.15 of the triangle
    assert powder_similarity(alpha, beta) < 0.8 < 0.85 < warm < 1.0


def test_cell_and_order_do_not_matter(root):
    crystal = read_cif(root / "config/known_forms/oxalic_acid_beta.cif")
    position_av = crystal.fractional_ac @ crystal.cell_cv
    twice_cv = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 2]]) @ crystal.cell_cv
    two_av = np.concatenate([position_av, position_av + crystal.cell_cv[2]])[::-1]
    double = powder_pattern(np.tile(crystal.atomic_number_a, 2)[::-1], two_av, twice_cv)
    single = powder_pattern(crystal.atomic_number_a, position_av, crystal.cell_cv)
    assert powder_similarity(single, double) == pytest.approx(1.0, abs=1e-9)  # rounding


def test_triangle_of_two_lines():
    first = PowderPattern(np.array([20.0]), np.array([3.0]))
    second = PowderPattern(np.array([20.5]), np.array([7.0]))
    assert powder_similarity(first, second) == pytest.approx(1 - 0.5 / 2.0)
