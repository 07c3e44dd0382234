"""Questions whose words are names: what they mean beside the texts, and in which order what is found comes."""

from __future__ import annotations

from typing import Any

import pytest

from kb.search.parsing import parse
from kb.search.port import Document, Page, Query, SearchEngine
from kb.search.thesaurus import Name, Thesaurus
from tests.contract.asking import doc, ids

NAMES = Thesaurus(
    [
        Name("theme", "labour", "en", "labour", code=True),
        Name("theme", "labour", "en", "Labour inclusion"),
        Name("theme", "labour", "es", "inserción laboral"),
        Name("theme", "labour", "de", "Arbeitsmarktintegration"),
        Name("theme", "labour", "pl", "Integracja na rynku pracy"),
        Name("theme", "housing", "en", "Housing"),
        Name("target_group", "refugees", "es", "personas refugiadas"),
        Name("target_group", "refugees", "de", "Geflüchtete"),
        Name("country", "IE", "en", "Ireland"),
        Name("country", "IE", "fr", "Irlande"),
        Name("region", "UKN", "en", "Northern Ireland"),
        Name("region", "ITH1", "de", "Südtirol"),
        Name("region", "ITH1", "en", "South Tyrol"),
    ]
)


def asked(engine: SearchEngine, text: str, *dropped: tuple[str, str], **query: Any) -> Page:
    return engine.search(Query(parse(text, NAMES, dropped), **query))


def test_what_is_tagged_is_found_whatever_language_it_is_written_in(engine: SearchEngine) -> None:
    engine.update([doc("fi", "Mentorit", language="fi", theme=("labour",)), doc("b", "Other")])
    for text in ("inserción laboral", "INSERCION LABORAL", "Arbeitsmarkt Integration", "labour inclusion"):
        page = asked(engine, text)
        assert (ids(page), page.partial, page.hits[0].matched) == (["fi"], False, ("theme",))


def test_a_literal_match_ranks_above_one_by_meaning(engine: SearchEngine) -> None:
    engine.update([doc("tagged", "Mentors", theme=("housing",), completeness=1.0, updated="2026-09-01")])
    engine.update([doc("literal", "x", story="a word on housing " + "and more " * 200), doc("c"), doc("d")])
    assert ids(asked(engine, "housing")) == ["literal", "tagged"]


def test_both_is_best(engine: SearchEngine) -> None:
    engine.update([doc("literal", "Housing"), doc("both", "Housing", theme=("housing",)), doc("c")])
    assert ids(asked(engine, "housing"))[0] == "both"


def test_a_primary_theme_ranks_above_a_secondary_one(engine: SearchEngine) -> None:
    engine.update([doc("second", "A", theme=("x", "labour")), doc("first", "B", theme=("labour", "x")), doc("c")])
    assert ids(asked(engine, "inserción laboral")) == ["first", "second"]


def test_the_exact_title_is_first(engine: SearchEngine) -> None:
    often = {"summary": "labour inclusion " * 20, "story": "labour inclusion " * 50}
    engine.update([doc("often", "Labour inclusion for all: labour inclusion", theme=("labour",), **often)])
    engine.update([doc("titled", "LABOUR  Inclusión"), doc("c")])
    assert ids(asked(engine, "labour inclusion"))[0] == "titled"


def test_completeness_then_freshness_break_ties(engine: SearchEngine) -> None:
    engine.update(
        [
            doc("old", "Arts", updated="2020-01-01"),
            doc("new", "Arts", updated="2026-01-01"),
            doc("whole", "Arts", updated="2019-01-01", completeness=0.9),
        ]
    )
    assert ids(asked(engine, "arts")) == ["whole", "new", "old"]


def test_completeness_and_freshness_break_nothing_but_ties(engine: SearchEngine) -> None:
    engine.update([doc("whole", "Other", story="arts", updated="2026-01-01", completeness=1.0)])
    engine.update([doc("better", "Arts", story="other", updated="2001-01-01")])
    assert ids(asked(engine, "arts")) == ["better", "whole"]


def test_a_longer_name_is_meant_before_a_shorter_one(engine: SearchEngine) -> None:
    engine.update([doc("belfast", regions=("UKN",), country=("GB",)), doc("cork", country=("IE",))])
    page = asked(engine, "Northern Ireland")
    assert ids(page) == ["belfast"]
    assert [each.values for each in page.expansions] == [("UKN",)]


