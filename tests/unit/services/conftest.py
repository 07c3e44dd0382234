"""A transaction of the base under test, a second base beside it, and an installation to back up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from kb.config import Config
from kb.db import Database
from kb.services.backup import Home
from tests import factories, stack
from tests.conftest import configure
from tests.unit.services.adopting import PEOPLE, who
from tests.unit.services.backups import PHOTO, uploaded


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """A transaction that writes, kept when the test ends."""
    with database.write() as session:
        yield session


@pytest.fixture
def other_database(bare_folder: Path, tmp_path: Path) -> Iterator[Database]:
    """Another base with vocabularies and no practice."""
    folder = stack.copy(bare_folder, tmp_path / "other")
    database = Database(configure(folder).database_url)
    yield database
    database.close()


@pytest.fixture
def home(config: Config, database: Database) -> Home:
    """An installation with two practices, one uploaded file and a key; nobody has it open."""
    with database.write() as session:
        factories.published(session, title="First practice")
        factories.published(session, title="Second practice")
    database.close()
    assert config.database_path
    home = Home(config.data_dir, config.database_path, config.files_dir, config.index_dir)
    uploaded(home, PHOTO)
    home.key.write_text("k" * 64)
    home.key.chmod(0o600)
    return home


@pytest.fixture
def base(database: Database) -> Database:
    """A base with the people of `adopting` and a public practice of Alice, from Emilia-Romagna."""
    with database.write() as session:
        for name, role in PEOPLE.items():
            factories.person(session, f"{name}@example.org", role)
        factories.published(session, who(session, "alice"), title="The original")
    return database
