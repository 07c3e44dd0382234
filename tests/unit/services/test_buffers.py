"""What is being typed is kept for its writer alone, until it is saved or thrown away."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kb.db import Database
from kb.models import AuditEntry, Buffer, Form, Practice, Revision, User
from kb.services import buffers, leaving, practices, privacy, redaction
from kb.services.errors import NotAllowed
from tests import factories

TYPED = [("title", "Mentors"), ("partners-0-name", "A"), ("themes", "housing"), ("themes", "language")]


@pytest.fixture
def people(database: Database) -> dict[str, User]:
    with database.write() as session:
        made = {
            name: factories.person(session, f"{name}@example.org", role)
            for name, role in (("alice", "member"), ("charlie", "member"), ("bob", "editor"))
        }
        factories.organisation(session, "City", made["alice"])
    return made


def begun(session: Session, people: dict[str, User]) -> tuple[User, Practice]:
    alice = session.get_one(User, people["alice"].id)
    return alice, factories.draft(session, alice)


def test_what_was_typed_is_found_again_in_its_order(database: Database, people: dict[str, User]) -> None:
    with database.write() as session:
        alice, practice = begun(session, people)
        buffers.keep(session, alice, practice, Form.PRACTICE, TYPED, 1)
    with database.read() as session:
        kept = buffers.of(session, alice, practice, Form.PRACTICE)
        assert kept is not None and kept.seen == 1
        assert kept.pairs == [list(pair) for pair in TYPED]


def test_each_keeping_takes_the_place_of_the_one_before_and_makes_no_revision(
    database: Database, people: dict[str, User]
) -> None:
    with database.write() as session:
        alice, practice = begun(session, people)
        entries = session.scalar(select(func.count()).select_from(AuditEntry))
        for title in ("M", "Me", "Men"):
            buffers.keep(session, alice, practice, Form.PRACTICE, [("title", title)], 1)
            session.flush()
        assert [row.pairs for row in session.scalars(select(Buffer))] == [[["title", "Men"]]]
        assert session.scalar(select(func.count()).select_from(Revision)) == 1
        assert session.scalar(select(func.count()).select_from(AuditEntry)) == entries


def test_buttons_and_the_token_are_not_kept(database: Database, people: dict[str, User]) -> None:
    with database.write() as session:
        alice, practice = begun(session, people)
        pairs = [("csrf_token", "secret"), ("do", "save"), ("seen", "1"), ("draft", "x"), ("title", "Kept")]
        assert buffers.keep(session, alice, practice, Form.PRACTICE, pairs, 1).pairs == [["title", "Kept"]]


def test_a_colleague_does_not_see_it(database: Database, people: dict[str, User]) -> None:
    with database.write() as session:
        charlie = session.get_one(User, people["charlie"].id)
        charlie.organisation_id = session.get_one(User, people["alice"].id).organisation_id
        alice, practice = begun(session, people)
        buffers.keep(session, alice, practice, Form.PRACTICE, TYPED, 1)
        assert buffers.of(session, charlie, practice, Form.PRACTICE) is None


def test_the_forms_of_one_person_are_kept_apart(database: Database, people: dict[str, User]) -> None:
    with database.write() as session:
        alice, practice = begun(session, people)
        buffers.keep(session, alice, practice, Form.PRACTICE, TYPED, 1)
        assert buffers.of(session, alice, practice, Form.REVIEW) is None


def test_a_stranger_keeps_nothing(database: Database, people: dict[str, User]) -> None:
    with database.write() as session:
        _alice, practice = begun(session, people)
        charlie = session.get_one(User, people["charlie"].id)
        with pytest.raises(NotAllowed):
            buffers.keep(session, charlie, practice, Form.PRACTICE, TYPED, 1)


def test_what_no_database_can_hold_does_not_stand_in_the_way(database: Database, people: dict[str, User]) -> None:
    with database.write() as session:
        alice, practice = begun(session, people)
        kept = buffers.keep(session, alice, practice, Form.PRACTICE, [("title", "a\x00b\ud800c")], 1)
        assert kept.pairs == [["title", "ab?c"]]


def test_throwing_away_empties_it_and_says_whether_there_was_anything(
    database: Database, people: dict[str, User]
) -> None:
    with database.write() as session:
        alice, practice = begun(session, people)
        assert not buffers.drop(session, alice, practice, Form.PRACTICE)
        buffers.keep(session, alice, practice, Form.PRACTICE, TYPED, 1)
        assert buffers.drop(session, alice, practice, Form.PRACTICE)
        assert buffers.of(session, alice, practice, Form.PRACTICE) is None


def test_saving_from_elsewhere_leaves_it(database: Database, people: dict[str, User]) -> None:
    with database.write() as session:
        alice, practice = begun(session, people)
        buffers.keep(session, alice, practice, Form.PRACTICE, TYPED, 1)
        practices.save(session, alice, practice, factories.document(title="Saved"), None, 1)
        assert buffers.of(session, alice, practice, Form.PRACTICE) is not None


def test_saving_the_same_once_more_is_no_conflict(database: Database, people: dict[str, User]) -> None:
    with database.write() as session:
        alice, practice = begun(session, people)
        for _click in range(2):
            practices.save(session, alice, practice, factories.document(title="Saved"), None, 1)
        assert practice.revision_count == 2


def test_it_goes_with_the_account(database: Database, people: dict[str, User]) -> None:
    with database.write() as session:
        alice, practice = begun(session, people)
        buffers.keep(session, alice, practice, Form.PRACTICE, TYPED, 1)
        leaving.leave(session, alice)
        assert session.scalars(select(Buffer)).all() == []


def test_it_goes_when_the_text_of_the_practice_is_taken_away(database: Database, people: dict[str, User]) -> None:
    with database.write() as session:
        alice = session.get_one(User, people["alice"].id)
        practice = factories.published(session, alice)
        buffers.keep(session, alice, practice, Form.PRACTICE, TYPED, 1)
        dora = factories.person(session, "dora@example.org", "admin")
        redaction.redact(session, dora, practice.id, 1, "It named somebody.")
        assert session.scalars(select(Buffer)).all() == []


def test_it_is_in_the_copy_of_ones_data(database: Database, people: dict[str, User]) -> None:
    with database.write() as session:
        alice, practice = begun(session, people)
        buffers.keep(session, alice, practice, Form.PRACTICE, TYPED, 1)
        session.flush()
        [held] = privacy.copy_for(session, alice, "http://localhost")["buffers"]
        assert held["pairs"][0] == ["title", "Mentors"] and held["practice_id"] == str(practice.id)