def test_what_is_dropped_and_what_only_it_found_is_gone(engine: SearchEngine) -> None:
    engine.update([doc("tagged", "Mentors", theme=("housing",)), doc("literal", "Housing")])
    page = asked(engine, "housing", ("theme", "housing"))
    assert (ids(page), page.expansions) == (["literal"], ())


@pytest.mark.parametrize("text", ["persona refugiada", "Geflüchteten", "gefluechteten", "personas  refugiadas"])
def test_other_forms_of_a_name_mean_the_same(engine: SearchEngine, text: str) -> None:
    engine.update([doc("a", "Mentors", target_group=("refugees",)), doc("b")])
    assert ids(asked(engine, text)) == ["a"]


@pytest.mark.parametrize("text", ["integracja na rynku pracy", "integracja rynku pracy", "Integracja na rynku Pracy?"])
def test_stop_words_in_a_name_do_not_matter(engine: SearchEngine, text: str) -> None:
    engine.update([doc("a", "Mentors", theme=("labour",)), doc("b")])
    assert ids(asked(engine, text)) == ["a"]


def test_words_in_quotes_mean_only_themselves(engine: SearchEngine) -> None:
    engine.update([doc("tagged", "Mentors", theme=("labour",)), doc("literal", "On labour inclusion")])
    assert ids(asked(engine, '"labour inclusion"')) == ["literal"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("country:Irlande", {"cork"}),
        ("-country:irlande", {"bozen"}),
        ('theme:"inserción laboral"', {"bozen"}),
        ("theme:Arbeitsmarktintegration", {"bozen"}),
        ("region:Südtirol", {"bozen"}),
        ("region:suedtirol", {"bozen"}),
        ('region:"south tyrol" mentors', {"bozen"}),
    ],
)
def test_operators_take_names_in_any_language(engine: SearchEngine, text: str, expected: set[str]) -> None:
    engine.update([doc("bozen", "Mentors", regions=("ITH1",), theme=("labour",), country=("IT",))])
    engine.update([doc("cork", "Mentors", country=("IE",))])
    assert set(ids(asked(engine, text))) == expected


def test_a_name_and_other_words_are_both_asked_for(engine: SearchEngine) -> None:
    engine.update([doc("full", "Mentors", theme=("housing",)), doc("part", "Nurses", theme=("housing",))])
    page = asked(engine, "mentors housing")
    assert (page.total, ids(page)) == (1, ["full", "part"])


def test_what_no_document_has_is_not_said_to_be_searched(engine: SearchEngine) -> None:
    engine.update([doc("a", "Housing")])
    assert asked(engine, "housing ireland").expansions == ()


def test_filters_hold_for_what_is_meant_too(engine: SearchEngine) -> None:
    engine.update(
        [doc("a", "x", theme=("labour",), country=("IE",)), doc("b", "y", theme=("labour",), country=("IT",))]
    )
    assert ids(asked(engine, "labour inclusion", filters={"country": ("IT",)})) == ["b"]


def many(language: str, text: str, count: int) -> list[Document]:
    return [doc(f"{language}{n:02}", f"{text} {n}", language=language, theme=("housing",)) for n in range(count)]


def test_where_one_language_fills_the_first_page_others_get_its_last_places(engine: SearchEngine) -> None:
    engine.update([*many("en", "Housing", 30), *many("es", "Vivienda", 5)])
    shown = [ids(engine.search(Query(parse("housing", NAMES), offset=offset))) for offset in (0, 20)]
    assert [slug[:2] for slug in shown[0]] == ["en"] * 17 + ["es"] * 3
    assert [slug[:2] for slug in shown[1]] == ["en"] * 13 + ["es"] * 2
    assert len({*shown[0], *shown[1]}) == 35


def test_where_others_are_seen_anyway_what_holds_the_words_goes_before_them(engine: SearchEngine) -> None:
    engine.update([*many("en", "Housing", 15), *many("es", "Vivienda", 10)])
    shown = ids(engine.search(Query(parse("housing", NAMES), limit=25)))
    assert [slug[:2] for slug in shown] == ["en"] * 15 + ["es"] * 10
