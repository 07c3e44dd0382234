"""A field turned round: what stands where is read as it was written, and no term is taken for another."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.search.port import IndexLost
from kb.search.whoosh import inverted
from kb.search.whoosh.arrays import Array
from kb.search.whoosh.inverted import Field, hashed, written
from kb.search.whoosh.schema import FIELDS
from tests.unit.search.segments import Postings, inverted_of

rows = st.lists(st.lists(st.integers(0, 1 << 31), max_size=3), min_size=len(FIELDS), max_size=len(FIELDS))
postings = st.dictionaries(st.text(max_size=4), st.dictionaries(st.integers(0, 99), rows, min_size=1, max_size=4))


def arrays_of(found: Postings) -> Mapping[str, Array]:
    return dict(written("words", inverted_of(found)))


def read_back(field: Field, terms: list[str]) -> Postings:
    """Return what a field says of its terms."""
    found: dict[str, dict[int, list[list[int]]]] = {}
    for term, place in zip(terms, field.places([term.encode() for term in terms]), strict=True):
        counts = field.counts(place)
        positions = iter(field.positions(place).tolist())
        found[term] = {
            document: [[next(positions) for _ in range(count)] for count in row]
            for document, row in zip(field.documents(place).tolist(), counts.tolist(), strict=True)
        }
    return found


@given(postings)
def test_what_was_written_is_read(found: Postings) -> None:
    field = Field(arrays_of(found), "words", 100)
    assert read_back(field, list(found)) == found
    assert list(field.terms) == sorted(found)


@given(postings, st.lists(st.text(max_size=4)))
def test_terms_are_looked_up_all_at_once(found: Postings, asked: list[str]) -> None:
    field = Field(arrays_of(found), "words", 100)
    order = sorted(found)
    assert field.places([term.encode() for term in asked]) == [
        order.index(term) if term in found else -1 for term in asked
    ]


@given(postings, st.lists(st.text(max_size=4)))
@settings(max_examples=50)
def test_terms_that_share_a_hash_are_not_taken_for_each_other(found: Postings, asked: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("hashed", "_hashed_once"):
            patch.setattr(inverted, name, lambda term: len(term) % 2)
        field = Field(arrays_of(found), "words", 100)
        assert read_back(field, list(found)) == found
        order = sorted(found)
        assert field.places([term.encode() for term in asked]) == [
            order.index(term) if term in found else -1 for term in asked
        ]


def test_hashes_are_on_disk_and_stay_what_they_are() -> None:
    assert hashed(b"integration") == 13456251388494002722


def test_a_term_is_found_by_its_hash() -> None:
    field = Field(arrays_of({word: {0: [[], [], [1], [], []]} for word in ("arts", "story", "work")}), "words", 1)
    assert field.place_of_hash(np.uint64(hashed(b"story"))) == 1
    assert field.place_of_hash(np.uint64(hashed(b"unheard"))) == -1
    assert field.hashes(np.array([2])).tolist() == [hashed(b"work")]


def test_the_documents_of_terms_side_by_side_are_one_slice() -> None:
    row = [[], [], [1], [], []]
    field = Field(arrays_of({"arts": {0: row, 3: row}, "artist": {3: row}, "work": {2: row}}), "words", 4)
    assert field.documents(0, 2).tolist() == [3, 0, 3]  # those of artist, then those of arts
    assert field.counts(0, 2).shape == (3, len(FIELDS))


@pytest.mark.parametrize("name", ["words.bounds", "words.documents", "words.position_bounds"])
def test_places_that_are_not_there_are_a_lost_index(name: str) -> None:
    arrays = dict(arrays_of({"arts": {0: [[], [], [1], [], []]}}))
    arrays[name] = np.full_like(arrays[name], 0x7FFFFFFF)
    field = Field(arrays, "words", 1)
    with pytest.raises(IndexLost):
        field.documents(0), field.positions(0)


@pytest.mark.parametrize("name", list(arrays_of({})))
def test_a_field_that_lacks_an_array_is_lost(name: str) -> None:
    arrays = {other: array for other, array in arrays_of({"arts": {0: [[]] * 5}}).items() if other != name}
    with pytest.raises(IndexLost):
        Field(arrays, "words", 1)
