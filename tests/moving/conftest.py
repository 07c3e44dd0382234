"""What is moved, and where to."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench import lived_in
from kb.db import Database
from kb.services import seeding, setup, vocabularies
from kb.services.files import Store
from tests import earlier, factories, postgres, stack
from tests.conftest import configure

NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def server() -> postgres.Server:
    """A real PostgreSQL."""
    if reason := postgres.available():
        pytest.skip(reason)
    return postgres.server()


@pytest.fixture
def new_url(server: postgres.Server) -> Iterator[Callable[[], str]]:
    """Makes an empty database of PostgreSQL at each call; returns its address."""
    made = []

    def make() -> str:
        made.append(f"move_{os.getpid()}_{next(NUMBERS)}")
        return server.create(made[-1])

    yield make
    for name in made:
        server.drop(name)


@pytest.fixture
def opened() -> Iterator[Callable[[str], Database]]:
    """Opens databases, and gives them back in the end."""
    held: list[Database] = []

    def open_(url: str) -> Database:
        held.append(Database(url))
        return held[-1]

    yield open_
    for database in held:
        database.close()


@pytest.fixture
def target(new_url: Callable[[], str], opened: Callable[[str], Database]) -> Database:
    """An empty database of PostgreSQL."""
    return opened(new_url())


@pytest.fixture(scope="session")
def filled_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of SQLite with two rows in every table, one with a value in every column. Copy it."""
    path = tmp_path_factory.mktemp("filled") / "kb.sqlite"
    database = earlier.make(path, earlier.REVISIONS[-1])
    earlier.fill(database)
    stack.flush(database)
    database.close()
    return path


@pytest.fixture
def source(filled_file: Path, tmp_path: Path, opened: Callable[[str], Database]) -> Database:
    """A base of SQLite with two rows in every table."""
    (tmp_path / "source").mkdir()
    return opened(f"sqlite:///{shutil.copy(filled_file, tmp_path / 'source' / 'kb.sqlite')}")


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a base of SQLite in which people have worked, and their files. Copy it."""
    folder = tmp_path_factory.mktemp("town") / "data"
    config = configure(folder, KB_DATABASE_URL=f"sqlite:///{folder / 'kb.sqlite'}")
    database = Database(config.database_url)
    setup.migrate(database)
    with database.write() as session:
        seeding.load_vocabularies(session)
    with database.write() as session:
        for number in range(22):
            factories.published(session, title=f"Practice {number} über Straße", budget_eur=1000.25 * number or None)
        vocabulary = vocabularies.load(session)
    lived_in.work(database, Store(config.files_dir), vocabulary, members=3)
    stack.flush(database)
    database.close()
    return folder
