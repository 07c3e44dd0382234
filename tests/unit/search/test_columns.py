"""The records of a segment as columns, and documents in the order of their titles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.search.port import FACETS, Document, IndexLost
from kb.search.whoosh.columns import NEVER, Columns, joined_sets, read, seconds, written
from kb.search.whoosh.schema import record, title_key
from kb.search.whoosh.titles import TitleOrder

titles = st.text(st.sampled_from("aAä bß中𐍈\ue000"), max_size=20) | st.just("Language courses for women at work")
values = st.lists(st.sampled_from(["de", "it", "pl", "fi"]), unique=True, max_size=3).map(tuple)
moments = st.datetimes(datetime(1000, 1, 1), datetime(9999, 1, 1)).map(lambda moment: f"{moment:%Y-%m-%dT%H:%M:%SZ}")
documents = st.builds(
    Document,
    id=st.text(st.sampled_from("ab\udc80"), min_size=1, max_size=3),
    slug=st.text(max_size=3),
    title=titles,
    language=st.sampled_from(["en", "de", "xx"]),
    facets=st.fixed_dictionaries({"country": values, "theme": values}),
    start_year=st.none() | st.integers(1, 3000),
    end_year=st.none() | st.integers(1, 3000),
    published=st.just("") | st.just("2026-01-02") | moments,
    updated=moments,
    adopted=st.integers(0, 1000),
    completeness=st.floats(0, 1),
)
segments = st.lists(st.lists(documents, max_size=4), max_size=3)
fewer = settings(max_examples=30)


def columns_of(found: Sequence[Document]) -> Columns:
    return read(dict(written([record(document, [1, 2, 3, 4, 5]) for document in found])))


def in_order(found: Sequence[Document]) -> list[tuple[str, str]]:
    return [(title_key(document.title), document.id) for document in found]


@fewer
@given(st.lists(documents, max_size=5))
def test_records_are_read_as_they_were_written(found: list[Document]) -> None:
    columns = columns_of(found)
    for name in ("id", "slug"):
        assert list(getattr(columns, f"{name}s")) == [getattr(document, name) for document in found]
    for name in ("adopted", "completeness"):
        assert getattr(columns, name).tolist() == [getattr(document, name) for document in found]
    assert columns.lengths.tolist() == [[1, 2, 3, 4, 5]] * len(found)
    assert columns.languages == {document.language for document in found} - {"xx"}
    country = columns.sets["country"]
    assert [
        tuple(country.names[code] for code in country.codes[start:end])
        for start, end in zip(country.bounds, country.bounds[1:], strict=False)
    ] == [document.facets["country"] for document in found]


@fewer
@given(segments)
def test_sets_of_segments_are_joined_as_if_they_were_one(parts: list[list[Document]]) -> None:
    whole = columns_of([document for part in parts for document in part])
    for facet in FACETS:
        joined, expected = joined_sets([columns_of(part).sets[facet] for part in parts]), whole.sets[facet]
        assert list(joined.names) == list(expected.names)
        for name in ("documents", "codes", "bounds"):
            np.testing.assert_array_equal(getattr(joined, name), getattr(expected, name))


@given(st.lists(moments, min_size=2, max_size=2))
def test_moments_are_ordered_as_they_are_written(pair: list[str]) -> None:
    first, second = seconds(pair).tolist()
    assert (first < second) == (pair[0] < pair[1]) and (first == second) == (pair[0] == pair[1])


@pytest.mark.parametrize(
    ("moment", "second"),
    [
        ("1970-01-01", 0),
        ("1970-01-02T00:00:01Z", 86401),
        ("1970-01-01T00:00:59.9Z", 59),
        ("1970-01-01T00:01Z", 60),
        ("1969", -31536000),
        ("", NEVER),
    ],
)
def test_moments_are_seconds_since_1970(moment: str, second: int) -> None:
    assert seconds([moment]).tolist() == [second]


def test_what_is_no_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="yesterday"):
        seconds(["yesterday"])


@fewer
@given(segments)
def test_titles_are_ordered_as_the_plain_texts_are(parts: list[list[Document]]) -> None:
    found = [document for part in parts for document in part]
    order = TitleOrder([columns_of(part) for part in parts])
    assert in_order([found[number] for number in order.order]) == sorted(in_order(found))
    assert sorted(order.order.tolist()) == list(range(len(found)))
    assert order.ranks[order.order].tolist() == list(range(len(found)))


@fewer
@given(segments, st.data())
def test_a_few_titles_are_ordered_as_among_all(parts: list[list[Document]], data: Any) -> None:
    found = [document for part in parts for document in part]
    columns = [columns_of(part) for part in parts]
    some = np.array(data.draw(st.lists(st.sampled_from(range(len(found))), unique=True)) if found else [], int)
    few = some[np.argsort(TitleOrder(columns).among(some))]
    assert in_order([found[number] for number in few]) == sorted(in_order([found[number] for number in some]))


@fewer
@given(segments, segments, st.data())
def test_an_order_that_follows_another_is_the_same_as_a_new_one(
    old: list[list[Document]], new: list[list[Document]], data: Any
) -> None:
    before = [columns_of(part) for part in old]
    earlier = TitleOrder(before)
    if data.draw(st.booleans(), label="asked"):
        assert len(earlier.order) == sum(map(len, old))
    kept = [each for each in before if data.draw(st.booleans(), label="kept")]
    after = [*kept, *(columns_of(part) for part in new)]
    between = TitleOrder(after[:1], earlier)  # nobody asks this one
    for order in (TitleOrder(after, earlier), TitleOrder(after, between)):
        assert _entries(after, order.order) == _entries(after, TitleOrder(after).order)


def test_one_title_more_is_put_in_its_place_among_many() -> None:
    many = [Document(f"{number}", "", f"Title {number * 7 % 100:02}", "en") for number in range(100)]
    columns = [columns_of(many)]
    earlier = TitleOrder(columns)
    assert earlier.ranks[0] == 0
    columns.append(columns_of([replace(many[0], title="Title 42 and a half"), replace(many[0], id="new")]))
    order = TitleOrder(columns, earlier)
    assert _entries(columns, order.order) == _entries(columns, TitleOrder(columns).order)
    assert order.ranks[100] == 44 and order.ranks[101] == 1


def _entries(columns: Sequence[Columns], order: np.ndarray[Any, Any]) -> list[str]:
    entries = [entry for each in columns for entry in each.titles]
    return [entries[number] for number in order.tolist()]


@pytest.mark.parametrize("name", ["ids", "by_title", "country.codes", "place.names", "lengths", "languages.starts"])
def test_columns_that_lack_one_are_lost(name: str) -> None:
    arrays = dict(written([record(Document("a", "a", "a", "en"), [0] * 5)]))
    del arrays[name]
    with pytest.raises(IndexLost):
        read(arrays)


@pytest.mark.parametrize("name", ["lengths", "starts", "ids.starts", "theme.codes"])
def test_columns_of_another_length_are_lost(name: str) -> None:
    document = Document("a", "a", "a", "en", facets={"theme": ("arts",)})
    arrays = dict(written([record(document, [0] * 5)]))
    arrays[name] = np.repeat(arrays[name], 2, axis=0)
    with pytest.raises(IndexLost):
        read(arrays)
