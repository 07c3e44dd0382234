"""Totals and facet counts of random queries equal what counting documents one by one gives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kb.search.language import asked_stems, forms, language_of, spans
from kb.search.parsing import parse
from kb.search.port import FACETS, SORTS, Document, Page, Query, SearchEngine
from kb.search.question import Clause, Need, Question, Tagged, Words
from kb.search.thesaurus import Name, Thesaurus
from tests.contract.conftest import MAKERS

THIS_YEAR = datetime.now(UTC).year
WORDS = ["arts", "art", "mentor", "mentors", "línia", "linia", "línies", "the", "county", "talent", "talentos"]
USED = ("country", "theme", "region_type")

NAMES = Thesaurus(
    [
        Name("theme", "a", "en", "art"),
        Name("theme", "b", "es", "talento county"),
        Name("country", "c", "und", "linia"),
        Name("region", "R1", "ca", "mentor"),
    ]
)
OPERATORS = [
    "OR",
    "-arts",
    "-talent",
    "tal*",
    "title:arts",
    '"arts county"',
    "theme:a",
    "-theme:b",
    "country:c",
    "region:R9",
]
OPERATORS += ["year:2024..2026", "art OR mentor", "country:c OR arts", '-"the county"']

texts = st.lists(st.sampled_from(WORDS), max_size=5).map(" ".join)
years = st.one_of(st.none(), st.integers(THIS_YEAR - 6, THIS_YEAR + 2))
values = st.lists(st.sampled_from("abc"), unique=True, max_size=2).map(tuple)
regions = st.lists(st.sampled_from(["R1", "R2", "R3"]), unique=True, max_size=2).map(tuple)
moments = st.sampled_from(["2026-01-01", "2026-02-01T00:00:00Z", "2026-03-01"])
documents = st.builds(
    Document,
    id=st.sampled_from("123456789"),
    slug=st.just("s"),
    title=texts,
    language=st.sampled_from(["en", "es", "ca", "hr"]),
    texts=st.fixed_dictionaries({"story": texts, "names": texts}),
    foreign=st.lists(st.tuples(st.sampled_from(["es", "und"]), texts), max_size=1).map(tuple),
    facets=st.fixed_dictionaries(dict.fromkeys(USED, values)),
    regions=regions,
    start_year=years,
    end_year=years,
    published=moments,
    updated=moments,
    adopted=st.integers(0, 2),
)
questions = st.one_of(
    texts,
    texts.map('"{}"'.format),
    st.sampled_from(["arts county", "…"]),
    st.lists(st.sampled_from(WORDS + OPERATORS), max_size=5).map(" ".join),
)
queries = st.builds(
    Query,
    question=st.builds(parse, questions, st.just(NAMES), st.sampled_from([(), (("theme", "a"),)])),
    filters=st.dictionaries(st.sampled_from(USED), values, max_size=2),
    regions=regions,
    year_from=years,
    year_to=years,
    updated_since=st.one_of(st.none(), moments),
    sort=st.sampled_from(SORTS),
    limit=st.integers(1, 5),
    offset=st.integers(0, 6),
    places=st.booleans(),
    pairs=st.sampled_from([(), (("theme", "country"),), (("theme", "region_type"), ("country", "theme"))]),
)


@pytest.fixture(scope="module", params=list(MAKERS))
def engine(request: pytest.FixtureRequest) -> Iterator[SearchEngine]:
    with TemporaryDirectory() as folder:
        engine = MAKERS[request.param](Path(folder))
        yield engine
        engine.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(st.lists(st.lists(documents, max_size=6), min_size=1, max_size=3), st.lists(queries, min_size=4, max_size=4))
def test_totals_and_counts_are_exact(engine: SearchEngine, batches: list[list[Document]], asked: list[Query]) -> None:
    engine.rebuild(batches[0])
    for batch in batches[1:]:
        engine.update(batch, gone=["1"])
    kept: dict[str, Document] = {}
    for number, batch in enumerate(batches):
        for document in batch:
            kept[document.id] = document
        if number and "1" not in {document.id for document in batch}:
            kept.pop("1", None)
    for query in asked:
        check(engine.search(query), query, list(kept.values()))
        check_matching(engine, query)


def check_matching(engine: SearchEngine, query: Query) -> None:
    """All that is counted, at once, is what turning the pages brings, in the same order."""
    page = engine.search(replace(query, offset=0, limit=100))
    assert engine.matching(query) == tuple(hit.id for hit in page.hits[: page.total])


def check(page: Page, query: Query, everything: list[Document]) -> None:
    assert page.empty == (not any(answers(d, query.question, in_part=True) for d in everything))
    assert page.total == total(query, everything)
    for facet in FACETS:
        chosen = query.filters.get(facet, ())
        there = {value for document in everything for value in document.facets.get(facet, ())}
        counts = {value: total(alone(query, facet, value), everything) for value in there | set(chosen)}
        expected = {value: count for value, count in counts.items() if count or value in chosen}
        assert list(page.facets[facet]) == sorted(expected.items(), key=lambda pair: (-pair[1], pair[0]))
    check_regions(page, query, everything)
    check_pairs(page, query, everything)
    known = [year for d in everything if (year := d.end_year if d.start_year is None else d.start_year) is not None]
    listed = set(range(min([*known, THIS_YEAR]), THIS_YEAR + 1))
    listed |= {query.year_from} if query.year_from and query.year_from == query.year_to else set()
    per_year = {year: total(replace(query, year_from=year, year_to=year), everything) for year in listed}
    chosen_year = query.year_from if query.year_from == query.year_to else None
    expected_years = [(str(y), n) for y, n in sorted(per_year.items()) if n or y == chosen_year]
    assert list(page.facets["year"]) == expected_years
    ranged = (query.year_from, query.year_to) != (None, None)
    unranged = matching(replace(query, year_from=None, year_to=None), everything)
    undated = [d for d in unranged if d.start_year is None and d.end_year is None]
    assert page.undated == (len(undated) if ranged else 0)
    typeless = matching(replace(query, filters={**query.filters, "region_type": ()}), everything)
    assert page.untyped == sum(not d.facets.get("region_type") for d in typeless)
    check_hits(page, query, everything)


def check_regions(page: Page, query: Query, everything: list[Document]) -> None:
    """Regions are counted where they are asked for, by the rule of the facets."""
    if not query.places:
        assert "region" not in page.facets
        return
    there = {code for document in everything for code in document.regions}
    counts = {code: total(replace(query, regions=(code,)), everything) for code in there | set(query.regions)}
    expected = {code: count for code, count in counts.items() if count or code in query.regions}
    assert list(page.facets["region"]) == sorted(expected.items(), key=lambda pair: (-pair[1], pair[0]))


def check_pairs(page: Page, query: Query, everything: list[Document]) -> None:
    """Values of two facets are counted together where that is asked for, by the rule of the facets."""
    assert set(page.pairs) == set(query.pairs)
    for first, second in query.pairs:
        there = {(a, b) for d in everything for a in d.facets.get(first, ()) for b in d.facets.get(second, ())}
        counts = {(a, b): total(alone(alone(query, first, a), second, b), everything) for a, b in there}
        assert page.pairs[first, second] == {pair: count for pair, count in counts.items() if count}


def check_hits(page: Page, query: Query, everything: list[Document]) -> None:
    """The hits are the right number of full ones, then, on the page that holds their end, up to ten partial ones."""
    full = {document.id for document in matching(query, everything)}
    shown = [hit.id for hit in page.hits]
    count = max(0, min(query.limit, len(full) - query.offset))
    assert set(shown[:count]) <= full
    assert not full & set(shown[count:])
    assert len(set(shown)) == len(shown)
    some = {d.id for d in everything if answers(d, query.question, in_part=True) and allowed(d, query)} - full
    last = max(0, len(full) - 1)  # the place of the last full one, or where the first would be
    holds_end = not page.partial and last in range(query.offset, query.offset + query.limit)
    assert len(shown) == count + (min(10, len(some)) if holds_end else 0)


def alone(query: Query, facet: str, value: str) -> Query:
    return replace(query, filters={**query.filters, facet: (value,)})


def total(query: Query, everything: list[Document]) -> int:
    return len(matching(query, everything))


def matching(query: Query, everything: list[Document]) -> list[Document]:
    question = query.question
    held = [document for document in everything if answers(document, question)]
    held = held or [document for document in everything if answers(document, question, in_part=True)]
    return [document for document in held if allowed(document, query)]


def answers(document: Document, question: Question, *, in_part: bool = False) -> bool:
    """Whether a document answers a question in full, or at least in part."""
    if question.asks_nothing or any(has(document, need) for need in question.excluded):
        return False
    if not all(holds(document, clause) for clause in question.required):
        return False
    meant = {i for e in question.expansions if has(document, Tagged(e.facet, e.values)) for i in range(e.start, e.end)}
    held = [i in meant or holds(document, clause) for i, clause in enumerate(question.clauses)]
    return all(held) or (in_part and any(held))


def allowed(document: Document, query: Query) -> bool:
    sets = [(values, document.facets.get(facet, ())) for facet, values in query.filters.items()]
    sets.append((query.regions, document.regions))
    if any(wanted and not set(wanted) & set(there) for wanted, there in sets):
        return False
    if query.updated_since and document.updated < query.updated_since:
        return False
    return overlaps(document, query.year_from, query.year_to)


def overlaps(document: Document, year_from: int | None, year_to: int | None) -> bool:
    if year_from is None and year_to is None:
        return True
    if document.start_year is None and document.end_year is None:
        return False
    first, last = year_from or -9999, year_to or 9999
    return first <= last and (document.start_year or -9999) <= last and (document.end_year or 9999) >= first


def holds(document: Document, clause: Clause) -> bool:
    return any(has(document, need) for need in clause.needs)


def has(document: Document, need: Need) -> bool:
    if isinstance(need, Tagged):
        there = document.regions if need.facet == "region" else document.facets.get(need.facet, ())
        return bool(set(need.values) & set(there))
    if not isinstance(need, Words):
        return overlaps(document, need.first, need.last)
    pieces = [(document.language, document.title)]
    pieces += [(document.language, text) for text in document.texts.values()] if need.field != "title" else []
    pieces += [(document.language if tag == "und" else tag, text) for tag, text in document.foreign]
    return any(text_holds(text, language_of(language), need) for language, text in pieces)


def text_holds(text: str, language: str, need: Words) -> bool:
    words = [forms(text[start:end], language) for start, end in spans(text)]
    folds = [folded for folded, _ in words]
    if need.begins:
        return any(folded.startswith(need.folds[0]) for folded in folds)
    if need.exact:
        size = len(need.folds)
        return any(tuple(folds[i : i + size]) == need.folds for i in range(len(folds)))
    stems = {stem for _, stems in words for stem in stems}
    return need.folds[0] in folds or bool(stems & set(asked_stems(need.words[0], language)))
