"""Sets of documents as ascending numbers."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kb.search.whoosh.places import Places, common, union
from kb.search.whoosh.segment import Numbers

SIZE = 400
sets = st.sets(st.integers(0, SIZE - 1)) | st.just(set(range(SIZE))) | st.just(set(range(0, SIZE, 7)))


def numbers(held: set[int]) -> Numbers:
    return np.array(sorted(held), np.intp)


@given(sets, sets)
def test_the_places_of_documents_among_members(members: set[int], asked: set[int]) -> None:
    there, here = Places(numbers(members), SIZE).of(numbers(asked))
    assert numbers(asked)[there].tolist() == numbers(members)[here].tolist() == sorted(members & asked)


@given(sets, st.lists(st.integers(0, SIZE - 1)))
def test_the_places_of_documents_in_any_order(members: set[int], asked: list[int]) -> None:
    there, here = Places(numbers(members), SIZE).of_any(np.array(asked, np.intp))
    assert np.array(asked, np.intp)[there].tolist() == [each for each in asked if each in members]
    assert numbers(members)[here].tolist() == [each for each in asked if each in members]


def test_members_are_at_their_own_places() -> None:
    members = numbers({3, 5, 8})
    there, here = Places(members, SIZE).of(members)
    assert there.tolist() == here.tolist() == [0, 1, 2]


@given(st.lists(sets, min_size=1, max_size=4))
def test_what_is_in_any_and_in_all(held: list[set[int]]) -> None:
    assert union([numbers(each) for each in held], SIZE).tolist() == sorted(set().union(*held))
    assert common([numbers(each) for each in held], SIZE).tolist() == sorted(set.intersection(*held))
