"""Searches on the real practices of the seed, and what a reader expects first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from kb.search.port import Document, SearchEngine
from kb.search.whoosh_engine import WhooshEngine
from tests.contract.asking import ask

SEED = Path(__file__).parents[2] / "seed" / "practices"
STORY = ("context", "objectives", "actions", "results", "difficulties", "lessons", "transferability", "editor_note")


def document(record: dict[str, Any]) -> Document:
    regions = [record["region"], *record["other_regions"]]
    organisations = [record["lead_organisation"], *record["partners"]]
    names = [record["place"], *(thing["name"] for thing in (*organisations, *regions) if thing)]
    original = record["original_title"]
    return Document(
        id=record["slug"],
        slug=record["slug"],
        title=record["title"],
        language=record["language"],
        texts={
            "summary": record["summary"] or "",
            "story": "\n\n".join(record[key] for key in STORY if record[key]),
            "names": "\n".join(name for name in names if name),
        },
        foreign=(("und", original),) if original else (),
        facets={"country": (record["country"],), "theme": tuple(record["themes"])},
    )


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchEngine]:
    engine = WhooshEngine(tmp_path_factory.mktemp("seed"))
    engine.rebuild(document(yaml.safe_load(path.read_text())) for path in sorted(SEED.glob("*.yaml")))
    yield engine
    engine.close()


def first(engine: SearchEngine, text: str, count: int = 1, **filters: tuple[str, ...]) -> list[str]:
    return [hit.slug for hit in engine.search(ask(text, filters)).hits[:count]]


def test_a_programme_is_first_for_the_words_of_its_name(engine: SearchEngine) -> None:
    assert first(engine, "international talents") == ["emilia-romagna-international-talents"]


def test_the_practices_about_a_word_come_before_those_that_mention_it(engine: SearchEngine) -> None:
    assert set(first(engine, "talent", 2)) == {"emilia-romagna-international-talents", "bizkaia-talent"}


@pytest.mark.parametrize("text", ["ACOL", "línia acol", "linia acol", "acol contract permit"])
def test_a_practice_is_found_by_its_own_and_its_english_name(engine: SearchEngine, text: str) -> None:
    assert first(engine, text) == ["catalonia-acol-line"]


def test_a_filter_leaves_the_best_of_a_country(engine: SearchEngine) -> None:
    assert first(engine, "arts", country=("IE",)) == ["donegal-intercultural-arts"]
    assert first(engine, "the arts in a county", country=("IE",)) == ["donegal-intercultural-arts"]
