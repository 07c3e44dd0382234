"""How often a mail can be asked for: counted a mailbox and an address, shared by all workers."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from kb.services.errors import TooMany
from kb.services.limits import Asking

MAYA = "maya@example.org"


class Clock:
    """A time that only moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def let_in(path: Path, times: int) -> int:
    """How many wishes for Maya's mailbox a worker of its own gets through."""
    asking, passed = Asking(path, "reset"), 0
    for n in range(times):
        try:
            asking.hit(MAYA, f"192.0.2.{n}")
            passed += 1
        except TooMany:
            pass
    return passed


def test_five_an_hour_for_a_mailbox_wherever_they_come_from(tmp_path: Path) -> None:
    assert let_in(tmp_path / "limits.sqlite", 8) == 5


def test_thirty_an_hour_from_one_address(tmp_path: Path) -> None:
    asking = Asking(tmp_path / "limits.sqlite", "reset")
    for n in range(30):
        asking.hit(f"somebody{n}@example.org", "192.0.2.1")
    with pytest.raises(TooMany):
        asking.hit("else@example.org", "192.0.2.1")
    with pytest.raises(TooMany):
        asking.test("192.0.2.1")
    asking.test("192.0.2.2")


def test_workers_of_their_own_processes_count_together(tmp_path: Path) -> None:
    path = tmp_path / "limits.sqlite"
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        passed = pool.starmap(let_in, [(path, 5), (path, 5)])
    assert sum(passed) == 5


def test_each_action_is_counted_for_itself(tmp_path: Path) -> None:
    path = tmp_path / "limits.sqlite"
    let_in(path, 8)
    Asking(path, "register").hit(MAYA, "192.0.2.1")


def test_after_an_hour_it_may_be_asked_again(tmp_path: Path) -> None:
    clock = Clock()
    asking = Asking(tmp_path / "limits.sqlite", "reset", clock=clock)
    for _ in range(5):
        asking.hit(MAYA, "192.0.2.1")
    with pytest.raises(TooMany) as refused:
        asking.hit(MAYA, "192.0.2.1")
    clock.now += refused.value.retry_after
    asking.hit(MAYA, "192.0.2.1")


def test_switched_off_nothing_is_refused(tmp_path: Path) -> None:
    asking = Asking(tmp_path / "limits.sqlite", "reset", on=False)
    for _ in range(40):
        asking.hit(MAYA, "192.0.2.1")
    assert not (tmp_path / "limits.sqlite").exists()


def test_a_file_that_cannot_be_used_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "limits.sqlite").write_bytes(b"damaged" * 500)
    for _ in range(40):
        Asking(tmp_path / "limits.sqlite", "reset").hit(MAYA, "192.0.2.1")
