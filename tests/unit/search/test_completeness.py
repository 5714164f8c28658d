"""Coverage against sampling from a known population; checkpoints that no chunking changes."""

import numpy as np
import pytest

from polyscape.schemas import LANDSCAPE
from polyscape.search.completeness import checkpoints, good_turing, growth, is_complete
from polyscape.stages.completeness import make_completeness
from tests import builders
from tests.unit.search.crystals import minima_table, minimum_row

PACKING = builders.oxalic_packing()


def test_counts_and_coverage_by_hand():
    """Seven hits on a, a, a, b, b, c, d: n_1 = 2, n_2 = 1."""
    found = good_turing("aaabbcd")
    assert (found.hits, found.distinct, found.once, found.twice) == (7, 4, 2, 1)
    assert found.coverage == pytest.approx(5 / 7)
    assert found.sd == pytest.approx(np.sqrt(2 * 5 / 7 + 2) / 7)
    assert good_turing("").coverage is None


def test_coverage_is_the_chance_that_the_next_hit_is_known():
    """Repeated samples of 300 hits from 200 structures of unequal basins; the deviations have the claimed size."""
    rng = np.random.default_rng(5)
    share_s = rng.lognormal(sigma=1.5, size=200)
    share_s /= share_s.sum()
    errors, claimed = [], []
    for _ in range(400):
        sample = rng.choice(200, size=300, p=share_s)
        found = good_turing(sample.tolist())
        errors.append(found.coverage - share_s[np.unique(sample)].sum())
        claimed.append(found.sd)
    # 400 samples: the mean is known to 1/20 of the spread, the spread to 4 %
    assert abs(np.mean(errors)) < 0.2 * np.std(errors)
    assert np.std(errors) == pytest.approx(np.mean(claimed), rel=0.15)


def test_checkpoints_double_and_a_longer_search_keeps_them():
    assert checkpoints(100) == []
    assert checkpoints(1000) == [128, 256, 512]
    hits = [(index, index % 40) for index in range(0, 2000, 3)]
    short, long = growth([h for h in hits if h[0] < 1000], 1000), growth(hits, 2000)
    assert [step.below for step in short] == [128, 256, 512, 1000]
    assert short[:3] == long[:3]
    mixed = [hits[i] for i in np.random.default_rng(0).permutation(len(hits))]
    assert growth(mixed, 2000) == long


def test_few_hits_end_no_search():
    assert not is_complete(good_turing("a" * 49), 0.9)
    assert is_complete(good_turing("a" * 50), 0.9)
    assert not is_complete(good_turing([*("a" * 50), *range(20)]), 0.9)


def test_table_counts_series_apart_and_together():
    """Two series that share a structure; an imported crystal does not count."""
    trials = [
        ("014-0000000", ""),
        ("014-0000150", "014-0000000"),
        ("002z2-0000003", "014-0000000"),
        ("import-x-0000000", ""),
    ]
    names = [*(name for name, _ in trials), "014-0000199", "002z2-0000009"]
    minima = minima_table(
        [minimum_row(name, PACKING, -90.0) if name[0] == "0" else imported(name) for name in names]
    )
    landscape = LANDSCAPE.from_rows(landscape_row(*trial) for trial in trials)
    table = make_completeness(landscape, minima).set_index(["series", "below"])
    assert list(table.index) == [("002z2", 10), ("014", 128), ("014", 200), ("all", 128), ("all", 200)]
    assert list(table.trials) == [2, 1, 3, 3, 5]
    assert list(table.hits) == [1, 1, 2, 2, 3]
    assert list(table.distinct) == [1, 1, 1, 1, 1]
    assert list(table.new_structures) == [1, 1, 0, 1, 0]
    assert table.new_per_1000_trials["014", 128] == 1000.0
    assert list(table.coverage) == [0.0, 0.0, 1.0, 1.0, 1.0]


def imported(name):
    return minimum_row("014-0000000", PACKING, -90.0) | {"trial_id": name, "origin": "import:x"}


def landscape_row(name, representative):
    row = minimum_row("014-0000000", PACKING, -90.0)
    row = {key: value for key, value in row.items() if key in LANDSCAPE.names}
    return row | {
        "structure_id": name,
        "relative_energy_kJ_per_mol": 0.0,
        "hits": 0 if representative else 1,
        "duplicate_of": representative or None,
    }
