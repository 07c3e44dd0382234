"""The database: engine, sessions, the declarative base. Knows no Flask and no table."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import DateTime, Engine, MetaData, create_engine, event
from sqlalchemy.engine import Connection, Dialect, ExceptionContext
from sqlalchemy.exc import DBAPIError, DisconnectionError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from kb import postgresql

# Named constraints, so that a later migration can find and change each of them on every database.
NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

log = logging.getLogger(__name__)

BUSY_TIMEOUT = 15.0
"""Seconds that a writer waits for the others before it gives up."""

POOL = 12
"""Connections to PostgreSQL that a process has at most: one for each thread of a web process, for what it notes beside
its reading, for its helpers."""

_PASSING = frozenset({
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL,
})  # fmt: skip

LEFT_UNDONE = "kb_left_undone"
"""What marks a connection, in its `info`, while nobody minds that it fails."""


def may_pass(error: DBAPIError) -> bool:
    """Whether the same may go well later: the database is locked, full, read-only or out of reach."""
    if not isinstance(error, OperationalError):
        return False
    code = getattr(error.orig, "sqlite_errorcode", None)  # with the kind of the fault in its last eight bits
    return postgresql.may_pass(error.orig) if code is None else code & 0xFF in _PASSING


class Base(DeclarativeBase):
    """The root of every mapped class."""

    metadata = MetaData(naming_convention=NAMING)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC with its zone, to the second or finer; refuses a time without a zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Database:
    """One engine and the ways to use it: `read()` and `write()`, and two weaker forms of `write()`.

    One transaction writes at a time, and what it reads before it writes holds until it ends. On SQLite it begins with
    `BEGIN IMMEDIATE`: a busy timeout does not save a transaction that begins by reading and then wants to write. On
    PostgreSQL it begins by taking a lock (see `postgresql.py`). One that reads sees the database as of one moment.
    """

    def __init__(self, url: str, slow_ms: int = 0, *, pool: int = POOL, longest: float = 0.0) -> None:
        """Statements that take `slow_ms` milliseconds or more are logged, without their values; with 0 none is.

        On PostgreSQL a process has at most `pool` connections, and no statement may take more than `longest` seconds;
        0: as long as it takes.
        """
        self.engine = _make_engine(url, pool, longest)
        if slow_ms:
            _watch(self.engine, slow_ms)
        serves = self.engine.dialect.name == "postgresql"
        self._reading = self.engine.execution_options(**postgresql.READING) if serves else self.engine
        self._writing = self.engine.execution_options(kb_writes=True)
        self._if_free = self.engine.execution_options(kb_writes=postgresql.IF_FREE)
        self._beside = self.engine.execution_options(kb_writes=postgresql.BESIDE)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for reading; nothing done in it is kept."""
        with self.reading_session() as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session whose changes are kept together when the block ends well, and dropped when it raises."""
        with Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def write_beside(self) -> Iterator[Session]:
        """Like `write()`, but on PostgreSQL it waits for no other writer, and none waits for it.

        Only for changes to rows that the caller locks first (`with_for_update(skip_locked=True)`) or changes in one
        statement that says which, and on which nothing else is decided: two machines that send mail.
        """
        with Session(self._beside, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def write_if_free(self) -> Iterator[Session]:
        """Like `write()`, for what may be left undone: it raises OperationalError at once where somebody is writing."""
        with self._if_free.connect() as connection:
            driver = connection.connection.driver_connection if self.engine.dialect.name == "sqlite" else None
            connection.info[LEFT_UNDONE] = True
            try:
                if driver is not None:
                    driver.execute("PRAGMA busy_timeout=0")
                with Session(connection) as session, session.begin():
                    yield session
            finally:
                connection.info.pop(LEFT_UNDONE, None)
                if driver is not None:
                    driver.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT * 1000:.0f}")

    def reading_session(self) -> Session:
        """A session for reading that the caller closes: a request holds one until it ends."""
        return Session(self._reading, autoflush=False)

    def close(self) -> None:
        """Give back every connection; after a fork and at the end of a test."""
        self.engine.dispose()


def _may_be_written(path: str | None) -> bool:
    """Whether SQLite may write a file, and beside it."""
    return not path or (os.access(Path(path).parent, os.W_OK) and (os.access(path, os.W_OK) or not Path(path).exists()))


def _reopening(engine: Engine) -> None:
    """Open an SQLite file anew that could not be written, once it can.

    SQLite never asks again, and what it knows of a file is shared by all connections of a process: so all of them go.
    """
    read_only = threading.Event()

    @event.listens_for(engine, "handle_error")
    def note(fault: ExceptionContext) -> None:
        code = getattr(fault.original_exception, "sqlite_errorcode", None)
        if code is not None and code & 0xFF == sqlite3.SQLITE_READONLY:
            read_only.set()

    @event.listens_for(engine, "connect")
    def look(*_: Any) -> None:
        if not _may_be_written(engine.url.database):  # known before the first writes in vain
            read_only.set()

    @event.listens_for(engine, "checkout")
    def renew(*_: Any) -> None:
        if read_only.is_set() and _may_be_written(engine.url.database):
            read_only.clear()
            engine.dispose()
            raise DisconnectionError  # this one too: the pool makes another


def _make_engine(url: str, pool: int = POOL, longest: float = 0.0) -> Engine:
    if not url.startswith("sqlite"):
        return postgresql.make_engine(url, pool, BUSY_TIMEOUT, longest)
    # Errors name no values either: they hold names and addresses, and end in the log.
    settings = {"timeout": BUSY_TIMEOUT, "check_same_thread": False}
    engine = create_engine(url, connect_args=settings, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself; `begin` below does
        # Recursive triggers: REPLACE, too, is then refused by whatever forbids that rows are deleted.
        pragmas = (
            "journal_mode=WAL",
            "foreign_keys=ON",
            "recursive_triggers=ON",
            "synchronous=FULL",
            "cache_size=-16000",
        )
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("kb_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    _reopening(engine)
    return engine


def _watch(engine: Engine, slow_ms: int) -> None:
    """Log slow statements. Waiting for SQLite's lock is part of `BEGIN IMMEDIATE`; fetching rows is not counted."""

    @event.listens_for(engine, "before_cursor_execute")
    def began(connection: Connection, *_: Any) -> None:
        connection.info["kb_began"] = time.perf_counter()

    @event.listens_for(engine, "after_cursor_execute")
    def ended(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        ms = (time.perf_counter() - connection.info["kb_began"]) * 1000
        if ms >= slow_ms:
            log.warning("slow statement", extra={"ms": round(ms, 1), "statement": " ".join(statement.split())})
