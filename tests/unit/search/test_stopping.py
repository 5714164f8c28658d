"""A series ends at the same trial whatever its chunks."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from polyscape.ids import trial_id
from polyscape.schemas import TRIALS
from polyscape.search.duplicates import Comparison
from polyscape.settings import parse_settings
from polyscape.settings.search import LandscapeSettings
from polyscape.stages.plan import Plan
from polyscape.stages.rows import packing_values
from polyscape.stages.stopping import Goal, minimise_until_complete
from tests import builders
from tests.unit.search.crystals import minima_table, minimum_row, other_packing

GROUP, TRIALS_ASKED = 14, 600
CRYSTALS = (builders.oxalic_packing(), other_packing())
GOAL = Goal(0.9, Comparison(LandscapeSettings(duplicate_energy_kJ_per_mol=0.1)))


def crystal(index):
    """Up to trial 20 every trial finds a new crystal, after it one of two: 128 trials are not enough, 256 are."""
    if index >= 20:
        return CRYSTALS[index % 2]
    a, b, c, *angles = CRYSTALS[0].cell
    return replace(
        CRYSTALS[0], cell=((1 + 0.05 * (index % 5)) * a, (1 + 0.05 * (index // 5)) * b, c, *angles)
    )


def trials(chunk):
    return TRIALS.from_rows(
        {
            "trial_id": trial_id(GROUP, index),
            "sobol_index": index,
            **packing_values(crystal(index), GROUP, "search"),
            "volume_A3": 1.0,
            "expansion": 1.0,
            "status": "overlap" if index % 10 == 7 else "ok",
        }
        for index in range(chunk.start, chunk.start + chunk.count)
    )


def minimised(frame):
    """The end of each trial's minimisation, known beforehand."""
    return minima_table(
        minimum_row(trial_id(GROUP, index), crystal(index), energy(index), status)
        for index, status in zip(frame.sobol_index, frame.status, strict=True)
    )


def energy(index):
    return -95.0 - 0.4 * (index % 2) if index >= 20 else -90.0 + 0.3 * index


def searched(chunk_size):
    """All minima of the series; a chunk sees the files only that the plan gives it."""
    config = {
        "campaign": "test",
        "molecule": {"components": [{"name": "a", "smiles": "OC(=O)C(=O)O"}]},
        "search": {
            "space_groups": [GROUP],
            "z_prime": [1],
            "trials_per_space_group": TRIALS_ASKED,
            "chunk_size": chunk_size,
            "stop_at_coverage": 0.9,
        },
    }
    plan = Plan.of(parse_settings(config, "test"), "test")
    done = {}
    for chunk in plan.chunks():
        before = [done[Path(name).stem] for name in plan.judged_minima(chunk.series, chunk.name)]
        earlier = pd.concat(before, ignore_index=True) if before else minima_table([])
        done[chunk.name] = minimise_until_complete(
            trials(chunk), earlier, minimised, builders.conformers(), GOAL
        )
    return pd.concat(done.values(), ignore_index=True)


@pytest.fixture(scope="module")
def whole():
    return searched(TRIALS_ASKED)


def test_trials_beyond_the_checkpoint_are_stopped(whole):
    assert list(whole.trial_id) == [trial_id(GROUP, index) for index in range(TRIALS_ASKED)]
    stopped = whole.index[whole.status == "stopped"]
    assert stopped.min() == 256
    rejected = whole.index[whole.status == "overlap"]
    assert set(stopped) | set(rejected[rejected >= 256]) == set(range(256, TRIALS_ASKED))


@pytest.mark.parametrize("chunk_size", [64, 100, 256, 300])
def test_chunks_change_nothing(whole, chunk_size):
    pd.testing.assert_frame_equal(searched(chunk_size), whole)


def test_a_chunk_waits_for_no_more_than_its_last_checkpoint_needs():
    config = {
        "campaign": "test",
        "molecule": {"components": [{"name": "a", "smiles": "OC(=O)C(=O)O"}]},
        "search": {"space_groups": [GROUP], "z_prime": [1], "trials_per_space_group": 600, "chunk_size": 100},
    }
    plan = Plan.of(parse_settings(config, "test"), "test")
    waits = {c.start: len(plan.judged_minima(c.series, c.name)) for c in plan.chunks()}
    assert waits == {0: 0, 100: 1, 200: 2, 300: 3, 400: 3, 500: 5}
