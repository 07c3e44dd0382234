"""Limits on guessing and on mails that anybody can ask for, for an account and for an address, for all workers alike.

The counts lie in an SQLite file of their own, so that a flood of guesses never waits for, or delays, the database. It
is a storage of the `limits` library: Flask-Limiter can use it too, and Redis can take its place on several machines.
"""

from __future__ import annotations

import hashlib
import ipaddress
import logging
import math
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import MovingWindowSupport, Storage
from limits.strategies import MovingWindowRateLimiter

from kb.services.errors import N_, TooMany

ACCOUNT_LIMIT = RateLimitItemPerMinute(10, 15)
"""Failures an account in any 15 minutes."""

ADDRESS_LIMIT = RateLimitItemPerMinute(20, 15)
"""Failures an address in any 15 minutes."""

MAIL_ACCOUNT_LIMIT = RateLimitItemPerHour(5)
"""Mails of one kind that anybody can have sent to the same mailbox in any hour."""

MAIL_ADDRESS_LIMIT = RateLimitItemPerHour(30)
"""Mails of one kind that one address can have sent in any hour."""

REPORT_LIMIT = RateLimitItemPerHour(10)
"""Errors that one address can report in any hour."""

CONTACT_LIMIT = RateLimitItemPerDay(10)
"""Messages that one person can write to owners of practices in any 24 hours."""

UPLOAD_LIMIT = RateLimitItemPerHour(60)
"""Files that one person can upload in any hour."""

BEGIN_LIMIT = RateLimitItemPerHour(30)
"""Practices that one person can begin by autosave and through the API, together, in any hour."""

ADOPTION_LIMIT = RateLimitItemPerHour(30)
"""Times that one person can say in any hour that a region takes a practice up, or change what they said."""

API_LIMIT = RateLimitItemPerMinute(600)
EXPORTS_LIMIT = RateLimitItemPerMinute(120)
COMPARISONS_LIMIT = RateLimitItemPerMinute(120)
SUGGESTIONS_LIMIT = RateLimitItemPerMinute(600)
LINKS_LIMIT = RateLimitItemPerMinute(120)
AUTOSAVE_LIMIT = RateLimitItemPerMinute(120)
"""Requests a minute, by what they ask for."""

LIMITS = (
    ("failed sign-ins, and codes of the second factor", "account", ACCOUNT_LIMIT),
    ("failed sign-ins, and codes of the second factor", "address", ADDRESS_LIMIT),
    ("mails of one kind: password, registration, address", "mailbox", MAIL_ACCOUNT_LIMIT),
    ("mails of one kind: password, registration, address", "address", MAIL_ADDRESS_LIMIT),
    ("errors reported", "address", REPORT_LIMIT),
    ("messages to owners of practices", "person", CONTACT_LIMIT),
    ("files uploaded", "person", UPLOAD_LIMIT),
    ("practices begun, by autosave and API together", "person", BEGIN_LIMIT),
    ("adoptions said and changed", "person", ADOPTION_LIMIT),
    ("the API", "address", API_LIMIT),
    ("exports, feeds, harvests", "address", EXPORTS_LIMIT),
    ("comparisons of two versions", "address", COMPARISONS_LIMIT),
    ("suggestions while somebody types", "address", SUGGESTIONS_LIMIT),
    ("one-time and private links opened", "address", LINKS_LIMIT),
    ("texts kept while somebody writes", "session", AUTOSAVE_LIMIT),
)
"""All limits on how often: of what, by whom it is counted, how many in which time. docs/operating.md has the same."""

BODY_LIMIT = 4 * 1024 * 1024
"""Bytes of a request's body; a whole practice in every field's cap is under 2 MB."""

UPLOAD_BODY_LIMIT = 32 * 1024 * 1024
"""Bytes of an upload's body that are read, to the disk, so that a file that is too large is told so on its page."""

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

log = logging.getLogger(__name__)


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


@dataclass(frozen=True)
class Standing:
    """How an address stands: its `limit` a minute, what is `left` of it, in how many seconds it begins anew.

    `over`: this request is one too many.
    """

    limit: int
    left: int
    reset: int
    over: bool


class Requests:
    """Requests of an address, in fixed windows of a minute that begin with its first.

    Every request to the API comes through here, so it has to be cheap: one statement on a connection that stays open,
    some 0.03 ms. Each process has its own connection, and opens another where the file was taken away. Where the file
    cannot be used requests pass uncounted, with a line in the log.
    """

    WINDOW = 60.0

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._held: tuple[int, int, sqlite3.Connection] | None = None

    def count(self, group: str, limit: int, address: str) -> Standing | None:
        """Count one request and say how the address stands; None where nothing can be counted."""
        now = self._clock()
        values = {"key": f"{group} {_of_address(address)[1]}", "now": now, "ends": now + self.WINDOW}
        try:
            with self._lock:
                file = self._file()
                amount, ends = file.execute(_COUNT, values).fetchall()[0]
                if amount == 1:  # once a window and address: who came earlier is forgotten
                    file.execute("DELETE FROM windows WHERE ends <= ?", (now,))
        except (sqlite3.Error, OSError) as error:
            self._held = None  # one that found its file read-only would go on to
            log.warning("limits.sqlite cannot be used, so nothing is counted: %s", error)
            return None
        return Standing(limit, max(0, limit - amount), max(1, math.ceil(ends - now)), amount > limit)

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


