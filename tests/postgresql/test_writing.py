"""One transaction writes at a time and those that read see one moment, as on SQLite."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError, OperationalError

from kb import postgresql
from kb.db import Database, may_pass
from kb.models import MailMessage, User
from tests import factories
from tests.postgres import Server
from tests.processes import eventually

Waiting = Callable[[], None]


def backends(database: Database) -> set[int]:
    """The server's processes that serve this base."""
    with database.read() as session:
        return set(session.scalars(text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")))


def names(database: Database) -> set[str]:
    with database.read() as session:
        return set(session.scalars(select(User.name)))


def test_a_writer_waits_for_another_and_then_sees_what_that_one_did(base: Database, waiting: Waiting) -> None:
    seen: list[str | None] = []

    def second() -> None:
        with base.write() as session:
            seen.append(session.scalar(select(User.name).limit(1)))

    thread = threading.Thread(target=second)
    with base.write() as session:
        session.execute(update(User).values(name="First"))
        thread.start()
        waiting()
        assert seen == []
    thread.join()
    assert seen == ["First"]


def test_a_writer_that_waits_for_too_long_is_told_so(url: str, base: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb.db.BUSY_TIMEOUT", 0.05)
    impatient = Database(url)
    with base.write() as session:
        session.execute(update(User).values(name="First"))
        with pytest.raises(OperationalError) as told, impatient.write() as other:
            other.execute(update(User).values(name="Second"))
    impatient.close()
    assert may_pass(told.value) and names(base) == {"First"}


def test_what_may_be_left_undone_waits_for_nobody(base: Database) -> None:
    with base.write() as session:
        session.execute(update(User).values(name="First"))
        with pytest.raises(OperationalError, match="locked") as told, base.write_if_free() as other:
            other.execute(update(User).values(name="Second"))
    assert may_pass(told.value)
    with base.write_if_free() as other:
        other.execute(update(User).values(name="Third"))
    assert names(base) == {"Third"}


def test_what_is_written_beside_waits_for_no_writer(base: Database) -> None:
    with base.write() as session:
        session.execute(update(User).values(name="First"))
        with base.write_beside() as other:
            assert other.scalars(select(MailMessage).with_for_update(skip_locked=True)).all() == []


def test_a_reader_sees_one_moment_whatever_is_written_meanwhile(base: Database) -> None:
    with base.write() as session:
        session.execute(update(User).values(name="Before"))
    with base.read() as reading:
        before = reading.scalar(select(User.name).limit(1))
        with base.write() as session:
            session.execute(update(User).values(name="After"))
        reading.expire_all()
        assert reading.scalar(select(User.name).limit(1)) == before == "Before"
    assert names(base) == {"After"}


def test_what_only_reads_cannot_write(base: Database) -> None:
    with base.read() as session, pytest.raises(DBAPIError, match="read-only") as told:
        session.execute(update(User).values(name="Never"))
    assert not may_pass(told.value)  # a fault of the program, not of the database


def test_a_lock_goes_with_the_transaction_however_that_ends(base: Database) -> None:
    with pytest.raises(RuntimeError), base.write() as session:
        session.execute(update(User).values(name="Never"))
        raise RuntimeError
    with base.write_if_free() as session:
        session.execute(update(User).values(name="Now"))
    assert names(base) == {"Now"}


def test_several_bases_of_one_server_do_not_wait_for_each_other(base: Database, served: Server, filled: str) -> None:
    other = Database(served.create(f"{filled}_other", filled))
    try:
        with base.write() as session, other.write_if_free() as beside:
            assert session.scalar(text("SELECT 1")) == beside.scalar(text("SELECT 1")) == 1
    finally:
        other.close()
        served.drop(f"{filled}_other")


def test_the_server_ends_a_writer_that_does_nothing_for_too_long(
    base: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "IDLE_WRITING", 0.05)
    with pytest.raises(OperationalError) as told, base.write() as session:
        session.execute(update(User).values(name="Never"))
        pid = session.scalar(text("SELECT pg_backend_pid()"))
        eventually(lambda: pid not in backends(base))
        session.execute(update(User).values(name="Never"))
    assert may_pass(told.value)
    with base.write_if_free() as session:
        factories.person(session, "next@example.org", "member")


def test_a_statement_that_takes_too_long_is_ended(url: str) -> None:
    hasty = Database(url, longest=0.05)
    with pytest.raises(OperationalError) as told, hasty.read() as session:
        session.execute(text("SELECT pg_sleep(30)"))
    hasty.close()
    assert may_pass(told.value)


def test_who_gets_no_connection_of_the_process_is_told_so(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "CONNECTION_WAIT", 0.05)
    narrow = Database(url, pool=1)
    with narrow.read() as session:
        session.execute(text("SELECT 1"))
        with pytest.raises(OperationalError) as told, narrow.read() as other:
            other.execute(text("SELECT 1"))
    narrow.close()
    assert may_pass(told.value)


def test_what_the_address_says_of_times_holds(url: str) -> None:
    told = Database(f"{url}{'&' if '?' in url else '?'}options=-c%20statement_timeout%3D7000&application_name=mine")
    with told.read() as session:
        assert session.scalar(text("SHOW statement_timeout")) == "7s"
        assert session.scalar(text("SHOW lock_timeout")) == "15s"
        assert session.scalar(text("SHOW application_name")) == "mine"
    told.close()


def test_a_fault_names_no_value_of_a_row(base: Database) -> None:
    with pytest.raises(DBAPIError) as told, base.write() as session:
        session.execute(
            text("INSERT INTO users (id, email, name) VALUES (gen_random_uuid(), 'secret@example.org', 'Sec Ret')")
        )
    error: BaseException | None = told.value
    while error is not None:
        assert "secret" not in str(getattr(error, "orig", error)) and "Sec Ret" not in repr(error.args[0])
        error = error.__cause__
