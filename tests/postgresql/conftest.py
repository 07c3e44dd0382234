"""Bases on the PostgreSQL of this run, for tests of what only PostgreSQL has."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import text

from kb.db import Database
from kb.services import seeding, setup
from tests import factories, postgres
from tests.conftest import PEOPLE
from tests.postgres import Server
from tests.processes import eventually


@pytest.fixture(scope="session")
def served() -> Server:
    """The server of this run, which no test may harm."""
    reason = postgres.available()
    if reason:
        pytest.skip(reason)
    return postgres.server()


@pytest.fixture(scope="session")
def filled(served: Server) -> Iterator[str]:
    """The name of a database with the vocabularies and PEOPLE, to be copied."""
    name = f"filled_{os.getpid()}"
    fill(served.create(name))
    yield name
    served.drop(name)


def fill(url: str) -> None:
    """Bring an empty database up, with the vocabularies and PEOPLE."""
    database = Database(url)
    setup.migrate(database)
    with database.write() as session:
        seeding.load_vocabularies(session)
        for name, role in PEOPLE.items():
            factories.person(session, f"{name}@example.org", role)
    database.close()


@pytest.fixture
def url(served: Server, filled: str) -> Iterator[str]:
    """The address of a base of a test's own, with vocabularies and PEOPLE."""
    name = f"base_{uuid.uuid4().hex}"
    yield served.create(name, filled)
    served.drop(name)


@pytest.fixture
def base(url: str) -> Iterator[Database]:
    """That base."""
    database = Database(url)
    yield database
    database.close()


@pytest.fixture
def waiting(base: Database) -> Callable[[], None]:
    """Returns when some transaction of the base waits for the lock of another that writes."""
    here = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    looking = f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND {here}"

    def wait() -> None:
        def look() -> bool:
            with base.engine.connect() as connection:
                return bool(connection.scalar(text(looking)))

        eventually(look)

    return wait
