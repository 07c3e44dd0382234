"""Two engines on the same documents find and count the same, whatever is asked and however the documents got there.

`make test` asks the same questions each time; `KB_TEST_RUNS=200 make test ARGS=tests/contract/test_alike.py` asks more.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kb.search.port import Document, Page, Query, SearchEngine
from kb.search.whoosh_engine import WhooshEngine
from tests.contract.asking import ids
from tests.contract.conftest import on_typesense
from tests.unit.search.random_searches import documents, queries

RUNS = int(os.environ.get("KB_TEST_RUNS", "0"))
ALL = 1000

Batch = tuple[list[Document], list[str]]

starts = st.lists(documents(), min_size=3, max_size=6)
changes: st.SearchStrategy[Batch] = st.tuples(
    st.lists(documents(), max_size=3), st.lists(st.sampled_from("123456789"), max_size=4)
)


@pytest.fixture(scope="module")
def other() -> Iterator[SearchEngine]:
    with TemporaryDirectory() as folder, closing(on_typesense(Path(folder))) as engine:
        yield engine


@settings(
    max_examples=RUNS or 12,
    phases=[*Phase] if RUNS else [Phase.generate],
    derandomize=not RUNS,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(starts, st.lists(changes, max_size=2), st.lists(queries(), min_size=6, max_size=6))
def test_typesense_finds_counts_and_orders_as_whoosh_does(
    other: SearchEngine, held: list[Document], written: list[Batch], asked: list[Query]
) -> None:
    with TemporaryDirectory() as name, closing(WhooshEngine(Path(name))) as whoosh:
        for engine in (whoosh, other):
            engine.rebuild(held)
            for put, gone in written:
                engine.update(put, gone)
        for query in asked:
            whole = replace(query, offset=0, limit=ALL, partial_limit=ALL)
            alike(other.search(whole), whoosh.search(whole))
            alike(other.search(query), whoosh.search(query))
            assert other.matching(query) == whoosh.matching(query)


def alike(page: Page, expected: Page) -> None:
    """Everything is equal but what is corrected; scores differ in how they are rounded."""
    for name in ("total", "partial", "empty", "undated", "untyped", "facets", "pairs", "expansions", "unknown"):
        assert getattr(page, name) == getattr(expected, name), name
    assert sorted(ids(page)[: page.total]) == sorted(ids(expected)[: page.total])
    assert [replace(hit, score=0.0) for hit in page.hits] == [replace(hit, score=0.0) for hit in expected.hits]
