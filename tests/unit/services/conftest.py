"""A second base beside the one under test, and documents of every kind that may be published."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.db import Database


@pytest.fixture
def other_database(bare_folder: Path, tmp_path: Path) -> Iterator[Database]:
    """Another base with vocabularies and no practice."""
    folder = shutil.copytree(bare_folder, tmp_path / "other")
    database = Database(f"sqlite:///{folder / 'kb.sqlite'}")
    yield database
    database.close()
