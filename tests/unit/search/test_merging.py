"""Parts of an index put together are what one part of all their documents would be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.search.port import Document
from kb.search.whoosh.gathering import Gatherer, Run, spilled
from kb.search.whoosh.inverted import Inverted
from kb.search.whoosh.merging import Part, joined
from tests.unit.search.test_gathering import slow, some_document

documents_in_parts = st.lists(st.lists(st.tuples(some_document, st.booleans()), max_size=3), min_size=1, max_size=3)
"""Documents in parts, and whether each is still wanted."""


def run_of(documents: list[Document]) -> Run:
    gatherer = Gatherer()
    for document in documents:
        gatherer.add(document)
    return gatherer.run()


def assert_same(one: Inverted, other: Inverted) -> None:
    assert list(one.terms) == list(other.terms)
    for some, others in zip(one[1:], other[1:], strict=True):
        np.testing.assert_array_equal(some, others)


@slow
@given(documents_in_parts, st.integers(1, 40))
def test_what_is_joined_is_what_would_have_been_gathered_of_the_wanted(
    parts: list[list[tuple[Document, bool]]], block: int
) -> None:
    whole = run_of([document for part in parts for document, wanted in part if wanted])
    runs = [run_of([document for document, _ in part]) for part in parts]
    wanted = np.array([wanted for part in parts for _, wanted in part], np.bool_)
    numbers = np.where(wanted, np.cumsum(wanted) - 1, -1)
    apart = np.split(numbers, np.cumsum([len(part) for part in parts])[:-1])
    for field in ("stems", "words"):
        fields = [Part(getattr(run, field), mine) for run, mine in zip(runs, apart, strict=True)]
        found, places = joined(fields, block)
        assert_same(found, getattr(whole, field))
        for (each, mine), new in zip(fields, places, strict=True):
            for place, term in enumerate(each.terms):
                if (mine[each.documents[each.bounds[place] : each.bounds[place + 1]]] >= 0).any():
                    assert found.terms[new[place]] == term


@pytest.mark.parametrize("text", ["", "arts and letters, arts"])
def test_a_run_on_disk_is_the_same_run_and_leaves_no_file(tmp_path: Path, text: str) -> None:
    run = run_of([Document("a", "a", text, "en"), Document("b", "b", "letters", "en")])
    again = spilled(run, tmp_path / "run")
    assert_same(again.words, run.words)
    assert_same(again.stems, run.stems)
    for one, other in zip(again.vectors, run.vectors, strict=True):
        np.testing.assert_array_equal(one, other)
    assert again.words.terms[:1] == run.words.terms[:1] == [again.words.terms[0]]
    assert list(tmp_path.iterdir()) == []
