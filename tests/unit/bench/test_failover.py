"""The drill's windows: which fault belongs to which blow, and which to none."""

from __future__ import annotations

from typing import Any

import pytest

from bench.failover import HEAL, WINDOW, Outcome, report, summary
from bench.traffic import Answered, excusable

BLOWS = [("one dies", 100.0), ("it comes back", 200.0)]


def found(*faults: tuple[float, str]) -> dict[str, Any]:
    answers = [Answered(moment, 0.1, "read", fault) for moment, fault in faults]
    whole = [Answered(float(second), 0.05, "read", "") for second in range(300)]
    return summary(Outcome({4: 10.0}, 7.0, 0.0, list(BLOWS), [*answers, *whole]), 10, "whoosh", 0.7)


def test_faults_right_after_a_blow_are_its_window() -> None:
    result = found((100.5, "GET 503"), (103.0, "GET 503"), (201.0, "POST ConnectionResetError"))
    assert [(each["seconds"], each["failed"]) for each in result["windows"]] == [(3.0, 2), (1.0, 1)]
    assert (result["failed"], result["outside"]) == (3, [])


def test_a_blow_that_nobody_noticed_has_a_window_of_no_length() -> None:
    assert [each["seconds"] for each in found()["windows"]] == [0.0, 0.0]


@pytest.mark.parametrize("moment", [50.0, 100.5 + HEAL + 0.1, 100.0 + WINDOW + 1, 299.0])
def test_a_fault_at_any_other_time_is_outside(moment: float) -> None:
    result = found((100.5, "GET 503"), (moment, "GET 503"))
    assert [each.split(" s ")[0] for each in result["outside"]] == [f"{moment:.1f}"]


def test_a_fault_of_the_software_is_excused_by_no_window() -> None:
    result = found((100.5, "GET 500"))
    assert len(result["outside"]) == 1
    assert "100.5 s read GET 500" in report(result)


@pytest.mark.parametrize(
    ("fault", "excused"),
    [("GET 503", True), ("POST RemoteDisconnected", True), ("POST 500", False), ("GET 404", False),
     ("POST 429", False), ("POST signed-out", False)],
)  # fmt: skip
def test_what_says_that_it_is_away_is_excused(fault: str, excused: bool) -> None:
    assert excusable(fault) is excused
