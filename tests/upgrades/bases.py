"""Bases of earlier releases, as the tests of upgrades look at them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import select

from kb.config import Config
from kb.db import Database
from kb.models import Record
from kb.services.backup import Home
from tests.earlier import REVISIONS

HEAD = REVISIONS[-1]

Rows = dict[str, list[dict[str, Any]]]


class Old(NamedTuple):
    """An installation of an earlier release: its schema, its settings, its database."""

    revision: str
    config: Config
    database: Database


def copied(path: Path, folder: Path) -> Database:
    """A database of one's own, as one that is there."""
    return Database(f"sqlite:///{shutil.copy(path, folder / 'kb.sqlite')}")


def home_of(config: Config) -> Home:
    assert config.database_path
    return Home(config.data_dir, config.database_path, config.files_dir, config.index_dir)


def titles(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(Record.title).order_by(Record.title)))
