"""Upgrades: every earlier schema, filled with rows, becomes this release's, whole or not at all."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, create_engine, delete, event, inspect, select
from sqlalchemy.exc import IntegrityError

from kb.config import Config
from kb.db import Database
from kb.models import Base, Practice, Record, Region, RegionSuccessor, Revision, StoredFile, schema
from kb.services import backup, consistency, publishing, setup
from kb.services.backup import Home
from kb.services.setup import SchemaBroken, SchemaTooNew
from tests import earlier, factories
from tests.conftest import configure, make_indexer
from tests.earlier import EARLIER, REVISIONS
from tests.unit.test_cli import runner

HEAD = REVISIONS[-1]

Rows = dict[str, list[dict[str, Any]]]


class Old(NamedTuple):
    """An installation of an earlier release: its schema, its settings, its database."""

    revision: str
    config: Config
    database: Database


CHANGED = {"users": {"confirmed"}, "reviews": {"comments"}, "records": set(), "practices": {"last_verified"}}
"""What a migration is to put in place of what a row held, or to take away."""


@pytest.fixture(scope="module")
def today(bare_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder of this release: people, a draft, a submission, public practices, one archived, one redacted."""
    config = configure(shutil.copytree(bare_folder, tmp_path_factory.mktemp("today") / "data"))
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


@pytest.fixture(scope="module")
def before(today: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The base of `today` as each earlier release would have left it. Copy them."""
    folder = tmp_path_factory.mktemp("before")
    for revision in EARLIER:
        earlier.taken_back(today / "kb.sqlite", folder / revision, revision).close()
    return {revision: folder / revision for revision in EARLIER}


@pytest.fixture(scope="module")
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


def copied(path: Path, folder: Path) -> Database:
    """A database of one's own, as one that is there."""
    return Database(f"sqlite:///{shutil.copy(path, folder / 'kb.sqlite')}")


def home_of(config: Config) -> Home:
    assert config.database_path
    return Home(config.data_dir, config.database_path, config.files_dir, config.index_dir)


def titles(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(Record.title).order_by(Record.title)))


def rules(connection: Connection) -> dict[str, set[str]]:
    """The names of the checks of each table."""
    inspector = inspect(connection)
    return {
        table: {str(check["name"]) for check in inspector.get_check_constraints(table)} for table in schema().tables
    }


# Forwards, with rows


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


# Whole or not at all


class Broken(Exception):
    """The process came to its end."""


