"""What the commands share: the installation that the settings name, opened; and how far long work is."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import click
from sqlalchemy import func, select

from kb import config as settings
from kb import logs
from kb.config import Config
from kb.db import Database
from kb.models import IndexOutbox
from kb.search import open_engine
from kb.search.port import Document, IndexLost, SearchEngine, SearchUnavailable
from kb.services import agreements, seeding, setup, upgrade_copies
from kb.services.backup import Home
from kb.services.errors import NotFound
from kb.services.indexing import Indexer
from kb.services.locks import Locks, open_locks
from kb.services.occupancy import using
from kb.services.publishing import public_count
from kb.services.vocabularies import VocabularyCache

T = TypeVar("T")

LINE_EVERY = 10.0
"""Seconds between two lines about work that goes on, where there is no terminal for a bar."""

PROGRAM = "python -m kb"
"""What the commands are called where their process does nothing else."""

_PATIENT = 10  # how far others go before
_UPDATES = 1000  # times that a bar is drawn in all


@dataclass(frozen=True)
class Site:
    """An installation, opened."""

    config: Config
    database: Database
    engine: SearchEngine
    indexer: Indexer
    locks: Locks


@contextlib.contextmanager
def opened(*, make: bool = False, agree: bool = False) -> Iterator[Site]:
    """The installation that the settings name, its schema brought to this release's.

    With `make` a missing database is made; with `agree` other machines have to have what this one has, from now on.
    Raises SettingError, NotFound, SchemaTooNew, Conflict.
    """
    config = settings.load()
    logs.set_up(config.log)
    if not make and config.database_path and not config.database_path.exists():
        raise NotFound("There is no database in %(folder)s yet; the command `init` makes one.", folder=config.data_dir)
    with parts(config, agree=agree) as site:
        yield site


@contextlib.contextmanager
def parts(config: Config, *, agree: bool = False) -> Iterator[Site]:
    """The parts of an installation, given back at the end: no file, connection or thread outlives the block.

    Raises Conflict while a restore into it is going on, SettingError where other machines have other settings.
    """
    database = Database(config.database_url)
    locks = open_locks(database, config.data_dir)
    engine = cast(SearchEngine, _Watched(open_engine(config.search_url, config.index_dir)))
    indexer = Indexer(database, engine, VocabularyCache(), locks)
    try:
        with using(locks):
            _bring_up(database, config)
            agreements.agree(config, database, anew=agree)
            seeding.fill_synonyms(database)
            yield Site(config, database, engine, indexer, locks)
    finally:
        engine.close()
        database.close()


def _bring_up(database: Database, config: Config) -> None:
    """Bring the schema to this release's; before an SQLite file changes a copy of it is kept."""
    if config.database_path is None:
        say(setup.migrate(database))
        return
    home = Home(config.data_dir, config.database_path, config.files_dir, config.index_dir)

    def keep(revision: str) -> None:
        say(f"The database as it was before the upgrade is in {upgrade_copies.keep(home, revision)}.")

    if done := setup.migrate(database, before=keep):
        upgrade_copies.upgraded(home)
        say(done)


def say(sentence: str | None) -> None:
    """Tell, beside the command's own output, what was done on the way; nothing where nothing was."""
    if sentence:
        click.echo(sentence, err=True)


# How far it is


def shown(label: str) -> Callable[..., Iterator[Any]]:
    """A Progress for the services, as `bar` shows it."""

    def through(items: Iterable[T], total: int) -> Iterator[T]:
        with bar(label, total) as progress:
            for item in items:
                yield item
                progress(1)

    return through


