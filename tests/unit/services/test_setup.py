"""The schema: the migrations make what the models say, once, whoever starts first."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from kb.db import Database
from kb.models import schema
from kb.services import setup
from kb.services.setup import SchemaTooNew


@pytest.fixture
def fresh(tmp_path: Path) -> Database:
    return Database(f"sqlite:///{tmp_path / 'fresh.sqlite'}")


def test_the_migrations_make_what_the_models_say(fresh: Database) -> None:
    setup.migrate(fresh)
    with fresh.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema()) == []
    fresh.close()


def test_migrating_twice_does_nothing(fresh: Database) -> None:
    assert setup.migrate(fresh) is not None
    assert setup.migrate(fresh) is None
    fresh.close()


def test_several_workers_that_start_at_once_make_one_schema(fresh: Database) -> None:
    failures: list[BaseException] = []

    def start() -> None:
        try:
            setup.migrate(fresh)
        except BaseException as error:
            failures.append(error)

    workers = [threading.Thread(target=start) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failures == [] and setup.current(fresh) is not None
    fresh.close()


def test_a_schema_of_a_later_release_is_refused_in_a_sentence(fresh: Database) -> None:
    setup.migrate(fresh)
    with fresh.engine.execution_options(kb_writes=True).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaTooNew, match="9999"):
        setup.migrate(fresh)
    fresh.close()
