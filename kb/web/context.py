"""What a view reaches for: the parts of the app, and the reading session of the request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

from flask import Flask, current_app, g
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from kb.config import Config
from kb.db import Database
from kb.search.port import SearchEngine
from kb.services.counting import Counts
from kb.services.health import Watch
from kb.services.indexing import Indexer
from kb.services.limits import Place, place_of
from kb.services.locks import Locks
from kb.services.postman import Postman
from kb.services.vocabularies import Vocabulary, VocabularyCache

KEY = "kb"


@dataclass(frozen=True)
class Parts:
    """What one app is made of."""

    config: Config
    database: Database
    locks: Locks
    engine: SearchEngine
    vocabularies: VocabularyCache
    indexer: Indexer
    postman: Postman
    counts: Counts
    watch: Watch

    @property
    def counted(self) -> Place:
        """Where it is counted how often what may be limited was done."""
        return place_of(self.database, self.config.data_dir)


def parts() -> Parts:
    """The parts of the app that answers this request."""
    return cast(Parts, current_app.extensions[KEY])


def config() -> Config:
    """The settings."""
    return parts().config


def engine() -> SearchEngine:
    """The search engine."""
    return parts().engine


def reading() -> Session:
    """The request's session for reading; closed when the request ends."""
    if "session" not in g:
        g.session = parts().database.reading_session()
    return cast(Session, g.session)


@contextmanager
def writing() -> Iterator[Session]:
    """A transaction that writes. The reading session is let go first, and what it held is read anew after."""
    release()
    with parts().database.write() as session:
        yield session


def vocabulary(generation: int | None = None) -> Vocabulary:
    """The vocabularies as they stand now. `generation`, where it was just read, saves reading it once more."""
    if "vocabulary" not in g:
        g.vocabulary = parts().vocabularies.get(reading(), generation)
    return cast(Vocabulary, g.vocabulary)


def release(_error: BaseException | None = None) -> None:
    """Close the request's reading session, if it has one."""
    session = g.pop("session", None)
    if session is None:
        return
    try:
        session.close()
    except DBAPIError:  # the database ended the connection after it had answered: the page is whole, so it is sent
        session.invalidate()


def bind(app: Flask, made: Parts) -> None:
    """Give an app its parts."""
    app.extensions[KEY] = made
    app.teardown_appcontext(release)
