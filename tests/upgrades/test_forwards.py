"""Upgrades: every earlier schema, filled with rows, becomes this release's, and not a row is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, create_engine, inspect, select
from sqlalchemy.exc import IntegrityError

from kb.db import Database
from kb.models import Base, Practice, Revision, StoredFile, schema
from kb.services import backup, consistency, setup
from tests import earlier, stack
from tests.conftest import configure, make_indexer
from tests.earlier import EARLIER
from tests.upgrades.bases import HEAD, Old, Rows, copied, home_of, titles

pytestmark = stack.sqlite_only("No earlier release ran on PostgreSQL.")

CHANGED = {"users": {"confirmed"}, "reviews": {"comments"}, "records": set(), "practices": {"last_verified"}}
"""What a migration is to put in place of what a row held, or to take away."""


def rules(connection: Connection) -> dict[str, set[str]]:
    """The names of the checks of each table."""
    inspector = inspect(connection)
    return {
        table: {str(check["name"]) for check in inspector.get_check_constraints(table)} for table in schema().tables
    }


@pytest.mark.parametrize("revision", EARLIER)
def test_every_row_of_every_earlier_schema_survives(
    filled: dict[str, tuple[Path, Rows]], tmp_path: Path, revision: str
) -> None:
    path, were = filled[revision]
    database = copied(path, tmp_path)
    setup.migrate(database)
    after = earlier.held(database, were)
    for table, rows in were.items():
        assert len(rows) == 2
        kept = [{key: row[key] for key in row if key in after[table][0]} for row in rows]
        gone = set(rows[0]) - set(after[table][0])
        assert gone <= CHANGED.get(table, set()), f"{table} lost {gone}"
        free = CHANGED.get(table, set())
        for was, now in zip(_sorted(kept), _sorted(after[table]), strict=True):
            assert {k: v for k, v in was.items() if k not in free} == {k: v for k, v in now.items() if k not in free}
    with database.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
    database.close()


def _sorted(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=str)


@pytest.mark.parametrize("revision", EARLIER)
def test_the_schema_that_comes_of_a_filled_one_is_what_the_models_say(
    filled: dict[str, tuple[Path, Rows]], tmp_path: Path, revision: str
) -> None:
    database = copied(filled[revision][0], tmp_path)
    setup.migrate(database)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema()) == []
        assert setup.differences(connection) == [] and setup.lacking(connection) == []
        found = rules(connection)
    database.close()
    fresh = create_engine("sqlite://")
    Base.metadata.create_all(fresh)
    with fresh.connect() as connection:
        assert found == rules(connection)
    fresh.dispose()


@pytest.fixture(scope="module")
def upgraded(before: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A base of the first release, brought to this one's schema. Nothing changes it."""
    database = copied(before[EARLIER[0]], tmp_path_factory.mktemp("upgraded"))
    setup.migrate(database)
    yield database
    database.close()


@pytest.mark.parametrize(
    "statement",
    ["UPDATE practices SET state = 'nonsense'", "UPDATE practices SET slug = NULL WHERE version > 0",
     "UPDATE revisions SET version = NULL WHERE kind = 'published'", "UPDATE records SET country = 'it'",
     "UPDATE records SET completeness = 2", "UPDATE record_themes SET theme = 'gone'",
     "UPDATE users SET email = 'ALICE@example.org'", "UPDATE users SET organisation_id = 'gone'",
     "UPDATE practices SET merged_into_id = 'gone'", "DELETE FROM practices", "DELETE FROM audit_entries",
     "UPDATE audit_entries SET action = ''", "INSERT INTO api_tokens (token_hash, user_id, created, scope) "
     "SELECT 'a', id, created, 'everything' FROM users LIMIT 1",
     "INSERT INTO one_time_links (token_hash, purpose, created, expires) VALUES ('a', 'nonsense', '2026', '2026')"],
)  # fmt: skip
def test_what_the_schema_forbids_is_forbidden_after_an_upgrade_from_the_first(
    upgraded: Database, statement: str
) -> None:
    with pytest.raises(IntegrityError), upgraded.engine.execution_options(kb_writes=True).begin() as connection:
        connection.exec_driver_sql(statement)


def test_an_earlier_base_is_sound_after_the_upgrade(old: Old, today: Path) -> None:
    revision, config, database = old
    assert setup.current(database) == revision
    setup.migrate(database)
    indexer = make_indexer(config, database)
    indexer.ensure()
    indexer.drain()
    assert list(consistency.faults(database, indexer.engine, config.files_dir)) == []
    indexer.engine.close()
    assert titles(database) == ["First practice", "Second practice"]


def test_revisions_of_an_earlier_base_get_the_fingerprint_that_they_would_have_today(old: Old, today: Path) -> None:
    _revision, _config, database = old
    setup.migrate(database)
    now = Database(f"sqlite:///{today / 'kb.sqlite'}")
    with database.read() as session, now.read() as other:
        statement = select(Revision.id, Revision.fingerprint, Revision.document).order_by(Revision.id)
        found = session.execute(statement).all()
        assert found == other.execute(statement).all() and all(row.fingerprint for row in found)
    now.close()


def test_a_revision_whose_text_was_removed_gets_no_fingerprint(before: dict[str, Path], tmp_path: Path) -> None:
    database = copied(before["0006"], tmp_path)
    with database.engine.execution_options(kb_writes=True).begin() as connection:
        connection.exec_driver_sql("UPDATE revisions SET document = '{}', redacted = created WHERE number = 1")
    setup.migrate(database)
    with database.read() as session:
        redacted = session.scalars(select(Revision).where(Revision.redacted.is_not(None))).all()
        assert redacted and not any(each.fingerprint for each in redacted)
    database.close()


def test_a_backup_of_every_earlier_release_restores(old: Old, today: Path, tmp_path: Path) -> None:
    revision, config, database = old
    database.close()
    manifest = backup.back_up(home_of(config), tmp_path / "b1")
    assert manifest.schema == revision
    assert backup.check(tmp_path / "b1") == manifest
    other = configure(tmp_path / "other")
    backup.restore(home_of(other), tmp_path / "b1")
    restored = Database(other.database_url)
    assert setup.current(restored) == HEAD and titles(restored) == ["First practice", "Second practice"]
    restored.close()


def test_what_was_filled_in_by_rule_reads_as_what_it_is(tmp_path: Path) -> None:
    """The rows of these tests are such as the models can read: or they would prove little."""
    database = earlier.make(tmp_path / "kb.sqlite", HEAD)
    earlier.fill(database)
    with database.read() as session:
        assert {practice.state for practice in session.scalars(select(Practice))} == {"published", "draft"}
        assert len(session.scalars(select(StoredFile)).all()) == 2
    database.close()
