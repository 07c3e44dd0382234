"""PostgreSQL behind `db.py`: how an engine for it is made, who may write at a time, and which of its faults pass.

**One writer at a time, as on SQLite.** A transaction that writes begins by taking an advisory lock, which it holds
until it ends. So whatever a service reads in it before it writes stays as it was read: no slug is given away twice, no
step is taken from a state that has passed, no link is used up twice, whether or not there is a constraint for it. Its
level is READ COMMITTED, so that each statement after the lock sees all that was committed before: under REPEATABLE READ
the wait for the lock would itself be the moment that is read as of. Other ways were weighed: row locks at each place
hold until somebody forgets one, and SERIALIZABLE asks that every caller can be run again. Readers never wait.

**Reading** is REPEATABLE READ and READ ONLY: a page is of one moment, as on SQLite.
"""

from __future__ import annotations

import logging
import os
import socket
from typing import Any, cast

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.engine import Connection, ExceptionContext
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.pool import QueuePool

log = logging.getLogger(__name__)

WRITING = 0x6B62_7772
"""The number of the lock that whoever writes holds: "kbwr", of no meaning elsewhere."""

IF_FREE = "if free"
"""What `kb_writes` is where a transaction is not to wait for another writer."""

BESIDE = "beside"
"""What `kb_writes` is where a transaction writes beside others, and locks its rows itself."""

READING = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
"""How a transaction that reads runs."""

CONNECT_TIMEOUT = 5
"""Seconds that a connection may take to come about, with each server that the address names."""

CONNECTION_WAIT = 5.0
"""Seconds that somebody waits for one of the process's connections before they are told to come again."""

RECYCLE = 1800
"""Seconds after which a connection is replaced by a new one: the way to the server may have changed."""

IDLE_WRITING = 60
"""Seconds that a transaction may do nothing while it keeps all others from writing, before the server ends it."""

IDLE_READING = 600
"""Seconds that any other transaction may do nothing: whoever downloads slowly still gets the rest."""

SILENCE = 30
"""Seconds after which a server that does not answer at all, or a client that is gone, is taken for lost."""

NO_LOCK, READ_ONLY, IDLE_TOO_LONG = "55P03", "25006", "25P03"
"""Three of the codes by which PostgreSQL names its faults (https://www.postgresql.org/docs/current/errcodes-appendix.html)."""


def make_engine(url: str, pool: int, patience: float, longest: float) -> Engine:
    """An engine with at most `pool` connections a process.

    A lock is waited for `patience` seconds, no statement may take more than `longest` seconds; 0: as long as it takes.
    """
    engine = create_engine(
        url,
        poolclass=_Pool,
        pool_size=pool,
        max_overflow=0,
        pool_timeout=CONNECTION_WAIT,
        pool_recycle=RECYCLE,
        pool_pre_ping=True,
        hide_parameters=True,
        use_native_hstore=False,
        connect_args=_connecting(make_url(url), patience, longest),
    )
    event.listen(engine, "do_connect", _name)
    event.listen(engine, "begin", _begin)
    event.listen(engine, "handle_error", _tell_apart)
    return engine


def _connecting(url: URL, patience: float, longest: float) -> dict[str, Any]:
    """What a connection is begun with: how long anything may take, and when the other side is taken for lost.

    What the address itself says holds.
    """
    times = {
        "lock_timeout": patience,
        "statement_timeout": longest,
        "idle_in_transaction_session_timeout": IDLE_READING,
    }
    here = {name: round(seconds * 1000) for name, seconds in times.items()}
    there = {"tcp_keepalives_idle": SILENCE, "tcp_keepalives_interval": SILENCE // 3, "tcp_keepalives_count": 3}
    settings = {
        "connect_timeout": CONNECT_TIMEOUT,
        "keepalives_idle": SILENCE,
        "keepalives_interval": SILENCE // 3,
        "keepalives_count": 3,
        "tcp_user_timeout": SILENCE * 1000,
    }
    told = [*(f"-c {name}={value}" for name, value in {**here, **there}.items()), str(url.query.get("options", ""))]
    left = {name: value for name, value in settings.items() if name not in url.query}
    return {**left, "options": " ".join(told).strip()}


def _name(_dialect: Any, _record: Any, _arguments: Any, settings: dict[str, Any]) -> None:
    """Let the server's list of connections say whose each is."""
    settings.setdefault("application_name", f"kb {socket.gethostname()[:40]} {os.getpid()}")


def _begin(connection: Connection) -> None:
    kind = connection.get_execution_options().get("kb_writes", False)
    if not kind or kind == BESIDE:
        return
    alone = f"set_config('idle_in_transaction_session_timeout', '{IDLE_WRITING * 1000}', true)"
    if kind != IF_FREE:
        connection.exec_driver_sql(f"SELECT {alone}, pg_advisory_xact_lock({WRITING})")
    elif not connection.exec_driver_sql(f"SELECT pg_try_advisory_xact_lock({WRITING}), {alone}").one()[0]:
        fault = cast(Any, connection.dialect.dbapi).errors.lookup(NO_LOCK)
        raise OperationalError(None, None, fault("the database is locked: somebody else is writing"))


def _tell_apart(fault: ExceptionContext) -> BaseException | None:
    """Bring PostgreSQL's faults into the shape that those of SQLite have.

    A fault's detail quotes the row, with names and addresses, and faults end in the log: it goes. A server that was
    made read-only, and a transaction that the server ended, are faults of operation, not of the program.
    """
    error, original = fault.sqlalchemy_exception, fault.original_exception
    if not isinstance(error, DBAPIError):
        return None
    said = getattr(getattr(original, "diag", None), "message_primary", None)
    if said:
        error.args = (error.args[0].replace(str(original), said), *error.args[1:])
        original.args = (said,)
    code = getattr(original, "sqlstate", None)
    if code == IDLE_TOO_LONG or (code == READ_ONLY and _writes(fault)):
        fault.is_disconnect = True  # another server may have taken over: all connections are made anew
        again = OperationalError(error.statement, None, cast(Exception, original), hide_parameters=True)
        again.connection_invalidated = True
        return again
    return None


def _writes(fault: ExceptionContext) -> bool:
    return bool(fault.connection and fault.connection.get_execution_options().get("kb_writes"))


def may_pass(original: BaseException | None) -> bool:
    """Whether the same may go well later, of an operational fault: all but a statement that is too much for any day.

    That is a connection that was refused or lost, a server that starts, stops, is full, read-only or has no connection
    left, a lock that was waited for in vain, a deadlock, a statement that took too long; and no connection to be had
    in this process.
    """
    if isinstance(original, NoConnection):
        return True
    code = getattr(original, "sqlstate", "54")  # what has none is no fault of PostgreSQL
    return not str(code).startswith("54")


class _Pool(QueuePool):
    """Connections that are waited for; in vain is an operational fault, as any other of the database."""

    __module__ = QueuePool.__module__  # SQLAlchemy names a pool's log by it: what is routine there is none of ours

    def _do_get(self) -> Any:
        try:
            return super()._do_get()
        except NoConnection as error:
            log.error("all %d connections to the database are in use, for longer than anybody waits", self.size())
            raise OperationalError(None, None, error, hide_parameters=True) from error
