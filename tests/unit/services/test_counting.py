"""Counts of all workers in one file."""

from __future__ import annotations

import logging
import os
import sqlite3
from pathlib import Path

import pytest

from kb.services import counting
from kb.services.counting import Counts
from tests.processes import eventually


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / counting.FILE


def amount(counts: Counts, name: str, **labels: str) -> float:
    return counts.read().counts.get((name, tuple(sorted(labels.items()))), 0.0)


def test_what_two_processes_count_is_added(path: Path) -> None:
    one, other = Counts(path), Counts(path)
    one.add("requests", room="pages")
    one.add("requests", room="api")
    other.add("requests", 2, room="pages")
    other.write()
    assert (amount(one, "requests", room="pages"), amount(one, "requests", room="api")) == (3, 1)


def test_what_was_counted_outlives_its_process(path: Path) -> None:
    child = os.fork()
    if not child:
        counts = Counts(path)
        counts.add("x")
        counts.change("running", 1)
        counts.write()
        os._exit(0)
    os.waitpid(child, 0)
    found = Counts(path).read()
    assert found.counts == {("x", ()): 1.0}
    assert found.levels == {}, "what went on in it does not"
    assert list(found.memory) == [os.getpid()] if Path("/proc").exists() else True


def test_what_is_counted_is_written_soon_though_nobody_asks(path: Path) -> None:
    Counts(path).add("x")
    reader = Counts(path)
    eventually(lambda: amount(reader, "x") == 1)


def test_times_fall_into_the_class_whose_end_they_do_not_pass(path: Path) -> None:
    counts = Counts(path)
    for seconds in (0.0, 0.005, 0.006, 11.0):
        counts.observe("search_seconds", seconds)
    found = {dict(labels).get("le"): number for (name, labels), number in counts.read().counts.items()}
    assert found.pop(None) == pytest.approx(11.011)
    assert found == {"0.005": 2, "0.01": 1, "+Inf": 1}


def test_a_job_says_when_it_was_done_and_how_often_it_failed(path: Path) -> None:
    now = 1000.0
    counts = Counts(path, lambda: now)
    with counting.job(counts, "mail"):
        pass
    now = 1030.0
    with pytest.raises(ZeroDivisionError), counting.job(counts, "mail"):
        raise ZeroDivisionError
    assert counts.read().moments == {"mail": 1000.0}
    assert amount(counts, "job_failures", job="mail") == 1
    now = 2000.0
    with counting.job(counts, "mail"):
        pass
    assert counts.read().moments == {"mail": 2000.0}


def test_a_job_that_runs_all_the_time_is_noted_once_a_minute(path: Path) -> None:
    now = 1000.0
    counts = Counts(path, lambda: now)
    counts.done("index")
    counts.write()
    written = path.stat().st_mtime_ns
    now += counting.MOMENT_EVERY - 1
    counts.done("index")
    assert counts.read().moments == {"index": 1000.0} and path.stat().st_mtime_ns >= written


def test_numbers_wait_in_memory_while_the_file_cannot_be_used_and_one_warning_says_so(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.mkdir()
    counts = Counts(path)
    with caplog.at_level(logging.WARNING):
        counts.add("x")
        assert amount(counts, "x") == 1
        counts.add("x")
        assert amount(counts, "x") == 2
    assert caplog.text.count("metrics.sqlite cannot be used") == 1
    path.rmdir()
    assert amount(counts, "x") == 2
    assert amount(Counts(path), "x") == 2


def test_a_damaged_file_is_begun_anew(path: Path) -> None:
    path.write_bytes(b"no database at all, but long enough to be looked at " * 100)
    counts = Counts(path)
    counts.add("x")
    counts.write()
    assert amount(counts, "x") == 1
    assert amount(Counts(path), "x") == 1


def test_no_other_file_lies_beside_it(path: Path, tmp_path: Path) -> None:
    counts = Counts(path)
    counts.add("x")
    counts.write()
    assert [each.name for each in tmp_path.iterdir()] == [counting.FILE]


def test_at_the_end_of_a_process_what_it_counted_is_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "WRITE_EVERY", 3600.0)
    counts = Counts(path)
    counts.add("x")
    counting.write_all()
    with sqlite3.connect(path) as file:
        assert file.execute("SELECT name, amount FROM counts").fetchall() == [("x", 1.0)]
    file.close()


def test_a_damaged_file_that_cannot_be_removed_stops_nobody(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_bytes(b"no database" * 1000)

    def refuse(*_values: object, **_named: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refuse)
    counts = Counts(path)
    counts.add("x")
    counts.write()
    assert counts.read().counts == {("x", ()): 1.0}
