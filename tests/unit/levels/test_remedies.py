"""Which remedy follows which failure of self-consistency."""

import math

import numpy as np
import pytest

from polyscape.levels.gpaw.remedies import (
    FIRST,
    LADDERS,
    MIXER,
    MORE_STEPS,
    SMEARING,
    SOLVER,
    Failure,
    Step,
    diagnose,
    next_remedy,
)

TOLERANCE = 3e-3


def course(density_errors, orbital_errors=None):
    """Steps with these errors."""
    orbital_errors = orbital_errors or [1e-2] * len(density_errors)
    return [Step(-10.0, *errors) for errors in zip(density_errors, orbital_errors, strict=True)]


@pytest.mark.parametrize(
    ("steps", "partly", "failure"),
    [
        ([], False, Failure.BREAKDOWN),
        ([Step(math.nan, 0.1, 0.1)], False, Failure.BREAKDOWN),
        (course([math.inf, 0.1]), False, Failure.SLOW),
        (course([math.inf] + [0.5**n for n in range(11)]), False, Failure.SLOW),
        (course([math.inf] + [0.1, 0.2] * 10), False, Failure.SLOSHING),
        (course([math.inf] + [1e-4] * 20), False, Failure.ORBITALS),
        (course([math.inf] + [0.1, 0.2] * 10), True, Failure.SMALL_GAP),
    ],
)
def test_a_course_tells_why_it_failed(steps, partly, failure):
    assert diagnose(steps, TOLERANCE, partly) is failure


def test_each_failure_has_its_first_remedy():
    expected = {
        Failure.SLOW: MORE_STEPS,
        Failure.SLOSHING: MIXER,
        Failure.ORBITALS: SOLVER,
        Failure.SMALL_GAP: SMEARING,
        Failure.TOO_CLOSE: None,
    }
    assert {failure: next_remedy(failure, [FIRST]) for failure in expected} == expected


@pytest.mark.parametrize("failure", Failure)
def test_no_remedy_is_tried_twice_and_the_ladder_ends(failure):
    tried = [FIRST]
    while (remedy := next_remedy(failure, tried)) is not None:
        assert remedy not in tried
        tried.append(remedy)
    assert len(tried) == 1 + len(LADDERS[failure])


def test_going_on_needs_nothing_new():
    """A remedy that goes on keeps the calculator, and so cannot change its parameters."""
    assert all(not remedy.parameters for ladder in LADDERS.values() for remedy in ladder if remedy.goes_on)


@pytest.mark.dft
def test_what_is_no_number_is_a_breakdown_and_other_mistakes_are_not():
    from polyscape.levels.gpaw.scf import is_breakdown

    assert is_breakdown(np.linalg.LinAlgError("not positive definite"))
    assert is_breakdown(ValueError("Some energy terms are NaN!"))
    assert is_breakdown(ValueError("array must not contain infs or NaNs"))
    assert not is_breakdown(ValueError("shapes do not fit"))
