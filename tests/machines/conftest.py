"""Machines that serve one installation, as two apps of this process that share nothing but what machines share."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kb.config import Config
from kb.db import Database
from kb.services import seeding, setup
from tests import factories, postgres, typesense_server
from tests.conftest import PEOPLE, Site, configure, make_indexer

NUMBERS = itertools.count()

MakeConfig = Callable[..., Config]


@pytest.fixture(scope="session")
def server() -> postgres.Server:
    """A real PostgreSQL."""
    if reason := postgres.available():
        pytest.skip(reason)
    return postgres.server()


@pytest.fixture(scope="session")
def peopled(server: postgres.Server) -> Iterator[str]:
    """The name of a database with the schema, the vocabularies and PEOPLE. Copy it."""
    name = f"machines_{os.getpid()}"
    database = Database(server.create(name))
    setup.migrate(database)
    with database.write() as session:
        seeding.load_vocabularies(session)
        for person, role in PEOPLE.items():
            factories.person(session, f"{person}@example.org", role)
    database.close()
    yield name
    server.drop(name)


@pytest.fixture
def url(server: postgres.Server, peopled: str) -> Iterator[str]:
    """The address of a database with PEOPLE."""
    name = f"{peopled}_{next(NUMBERS)}"
    yield server.create(name, peopled)
    server.drop(name)


@pytest.fixture
def open_database(url: str) -> Iterator[Callable[[], Database]]:
    """Opens the database once more, as another machine does."""
    held: list[Database] = []

    def open_() -> Database:
        held.append(Database(url))
        return held[-1]

    yield open_
    for each in held:
        each.close()


@pytest.fixture
def make_config(url: str, tmp_path: Path) -> MakeConfig:
    """Settings of a machine of that name: a data folder of its own, the others' database and folder of files."""

    def make(name: str, **env: str) -> Config:
        shared = {"KB_DATABASE_URL": url, "KB_FILES_DIR": str(tmp_path / "shared"), "KB_SEARCH_URL": "whoosh:"}
        return configure(tmp_path / name, **{**shared, **env})

    return make


@pytest.fixture
def machines(make_config: MakeConfig, request: pytest.FixtureRequest) -> Iterator[tuple[Site, Site]]:
    """Two machines that answer for one installation, with limits."""
    if reason := typesense_server.available():
        pytest.skip(reason)
    search = typesense_server.server().url(f"machines-{os.getpid()}-{next(NUMBERS)}")
    configs = [make_config(name, KB_SEARCH_URL=search, KB_LIMITS="on") for name in ("one", "other")]
    database = Database(configs[0].database_url)
    indexer = make_indexer(configs[0], database)
    indexer.rebuild()
    indexer.engine.close()
    database.close()
    sites = Site(configs[0]), Site(configs[1])
    yield sites
    for site in sites:
        site.close()
