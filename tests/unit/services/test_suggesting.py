"""What the words typed so far may be the beginning of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from kb.config import Config
from kb.db import Database
from kb.models import Record, RecordTargetGroup, RecordTheme
from kb.services import suggesting, vocabularies
from kb.services.suggesting import Suggestion
from tests import factories
from tests.conftest import Site, make_indexer

Suggest = Callable[..., list[Suggestion]]


@pytest.fixture(scope="module")
def suggest(reading_site: Site) -> Iterator[Suggest]:
    """Suggests from the seed."""
    with reading_site.database.read() as session:
        vocabulary = vocabularies.load(session)
        yield lambda text, language="en", limit=suggesting.LIMIT: suggesting.suggest(
            session, reading_site.parts.engine, vocabulary, text, language, limit
        )


@pytest.fixture
def suggest_among(config: Config, database: Database) -> Callable[..., Suggest]:
    """Suggests from a base of nothing but the practices given, each by what differs from the usual document."""

    def made(*practices: dict[str, Any]) -> Suggest:
        with database.write() as session:
            for changes in practices:
                factories.published(session, **changes)
        indexer = make_indexer(config, database)
        indexer.ensure()
        with database.read() as session:
            vocabulary = vocabularies.load(session)

        def ask(text: str, language: str = "en") -> list[Suggestion]:
            with database.read() as session:
                return suggesting.suggest(session, indexer.engine, vocabulary, text, language)

        return ask

    return made


def first(found: list[Suggestion]) -> tuple[str, str, str]:
    return found[0].kind, found[0].label, found[0].target


@pytest.mark.parametrize(
    ("text", "kind", "label", "target"),
    [
        ("hous", "theme", "Housing", "housing"),
        ("international tal", "target-group", "International talent", "international-talent"),
        ("emilia rom", "region", "Emilia-Romagna", "ITH5"),
        ("emiliaromagna", "region", "Emilia-Romagna", "ITH5"),
        ("EMILIA-ROMAGNA", "region", "Emilia-Romagna", "ITH5"),
        ("ith5", "region", "Emilia-Romagna", "ITH5"),
        ("spa", "country", "Spain", "ES"),
        ("pais vasco", "region", "Basque Country", "ES21"),
    ],
)
def test_the_nearest_comes_first(suggest: Suggest, text: str, kind: str, label: str, target: str) -> None:
    assert first(suggest(text)) == (kind, label, target)


@pytest.mark.parametrize(
    ("text", "language", "label", "found_by", "found_in"),
    [
        ("vivienda", "en", "Housing", "Vivienda", "es"),
        ("vivienda", "es", "Vivienda", None, None),
        ("Deutschl", "en", "Germany", "Deutschland", "de"),
    ],
)
def test_a_name_in_any_language_offers_it_in_the_language_of_the_page(
    suggest: Suggest, text: str, language: str, label: str, found_by: str | None, found_in: str | None
) -> None:
    found = suggest(text, language)
    assert (found[0].label, found[0].found_by, found[0].found_in) == (label, found_by, found_in)


def test_no_kind_takes_the_whole_list(suggest: Suggest) -> None:
    for text in ("in", "re", "de", "ca", "mi", "tal", "lan"):
        found = suggest(text)
        kinds = Counter(each.kind for each in found)
        assert len(found) <= suggesting.LIMIT
        assert max(kinds.values()) <= 6 and all(n <= 3 for kind, n in kinds.items() if kind != "practice"), text


def test_what_begins_with_the_text_comes_before_what_has_a_later_word(suggest: Suggest) -> None:
    shown = [each for each in suggest("tal") if not each.found_by]
    begins = [each.label.lower().startswith("tal") for each in shown]
    assert begins == sorted(begins, reverse=True) and any(begins) and not all(begins)


def test_regions_with_practices_come_first_and_say_how_many(suggest: Suggest) -> None:
    regions = [each for each in suggest("ca") if each.kind == "region"]
    assert regions and regions[0].practices and regions[0].country
    assert [bool(each.practices) for each in regions] == sorted(
        (bool(each.practices) for each in regions), reverse=True
    )


@pytest.mark.parametrize(
    "text", ["", " ", "a", "é", "!!", "\x00", "\ud800\udfff", "🦄🦄", "h" * 10_000, "ab " * 400, "a b c d e f g h i"]
)
def test_nothing_is_suggested_for_what_is_no_beginning(suggest: Suggest, text: str) -> None:
    assert suggest(text) == []


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.text(max_size=60), st.text(alphabet="abeinr o-'\"*:ßł\ud800\x00é", max_size=20)))
def test_any_text_gets_an_answer(suggest: Suggest, text: str) -> None:
    for each in suggest(text):
        assert each.label and each.target


def test_a_practice_is_called_as_the_reader_can_best_read_it(suggest_among: Callable[..., Suggest]) -> None:
    ask = suggest_among(
        {
            "title": "Mentores para enfermeras", "language": "es", "original_title": "Padrines",
            "translations": [{"language": "en", "title": "Mentors for nurses", "summary": "Pairs.", "machine": False}],
        }
    )  # fmt: skip

    def shown(text: str, language: str) -> list[tuple[str, str | None, str | None]]:
        return [(each.label, each.language, each.found_by) for each in ask(text, language) if each.kind == "practice"]

    assert shown("ment nur", "en") == [("Mentors for nurses", "en", None)]
    assert shown("enfermer", "en") == [("Mentors for nurses", "en", "Mentores para enfermeras")]
    assert shown("enfermer", "it") == [("Mentores para enfermeras", "es", None)]
    assert shown("padr", "es") == [("Mentores para enfermeras", "es", "Padrines")]
    assert shown("pairs", "en") == []


def test_an_earlier_word_may_have_another_form(suggest_among: Callable[..., Suggest]) -> None:
    ask = suggest_among({"title": "Working with refugees"})
    assert first(ask("works wi"))[1] == "Working with refugees"
    assert first(ask("the refugee"))[1] == "Working with refugees"


def test_places_and_organisations_by_frequency_but_not_what_is_shown_already(
    suggest_among: Callable[..., Suggest],
) -> None:
    ask = suggest_among(
        {"title": "First", "place": "Zumaia", "lead_organisation": {"name": "Zubi", "type": "ngo", "url": None}},
        {"title": "Second", "place": "Zumaia"},
        {"title": "Third", "place": "Zurriola"},
        {"title": "Zubi", "place": "Emilia-Romagna"},
    )
    found = [(each.kind, each.label) for each in ask("zu") if each.practices != 0]
    assert found == [("practice", "Zubi"), ("place", "Zumaia"), ("place", "Zurriola")]
    assert [each.kind for each in ask("emilia") if each.practices != 0] == ["region"]


def test_a_practice_that_has_just_gone_offline_is_not_suggested(
    config: Config, database: Database, suggest_among: Callable[..., Suggest]
) -> None:
    ask = suggest_among({"title": "Zebra crossing"})
    assert [each.label for each in ask("zebra")] == ["Zebra crossing"]
    with database.write() as session:
        for table in (RecordTheme, RecordTargetGroup, Record):
            session.execute(delete(table))
    assert ask("zebra") == []
