"""Locks by name, among all processes that work on one installation: on one machine by files, on several by PostgreSQL.

Where the database is SQLite everything is on one machine, and a lock is a file in the data folder, which the kernel
takes back when its process dies. Where it is PostgreSQL a lock is an advisory lock of a session there, on a connection
that is used for nothing else, which the server takes back when that connection ends. So a holder can lose it while it
works: whoever is about to make their work final asks `sure()` first.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from kb import postgresql
from kb.db import Database

LOOK_EVERY = 0.01
"""Seconds between two looks whether a file is free."""

AT_ONCE = 8
"""Locks that a process has or waits for at once on PostgreSQL, each on a connection of its own."""

_TIMEOUT = "55P03"  # lock_not_available: https://www.postgresql.org/docs/15/errcodes-appendix.html


class LockLost(Exception):
    """The connection that held a lock is gone, and the lock with it: somebody else may hold it by now."""


class Held(Protocol):
    """A lock that is held."""

    def sure(self) -> None:
        """Make sure that it is still held. Raises LockLost."""


class Locks(Protocol):
    """Where the processes of one installation find each other's locks."""

    def hold(self, name: str, wait: float = 0.0, *, shared: bool = False) -> AbstractContextManager[Held | None]:
        """Hold a lock for the block, after at most `wait` seconds; yields None where it was not to be had.

        Any number may hold a shared one while nobody holds it alone. It is held once: whoever holds it cannot have it
        a second time, in another thread or in the same.
        """


def open_locks(database: Database, folder: Path) -> Locks:
    """The locks of an installation; `folder` is the data folder. Nothing is opened before the first is held."""
    if database.engine.dialect.name == "postgresql":
        return ServerLocks(database)
    return FileLocks(folder)


class FileLocks:
    """Locks on files of a folder, `NAME.lock` each; for all processes of one machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __str__(self) -> str:
        return str(self._folder)

    @contextlib.contextmanager
    def hold(self, name: str, wait: float = 0.0, *, shared: bool = False) -> Iterator[Held | None]:
        """See Locks."""
        deadline = time.monotonic() + wait
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        with (self._folder / f"{name}.lock").open("a") as file:
            while not _taken(file, kind):
                if time.monotonic() >= deadline:
                    yield None
                    return
                time.sleep(LOOK_EVERY)
            yield _Sure()


class ServerLocks:
    """Advisory locks of one PostgreSQL database, for all machines that use it.

    The number of a lock is the first eight bytes of the SHA-256 of "kb lock NAME", read as a signed integer. Between
    the server and this there must be nothing that lends one session to several clients, such as PgBouncer in its
    transaction mode.
    """

    def __init__(self, database: Database) -> None:
        self._of = database.engine
        self._address = self._of.url.render_as_string(hide_password=False)
        self._made: Engine | None = None

    def __str__(self) -> str:
        return f"the database {self._of.url.database}"

    @contextlib.contextmanager
    def hold(self, name: str, wait: float = 0.0, *, shared: bool = False) -> Iterator[Held | None]:
        """See Locks. Raises OperationalError where the server does not answer."""
        number, kind = number_of(name), "_shared" if shared else ""
        with self._connect() as connection:
            if not _locked(connection, number, kind, wait):
                yield None
                return
            try:
                yield _OnServer(connection)
            finally:
                _unlock(connection, number, kind)

    def _connect(self) -> Connection:
        """A connection that no request is given and none ends; kept for the next lock, until the database is closed."""
        if self._made is None:
            self._made = made = postgresql.make_engine(self._address, AT_ONCE, 0, 0)
            event.listen(self._of, "engine_disposed", lambda _engine: made.dispose())
        return self._made.connect().execution_options(isolation_level="AUTOCOMMIT")


def number_of(name: str) -> int:
    """The number of an advisory lock."""
    return int.from_bytes(hashlib.sha256(f"kb lock {name}".encode()).digest()[:8], "big", signed=True)


class _Sure:
    """A file that is locked stays so until its process lets it go."""

    def sure(self) -> None:
        """See Held."""


class _OnServer:
    """A lock belongs to a session: as long as that answers, it is held."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def sure(self) -> None:
        """See Held."""
        try:
            self._connection.scalar(text("SELECT 1"))
        except SQLAlchemyError as error:
            raise LockLost("the connection that held a lock is gone") from error


def _taken(file: Any, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _locked(connection: Connection, number: int, kind: str, wait: float) -> bool:
    """Take a lock, waiting in the server's queue for at most `wait` seconds."""
    asked = {"number": number}
    if connection.scalar(text(f"SELECT pg_try_advisory_lock{kind}(:number)"), asked):
        return True
    if wait <= 0:
        return False
    connection.execute(text("SELECT set_config('lock_timeout', :ms, false)"), {"ms": str(max(1, round(wait * 1000)))})
    try:
        connection.execute(text(f"SELECT pg_advisory_lock{kind}(:number)"), asked)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != _TIMEOUT:
            raise
        return False
    return True


def _unlock(connection: Connection, number: int, kind: str) -> None:
    """Let a lock go; where its connection is gone the server has done so."""
    try:
        connection.execute(text(f"SELECT pg_advisory_unlock{kind}(:number)"), {"number": number})
    except SQLAlchemyError:
        connection.rollback()
        connection.invalidate()