class Failures:
    """Failed sign-ins, counted for the account and for the address they came from.

    An attempt counts against its account before the password is looked at, so that many at once get no further than
    one after the other. Where the file cannot be used people are let in uncounted, with a line in the log: a full disk
    must not shut out the editors, and argon2 goes on making each guess slow.
    """

    def __init__(self, path: Path, *, on: bool = True, clock: Callable[[], float] = time.time) -> None:
        self._on = on
        self._clock = clock
        self._window = MovingWindowRateLimiter(SqliteStorage(f"kb-sqlite://{path}", wrap_exceptions=True, clock=clock))

    def begin(self, account: str, address: str) -> None:
        """Let an attempt begin. Raises TooMany where the account or the address has failed too often."""
        if not self._on:
            return
        try:
            if not self._window.test(ADDRESS_LIMIT, *_of_address(address)):
                self._refuse(ADDRESS_LIMIT, _of_address(address))
            if not self._window.hit(ACCOUNT_LIMIT, *_of_account(account)):
                self._refuse(ACCOUNT_LIMIT, _of_account(account))
        except StorageError as error:
            _let_pass(error)

    def failed(self, address: str) -> None:
        """Note that the attempt failed."""
        if not self._on:
            return
        try:
            self._window.hit(ADDRESS_LIMIT, *_of_address(address))
        except StorageError as error:
            _let_pass(error)

    def succeeded(self, account: str) -> None:
        """Note that the attempt succeeded: the account's failures are forgotten, the address's are not."""
        if not self._on:
            return
        try:
            self._window.clear(ACCOUNT_LIMIT, *_of_account(account))
        except StorageError as error:
            _let_pass(error)

    def _refuse(self, limit: RateLimitItem, key: tuple[str, str]) -> None:
        seconds = max(1, math.ceil(self._window.get_window_stats(limit, *key).reset_time - self._clock()))
        text = N_("Too many failed sign-ins. Wait %(minutes)d min and try again.")
        raise TooMany(text, seconds, minutes=math.ceil(seconds / 60))


class Asking:
    """Wishes for a mail to a mailbox of which the asker need not be the owner: a new password, an account.

    They are counted for the mailbox, whether or not it has an account, and for the address they came from, each
    `action` for itself, at most `most` of them an address. Where the file cannot be used they are let through, with a
    line in the log.
    """

    def __init__(
        self,
        path: Path,
        action: str,
        *,
        on: bool = True,
        clock: Callable[[], float] = time.time,
        most: RateLimitItem = MAIL_ADDRESS_LIMIT,
    ) -> None:
        self._on = on
        self._action = action
        self._most = most
        self._clock = clock
        self._window = MovingWindowRateLimiter(SqliteStorage(f"kb-sqlite://{path}", wrap_exceptions=True, clock=clock))

    def test(self, address: str) -> None:
        """Look, before any work is done, whether an address may go on. Raises TooMany."""
        self._each(self._window.test, (self._most, _of_address(address)))

    def hit(self, mailbox: str, address: str) -> None:
        """Count one wish. Raises TooMany where the address or the mailbox had its share. An empty one is nobody's."""
        mailboxes = [(MAIL_ACCOUNT_LIMIT, _of_account(mailbox))] if mailbox else []
        self._each(self._window.hit, (self._most, _of_address(address)), *mailboxes)

    def _each(self, allowed: Callable[..., bool], *counts: tuple[RateLimitItem, tuple[str, str]]) -> None:
        if not self._on:
            return
        try:
            for limit, key in counts:
                if not allowed(limit, self._action, *key):
                    self._refuse(limit, key)
        except StorageError as error:
            _let_pass(error)

    def _refuse(self, limit: RateLimitItem, key: tuple[str, str]) -> None:
        stats = self._window.get_window_stats(limit, self._action, *key)
        seconds = max(1, math.ceil(stats.reset_time - self._clock()))
        text = N_("This was asked for too often. Wait %(minutes)d min and try again.")
        raise TooMany(text, seconds, minutes=math.ceil(seconds / 60))


def beginnings(folder: Path, *, on: bool) -> Asking:
    """What counts the practices that people begin, each person for themselves; `folder` is the data folder."""
    return Asking(folder / "limits.sqlite", "begin", on=on, most=BEGIN_LIMIT)


def _of_account(email: str) -> tuple[str, str]:
    """The key of an account, whether it exists or not; hashed, so that the file holds nobody's address."""
    return "account", hashlib.sha256(email.strip().lower().encode("utf-8", "replace")).hexdigest()


def _of_address(address: str) -> tuple[str, str]:
    """The key of an address; of IPv6 the first 64 bits, which is what one household or attacker is given."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "address", address
    if parsed.version == 6:
        return "address", str(ipaddress.ip_network((parsed, 64), strict=False))
    return "address", str(parsed)


def _let_pass(error: StorageError) -> None:
    log.warning("limits.sqlite cannot be used, so nothing is counted: %s", error.storage_error)
