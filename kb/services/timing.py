"""How long searches take: counted, and those that take too long logged by their shape, never by their words."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from kb.search.port import Page, Query, SearchEngine

log = logging.getLogger(__name__)

Observe = Callable[[float], None]
"""Called with the seconds that a search took."""


def timed(
    engine: SearchEngine, slow_ms: int, observe: Observe, clock: Callable[[], float] = time.perf_counter
) -> SearchEngine:
    """The same engine; every search is told to `observe`, one of `slow_ms` or more is logged (0: none is)."""
    return cast(SearchEngine, _Timed(engine, slow_ms, observe, clock))


class _Timed:
    """A search engine that looks at the clock. All but what searches is the engine's own."""

    def __init__(self, engine: SearchEngine, slow_ms: int, observe: Observe, clock: Callable[[], float]) -> None:
        self._inner = engine
        self._clock = clock
        self._slow_ms = slow_ms
        self._observe = observe

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def search(self, query: Query) -> Page:
        """Answer a query as the engine does."""
        with self._watching(query):
            return self._inner.search(query)

    def matching(self, query: Query) -> tuple[str, ...]:
        """Return the ids of what a query finds, as the engine does."""
        with self._watching(query):
            return self._inner.matching(query)

    @contextmanager
    def _watching(self, query: Query) -> Iterator[None]:
        began = self._clock()
        yield
        seconds = self._clock() - began
        self._observe(seconds)
        if self._slow_ms and seconds * 1000 >= self._slow_ms:
            log.warning("slow search", extra={"ms": round(seconds * 1000, 1), **shape(query)})


def shape(query: Query) -> dict[str, Any]:
    """What a query is like: how many words, operators and other meanings it has, which filters by name, which order."""
    question = query.question
    ends = {"region": query.regions, "year_from": query.year_from, "year_to": query.year_to}
    other = {**ends, "updated_since": query.updated_since}
    return {
        "words": len(question.text.split()),
        "clauses": len(question.clauses),
        "required": len(question.required),
        "excluded": len(question.excluded),
        "expansions": len(question.expansions),
        "filters": sorted([*query.filters, *(name for name, value in other.items() if value)]),
        "sort": query.sort,
        "offset": query.offset,
        "limit": query.limit,
        "facets": query.facets,
    }
