"""Practices side by side: what stands in a row, and which rows differ; whatever the records hold, in whatever order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kb.formats import comparison
from kb.formats.comparison import Column, Group, Kind, Row
from tests.unit.formats.publics import ABOUT, public
from tests.unit.formats.records import RECORDS


def column(document: dict[str, Any], **more: Any) -> Column:
    shown = {"title": document["title"], "summary": document["summary"], "machine": False}
    language = document["language"] or "en"
    return Column(document, {**shown, "language": language, "summary_language": language}, **more)


def rows(*columns: Column) -> dict[str, Row]:
    return {row.key: row for group in comparison.groups(columns, ABOUT) for row in group.rows}


def said(**changes: Any) -> dict[str, Row]:
    """The rows of a practice and of one that differs from it by `changes`."""
    return rows(column(public()), column(public(**changes)))


COLUMNS = st.lists(RECORDS.map(column), min_size=2, max_size=4)


@given(COLUMNS, st.randoms())
@settings(max_examples=15)
def test_another_order_of_practices_is_another_order_of_columns_and_nothing_else(
    columns: list[Column], by: Any
) -> None:
    order = list(range(len(columns)))
    by.shuffle(order)
    before, after = comparison.groups(columns, ABOUT), comparison.groups([columns[n] for n in order], ABOUT)

    def shuffled(row: Row) -> Row:
        return replace(row, cells=tuple(row.cells[n] for n in order))

    assert after == [Group(group.heading, tuple(map(shuffled, group.rows))) for group in before]
    assert [row.differs for group in before for row in group.rows] == [
        row.differs for group in after for row in group.rows
    ]
    assert comparison.alike(columns, ABOUT) == comparison.alike([columns[n] for n in order], ABOUT)


@given(RECORDS.map(column), st.integers(2, 4))
@settings(max_examples=10)
def test_a_practice_does_not_differ_from_itself(one: Column, times: int) -> None:
    assert not any(row.differs for row in rows(*[one] * times).values())


def test_only_short_facts_that_differ_are_marked() -> None:
    made = said(level="local", budget_eur=5000, lessons="Begin early.")
    assert {key for key, row in made.items() if row.differs} == {"level", "budget_eur", "lessons"}
    assert {key for key, row in made.items() if row.marked} == {"level"}


@given(COLUMNS)
@settings(max_examples=15)
def test_what_is_said_to_be_alike_stands_in_no_marked_row_of_one_value(columns: list[Column]) -> None:
    told = comparison.alike(columns, ABOUT)
    for row in rows(*columns).values():
        if row.key in ("level", "status", "authority_role", "evidence") and any(row.cells):
            assert (f"{row.heading[:1].lower()}{row.heading[1:]}: " in told) == (not row.differs), row.key


def test_what_is_alike_is_said_in_a_sentence() -> None:
    one = column(public(themes=["housing", "health"], level="regional"), types=("mountain", "border", "rural"))
    two = column(public(themes=["health"], level="local"), types=("border", "mountain"))
    told = comparison.alike([one, two], ABOUT)
    assert told.startswith("Both: in the mountains, on the border; status: status running; ")
    assert "; themes: theme health; " in told and "level" not in told and "rural" not in told


def test_it_is_said_where_nothing_is_alike() -> None:
    other = {"status": "ended", "level": "local", "authority_role": "partner", "evidence": "monitoring",
             "themes": ["health"], "target_groups": ["roma"], "funding": []}  # fmt: skip
    assert comparison.alike([column(public()), column(public(**other))], ABOUT) == (
        "Of the short facts, none is the same in all."
    )


def test_german_nouns_keep_their_capital_within_the_sentence() -> None:
    german = replace(ABOUT, language="de", term=lambda _facet, _value: "Überwachung")
    assert "Status: Überwachung" in comparison.alike([column(public()), column(public())], german)


def test_amounts_are_said_as_on_the_page_of_a_practice() -> None:
    assert said(budget_eur=19_000_000, budget_year=None)["budget_eur"].cells[1].said == "€19\xa0million"


def test_the_same_terms_in_another_order_are_the_same() -> None:
    themes = {"themes": ["housing", "health"]}
    assert not rows(column(public(**themes)), column(public(themes=themes["themes"][::-1])))["theme"].differs
    assert rows(column(public(**themes)), column(public(themes=["housing"])))["theme"].differs


def test_what_nobody_reported_is_the_same_everywhere_and_no_row_is_made_of_what_few_can_have() -> None:
    made = said()
    assert not made["evidence"].differs and not any(made["evidence"].cells)
    assert not {"partners", "indicators", "adoptions"} & set(made)
    partner = {"name": "Union", "type": "ngo", "url": None}
    assert said(partners=[partner])["partners"].cells[0].entries == ()


def test_not_reported_differs_from_no_evaluation() -> None:
    assert said(evidence="none")["evidence"].differs


def test_a_text_keeps_the_language_that_it_is_written_in() -> None:
    row = said(language="ca", transferability="Cal un acord.", editor_note="A note.")["transferability"]
    assert (row.kind, row.cells[1].language, row.cells[1].note) == (Kind.PROSE, "ca", "A note.")
    assert row.differs


def test_the_types_of_a_region_and_who_took_a_practice_up_stand_in_rows() -> None:
    made = rows(column(public(), types=("rural", "coast")), column(public(), adoptions=("Navarra: adapting",)))
    assert made["region_type"].cells[0].said == "region_type rural, region_type coast"
    assert made["adoptions"].cells[1].entries == (("Navarra: adapting", ""),)
