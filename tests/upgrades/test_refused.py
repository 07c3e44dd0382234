"""A start on what is no schema of an earlier release is refused in one sentence, and nothing is changed."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from kb.db import Database
from kb.services import setup
from kb.services.setup import SchemaTooNew
from tests import earlier, stack
from tests.unit.test_cli import runner
from tests.upgrades.bases import HEAD, copied

pytestmark = stack.sqlite_only("No earlier release ran on PostgreSQL.")

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
    folder = stack.copy(today, tmp_path / "data")
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
