"""The figures of `bench timing`, on samples whose answer is known, and on a real server."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from bench.__main__ import main
from bench.timing import ACTIONS, compare, report


def test_samples_of_one_kind_are_not_told_apart() -> None:
    sample = [float(n % 17) for n in range(200)]
    found = compare(sample, list(reversed(sample)), seed=1)
    assert found.difference == 0 and found.slower == 0.5
    assert found.interval[0] <= 0 <= found.interval[1]
    assert "differs" not in report({"reset": found}, 200)


@pytest.mark.parametrize("shift", [5.0, -5.0])
def test_a_difference_is_found_and_said(shift: float) -> None:
    sample = [float(n % 7) for n in range(200)]
    found = compare([each + shift for each in sample], sample, seed=1)
    assert found.difference == shift
    assert found.interval[0] <= shift <= found.interval[1]
    assert "differs" in report({"reset": found}, 200)


def test_median_and_percentile_are_of_each_sample() -> None:
    found = compare([float(n) for n in range(101)], [1.0, 1.0], seed=1)
    assert (found.known, found.known_p95, found.unknown, found.unknown_p95) == (50.0, 95.0, 1.0, 1.0)


def test_it_runs_on_a_real_server_and_ends_with_a_line_of_json() -> None:
    done = CliRunner().invoke(main, ["timing", "--count", "2"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.output.splitlines()[-1])
    assert list(found) == list(ACTIONS)
    assert all(each["known"] > 0 and each["unknown"] > 0 for each in found.values())
