import json
from pathlib import Path

import pytest

from polyscape.provenance import provenance_path, recorded


@pytest.mark.parametrize(
    ("output", "wanted"),
    [
        ("results/c/landscape.parquet", "results/c/provenance/landscape.json"),
        ("results/c/minima/014/c0000000.parquet", "results/c/provenance/minima/014/c0000000.json"),
        ("/data/results/c/ranking.parquet", "/data/results/c/provenance/ranking.json"),
        ("/results/old/results/c/ranking.parquet", "/results/old/results/c/provenance/ranking.json"),
        ("elsewhere/landscape.parquet", "elsewhere/landscape.provenance.json"),
        ("results/loose.parquet", "results/loose.provenance.json"),
    ],
)
def test_provenance_stands_apart_from_the_tables(output, wanted):
    assert provenance_path(Path(output)) == Path(wanted)


def test_a_record_says_with_what_where_and_when(tmp_path):
    outputs = [tmp_path / "results" / "c" / "a.parquet", tmp_path / "results" / "c" / "b" / "a.parquet"]
    with recorded("search", '{"x": 1}', outputs):
        sum(range(1000))
    for output in outputs:
        record = json.loads(provenance_path(output).read_text())
        assert record["output"] == str(output)
        assert record["stage"] == "search"
        assert record["settings"] == '{"x": 1}'
        assert record["wall_s"] >= 0
        assert record["core_s"] > 0
        assert record["peak_memory_MB"] > 1
        assert record["packages"]["numpy"][0].isdigit()
        assert {"host", "cpu", "python", "git_commit", "started", "command"} <= set(record)


def test_failed_work_leaves_no_record(tmp_path):
    output = tmp_path / "results" / "c" / "a.parquet"
    with pytest.raises(ZeroDivisionError), recorded("search", "{}", [output]):
        _ = 1 / 0
    assert not provenance_path(output).exists()
