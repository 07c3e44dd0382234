"""What ended or was stopped is found as what goes on: the status moves nothing in the ranking."""

from __future__ import annotations

from itertools import cycle, islice

import pytest

from kb.models import Status
from kb.search.port import SORTS, SearchEngine
from tests.contract.asking import ask, doc, ids

TITLES = ("Mentors", "Mentors and mentors", "Nurses", "Nurses with mentors", "Mentoring nurses")
QUESTIONS = ("mentors", "nurses mentors", "nurses OR mentoring", "")


def orders(engine: SearchEngine, *statuses: str) -> list[list[str]]:
    """In which order practices are found that differ from those before in their status alone."""
    moments = (f"2026-01-{day:02}T00:00:00Z" for day in range(1, 31))
    engine.update(
        doc(title, title, status=(status,), published=moment, updated=moment)
        for title, status, moment in zip(TITLES, cycle(statuses), moments, strict=False)
    )
    return [ids(engine.search(ask(question, sort=sort))) for question in QUESTIONS for sort in SORTS]


@pytest.mark.parametrize("first", range(len(Status)))
def test_status_moves_nothing_in_the_ranking(engine: SearchEngine, first: int) -> None:
    plain = orders(engine, Status.RUNNING)
    assert orders(engine, *islice(cycle(Status), first, first + len(Status))) == plain
