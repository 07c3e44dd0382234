"""The engine finds and counts what plain Whoosh finds and counts, whatever is in the index and whatever is asked.

`make test` asks the same questions each time. `KB_TEST_RUNS=2000 make test ARGS=tests/unit/search/test_reference.py`
asks more, of more indexes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import run_state_machine_as_test as run
from pytest import approx

from kb.search.parsing import parse
from kb.search.port import Document, Hit, Page, Query, SearchEngine
from kb.search.question import Question
from kb.search.whoosh.reference import Reference
from kb.search.whoosh.schema import title_key
from kb.search.whoosh_engine import WhooshEngine
from tests.contract.asking import ids
from tests.unit.search.random_searches import documents, parsed, queries, short_documents

RUNS = int(os.environ.get("KB_TEST_RUNS", "0"))
"""How many random indexes to ask instead of those of `make test`."""

ALL = 1000
MANY = "ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789"
FIRST = 20  # hits, a few of which may be there for the sake of other languages
Batch = tuple[list[Document], list[str]]

starts = st.lists(documents(), min_size=3, max_size=6)
changes: st.SearchStrategy[Batch] = st.tuples(
    st.lists(documents(), max_size=3), st.lists(st.sampled_from("123456789"), max_size=4)
)


def often(count: int) -> settings:
    return settings(
        max_examples=RUNS or count,
        phases=[*Phase] if RUNS else [Phase.generate],
        derandomize=not RUNS,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


@often(20)
@given(starts, st.lists(changes, max_size=3), st.lists(queries(), min_size=6, max_size=6))
def test_what_is_found_and_counted_is_what_plain_whoosh_finds_and_counts(
    held: list[Document], written: list[Batch], asked: list[Query]
) -> None:
    with TemporaryDirectory() as name, closing(WhooshEngine(Path(name))) as engine:
        kept = write(engine, held, written)
        with closing(Reference(Path(name))) as reference:
            for query in asked:
                check(engine, reference, query, kept)


@often(15)
@given(starts, st.lists(changes, min_size=1, max_size=3), st.lists(queries(), min_size=6, max_size=6))
def test_an_index_of_several_commits_answers_as_a_new_one_does(
    held: list[Document], written: list[Batch], asked: list[Query]
) -> None:
    with (
        TemporaryDirectory() as name,
        TemporaryDirectory() as other,
        closing(WhooshEngine(Path(name))) as engine,
        closing(WhooshEngine(Path(other))) as new,
    ):
        new.rebuild(write(engine, held, written).values())
        for query in asked:
            everything = replace(query, offset=0, limit=ALL, partial_limit=ALL)
            page, expected = engine.search(everything), new.search(everything)
            assert {hit.id: hit.score for hit in page.hits} == approx({hit.id: hit.score for hit in expected.hits})
            assert replace(page, hits=()) == replace(expected, hits=())


@often(10)
@given(short_documents(MANY), parsed, queries())
def test_many_documents_come_in_pages_of_one_order(held: list[Document], question: Question, query: Query) -> None:
    with TemporaryDirectory() as name, closing(WhooshEngine(Path(name))) as engine:
        kept = write(engine, held[::2], [(held[1::2], [])])
        with closing(Reference(Path(name))) as reference:
            for offset in (0, 15, 30):
                check(engine, reference, replace(query, question=question, offset=offset, limit=15), kept)


def test_a_beginning_stands_for_the_thousand_words_that_are_most_frequent(tmp_path: Path) -> None:
    frequent = " ".join(f"word{number:03}" for number in range(995))
    twice = [Document(key, key, key, "en", {"story": frequent}) for key in ("one", "two")]
    once = [Document(key, key, f"wordz{key}", "en") for key in "0123456789"]
    with closing(WhooshEngine(tmp_path)) as engine:
        write(engine, [twice[0], *once[::2]], [([twice[1], *once[1::2]], ["0"])])
        with closing(Reference(tmp_path)) as reference:
            for typed, total in (("word*", 7), ("title:word*", 5), ("wordz*", 9)):
                query = Query(parse(typed), facets=False, limit=1, partial_limit=0)
                assert engine.search(query).total == reference.search(query).total == total


def write(engine: SearchEngine, held: list[Document], written: list[Batch]) -> dict[str, Document]:
    """Build an index and change it; return the documents that are in it, by their ids."""
    engine.rebuild(held)
    kept = standing({}, held)
    for put, gone in written:
        engine.update(put, gone)
        kept = standing(kept, put, gone)
    return kept


def standing(kept: dict[str, Document], put: Iterable[Document], gone: Iterable[str] = ()) -> dict[str, Document]:
    """Return the documents that are in an index after a commit, by their ids."""
    left = {key: document for key, document in kept.items() if key not in gone}
    return left | {document.id: document for document in put}


def check(engine: SearchEngine, reference: Reference, query: Query, kept: dict[str, Document]) -> None:
    everything = replace(query, offset=0, limit=ALL, partial_limit=ALL)
    page, expected = engine.search(everything), reference.search(everything)
    assert set(ids(page)[: page.total]) == set(ids(expected)[: expected.total])
    assert set(ids(page)[page.total :]) == set(ids(expected)[expected.total :])
    assert len(set(ids(page))) == len(page.hits)
    for name in ("total", "partial", "empty", "undated", "untyped", "facets", "pairs", "expansions", "unknown"):
        assert getattr(page, name) == getattr(expected, name), name
    assert all(hit.slug == kept[hit.id].slug for hit in page.hits)
    assert {hit.id: hit.matched for hit in page.hits} == {hit.id: hit.matched for hit in expected.hits}
    assert engine.matching(query) == tuple(ids(page)[: page.total])
    check_page(engine, query, page)
    if query.sort != "relevance" or not query.question.clauses:
        assert ids(page) == ids(expected)
    else:
        literal = reference.literal(query.question)
        check_relevance(page, query.question, literal, kept)


def check_page(engine: SearchEngine, query: Query, whole: Page) -> None:
    """A page is a piece of the whole, and the best partial ones follow where the full ones end."""
    page = engine.search(query)
    full, partial = whole.hits[: whole.total], whole.hits[whole.total :]
    ends_here = query.offset <= max(0, whole.total - 1) < query.offset + query.limit
    shown = full[query.offset : query.offset + query.limit]
    assert page.hits[: len(shown)] == shown
    rest = page.hits[len(shown) :]
    assert set(rest) <= set(partial)
    assert len(rest) == min(len(partial), query.partial_limit * ends_here)
    assert replace(page, hits=()) == replace(whole, hits=())


def check_relevance(page: Page, question: Question, literal: frozenset[str], kept: dict[str, Document]) -> None:
    """The title asked for comes first, then the words themselves, then the higher score, and so on."""
    full, partial = page.hits[: page.total], page.hits[page.total :]
    expected = best_first(full, question, literal, kept)
    if question.expansions and not question.loose:
        expected = with_others(expected, literal, kept)
    assert [hit.id for hit in full] == [document.id for document in expected]
    assert [hit.id for hit in partial] == [d.id for d in best_first(partial, question, literal, kept)]


def best_first(
    hits: Sequence[Hit], question: Question, literal: frozenset[str], kept: dict[str, Document]
) -> list[Document]:
    scores = {hit.id: hit.score for hit in hits}
    asked = title_key(question.text)
    found = sorted((kept[hit.id] for hit in hits), key=lambda d: (title_key(d.title), d.id))
    found.sort(key=lambda d: d.updated, reverse=True)
    found.sort(key=lambda d: (title_key(d.title) != asked, d.id not in literal, -scores[d.id], -d.completeness))
    return found


def with_others(found: list[Document], literal: frozenset[str], kept: dict[str, Document]) -> list[Document]:
    """Where the first are all of one language, the last places among them are for what is meant in other ones."""
    languages = {document.language for document in found[:FIRST]}
    if len(found) <= FIRST or len(languages) > 1:
        return found
    others = [document for document in found if document.language not in languages and document.id not in literal][:3]
    rest = [document for document in found if document not in others]
    return rest[: FIRST - len(others)] + others + rest[FIRST - len(others) :]


class Index(RuleBasedStateMachine):
    """An index that is written, thrown away and opened anew, by two engines in turn."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = TemporaryDirectory()
        self._engine = WhooshEngine(Path(self._folder.name))
        self._kept: dict[str, Document] = {}

    @initialize(held=st.lists(documents(MANY), min_size=4, max_size=8))
    def build(self, held: list[Document]) -> None:
        self._engine.rebuild(held)
        self._kept = standing({}, held)

    @rule()
    def rebuild(self) -> None:
        self._engine.rebuild(self._kept.values())

    @rule(put=st.lists(documents(MANY), max_size=3), gone=st.lists(st.sampled_from(MANY), max_size=2))
    def update(self, put: list[Document], gone: list[str]) -> None:
        self._engine.update(put, gone)
        self._kept = standing(self._kept, put, gone)

    @rule(put=st.lists(documents(MANY[:12]), min_size=8, max_size=8))
    def update_so_often_that_segments_are_merged(self, put: list[Document]) -> None:
        for document in put:
            self._engine.update([document])
        self._kept = standing(self._kept, put)

    @rule()
    def reopen(self) -> None:
        self._engine.close()

    @rule(query=queries())
    def ask(self, query: Query) -> None:
        with closing(Reference(Path(self._folder.name))) as reference:
            check(self._engine, reference, query, self._kept)

    @invariant()
    def knows_its_documents(self) -> None:
        assert self._engine.ids() == frozenset(self._kept)
        assert self._engine.count() == len(self._kept)

    def teardown(self) -> None:
        self._engine.close()
        self._folder.cleanup()


def test_an_index_that_changes_goes_on_finding_what_plain_whoosh_finds() -> None:
    run(Index, settings=settings(often(4), stateful_step_count=60 if RUNS else 15))
