"""A base of today, and what each earlier release would have made of it. To be copied, never changed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete

from kb.db import Database
from kb.models import Region, RegionSuccessor
from kb.services import publishing
from tests import earlier, factories, stack
from tests.conftest import configure, make_indexer
from tests.earlier import EARLIER
from tests.upgrades.bases import Old, Rows


@pytest.fixture(scope="session")
def today(bare_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder of this release: people, a draft, a submission, public practices, one archived, one redacted."""
    config = configure(stack.copy(bare_folder, tmp_path_factory.mktemp("today") / "data"))
    database = Database(config.database_url)
    with database.write() as session:
        alice = factories.person(session, "alice@example.org", "member")
        factories.person(session, "dora@example.org", "admin")
        factories.organisation(session, "Region of the north", alice)
        factories.published(session, alice, title="First practice", budget_eur=1000.5, other_regions=[{"code": "ITH1"}])
        factories.published(session, alice, title="Second practice", adapted_from=[{"slug": "first-practice"}])
        factories.draft(session, alice, title="A draft")
        factories.submitted(session, alice, title="A submission")
        gone = factories.published(session, alice, title="Third practice")
        publishing.unpublish(session, gone)
        gone.state = "archived"
        session.execute(delete(RegionSuccessor))  # few regions are copied and read faster
        session.execute(delete(Region).where(Region.level > 0, Region.code.not_like("ITH%")))
    indexer = make_indexer(config, database)
    indexer.drain()
    indexer.engine.close()
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return config.data_dir


@pytest.fixture(scope="session")
def before(today: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The base of `today` as each earlier release would have left it. Copy them."""
    folder = tmp_path_factory.mktemp("before")
    for revision in EARLIER:
        earlier.taken_back(today / "kb.sqlite", folder / revision, revision).close()
    return {revision: folder / revision for revision in EARLIER}


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Rows]]:
    """Each earlier schema with two rows in every table, and those rows. Copy them."""
    folder = tmp_path_factory.mktemp("filled")
    found = {}
    for revision in EARLIER:
        database = earlier.make(folder / revision, revision)
        found[revision] = folder / revision, earlier.fill(database)
        database.close()
    return found


@pytest.fixture(params=EARLIER)
def old(request: pytest.FixtureRequest, before: dict[str, Path], tmp_path: Path) -> Iterator[Old]:
    """A data folder as an earlier release would have left it."""
    config = configure(tmp_path / "old")
    assert config.database_path
    shutil.copy(before[request.param], config.database_path)
    database = Database(config.database_url)
    yield Old(request.param, config, database)
    database.close()