@contextlib.contextmanager
def bar(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on standard error with number, rest and rate; plain lines where that is no terminal. Yields what moves it.

    Of work that is done before the first line is due there is none.
    """
    pace = Pace(label, total)
    if not sys.stderr.isatty():
        yield pace.tell
        return
    drawn: Any
    with click.progressbar(
        length=max(total, 1),
        label=label,
        file=sys.stderr,
        show_pos=True,
        item_show_func=lambda _item: f"{pace.rate:,.0f}/s",
        update_min_steps=max(1, total // _UPDATES),
    ) as drawn:

        def move(steps: int) -> None:
            pace.count(steps)
            drawn.update(steps)

        yield move


class Pace:
    """How far some work is and how fast it goes, from its first step on: getting ready for that may take long."""

    def __init__(self, label: str, total: int) -> None:
        self._label = label
        self._total = total
        self._told = time.monotonic()
        self._started = 0.0
        self.done = 0

    @property
    def rate(self) -> float:
        """Steps a second, so far."""
        return self.done / max(time.monotonic() - self._started, 0.001)

    def count(self, steps: int) -> None:
        """Count steps that were done."""
        self._started = self._started or time.monotonic()
        self.done += steps

    def tell(self, steps: int) -> None:
        """Count steps; say how far it is where nothing was said for long enough."""
        self.count(steps)
        if time.monotonic() - self._told >= LINE_EVERY:
            self._told = time.monotonic()
            say(str(self))

    def __str__(self) -> str:
        rest = max(self._total - self.done, 0) / max(self.rate, 0.001)
        return f"{self._label}: {self.done:,} of {self._total:,}, {self.rate:,.0f} a second, {rest:,.0f} s to go"


def ensure_index(site: Site) -> str | None:
    """Make the index fit to be asked; returns a sentence where one was lost, or where the engine does not answer."""
    with site.database.read() as session:
        total = public_count(session)
    try:
        if not total and _missing(site.engine):
            site.indexer.rebuild()  # the first one, of nothing yet: no loss to speak of
            return None
        with _watching(site, "Indexing", total):
            return site.indexer.ensure()
    except SearchUnavailable as fault:
        return f"{fault}. The index follows when it does."


def _missing(engine: SearchEngine) -> bool:
    try:
        engine.count()
    except IndexLost:
        return True
    return False


def rebuild_index(site: Site) -> int:
    """Build the index anew, as quick to ask as can be; returns the number of practices in it.

    Takes memory for it that a server should not: to be called where the process ends soon after.
    """
    with site.database.read() as session:
        total = public_count(session)
    with _watching(site, "Indexing", total):
        return site.indexer.rebuild(unite=True)


def give_way(context: click.Context) -> None:
    """Let whoever reads on this machine go before a command that is not urgent, until its process ends.

    Nobody can take that back, so it is done only where the process is the command's own.
    """
    if context.find_root().info_name == PROGRAM and hasattr(os, "nice"):
        os.nice(_PATIENT)


def follow_up(site: Site) -> None:
    """Bring what waits into the index; a server that runs beside does its part."""
    with site.database.read() as session:
        waiting = session.scalar(select(func.count(IndexOutbox.practice_id.distinct()))) or 0
    try:
        with _watching(site, "Indexing", waiting):
            while site.indexer.waiting():
                site.indexer.drain(wait=5.0)
    except SearchUnavailable as fault:
        say(f"{fault}. The index follows when it does.")


@contextlib.contextmanager
def _watching(site: Site, label: str, total: int) -> Iterator[None]:
    watched = cast(_Watched, site.engine)
    with bar(label, total) as watched.tell:
        yield
    watched.tell = _nothing


def _nothing(_count: int) -> None:
    pass


class _Watched:
    """A search engine that tells how many documents it took in. All else is the engine's own."""

    def __init__(self, engine: SearchEngine) -> None:
        self._engine = engine
        self.tell: Callable[[int], None] = _nothing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def update(self, documents: Iterable[Document], gone: Iterable[str] = ()) -> None:
        documents = list(documents)
        self._engine.update(documents, gone)
        self.tell(len(documents))

    def rebuild(
        self,
        documents: Iterable[Document],
        replay: Callable[[SearchEngine], None] | None = None,
        *,
        unite: bool = False,
    ) -> int:
        return self._engine.rebuild(self._passing(documents), replay, unite=unite)

    def _passing(self, documents: Iterable[Document]) -> Iterator[Document]:
        for document in documents:
            yield document
            self.tell(1)
