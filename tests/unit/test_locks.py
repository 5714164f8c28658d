"""Locks of results: one holder at a time, waiting ones follow, dead holders do not block."""

import os
import signal
import subprocess
import sys
import time

import pytest

from polyscape import locks
from polyscape.levels.scratch import scratch_folder
from polyscape.locks import Owner, held

HOLD = """
import sys, time
from pathlib import Path
from polyscape.locks import held
with held([Path(sys.argv[1])]):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""

ADD = """
import sys
from pathlib import Path
from polyscape.locks import held
sum, lock = Path(sys.argv[1]), Path(sys.argv[2])
for _ in range(5):
    with held([lock]):
        sum.write_text(str(int(sum.read_text()) + 1))
"""


@pytest.fixture
def lock(tmp_path):
    return tmp_path / "locks/method/hash.lock"


@pytest.fixture
def quick(monkeypatch):
    """Locks that are beaten and polled faster, so that the tests need not wait for minutes."""
    monkeypatch.setattr(locks, "BEAT_S", 0.05)
    monkeypatch.setattr(locks, "PATIENCE_S", 1.0)
    monkeypatch.setattr(locks, "_POLL_S", (0.01, 0.02))


def holder(lock, seconds):
    process = subprocess.Popen([sys.executable, "-c", HOLD, lock, str(seconds)], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"held\n"
    return process


def test_a_lock_is_there_while_it_is_held_and_gone_afterwards(lock):
    with held([lock]):
        assert Owner.parse(lock.read_text()).pid == os.getpid()
        assert not Owner.parse(lock.read_text()).is_dead
    assert list(lock.parent.iterdir()) == []


def test_a_lock_is_given_back_when_the_block_fails(lock):
    with pytest.raises(ZeroDivisionError), held([lock]):
        raise ZeroDivisionError
    assert not lock.exists()


def test_who_comes_later_waits_and_says_for_whom(lock, capsys, quick):
    process = holder(lock, 0.5)
    with held([lock]):
        assert process.wait() == 0
        assert f"waiting for process {process.pid} on " in capsys.readouterr().err


def test_a_killed_holder_of_this_machine_blocks_nobody(lock, quick):
    process = holder(lock, 600)
    process.send_signal(signal.SIGKILL)
    with held([lock]):  # a zombie: nobody has asked for its exit code
        assert Owner.parse(lock.read_text()).pid == os.getpid()
    process.wait()


def test_a_holder_elsewhere_is_believed_dead_only_when_it_is_silent(lock, quick):
    elsewhere = Owner("another/boot/space", 1, "1", "17", "token").dump()
    lock.parent.mkdir(parents=True)
    lock.write_text(elsewhere)
    start = time.monotonic()
    with held([lock]):
        assert time.monotonic() - start > locks.PATIENCE_S
        assert Owner.parse(lock.read_text()).pid == os.getpid()


def test_a_holder_keeps_its_lock_alive(lock, quick):
    with held([lock]):
        before = lock.stat().st_mtime_ns
        time.sleep(10 * locks.BEAT_S)
        assert lock.stat().st_mtime_ns > before


def test_a_lock_taken_over_is_not_given_back_by_its_first_owner(lock):
    with held([lock]):
        other = Owner("another/boot/space", 1, "1", None, "token").dump()
        lock.write_text(other)
    assert lock.read_text() == other


def test_only_one_process_at_a_time_is_inside(tmp_path, lock):
    total = tmp_path / "total"
    total.write_text("0")
    lock.parent.mkdir(parents=True)
    killed = holder(lock, 600)
    killed.kill()  # all of them have to break this one first
    killed.wait()
    processes = [subprocess.Popen([sys.executable, "-c", ADD, total, lock]) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    assert total.read_text() == "15"
    assert list(lock.parent.iterdir()) == []


def test_a_process_of_the_same_number_is_another_one():
    owner = Owner.this_process()
    assert not owner.is_dead
    assert Owner(owner.machine, owner.pid, "1", None, "token").is_dead


def test_a_text_that_is_no_owner_is_nobody():
    assert Owner.parse("") is None
    assert Owner.parse('{"pid": 1}') is None


def test_scratch_is_removed_and_what_dead_jobs_left_with_it(tmp_path):
    (tmp_path / "polyscape-left").mkdir()
    dead = Owner(Owner.this_process().machine, 1, "", None, "token")
    (tmp_path / "polyscape-left/.owner").write_text(dead.dump())
    (tmp_path / "polyscape-left/orbitals").write_bytes(b"0" * 100)
    (tmp_path / "mine").mkdir()
    with scratch_folder(tmp_path) as folder:
        (folder / "orbitals").write_bytes(b"0" * 100)
        with scratch_folder(tmp_path) as other:
            assert {path.name for path in tmp_path.iterdir()} == {"mine", folder.name, other.name}
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
