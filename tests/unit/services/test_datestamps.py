"""When harvesters are told that a practice changed: at every way on which it becomes public, changes, or goes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from kb.db import Database
from kb.models import Practice, Record, Role, State, User
from kb.services import accounts, lifecycle, merging, moderation, practices, publishing, redaction, terms
from kb.services.checking import check
from kb.services.publishing import Stamp
from tests import factories

LONG_AGO = datetime(2001, 2, 3, tzinfo=UTC)


class Base:
    """A base with one public practice and one that is offline, both dated long ago, and steps on them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.write() as session:
            for name, role in (("alice", Role.MEMBER), ("bob", Role.EDITOR), ("dora", Role.ADMIN)):
                accounts.add_user(session, f"{name}@example.org", role)
            self.public = factories.published(session, title="Public").id
            self.other = factories.published(session, title="Another", themes=["housing"]).id
            away = factories.published(session, title="Away")
            lifecycle.archive(session, self.person(session, "bob"), away)
            self.away = away.id
        with database.write() as session:
            session.execute(update(Record).values(datestamp=LONG_AGO))
            session.execute(update(Practice).where(Practice.id == self.away).values(offline=LONG_AGO))

    @staticmethod
    def person(session: Session, name: str) -> User:
        return accounts.get(session, f"{name}@example.org")

    def after(self, step: Callable[[Session, Practice, User], object], which: str = "public") -> tuple[bool, bool]:
        """Whether a practice is public after a step, and whether its date is of today then."""
        with self._database.write() as session:
            step(session, session.get_one(Practice, getattr(self, which)), self.person(session, "bob"))
        with self._database.read() as session:
            practice = session.get_one(Practice, getattr(self, which))
            record = practice.record
            assert (record is None) == (practice.offline is not None)
            moment = record.datestamp if record is not None else practice.offline
            return record is not None, moment != LONG_AGO


@pytest.fixture
def base(database: Database) -> Base:
    return Base(database)


ONLINE, OFFLINE = (True, True), (False, True)


def again(session: Session, practice: Practice, _bob: User) -> None:
    document = check(factories.document(title="Better"), factories.vocabulary(session))
    publishing.publish(session, practice, document)


def imported(session: Session, practice: Practice, _bob: User) -> None:
    document = check(factories.document(title="As it was there"), factories.vocabulary(session))
    publishing.publish(session, practice, document, stamp=Stamp(4, LONG_AGO, LONG_AGO))


def test_a_new_version_is_dated(base: Base) -> None:
    assert base.after(again) == ONLINE


def test_an_import_that_keeps_old_dates_is_dated_by_its_arrival(base: Base) -> None:
    assert base.after(imported) == ONLINE


def test_what_is_taken_offline_is_dated(base: Base) -> None:
    assert base.after(lambda session, practice, bob: lifecycle.unpublish(session, bob, practice, "Wrong.")) == OFFLINE


def test_what_is_archived_is_dated(base: Base) -> None:
    assert base.after(lambda session, practice, bob: lifecycle.archive(session, bob, practice)) == OFFLINE


def test_what_comes_out_of_the_archive_is_dated(base: Base) -> None:
    assert base.after(lambda session, practice, bob: lifecycle.restore(session, bob, practice), "away") == ONLINE


def test_what_is_put_online_again_is_dated(base: Base) -> None:
    def out_and_in(session: Session, practice: Practice, bob: User) -> None:
        lifecycle.unpublish(session, bob, practice, "Wrong.")
        lifecycle.republish(session, bob, practice)

    assert base.after(out_and_in) == ONLINE


def test_what_is_merged_is_dated_and_the_other_is_not(base: Base) -> None:
    def merged(session: Session, practice: Practice, bob: User) -> None:
        merging.merge(session, bob, practice, session.get_one(Practice, base.other))

    assert base.after(merged) == OFFLINE
    assert base.after(lambda *_: None, "other") == (True, False)


def test_a_merge_undone_is_dated(base: Base) -> None:
    def back(session: Session, practice: Practice, bob: User) -> None:
        merging.merge(session, bob, practice, session.get_one(Practice, base.other))
        session.flush()
        merging.undo(session, bob, practice)

    assert base.after(back) == ONLINE


def test_what_is_redacted_is_dated(base: Base) -> None:
    def redacted(session: Session, practice: Practice, _bob: User) -> None:
        redaction.redact(session, base.person(session, "dora"), practice.id, 1, "It named a child.")

    assert base.after(redacted) == OFFLINE


def test_an_older_version_redacted_changes_no_date(base: Base) -> None:
    base.after(again)
    with base._database.write() as session:
        session.execute(update(Record).values(datestamp=LONG_AGO))

    def redacted(session: Session, practice: Practice, _bob: User) -> None:
        redaction.redact(session, base.person(session, "dora"), practice.id, 1, "It named a child.")

    assert base.after(redacted) == (True, False)


def test_what_is_archived_and_then_redacted_keeps_the_date_on_which_it_went(base: Base) -> None:
    def redacted(session: Session, practice: Practice, _bob: User) -> None:
        redaction.redact(session, base.person(session, "dora"), practice.id, 1, "It named a child.")

    assert base.after(redacted, "away") == (False, False)


def test_a_practice_whose_theme_is_merged_is_dated_and_no_other(base: Base) -> None:
    def merged(session: Session, _practice: Practice, _bob: User) -> None:
        dora = base.person(session, "dora")
        terms.merge(session, dora, terms.THEMES, "labour-inclusion", "skills-and-recognition")

    assert base.after(merged) == ONLINE
    assert base.after(lambda *_: None, "other") == (True, False)
    assert base.after(lambda *_: None, "away") == (False, False)


def test_a_practice_whose_target_group_is_merged_is_dated(base: Base) -> None:
    def merged(session: Session, _practice: Practice, _bob: User) -> None:
        terms.merge(session, base.person(session, "dora"), terms.TARGET_GROUPS, "migrant-workers", "refugees")

    assert base.after(merged) == ONLINE


def test_an_update_that_is_only_being_written_changes_no_date(base: Base) -> None:
    def begun(session: Session, practice: Practice, bob: User) -> None:
        practices.save(session, bob, practice, factories.document(title="Half"), None)

    with base._database.write() as session:
        session.get_one(Practice, base.public).owner_id = base.person(session, "bob").id
    assert base.after(begun) == (True, False)


def test_a_submission_that_an_editor_publishes_is_dated_with_its_commit(database: Database, base: Base) -> None:
    with database.write() as session:
        sent = factories.submitted(session, base.person(session, "alice"), title="Sent").id
    with database.write() as session:
        before = datetime.now(UTC)
        bob, practice = base.person(session, "bob"), session.get_one(Practice, sent)
        moderation.publish(session, bob, practice, factories.vocabulary(session))
        written = datetime.now(UTC)
    with database.read() as session:
        practice = session.get_one(Practice, sent)
        assert practice.state == State.PUBLISHED and practice.record is not None
        assert before < written < practice.record.datestamp


def test_all_of_a_long_import_has_the_date_of_its_commit(database: Database) -> None:
    with database.write() as session:
        for n in range(3):
            factories.published(session, title=f"Number {n}")
        written = datetime.now(UTC)
    with database.read() as session:
        dates = set(session.scalars(select(Record.datestamp)))
    assert len(dates) == 1 and dates.pop() > written
