"""Many write at once, and nothing is lost: the short form of `python -m bench autosave`."""

from __future__ import annotations

from pathlib import Path

from bench.autosave import run


def test_six_members_who_autosave_and_submit_at_once_lose_nothing(tmp_path: Path) -> None:
    outcome = run(tmp_path / "data", members=6, saves=4, pause=0.05, workers=2)
    assert (outcome.errors, outcome.lost) == ([], [])
    assert len(outcome.autosaves) == 6 * 2 * 4 and len(outcome.submissions) == 6
