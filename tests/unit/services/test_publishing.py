"""From a document to the public record and back."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kb.db import Database
from kb.models import IndexOutbox, Practice, Record, RecordTheme, Revision, State
from kb.services import catalogue, publishing, vocabularies
from kb.services.checking import check
from kb.services.errors import NotFound
from kb.services.publishing import as_document, of_record
from kb.services.record import KEYS
from tests.factories import document, published

FULL = {
    "original_title": "Mentori",
    "translations": [{"language": "it", "title": "Mentori", "summary": "Breve.", "machine": True}],
    "other_regions": [{"country": "AT", "code": "AT33"}, {"country": "CH", "code": None}],
    "place": "Modena",
    "authority_role": "funder",
    "partners": [{"name": "Union", "type": "ngo", "url": "https://example.org"}],
    "start": "2021-03",
    "end": "2022",
    "context": "Why.",
    "evidence": "none",
    "indicators": [{"name": "Pairs", "value": 86, "unit": "pairs", "year": 2022}],
    "beneficiaries": 120,
    "budget_eur": 2232176.9,
    "budget_year": 2021,
    "funding": [{"source": "ESF", "amount_eur": 1000, "note": "a call"}],
    "themes": ["labour-inclusion", "housing"],
    "target_groups": ["refugees", "women"],
    "links": [{"title": "Site", "url": "https://example.org/site"}],
    "editor_note": "Lessons: none.",
    "last_verified": "2026-01-31",
    "review_due": "2027-07-31",
}


def test_the_whole_record_has_the_contracts_keys_in_order(database: Database) -> None:
    with database.write() as session:
        record = as_document(published(session).record, "https://kb.example")
    assert tuple(record) == KEYS and record["url"] == "https://kb.example/practices/mentors-for-newly-arrived-nurses"


def test_what_is_published_reads_back_the_same(database: Database) -> None:
    with database.write() as session:
        wrote = check(document(**FULL), vocabularies.load(session))
        slug = published(session, **FULL).slug
    with database.read() as session:
        read = of_record(catalogue.get(session, str(slug), ""))
    assert read == {**wrote, "attribution": "Regional health service"}


def test_publishing_again_counts_the_version_and_keeps_slug_and_date(database: Database) -> None:
    with database.write() as session:
        practice = published(session)
        first = practice.record.published
        changed = check(
            document(title="Another title", themes=["housing", "labour-inclusion"]), vocabularies.load(session)
        )
        publishing.publish(session, practice, changed)
        session.flush()
        assert (practice.version, practice.slug) == (2, "mentors-for-newly-arrived-nurses")
        assert practice.record.published == first
        assert [each.theme for each in practice.record.themes] == ["housing", "labour-inclusion"]


def test_two_practices_of_one_title_get_two_slugs(database: Database) -> None:
    with database.write() as session:
        slugs = [published(session).slug for _ in range(3)]
    base = "mentors-for-newly-arrived-nurses"
    assert slugs == [base, f"{base}-2", f"{base}-3"]


def test_a_title_without_a_letter_gets_a_slug(database: Database) -> None:
    with database.write() as session:
        assert published(session, title="!!!").slug == "practice"


def test_a_publication_asks_for_the_index_in_the_same_transaction(database: Database) -> None:
    with pytest.raises(RuntimeError), database.write() as session:
        published(session)
        raise RuntimeError
    with database.read() as session:
        assert _count(session, IndexOutbox) == _count(session, Practice) == _count(session, Revision) == 0


def test_unpublishing_takes_the_record_and_leaves_the_revisions(database: Database) -> None:
    with database.write() as session:
        practice = published(session)
        slug = str(practice.slug)
        publishing.unpublish(session, practice)
    with database.read() as session:
        assert _count(session, Record) == _count(session, RecordTheme) == 0 and _count(session, Revision) == 1
        with pytest.raises(NotFound):
            catalogue.get(session, slug, "")


def test_the_database_refuses_a_theme_that_is_not_in_the_vocabulary(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as session:
        practice = published(session)
        practice.record.themes.append(RecordTheme(theme="nope", position=4))
        session.flush()


def test_the_database_refuses_an_end_before_the_start(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as session:
        practice = published(session, start="2021", end="2022")
        practice.record.end_max = practice.record.start_min.replace(year=2020)
        session.flush()


def test_the_database_refuses_a_published_state_without_a_version(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(Practice(state=State.PUBLISHED))
        session.flush()


def _count(session: Session, table: type) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0
