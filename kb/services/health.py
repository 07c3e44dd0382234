"""How the site is: what a load balancer and whoever watches over it want to know, in a word and a sentence each.

`degraded` is for somebody to look at; pages are served. `failing` means that this server should get no requests now.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache, partial
from pathlib import Path

from alembic.script import ScriptDirectory
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from kb.config import Config
from kb.db import Database
from kb.models import MailMessage
from kb.search.port import IndexLost, SearchUnavailable
from kb.services import outbox, setup
from kb.services.indexing import Indexer

log = logging.getLogger(__name__)

INDEX_LAGS = 60.0
"""Seconds after which a change that is not in the index is a sign that nobody brings it there."""

MAIL_WAITS = timedelta(hours=1)
"""How long mail may wait before somebody should look at /admin/mail."""

DISK_LOW = 500 * 1000**2
"""Bytes free below which somebody should make room."""

DISK_FULL = 50 * 1000**2
"""Bytes free below which nothing new should be asked of this server."""

LOOK_AGAIN = 2.0
"""Seconds for which what was seen is good enough for whoever asks next."""

_LEAVING = threading.Event()

PROBE = ".writing"
"""The beginning of the name of the file by which it is seen whether a folder can be written."""


class State(StrEnum):
    """How something stands."""

    OK = "ok"
    DEGRADED = "degraded"
    FAILING = "failing"


_WORST = tuple(State)


@dataclass(frozen=True)
class Check:
    """How one thing stands, in a sentence that names nobody and no secret; `figures` by name, each with its unit."""

    name: str
    state: State
    sentence: str
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Health:
    """How everything stands."""

    checks: tuple[Check, ...]

    @property
    def state(self) -> State:
        """The worst of all."""
        return max((check.state for check in self.checks), key=_WORST.index)

    @property
    def ready(self) -> bool:
        """Whether this server should get requests."""
        return self.state is not State.FAILING


class Watch:
    """Looks for everybody who asks, and not more often than every LOOK_AGAIN seconds: looking reads, and writes."""

    def __init__(
        self, config: Config, database: Database, indexer: Indexer, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._look = partial(look, config, database, indexer)
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: tuple[float, Health] | None = None

    def look(self) -> Health:
        """How everything stands, or stood a moment ago."""
        with self._lock:  # one looks, who asks meanwhile waits for what it sees
            if self._seen is None or self._clock() - self._seen[0] >= LOOK_AGAIN:
                found = self._look()
                self._seen = self._clock(), found
            return self._seen[1]


def look(config: Config, database: Database, indexer: Indexer) -> Health:
    """Look at the database, its schema, the index, mail that waits, and the disk. Writes a byte and takes it away."""
    return Health(tuple(_checks(config, database, indexer)))


def leave() -> None:
    """Note that this process is about to stop: whoever asks from now on learns that it should get no more requests."""
    _LEAVING.set()


def _checks(config: Config, database: Database, indexer: Indexer) -> Iterator[Check]:
    if _LEAVING.is_set():
        yield Check("serving", State.FAILING, "This server is about to stop.")
    of_database: tuple[tuple[str, Callable[[], Check]], ...] = (
        ("database", lambda: _schema(database)),
        ("index", lambda: _index(indexer)),
        ("mail", lambda: _mail(database)),
    )
    for name, check in of_database:
        try:
            yield check()
        except SQLAlchemyError as error:
            log.warning("the database does not answer: %s", error)
            yield Check(name, State.FAILING, "The database does not answer; the log says why.")
    folders = {config.data_dir, config.files_dir, *([config.database_path.parent] if config.database_path else [])}
    yield _writing(folders)
    yield _disk(folders)


@cache
def newest_schema() -> str | None:
    """The revision of this release's schema."""
    return ScriptDirectory(str(setup.MIGRATIONS)).get_current_head()


@cache
def _schemas() -> frozenset[str]:
    """The revisions that this release knows."""
    return frozenset(script.revision for script in ScriptDirectory(str(setup.MIGRATIONS)).walk_revisions())


def _schema(database: Database) -> Check:
    """A read, and whether the schema is the one that this release knows."""
    found, wanted = setup.current(database), newest_schema()
    if found == wanted:
        return Check("database", State.OK, f"The database answers and has schema {found}.")
    if found is not None and found not in _schemas() and database.engine.dialect.name == "postgresql":
        # Machines are upgraded one after the other: until all are, those of the release before go on.
        sentence = f"The database has schema {found} of a later release: upgrade this machine too."
        return Check("database", State.DEGRADED, sentence)
    sentence = f"The database has schema {found or 'none'}, this release wants {wanted}: start the server anew."
    return Check("database", State.FAILING, sentence)


def _index(indexer: Indexer) -> Check:
    rows, seconds = indexer.lag()
    figures = {"waiting": rows, "lag_seconds": round(seconds, 1)}
    try:
        figures["practices"] = indexer.engine.count()
    except IndexLost:
        indexer.report_lost()
        return Check("index", State.FAILING, "The search index cannot be read; it is being built anew.", figures)
    except SearchUnavailable as fault:
        log.warning("the search engine does not answer: %s", fault)
        sentence = "The search engine does not answer; all but searching goes on. The log says why."
        return Check("index", State.DEGRADED, sentence, figures)
    if seconds >= INDEX_LAGS:
        return Check("index", State.DEGRADED, "Changes have not reached the search index for over a minute.", figures)
    return Check("index", State.OK, "The search index is open and follows the database.", figures)


def _mail(database: Database) -> Check:
    with database.read() as session:
        waiting = select(func.count(), func.min(MailMessage.created)).select_from(MailMessage).where(*outbox.WAITING)
        number, oldest = session.execute(waiting).one()
        given_up = session.scalar(select(func.count()).select_from(MailMessage).where(*outbox.GIVEN_UP)) or 0
    seconds = max((datetime.now(UTC) - oldest).total_seconds(), 0.0) if oldest else 0.0
    figures = {"waiting": number, "oldest_seconds": round(seconds, 1), "given_up": given_up}
    if seconds >= MAIL_WAITS.total_seconds():
        return Check("mail", State.DEGRADED, "Mail has waited for over an hour: see /admin/mail.", figures)
    return Check("mail", State.OK, "Mail goes out." if number else "No mail waits.", figures)


def _writing(folders: set[Path]) -> Check:
    for folder in sorted(folders):
        if not folder.is_dir():
            continue  # the folder of files is made with the first of them
        probe = folder / f"{PROBE}-{os.getpid()}-{os.urandom(4).hex()}"
        try:
            probe.write_bytes(b"\n")
        except OSError as error:
            log.warning("%s cannot be written: %s", folder, error.strerror)
            return Check("writing", State.FAILING, f"A folder cannot be written ({error.strerror}).")
        finally:
            with contextlib.suppress(OSError):
                probe.unlink(missing_ok=True)
    return Check("writing", State.OK, "The folders can be written.")


def _disk(folders: set[Path]) -> Check:
    free = min(shutil.disk_usage(folder).free for folder in folders if folder.is_dir())
    figures = {"free_bytes": free}
    left = f"{free / 1000**2:,.0f} MB are free."
    if free < DISK_FULL:
        return Check("disk", State.FAILING, f"The disk is full: {left}", figures)
    if free < DISK_LOW:
        return Check("disk", State.DEGRADED, f"The disk is nearly full: {left}", figures)
    return Check("disk", State.OK, left, figures)
