"""An upgrade comes off whole or not at all; before it the base as it was is kept."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from kb.db import Database
from kb.services import backup, setup, upgrade_copies
from kb.services.setup import SchemaBroken
from tests import earlier, stack
from tests.conftest import configure
from tests.earlier import EARLIER
from tests.unit.test_cli import runner
from tests.upgrades.bases import HEAD, Old, copied, home_of, titles

pytestmark = stack.sqlite_only("No earlier release ran on PostgreSQL.")


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
                setup.migrate(database, lambda found: upgrade_copies.keep(home_of(config), found))
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


def test_an_upgrade_that_fails_again_and_again_leaves_the_copies_before_earlier_ones(
    today: Path, tmp_path: Path
) -> None:
    folder = stack.copy(today, tmp_path / "data")
    with sqlite3.connect(folder / "kb.sqlite") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0005'")  # its tables are there already
    connection.close()
    earlier_ones = [folder / f"before-upgrade-000{n}-2025010{n}T000000Z.backup" for n in (2, 3, 4)]
    for path in earlier_ones:
        path.touch()
    for _ in range(2):
        assert "stays as it was" in runner(folder)("check", status=1).stderr
    assert len(list(folder.glob("before-upgrade-0005-*"))) == 1
    assert all(path.exists() for path in earlier_ones)


def test_after_an_upgrade_the_copies_before_the_last_two_stay(old: Old) -> None:
    _revision, config, database = old
    database.close()
    for n in (1, 2, 3):
        path = config.data_dir / f"before-upgrade-000{n}x-2025010{n}T000000Z.backup"
        path.touch()
        os.utime(path, (n, n))
    runner(config.data_dir)("export", "-")
    kept = sorted(path.name for path in config.data_dir.glob("before-upgrade-*") if "x-" in path.name)
    assert kept == ["before-upgrade-0003x-20250103T000000Z.backup"]


def test_nothing_is_kept_where_nothing_changes(today: Path, tmp_path: Path) -> None:
    folder = stack.copy(today, tmp_path / "data")
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
