"""Conditions say of any document what they are made of, however they are put together, negated and written."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from kb.search.language import fold
from kb.search.typesense.conditions import (
    EVERYTHING,
    MOST_PARTS,
    NOTHING,
    Both,
    Condition,
    Number,
    Terms,
    both,
    either,
    has,
    overlapping,
    parts,
    shortened,
    without,
    written,
)
from kb.search.typesense.schema import (
    SCHEMA,
    name_term,
    pair_term,
    stem_term,
    stored_id,
    title_term,
    value_of,
    value_term,
    value_token,
    word_term,
)

leaves: st.SearchStrategy[Condition] = st.one_of(
    st.builds(has, st.sampled_from("abcd"), st.sampled_from("abcd")),
    st.sampled_from([NOTHING, EVERYTHING]),
    st.builds(Number, st.just("start"), st.integers(0, 4), st.booleans()),
)
conditions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map(lambda each: both(*each)),
        st.lists(inner, min_size=1, max_size=4).map(lambda each: either(*each)),
        inner.map(without),
    ),
    max_leaves=12,
)
held = st.tuples(st.frozensets(st.sampled_from("abcd")), st.integers(0, 4))


def meets(document: tuple[frozenset[str], int], condition: Condition) -> bool:
    terms, number = document
    if isinstance(condition, Terms):
        return bool(terms & set(condition.terms)) != condition.none
    if isinstance(condition, Number):
        return number >= condition.number if condition.at_least else number <= condition.number
    return (all if isinstance(condition, Both) else any)(meets(document, each) for each in condition.parts)


@given(held, conditions, conditions)
def test_conditions_mean_what_their_parts_mean(
    document: tuple[frozenset[str], int], first: Condition, second: Condition
) -> None:
    assert meets(document, both(first, second)) == (meets(document, first) and meets(document, second))
    assert meets(document, either(first, second)) == (meets(document, first) or meets(document, second))
    assert meets(document, without(first)) != meets(document, first)


@settings(max_examples=30, deadline=None)
@given(held, st.lists(st.tuples(leaves, leaves), min_size=30, max_size=60))
def test_a_long_condition_is_shortened_and_means_the_same(
    document: tuple[frozenset[str], int], several: list[tuple[Condition, Condition]]
) -> None:
    pieces = [either(both(*each), Number("end", place, at_least=True)) for place, each in enumerate(several)]
    whole = both(*pieces)
    asked: list[Condition] = []

    def ids(part: Condition) -> list[str]:
        asked.append(part)
        return ["me"] if meets(document, part) else []

    short = shortened(whole, ids)
    assert parts(short) <= MOST_PARTS and all(parts(each) <= MOST_PARTS for each in asked)
    assert meets((document[0] | {"me"}, document[1]), short) == meets(document, whole)


@given(st.text(max_size=200), st.text(max_size=20))
def test_whatever_was_typed_is_a_token_that_the_server_leaves_as_it_is(text: str, other: str) -> None:
    made = [word_term(fold(text)), stem_term("en", fold(text)), pair_term(fold(text), fold(other)), title_term(text)]
    made += [value_term("theme", text), name_term("place", fold(text)), stored_id(text)]
    for term in made:
        assert re.fullmatch(r"[a-z0-9_]{1,100}", term), term
    assert re.fullmatch(r"[a-z0-9 ]*", value_token(text))
    assert value_of(value_token(text)) == text
    assert re.fullmatch(r"terms:\[[a-z0-9_,]*\]", written(has(*made)))


@given(st.text(max_size=100), st.text(max_size=100))
def test_different_words_values_and_ids_have_different_terms(first: str, second: str) -> None:
    for term in (word_term, value_token, stored_id, title_term):
        assert (term(first) == term(second)) == (first == second)


def test_a_term_beside_what_is_nearly_too_long_is_shortened() -> None:
    wide = either(*(both(has(f"a{n}"), has(f"b{n}")) for n in range(14)), has("c"))
    assert parts(shortened(both(has("d"), wide, has("e")), lambda part: ["i"])) <= MOST_PARTS


def test_years_that_end_before_they_begin_are_nobody_s() -> None:
    assert overlapping(2012, 2010) == NOTHING


def test_every_field_of_the_collection_has_one_name() -> None:
    names = [each["name"] for each in SCHEMA["fields"]]
    assert len(set(names)) == len(names)
