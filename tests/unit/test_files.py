import os
import stat

import pytest

from polyscape.files import write_atomically, write_json, write_text


def test_a_file_appears_whole_and_alone(tmp_path):
    path = tmp_path / "new" / "folder" / "a.txt"
    with write_atomically(path) as temporary:
        temporary.write_text("half")
        assert not path.exists()
        assert temporary.parent == path.parent  # rename stays within one file system
    assert path.read_text() == "half"
    assert list(path.parent.iterdir()) == [path]


def interrupted_write(path):
    with write_atomically(path) as temporary:
        temporary.write_text("new")
        raise KeyboardInterrupt


def test_an_interruption_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(KeyboardInterrupt):
        interrupted_write(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_can_be_read_by_those_whom_the_umask_allows(tmp_path):
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "a.txt", "x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o640


def test_json_is_sorted_and_keeps_its_signs(tmp_path):
    write_json(tmp_path / "a.json", {"b": 1, "a": "Å"})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{\n "a": "Å",\n "b": 1\n}\n'
