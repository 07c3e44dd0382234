"""Names are found by how their words begin."""

from __future__ import annotations

import pytest

from kb.search.beginnings import START, WHOLE, WORDS, Beginnings

NAMES = ["Emilia-Romagna", "Łódzkie", "Region of Catalonia", "Catalonia", "Arbeitsmarkt", "…"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("emilia", {("Emilia-Romagna", START)}),
        ("Emilia Rom", {("Emilia-Romagna", START)}),
        ("emiliaromagna", {("Emilia-Romagna", WHOLE)}),
        ("rom", {("Emilia-Romagna", WORDS)}),
        ("rom emil", {("Emilia-Romagna", WORDS)}),
        ("arbeits markt", {("Arbeitsmarkt", WHOLE)}),
        ("LODZ", {("Łódzkie", START)}),
        ("catalonia", {("Catalonia", WHOLE), ("Region of Catalonia", WORDS)}),
        ("catalonia x", set()),
        ("talonia", set()),
        ("", set()),
        ("\ud800\x00…", set()),
    ],
)
def test_each_word_typed_begins_a_word_of_the_name(text: str, found: set[tuple[str, int]]) -> None:
    assert {(NAMES[place], nearness) for nearness, place in Beginnings(NAMES).find(text)} == found


def test_no_names_have_no_beginnings() -> None:
    assert Beginnings([]).find("anything") == []
