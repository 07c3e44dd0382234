"""Limits on guessing and on mails that anybody can ask for, for an account and for an address, for all workers alike.

The counts lie in an SQLite file of their own, so that a flood of guesses never waits for, or delays, the database.
Where that is PostgreSQL they lie in tables of it that are written to beside everything else, for all machines alike.
"""

from __future__ import annotations

import hashlib
import ipaddress
import logging
import math
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.errors import StorageError
from limits.strategies import MovingWindowRateLimiter
from sqlalchemy.exc import SQLAlchemyError

from kb.db import Database
from kb.services.errors import N_, TooMany
from kb.services.limits_in_file import FileWindows, SqliteStorage
from kb.services.limits_on_server import ServerStorage, ServerWindows

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
"""All limits on how often: of what, by whom it is counted, how many in which time. docs/operations.md has the same."""

BODY_LIMIT = 4 * 1024 * 1024
"""Bytes of a request's body; a whole practice in every field's cap is under 2 MB."""

UPLOAD_BODY_LIMIT = 32 * 1024 * 1024
"""Bytes of an upload's body that are read, to the disk, so that a file that is too large is told so on its page."""

FILE = "limits.sqlite"
"""The name of the file of counts in the data folder."""

Place = Path | Database
"""Where is counted: a file, or the database of all machines."""

log = logging.getLogger(__name__)


def place_of(database: Database, folder: Path) -> Place:
    """Where an installation counts; `folder` is the data folder."""
    return database if database.engine.dialect.name == "postgresql" else folder / FILE


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

    Every request to the API comes through here, so it is cheap: one statement. Where nothing can be counted requests
    pass uncounted, with a line in the log.
    """

    WINDOW = 60.0

    def __init__(self, place: Place, *, clock: Callable[[], float] = time.time) -> None:
        self._windows = FileWindows(place) if isinstance(place, Path) else ServerWindows(place)
        self._clock = clock

    def count(self, group: str, limit: int, address: str) -> Standing | None:
        """Count one request and say how the address stands; None where nothing can be counted."""
        now = self._clock()
        try:
            amount, ends = self._windows.count(f"{group} {_of_address(address)[1]}", now, now + self.WINDOW)
        except (sqlite3.Error, OSError, SQLAlchemyError) as error:
            _lament(error)
            return None
        return Standing(limit, max(0, limit - amount), max(1, math.ceil(ends - now)), amount > limit)


class Failures:
    """Failed sign-ins, counted for the account and for the address they came from.

    An attempt counts against its account before the password is looked at, so that many at once get no further than
    one after the other. Where nothing can be counted people are let in uncounted, with a line in the log: a full disk
    must not shut out the editors, and argon2 goes on making each guess slow.
    """

    def __init__(self, place: Place, *, on: bool = True, clock: Callable[[], float] = time.time) -> None:
        self._on = on
        self._clock = clock
        self._window = _windows(place, clock)

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
    `action` for itself, at most `most` of them an address. Where nothing can be counted they are let through, with a
    line in the log.
    """

    def __init__(
        self,
        place: Place,
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
        self._window = _windows(place, clock)

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


def beginnings(place: Place, *, on: bool) -> Asking:
    """What counts the practices that people begin, each person for themselves."""
    return Asking(place, "begin", on=on, most=BEGIN_LIMIT)


def _windows(place: Place, clock: Callable[[], float]) -> MovingWindowRateLimiter:
    if isinstance(place, Path):
        return MovingWindowRateLimiter(SqliteStorage(f"kb-sqlite://{place}", wrap_exceptions=True, clock=clock))
    return MovingWindowRateLimiter(ServerStorage(place, wrap_exceptions=True, clock=clock))


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
    _lament(error.storage_error)


def _lament(error: Exception) -> None:
    where = "the database" if isinstance(error, SQLAlchemyError) else FILE
    log.warning("%s cannot be used, so nothing is counted: %s", where, error)
