"""Limits counted in an SQLite file, for all workers of a machine: a storage of the `limits` library, and windows."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from limits.storage import MovingWindowSupport, Storage

BUSY_TIMEOUT = 1.0
"""Seconds that a count waits for another worker's; then the sign-in goes on uncounted."""

_TABLE = """
CREATE TABLE IF NOT EXISTS hits (key TEXT NOT NULL, at REAL NOT NULL, expires REAL NOT NULL, amount INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS hits_key ON hits (key, at);
CREATE INDEX IF NOT EXISTS hits_expires ON hits (expires);
"""

_WINDOWS = "CREATE TABLE IF NOT EXISTS windows (key TEXT PRIMARY KEY, ends REAL NOT NULL, amount INTEGER NOT NULL)"

_COUNT = """
INSERT INTO windows VALUES (:key, :ends, 1) ON CONFLICT (key) DO UPDATE SET
amount = CASE WHEN ends <= :now OR ends > :ends + 1 THEN 1 ELSE amount + 1 END,
ends = CASE WHEN ends <= :now OR ends > :ends + 1 THEN :ends ELSE ends END
RETURNING amount, ends
"""


class SqliteStorage(Storage, MovingWindowSupport):
    """Counts in one SQLite file, for the strategies "fixed window" and "moving window" of the `limits` library.

    Each call opens the file anew, which takes well under a millisecond: nothing is held that a fork or a thread could
    not share, and a file that was deleted is made again. Times are seconds since 1970. Rows are swept once expired.
    """

    STORAGE_SCHEME = ["kb-sqlite"]  # noqa: RUF012 (the library wants a list)

    def __init__(
        self, uri: str, wrap_exceptions: bool = False, clock: Callable[[], float] = time.time, **_options: object
    ) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions)
        self._path = uri.removeprefix("kb-sqlite://")
        self._clock = clock

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        """What may go wrong here."""
        return sqlite3.Error

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to a fixed window, which begins with its first hit, and return its sum."""
        now = self._clock()
        with self._open() as file:
            ends = file.execute("SELECT min(expires) FROM hits WHERE key = ? AND expires > ?", (key, now)).fetchone()[0]
            self._add(file, key, now, ends or now + expiry, amount)
            return self._sum(file, key, "expires", now)

    def get(self, key: str) -> int:
        """The sum of a fixed window."""
        with self._open() as file:
            return self._sum(file, key, "expires", self._clock())

    def get_expiry(self, key: str) -> float:
        """When a fixed window ends; now, where there is none."""
        now = self._clock()
        with self._open() as file:
            ends = file.execute("SELECT min(expires) FROM hits WHERE key = ? AND expires > ?", (key, now)).fetchone()[0]
        return float(ends or now)

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Add to a moving window unless that would go over its limit; says whether it did."""
        now = self._clock()
        with self._open() as file:
            if self._sum(file, key, "at", now - expiry) + amount > limit:
                return False
            self._add(file, key, now, now + expiry, amount)
        return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """When the first hit of a moving window was, and how many there are."""
        now = self._clock()
        with self._open() as file:
            first, count = file.execute(
                "SELECT min(at), coalesce(sum(amount), 0) FROM hits WHERE key = ? AND at > ? AND at < ?",
                (key, now - expiry, now + 1),
            ).fetchone()
        return (now if first is None else float(first)), int(count)

    def check(self) -> bool:
        """Whether the file can be used."""
        try:
            with self._open():
                return True
        except sqlite3.Error:
            return False

    def reset(self) -> int | None:
        """Forget everything; returns how many rows there were."""
        with self._open() as file:
            return file.execute("DELETE FROM hits").rowcount

    def clear(self, key: str) -> None:
        """Forget one key."""
        with self._open() as file:
            file.execute("DELETE FROM hits WHERE key = ?", (key,))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """One transaction, which locks the file at once: between a sum and what is added nobody else adds."""
        with closing(sqlite3.connect(self._path, timeout=BUSY_TIMEOUT, isolation_level=None)) as file:
            file.execute("PRAGMA journal_mode=WAL")
            file.execute("PRAGMA synchronous=OFF")  # counts of a quarter of an hour need not outlive a power cut
            file.executescript(_TABLE)
            file.execute("BEGIN IMMEDIATE")
            yield file
            file.execute("COMMIT")

    @staticmethod
    def _add(file: sqlite3.Connection, key: str, now: float, expires: float, amount: int) -> None:
        file.execute("DELETE FROM hits WHERE expires <= ?", (now,))
        file.execute("INSERT INTO hits VALUES (?, ?, ?, ?)", (key, now, expires, amount))

    def _sum(self, file: sqlite3.Connection, key: str, column: str, after: float) -> int:
        """What was hit, but for what is to come yet: that was hit before the clock was set back."""
        of_key = f"SELECT coalesce(sum(amount), 0) FROM hits WHERE key = ? AND {column} > ? AND at < ?"  # noqa: S608 (our own name)
        return int(file.execute(of_key, (key, after, self._clock() + 1)).fetchone()[0])


class FileWindows:
    """Fixed windows that begin with their first hit, one statement a hit, on a connection that stays open: 0.03 ms.

    Each process has its own connection, and opens another where the file was taken away.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._held: tuple[int, int, sqlite3.Connection] | None = None

    def count(self, key: str, now: float, ends: float) -> tuple[int, float]:
        """Add one to a window, which ends at `ends` where it begins now; returns its sum and its end.

        Raises sqlite3.Error, OSError.
        """
        try:
            return self._count(key, now, ends)
        except (sqlite3.Error, OSError):
            self._held = None  # one that found its file read-only would go on to
            raise

    def _count(self, key: str, now: float, ends: float) -> tuple[int, float]:
        with self._lock:
            file = self._file()
            amount, until = file.execute(_COUNT, {"key": key, "now": now, "ends": ends}).fetchall()[0]
            if amount == 1:  # once a window and address: who came earlier is forgotten
                file.execute("DELETE FROM windows WHERE ends <= ?", (now,))
        return int(amount), float(until)

    def _file(self) -> sqlite3.Connection:
        """The connection of this process to the file that lies there now."""
        held = self._held
        if held is not None and held[0] == os.getpid() and self._path.exists() and held[1] == self._path.stat().st_ino:
            return held[2]
        file = sqlite3.connect(self._path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False)
        file.execute("PRAGMA journal_mode=WAL")
        file.execute("PRAGMA synchronous=OFF")
        file.execute(_WINDOWS)
        self._held = (os.getpid(), self._path.stat().st_ino, file)
        return file
