"""What the text of a draft suggests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from kb.config import Config
from kb.db import Database
from kb.search import open_engine
from kb.search.port import SearchEngine
from kb.services import catalogue, hints
from kb.services.publishing import of_record
from kb.services.record import Document, empty
from kb.services.vocabularies import Vocabulary
from tests import factories

ITALIAN = (
    "La regione accoglie i rifugiati in piccoli comuni, con un mentore per ogni famiglia, da tre anni a questa parte."
)


@pytest.fixture
def session(seeded_database: Database) -> Iterator[Session]:
    with seeded_database.read() as session:
        yield session


@pytest.fixture
def engine(seeded_config: Config) -> Iterator[SearchEngine]:
    engine = open_engine(seeded_config.search_url, seeded_config.index_dir)
    yield engine
    engine.close()


@pytest.fixture
def suggest(session: Session, engine: SearchEngine, vocabulary: Vocabulary) -> Any:
    def suggested(**fields: Any) -> hints.Hints:
        return hints.suggest(session, engine, vocabulary, {**empty(), **fields})

    return suggested


def test_it_works(suggest: Any) -> None:
    found = suggest(title="Housing for refugees in villages", summary="A landlord is found for each refugee family.")
    assert found.terms["themes"][0] == "housing" and "refugees" in found.terms["target_groups"]


def test_a_name_in_another_language_is_understood(suggest: Any) -> None:
    found = suggest(title="Wohnen für Geflüchtete", summary="Wohnungen für Flüchtlinge auf dem Land")
    assert "housing" in found.terms["themes"] and "refugees" in found.terms["target_groups"]


def test_what_is_chosen_already_is_not_suggested(suggest: Any) -> None:
    found = suggest(title="Housing for refugees", themes=["housing"], target_groups=["refugees"])
    assert "housing" not in found.terms["themes"] and "refugees" not in found.terms["target_groups"]


def test_no_more_terms_are_suggested_than_one_takes_in(suggest: Any) -> None:
    long = "Housing, work, language courses, schools, health, culture, racism and return for refugees, women and youth."
    found = suggest(title="Everything", summary=long * 5)
    assert all(len(terms) <= hints.SUGGESTED for terms in found.terms.values())


def test_an_empty_draft_suggests_nothing(suggest: Any) -> None:
    assert not suggest()


def test_a_draft_of_the_longest_texts_is_read_in_part(suggest: Any) -> None:
    assert suggest(title="x " * 10_000, summary="housing " * 2_500, actions="[a](b " * 3_000).terms["themes"]


def test_values_that_are_no_text_break_nothing(suggest: Any) -> None:
    suggest(title="Housing", themes=["no-such-theme"], language="xx", translations=[
        {"language": None, "title": None, "summary": None, "machine": None}])  # fmt: skip


def test_a_practice_is_no_neighbour_of_its_own(session: Session, engine: SearchEngine, vocabulary: Vocabulary) -> None:
    record = catalogue.get(session, "catalonia-acol-line", "")
    alone, own = UUID(record["id"]), of_record(record)
    with_itself = hints.weighed(session, engine, vocabulary, own)
    without = hints.weighed(session, engine, vocabulary, own, alone)
    assert sum(with_itself["themes"].values()) != sum(without["themes"].values())


def test_without_an_index_names_still_suggest(session: Session, seeded_config: Config, vocabulary: Vocabulary) -> None:
    lost = open_engine("whoosh:", seeded_config.data_dir / "no-index")
    assert "housing" in hints.suggest(session, lost, vocabulary, _draft(title="Housing for refugees")).terms["themes"]


def test_another_language_than_the_one_chosen_is_named(suggest: Any) -> None:
    assert suggest(summary=ITALIAN, language="en").language == "it"


def test_the_language_chosen_is_not_asked_about(suggest: Any) -> None:
    assert suggest(summary=ITALIAN, language="it").language is None


def test_a_language_that_was_not_chosen_yet_is_suggested(suggest: Any) -> None:
    assert suggest(summary=ITALIAN).language == "it"


def test_two_in_three_terms_suggested_for_the_seed_are_right(
    session: Session, engine: SearchEngine, vocabulary: Vocabulary
) -> None:
    """The whole measurement is `python -m bench writing`; here every fourth practice, so that a loss is noticed."""
    right = shown = 0
    for record in list(catalogue.every(session, ""))[::4]:
        worth = hints.weighed(session, engine, vocabulary, of_record(record), UUID(record["id"]))
        for key in ("themes", "target_groups"):
            best = hints.ranked(worth[key])[: hints.SUGGESTED]
            right, shown = right + len(set(best) & set(record[key])), shown + len(best)
    assert right / shown > 0.6


def _draft(**fields: Any) -> Document:
    return factories.document(themes=[], target_groups=[], **fields)
