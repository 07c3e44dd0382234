"""The command `sweep` as a person types it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import update

from kb.db import Database
from kb.models import UserSession
from kb.services import sessions
from tests import factories, stack
from tests.conftest import configure
from tests.unit.test_cli import runner


@pytest.fixture
def folder(bare_folder: Path, tmp_path: Path) -> Path:
    return stack.copy(bare_folder, tmp_path / "data")


def test_sweep_says_what_it_removed_and_then_that_there_is_nothing(folder: Path) -> None:
    database = Database(configure(folder).database_url)
    with database.write() as session:
        sessions.open_session(session, factories.person(session, "alice@example.org", "member"))
        session.flush()
        session.execute(update(UserSession).values(expires=datetime(2020, 1, 1, tzinfo=UTC)))
    database.close()
    assert runner(folder)("sweep").output == "Removed: sessions 1.\n"
    assert runner(folder)("sweep").output == "Nothing has been kept for too long.\n"