def at_statement(database: Database, n: int, do: Callable[[], None]) -> Callable[[], int]:
    """Do something before the n-th statement that changes anything; returns what says how many there were."""
    count = 0

    def look(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        nonlocal count
        if statement.lstrip().upper().startswith(("CREATE", "ALTER", "DROP", "INSERT", "UPDATE", "DELETE")):
            count += 1
            if count == n:
                do()

    event.listen(database.engine, "before_cursor_execute", look)
    return lambda: count


def fail() -> None:
    raise Broken


def statements_of(path: Path, folder: Path) -> int:
    """How many statements of an upgrade change anything."""
    database = Database(f"sqlite:///{shutil.copy(path, folder / 'counted.sqlite')}")
    count = at_statement(database, 0, fail)
    setup.migrate(database)
    database.close()
    return count()


@pytest.mark.parametrize("revision", EARLIER)
def test_an_upgrade_that_fails_in_the_middle_leaves_the_old_schema(
    before: dict[str, Path], tmp_path: Path, revision: str
) -> None:
    path = tmp_path / "kb.sqlite"
    shutil.copy(before[revision], path)
    total = statements_of(before[revision], tmp_path)
    was = earlier.said(path)
    for n in sorted({1, total // 2, total}):
        database = Database(f"sqlite:///{path}")
        at_statement(database, n, fail)
        with pytest.raises(Broken):
            setup.migrate(database)
        database.close()
        assert earlier.said(path) == was, f"after statement {n}"
    database = Database(f"sqlite:///{path}")
    setup.migrate(database)
    assert setup.current(database) == HEAD and titles(database) == ["First practice", "Second practice"]
    database.close()


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_an_upgrade_that_is_killed_leaves_the_old_schema_and_the_next_start_makes_the_new_one(
    before: dict[str, Path], tmp_path: Path, share: float
) -> None:
    path = tmp_path / "kb.sqlite"
    shutil.copy(before[EARLIER[0]], path)
    n = int(share * statements_of(path, tmp_path))
    was = earlier.said(path)
    child = os.fork()
    if child == 0:
        database = Database(f"sqlite:///{path}")
        at_statement(database, n, lambda: os.kill(os.getpid(), 9))
        setup.migrate(database)
        os._exit(0)
    _pid, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "it ended before it could be killed"
    assert earlier.said(path) == was
    database = Database(f"sqlite:///{path}")
    setup.migrate(database)
    assert setup.current(database) == HEAD and titles(database) == ["First practice", "Second practice"]
    database.close()


def test_of_several_processes_that_start_at_once_one_upgrades_and_the_others_wait(
    before: dict[str, Path], tmp_path: Path
) -> None:
    config = configure(tmp_path / "old")
    assert config.database_path
    shutil.copy(before[EARLIER[0]], config.database_path)
    children = []
    for _ in range(3):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                database = Database(config.database_url)
                setup.migrate(database, lambda found: backup.keep_before_upgrade(home_of(config), found))
                status = 0 if titles(database) == ["First practice", "Second practice"] else 2
            finally:
                os._exit(status)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0, 0]
    (kept,) = config.data_dir.glob("before-upgrade-*")
    assert backup.check(kept).schema == EARLIER[0]


def test_a_row_without_its_parent_stops_the_upgrade(before: dict[str, Path], tmp_path: Path) -> None:
    database = copied(before["0006"], tmp_path)
    with sqlite3.connect(tmp_path / "kb.sqlite") as connection:
        connection.execute("UPDATE record_themes SET theme = 'gone'")
    connection.close()
    with pytest.raises(SchemaBroken, match="refers to a row of themes"):
        setup.migrate(database)
    assert setup.current(database) == "0006"
    database.close()


# Before anything changes


def test_the_base_as_it_was_is_kept_before_an_upgrade(old: Old, tmp_path: Path) -> None:
    revision, config, database = old
    database.close()
    assert config.database_path
    was = earlier.said(config.database_path)
    said = runner(config.data_dir)("export", "-").stderr
    (kept,) = config.data_dir.glob("before-upgrade-*.backup")
    assert str(kept) in said and f"before-upgrade-{revision}-" in kept.name
    manifest = backup.check(kept)
    assert manifest.schema == revision
    with kept.open("rb") as file:
        backup.archive.unpack(file, manifest, tmp_path, wanted=("kb.sqlite",))
    assert earlier.said(tmp_path / "kb.sqlite") == was


def test_nothing_is_kept_where_nothing_changes(today: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(today, tmp_path / "data")
    runner(folder)("check")
    runner(tmp_path / "fresh")("init")
    assert not [*folder.glob("before-upgrade-*"), *(tmp_path / "fresh").glob("before-upgrade-*")]


def test_without_room_for_the_copy_nothing_is_upgraded(before: dict[str, Path], tmp_path: Path) -> None:
    database = copied(before["0006"], tmp_path)

    def full(found: str) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        setup.migrate(database, full)
    assert setup.current(database) == "0006"
    database.close()


# What is not upgraded


BREAK = {
    "a table is missing": ("DROP TABLE saved_matches", "lacks saved_matches"),
    "a column is missing": ("ALTER TABLE revisions DROP COLUMN fingerprint", "lacks revisions.fingerprint"),
    "no mark": ("DELETE FROM alembic_version", "not the mark of one release"),
    "no place for a mark": ("DROP TABLE alembic_version", "not the mark of one release"),
    "two marks": ("INSERT INTO alembic_version VALUES ('0005')", "not the mark of one release"),
    "an earlier mark on a later schema": ("UPDATE alembic_version SET version_num = '0005'", "stays as it was"),
    "a later release": ("UPDATE alembic_version SET version_num = '0999'", "run the release that made it"),
}


@pytest.mark.parametrize("kind", BREAK)
def test_a_start_on_a_schema_of_no_release_or_a_later_one_is_refused_in_one_sentence(
    today: Path, tmp_path: Path, kind: str
) -> None:
    statement, sentence = BREAK[kind]
    folder = shutil.copytree(today, tmp_path / "data")
    with sqlite3.connect(folder / "kb.sqlite") as connection:
        connection.execute(statement)
    connection.close()
    before = earlier.said(folder / "kb.sqlite")
    for command in ("run", "check", "seed"):
        result = runner(folder)(command, env={"PORT": "0"}, status=1)
        (last,) = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
        assert sentence in last and last.endswith(".")
    assert earlier.said(folder / "kb.sqlite") == before


def test_tables_of_something_else_beside_ours_are_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "kb.sqlite") as connection:
        connection.execute("CREATE TABLE spatial_ref_sys (id INTEGER)")
    connection.close()
    database = Database(f"sqlite:///{tmp_path / 'kb.sqlite'}")
    setup.migrate(database)
    assert setup.current(database) == HEAD
    database.close()


def test_a_later_schema_is_refused_also_where_it_comes_while_one_waits(before: dict[str, Path], tmp_path: Path) -> None:
    database = copied(before["0006"], tmp_path)
    examined = setup._examined
    calls = []

    def overtaken(connection: Connection, config: Any) -> Any:
        found = examined(connection, config)
        if not calls:
            with sqlite3.connect(tmp_path / "kb.sqlite") as other:
                other.execute("UPDATE alembic_version SET version_num = '0999'")
            other.close()
        calls.append(found)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(setup, "_examined", overtaken)
        with pytest.raises(SchemaTooNew, match="0999"):
            setup.migrate(database)
    database.close()


def test_what_was_filled_in_by_rule_reads_as_what_it_is(tmp_path: Path) -> None:
    """The rows of these tests are such as the models can read: or they would prove little."""
    database = earlier.make(tmp_path / "kb.sqlite", HEAD)
    earlier.fill(database)
    with database.read() as session:
        assert {practice.state for practice in session.scalars(select(Practice))} == {"published", "draft"}
        assert len(session.scalars(select(StoredFile)).all()) == 2
    database.close()
