"""How long searches take, and what the log says of those that take too long."""

from __future__ import annotations

from typing import cast

import pytest

from kb.search import parsing
from kb.search.port import Page, Query, SearchEngine
from kb.services.timing import shape, timed


class Slow:
    """An engine that takes as long as the clock says."""

    def __init__(self) -> None:
        self.now = 0.0
        self.takes = 0.0

    def search(self, _query: Query) -> Page:
        self.now += self.takes
        return Page(3)

    def matching(self, _query: Query) -> tuple[str, ...]:
        self.now += self.takes
        return ("a",)

    def count(self) -> int:
        return 7


QUERY = Query(parsing.parse("Zanzibar nurses -doctors"), {"country": ("IT", "ES")}, year_from=2019, limit=5)


def ask(takes: float, slow_ms: int) -> list[float]:
    """What was observed of one search of each kind that takes some seconds."""
    slow, observed = Slow(), list[float]()
    engine = timed(cast(SearchEngine, slow), slow_ms, observed.append, lambda: slow.now)
    slow.takes = takes
    assert engine.search(QUERY) == Page(3) and engine.matching(QUERY) == ("a",) and engine.count() == 7
    return observed


def test_every_search_is_observed_and_answered_as_the_engine_does() -> None:
    assert ask(0.25, 0) == [0.25, 0.25]


def test_a_slow_search_is_logged_by_its_shape_and_none_of_its_words(caplog: pytest.LogCaptureFixture) -> None:
    ask(0.5, 500)
    assert [record.getMessage() for record in caplog.records] == ["slow search"] * 2
    said = vars(caplog.records[0])
    assert (said["ms"], said["words"], said["excluded"], said["limit"]) == (500.0, 3, 1, 5)
    assert said["filters"] == ["country", "year_from"]
    assert "zanzibar" not in str(said).lower() and "nurses" not in str(said).lower()


@pytest.mark.parametrize(("takes", "slow_ms"), [(0.499, 500), (99.0, 0)])
def test_a_search_that_is_fast_enough_or_nobody_minds_is_not_logged(
    caplog: pytest.LogCaptureFixture, takes: float, slow_ms: int
) -> None:
    ask(takes, slow_ms)
    assert not caplog.records


def test_the_question_that_asks_for_everything_has_a_shape() -> None:
    assert shape(Query()) == {
        "words": 0, "clauses": 0, "required": 0, "excluded": 0, "expansions": 0, "filters": [], "sort": "relevance",
        "offset": 0, "limit": 20, "facets": True,
    }  # fmt: skip
