"""The schema: the migrations make what the models say, once, whoever starts first."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import select, text

from kb.db import Database
from kb.models import Region, RegionSuccessor, Theme, schema
from kb.services import seeding, setup, vocabularies
from kb.services.setup import SchemaTooNew
from tests import factories


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


@pytest.fixture
def of_0001(database: Database) -> Database:
    """A database with vocabularies as the release before synonyms of regions left it."""
    factories.downgrade(database, "0001")
    return database


def test_a_filled_database_of_the_first_release_keeps_its_rows_and_gets_synonyms(of_0001: Database) -> None:
    assert setup.current(of_0001) == "0001"
    setup.migrate(of_0001)
    with of_0001.read() as session:
        before = vocabularies.load(session)
    assert len(before.regions) > 2000 and before.themes and before.successors
    assert not any(region.synonyms for region in before.regions.values())
    seeding.fill_synonyms(of_0001)
    with of_0001.read() as session:
        after = vocabularies.load(session)
    assert "Cataluña" in after.regions["ES51"].synonyms["es"]
    assert after.generation == before.generation + 1


def test_synonyms_are_filled_in_once_and_never_over_somebodys_own(of_0001: Database) -> None:
    setup.migrate(of_0001)
    with of_0001.write() as session:
        session.get_one(Region, "DE2").synonyms = {"de": ["Weißwurstland"]}
    seeding.fill_synonyms(of_0001)
    with of_0001.read() as session:
        assert session.get_one(Region, "ES51").synonyms == {}
    with of_0001.write() as session:
        seeding.load_vocabularies(session)
    with of_0001.read() as session:
        assert session.get_one(Region, "ES51").synonyms["fr"] == ["Catalogne"]
        assert session.get_one(Region, "DE2").synonyms == {"de": ["Weißwurstland"]}
        assert session.scalar(select(RegionSuccessor.code)) and session.scalar(select(Theme.slug))
        now = vocabularies.generation(session)
    with of_0001.write() as session:
        seeding.load_vocabularies(session)
    with of_0001.read() as session:
        assert vocabularies.generation(session) == now


def test_an_empty_database_is_not_filled_by_the_way(fresh: Database) -> None:
    setup.migrate(fresh)
    seeding.fill_synonyms(fresh)
    with fresh.read() as session:
        assert session.scalar(select(Region.code)) is None and vocabularies.generation(session) == 0
    fresh.close()
