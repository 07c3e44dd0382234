"""Limits counted in PostgreSQL, for all machines alike: a storage of the `limits` library, and windows of a minute.

Its two tables are unlogged: what is counted there waits for no disk, is in no backup, and is gone after a crash of the
server. No count waits for whoever writes to the catalogue, and none holds them up. Keys are kept as their SHA-256:
nobody's address is in the database.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Any

from limits.storage import MovingWindowSupport, Storage
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from kb.db import Database

SKEW = 60.0
"""Seconds by which the clocks of two machines may differ: what lies further ahead is of a clock that was set back."""

_SWEPT = 50  # rows that are over and go with one that comes

_ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")
_ADD = text("INSERT INTO limit_hits (key, at, expires, amount) VALUES (:key, :now, :expires, :amount)")
_SUM = text("SELECT coalesce(sum(amount), 0) FROM limit_hits WHERE key = :key AND at > :since AND at < :soon")
_WINDOW = text(
    "SELECT min(at), coalesce(sum(amount), 0) FROM limit_hits WHERE key = :key AND at > :since AND at < :soon"
)
_ENDS = text("SELECT min(expires) FROM limit_hits WHERE key = :key AND expires > :now AND at < :soon")
_SUM_OF_FIXED = text(
    "SELECT coalesce(sum(amount), 0) FROM limit_hits WHERE key = :key AND expires > :now AND at < :soon"
)
_CLEAR = text("DELETE FROM limit_hits WHERE key = :key")
_SWEEP_HITS = text(
    "DELETE FROM limit_hits WHERE id IN (SELECT id FROM limit_hits WHERE expires <= :now ORDER BY expires LIMIT :most"
    " FOR UPDATE SKIP LOCKED)"
)
_COUNT = text("""
INSERT INTO limit_windows AS held (key, ends, amount) VALUES (:key, :ends, 1) ON CONFLICT (key) DO UPDATE SET
amount = CASE WHEN held.ends <= :now OR held.ends > :furthest THEN 1 ELSE held.amount + 1 END,
ends = CASE WHEN held.ends <= :now OR held.ends > :furthest THEN excluded.ends ELSE held.ends END
RETURNING amount, ends
""")
_SWEEP_WINDOWS = text(
    "DELETE FROM limit_windows WHERE key IN (SELECT key FROM limit_windows WHERE ends <= :now ORDER BY ends LIMIT :most"
    " FOR UPDATE SKIP LOCKED)"
)


class ServerStorage(Storage, MovingWindowSupport):
    """Counts in PostgreSQL, for the strategies "fixed window" and "moving window" of the `limits` library.

    Each addition is a short transaction of its own, and whoever adds to the same key waits for it. Times are seconds
    since 1970 by the clocks of the machines.
    """

    STORAGE_SCHEME = ["kb-server"]  # noqa: RUF012 (the library wants a list)

    def __init__(
        self, database: Database, wrap_exceptions: bool = False, clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__("kb-server:", wrap_exceptions=wrap_exceptions)
        self._engine = database.engine
        self._clock = clock

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        """What may go wrong here."""
        return SQLAlchemyError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to a fixed window, which begins with its first hit, and return its sum."""
        values = self._values(key)
        with self._engine.begin() as connection:
            connection.execute(_ALONE, values)
            ends = connection.scalar(_ENDS, values) or values["now"] + expiry
            _add(connection, {**values, "expires": ends, "amount": amount})
            return int(connection.scalar(_SUM_OF_FIXED, values) or 0)

    def get(self, key: str) -> int:
        """The sum of a fixed window."""
        with self._engine.connect() as connection:
            return int(connection.scalar(_SUM_OF_FIXED, self._values(key)) or 0)

    def get_expiry(self, key: str) -> float:
        """When a fixed window ends; now, where there is none."""
        values = self._values(key)
        with self._engine.connect() as connection:
            return float(connection.scalar(_ENDS, values) or values["now"])

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Add to a moving window unless that would go over its limit; says whether it did."""
        values = self._values(key, expiry)
        with self._engine.begin() as connection:
            connection.execute(_ALONE, values)  # a statement of its own: what follows sees what others added before
            if int(connection.scalar(_SUM, values) or 0) + amount > limit:
                return False
            _add(connection, {**values, "expires": values["now"] + expiry, "amount": amount})
        return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """When the first hit of a moving window was, and how many there are."""
        values = self._values(key, expiry)
        with self._engine.connect() as connection:
            first, count = connection.execute(_WINDOW, values).one()
        return float(values["now"] if first is None else first), int(count)

    def check(self) -> bool:
        """Whether the table can be used."""
        try:
            self.get("")
        except Exception:  # which may have been wrapped
            return False
        return True

    def reset(self) -> int | None:
        """Forget everything; returns how many rows there were."""
        with self._engine.begin() as connection:
            return connection.execute(text("DELETE FROM limit_hits")).rowcount

    def clear(self, key: str) -> None:
        """Forget one key."""
        with self._engine.begin() as connection:
            connection.execute(_CLEAR, self._values(key))

    def _values(self, key: str, expiry: int = 0) -> dict[str, Any]:
        now = self._clock()
        return {"key": _hashed(key), "now": now, "since": now - expiry, "soon": now + SKEW}


class ServerWindows:
    """Fixed windows that begin with their first hit, one statement a hit."""

    def __init__(self, database: Database) -> None:
        self._engine = database.engine.execution_options(isolation_level="AUTOCOMMIT")

    def count(self, key: str, now: float, ends: float) -> tuple[int, float]:
        """Add one to a window, which ends at `ends` where it begins now; returns its sum and its end.

        Raises SQLAlchemyError.
        """
        values = {"key": _hashed(key), "now": now, "ends": ends, "furthest": ends + SKEW}
        with self._engine.connect() as connection:
            amount, until = connection.execute(_COUNT, values).one()
            if amount == 1:  # once a window and address: some of those who came earlier are forgotten
                connection.execute(_SWEEP_WINDOWS, {"now": now - SKEW, "most": _SWEPT})
        return int(amount), float(until)


def _add(connection: Connection, values: dict[str, Any]) -> None:
    connection.execute(_ADD, values)
    connection.execute(_SWEEP_HITS, {"now": values["now"] - SKEW, "most": _SWEPT})


def _hashed(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
