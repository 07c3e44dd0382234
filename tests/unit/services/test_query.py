"""The one query object: what is understood, what is refused, and that it says again what it read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.services.errors import Invalid
from kb.services.query import KNOWN, MOST_VALUES, CatalogueQuery, parse
from kb.services.vocabularies import Vocabulary


def test_no_parameters_ask_for_everything(vocabulary: Vocabulary) -> None:
    assert parse([], vocabulary).query == CatalogueQuery()


def test_a_repeated_parameter_gives_several_values(vocabulary: Vocabulary) -> None:
    asked = parse([("theme", "housing"), ("theme", "labour-inclusion")], vocabulary)
    assert asked.query.theme == ("housing", "labour-inclusion")


def test_an_empty_parameter_is_no_filter(vocabulary: Vocabulary) -> None:
    assert parse([("year_from", ""), ("country", "")], vocabulary).query == CatalogueQuery()


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ([("country", "EL")], [("country", "GR")]),
        ([("country", "UK")], [("country", "GB")]),
        ([("country", "ie")], [("country", "IE")]),
        ([("region", "NL31")], [("region", "NL35")]),
        ([("region", "UKM")], [("region", "x-gb-scotland")]),
        ([("region", "GR")], [("region", "EL")]),
        ([("region", "es51")], [("region", "ES51")]),
    ],
)
def test_an_alias_is_understood_and_is_not_canonical(vocabulary: Vocabulary, given: Any, read: Any) -> None:
    asked = parse(given, vocabulary)
    assert asked.query.to_params() == read and not asked.canonical


@pytest.mark.parametrize(
    "wrong",
    [
        ("country", "XX"), ("country", "ZZ"), ("region", "ZZ99"), ("theme", "nope"), ("target_group", "nope"),
        ("status", "busy"), ("level", "x"), ("evidence", "x"), ("funding", "x"), ("language", "xx"),
        ("region_type", "x"), ("authority_role", "x"), ("year_from", "abc"), ("year_to", "99999"), ("page", "0"),
        ("page", "-1"), ("per_page", "1000"), ("per_page", "0"), ("sort", "foo"),
        ("updated_since", "yesterday"), ("q", "a" * 10_000),
    ],
)  # fmt: skip
def test_a_value_nobody_knows_is_refused_in_a_sentence(vocabulary: Vocabulary, wrong: tuple[str, str]) -> None:
    with pytest.raises(Invalid) as refused:
        parse([wrong], vocabulary)
    assert [problem.field for problem in refused.value.problems] == [wrong[0]]
    assert len(str(refused.value.problems[0].message)) < 200


def test_more_filters_than_a_page_can_bear_are_refused(vocabulary: Vocabulary) -> None:
    params = [("region", code) for code in list(vocabulary.regions)[: MOST_VALUES + 1]]
    assert len(parse(params[1:], vocabulary).query.region) == MOST_VALUES
    with pytest.raises(Invalid, match="there are 101, the limit is 100"):
        parse(params, vocabulary)


@pytest.mark.parametrize("strict", [False, True])
def test_thousands_of_filters_that_nobody_knows_are_refused_in_one_sentence(
    vocabulary: Vocabulary, strict: bool
) -> None:
    with pytest.raises(Invalid, match="there are 4900, the limit is 100") as refused:
        parse([("region", f"Q{number}") for number in range(4900)], vocabulary, strict=strict)
    assert len(refused.value.problems) == 1


def test_a_value_that_nobody_knows_is_said_once_however_often_it_was_given(vocabulary: Vocabulary) -> None:
    with pytest.raises(Invalid) as refused:
        parse([("theme", "zzz")] * 4900, vocabulary)
    assert len(refused.value.problems) == 1


def test_thousands_of_parameters_that_the_api_does_not_know_are_refused_in_one_sentence(vocabulary: Vocabulary) -> None:
    with pytest.raises(Invalid) as refused:
        parse([(f"x{number}", "1") for number in range(4900)], vocabulary, strict=True)
    assert len(refused.value.problems) == 1


def test_the_api_refuses_an_unknown_parameter(vocabulary: Vocabulary) -> None:
    with pytest.raises(Invalid):
        parse([("utm_source", "x")], vocabulary, strict=True)


def test_a_page_ignores_an_unknown_parameter(vocabulary: Vocabulary) -> None:
    assert parse([("utm_source", "x")], vocabulary).query == CatalogueQuery()


def test_years_the_wrong_way_round_are_refused(vocabulary: Vocabulary) -> None:
    with pytest.raises(Invalid):
        parse([("year_from", "2020"), ("year_to", "2010")], vocabulary)


def test_a_filter_can_be_taken_away(vocabulary: Vocabulary) -> None:
    query = parse([("q", "a"), ("theme", "housing"), ("country", "ES"), ("country", "IT")], vocabulary).query
    assert query.without("country", "ES").to_params() == [("q", "a"), ("country", "IT"), ("theme", "housing")]
    assert query.without("theme").theme == ()
    assert query.without_filters() == CatalogueQuery(q="a")


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("2026-09-30", "2026-09-30"),
        ("2026-09-30T10:00:00Z", "2026-09-30T10:00:00Z"),
        ("2026-09-30T10:00", "2026-09-30T10:00:00Z"),
        ("2026-09-30T01:00:00+02:00", "2026-09-29T23:00:00Z"),
        ("2026-09-30T23:30-01:00", "2026-10-01T00:30:00Z"),
        ("0999-01-01T00:00:00+00:00", "0999-01-01T00:00:00Z"),
    ],
)
def test_a_moment_is_read_in_utc(vocabulary: Vocabulary, given: str, read: str) -> None:
    asked = parse([("updated_since", given)], vocabulary)
    assert asked.query.updated_since == read and asked.canonical == (given == read)
    assert parse(asked.query.to_params(), vocabulary).query == asked.query


def test_a_moment_before_all_time_is_refused(vocabulary: Vocabulary) -> None:
    with pytest.raises(Invalid):
        parse([("updated_since", "0001-01-01T00:00:00+02:00")], vocabulary)


MOMENTS = st.one_of(
    st.dates().map(str), st.datetimes(timezones=st.one_of(st.none(), st.timezones())).map(datetime.isoformat)
)
PARAMS = st.lists(
    st.tuples(st.just("updated_since"), MOMENTS)
    | st.tuples(
        st.sampled_from([*KNOWN, "utm_x"]),
        st.one_of(
            st.text(max_size=12), st.sampled_from(["ES", "EL", "housing", "2019", "running", "rural", "en", "NL31"])
        ),
    ),
    max_size=8,
)


@settings(max_examples=300, deadline=None)
@given(params=PARAMS)
def test_what_was_read_is_read_again_the_same(vocabulary: Vocabulary, params: list[tuple[str, str]]) -> None:
    try:
        asked = parse(params, vocabulary)
    except Invalid:
        return
    again = parse(asked.to_params(), vocabulary, strict=True)
    assert again.query == asked.query and again.canonical
    assert (again.page, again.per_page) == (asked.page, asked.per_page)
