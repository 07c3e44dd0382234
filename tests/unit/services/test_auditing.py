"""The audit log is only added to, and read page by page or whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import IntegrityError

from kb.db import Database
from kb.models import AuditEntry, User
from kb.services import audit, auditing, setup
from kb.services.auditing import Filter
from kb.services.errors import Invalid, NotAllowed
from tests import factories


@pytest.fixture
def dora(database: Database) -> User:
    with database.write() as session:
        return factories.person(session, "dora@example.org", "admin")


def test_the_database_changes_no_entry(database: Database, dora: User) -> None:
    with pytest.raises(IntegrityError, match="never changed or deleted"), database.write() as session:
        session.execute(update(AuditEntry).values(action="nothing"))


def test_the_database_deletes_no_entry(database: Database, dora: User) -> None:
    with pytest.raises(IntegrityError, match="never changed or deleted"), database.write() as session:
        session.execute(delete(AuditEntry))
    with database.read() as session:
        assert session.scalars(select(AuditEntry.action)).all() == ["user.add"]


def test_an_account_can_be_emptied_though_the_log_names_it(database: Database, dora: User) -> None:
    with database.write() as session:
        person = session.get_one(User, dora.id)
        audit.note(session, person, "user.sign-in", "user", person.id)
        person.email, person.name, person.active = "left@localhost", "", False
    with database.read() as session:
        assert session.scalars(select(AuditEntry.user_id).where(AuditEntry.action == "user.sign-in")).one() == dora.id


def test_the_guard_goes_and_comes_with_its_migration(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'fresh.sqlite'}")
    setup.migrate(database)
    config = setup._config()
    with database.engine.execution_options(kb_writes=True).begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0003")
        assert not connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all()
        command.upgrade(config, "head")
        found = connection.execute(
            text("SELECT name FROM sqlite_master WHERE type = 'trigger' ORDER BY name")
        ).scalars()
        assert list(found) == ["audit_entries_no_delete", "audit_entries_no_update"]
    database.close()


def test_only_administrators_read_the_log(database: Database, dora: User) -> None:
    with database.write() as session:
        bob = factories.person(session, "bob@example.org", "editor")
        with pytest.raises(NotAllowed):
            auditing.page(session, bob, Filter())
        with pytest.raises(NotAllowed):
            list(auditing.rows(session, bob, Filter(), "", ""))


def test_every_entry_is_exported_once_however_many_there_are(
    database: Database, dora: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auditing, "BATCH", 7)
    with database.write() as session:
        for n in range(30):
            audit.note(session, dora, "test.count", "test", n)
    with database.read() as session:
        rows = list(auditing.rows(session, dora, Filter(action="test.count"), "left", "software"))
    assert [row[5] for row in rows] == [str(n) for n in reversed(range(30))]


def test_pages_turn_from_the_newest_to_the_oldest(database: Database, dora: User) -> None:
    with database.write() as session:
        for n in range(60):
            audit.note(session, None, "test.count", "test", n)
    with database.read() as session:
        first, last = (auditing.page(session, dora, Filter(kind="test"), n) for n in (1, 9))
    assert (first.total, first.pages, first.items[0].object_id) == (60, 2, "59")
    assert (last.number, last.items[-1].object_id) == (2, "0")


@pytest.mark.parametrize("day", ["yesterday", "2026-02-30", "20260101", "-1"])
def test_a_day_that_is_none_is_refused(database: Database, day: str) -> None:
    with database.read() as session, pytest.raises(Invalid):
        auditing.parse(session, {"until": day})


def test_the_last_day_of_the_calendar_is_a_day(database: Database, dora: User) -> None:
    with database.read() as session:
        wanted = auditing.parse(session, {"until": "9999-12-31", "since": "0001-01-01"})
        assert auditing.page(session, dora, wanted).total == 1
