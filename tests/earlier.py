"""Databases of earlier releases: the schema as a migration left it, filled with rows."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import uuid
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Column, MetaData, Table, inspect
from sqlalchemy import types as sql

from kb.db import Database
from kb.services import setup

REVISIONS = [
    script.revision for script in reversed(list(ScriptDirectory.from_config(setup._config()).walk_revisions()))
]
"""Every schema there was, the first one first; the last is this release's."""

EARLIER = REVISIONS[:-1]

GONE: dict[str, dict[str, str]] = {"reviews": {"comments": '{"title": "Shorter?"}'}}
"""Columns that are no more, with a value: by table and name."""

MOMENT = datetime(2025, 3, 4, 5, 6, 7, tzinfo=UTC)

BY_RULE: dict[tuple[str, str], tuple[Any, Any]] = {
    ("regions", "level"): (0, 0), ("regions", "parent"): (None, None), ("regions", "country"): ("IT", "AT"),
    ("users", "email"): ("anna@example.org", "otto@example.org"),
    ("practices", "state"): ("published", "draft"), ("practices", "version"): (1, 0),
    ("practices", "revision_count"): (1, 1), ("practices", "merged_into_id"): (None, None),
    ("revisions", "kind"): ("published", "saved"), ("revisions", "version"): (1, None), ("revisions", "number"): (1, 1),
    ("revisions", "redacted"): (None, None), ("revisions", "redaction"): (None, None),
    ("records", "country"): ("IT", "AT"), ("records", "level"): ("regional", "national"),
    ("records", "start"): ("2019-05", None), ("records", "start_min"): (date(2019, 5, 1), None),
    ("records", "end"): ("2021", None), ("records", "end_max"): (date(2021, 12, 31), None),
    ("records", "completeness"): (0.5, 0.25), ("records", "budget_year"): (2019, None),
    ("record_themes", "position"): (0, 1), ("record_target_groups", "position"): (0, 1),
    ("adoptions", "own_id"): (None, None), ("adoptions", "accepted"): (True, None),
    ("adoptions", "decided"): (MOMENT.replace(tzinfo=None), None),
    ("comments", "parent_id"): (None, None), ("reviews", "comments"): ({"title": "Shorter?"}, {}),
}  # fmt: skip
"""What a rule of the schema, or sense, asks for: in the full row and in the sparse one."""


def make(path: Path, revision: str) -> Database:
    """An empty database with the schema of a revision."""
    database = Database(f"sqlite:///{path}")
    config = setup._config()
    with database.engine.execution_options(kb_writes=True).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    return database


# Filled by rule


def fill(database: Database) -> dict[str, list[dict[str, Any]]]:
    """Put two rows into every table: one with a value in every column, one with what is required. Returns them."""
    metadata = MetaData()
    with database.engine.connect() as connection:
        metadata.reflect(connection)
        choices = _choices(connection, metadata)
    rows: dict[str, list[dict[str, Any]]] = {}
    with database.engine.execution_options(kb_writes=True).begin() as connection:
        for table in metadata.sorted_tables:
            if table.name == "alembic_version":
                continue
            rows[table.name] = [_row(table, n, choices, rows) for n in (0, 1)]
            for row in rows[table.name]:
                connection.execute(table.insert().values(row))
    return rows


def held(database: Database, like: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """What is there of rows that were filled in: the columns that are there still."""
    metadata = MetaData()
    with database.engine.connect() as connection:
        metadata.reflect(connection)
        found = {}
        for name in like:
            table = metadata.tables[name]
            columns = [table.c[key] for key in like[name][0] if key in table.c]
            order = [column for column in table.primary_key.columns]
            found[name] = [dict(row._mapping) for row in connection.execute(table.select().order_by(*order))]
            found[name] = [{c.name: row[c.name] for c in columns} for row in found[name]]
    return found


def _choices(connection: Any, metadata: MetaData) -> dict[tuple[str, str], list[str]]:
    """The words that a check allows, by table and column."""
    found = {}
    for table in metadata.tables:
        for check in inspect(connection).get_check_constraints(table):
            if match := re.fullmatch(r"\(?(\w+) IN \(('[^)]*')\)\)?", check["sqltext"].strip()):
                found[table, match[1]] = re.findall(r"'([^']*)'", match[2])
    return found


def _row(table: Table, n: int, choices: dict[tuple[str, str], list[str]], rows: dict[str, Any]) -> dict[str, Any]:
    return {column.name: _value(table, column, n, choices, rows) for column in table.columns}


def _value(table: Table, column: Column[Any], n: int, choices: Any, rows: dict[str, Any]) -> Any:
    key = (table.name, column.name)
    if key in BY_RULE:
        return BY_RULE[key][n]
    if n and column.nullable:
        return None
    for foreign in column.foreign_keys:
        if foreign.column.table.name == table.name:
            return None
        return rows[foreign.column.table.name][n][foreign.column.name]
    if key in choices:
        return choices[key][-1 - n]
    return _made(table, column, n)


def _made(table: Table, column: Column[Any], n: int) -> Any:
    """A value of a column's type that no other row has."""
    kind = column.type
    made: Any = f"{table.name} {column.name} – žluťoučký {n}"
    if isinstance(kind, sql.CHAR) and kind.length == 32:
        made = uuid.uuid5(uuid.NAMESPACE_URL, f"{table.name}/{column.name}/{n}").hex
    elif isinstance(kind, sql.JSON):
        made = {"n": n, "text": "žluťoučký"} if column.name in ("document", "detail", "data") else []
    elif isinstance(kind, sql.DateTime):
        made = MOMENT.replace(tzinfo=None, day=4 + n)
    elif isinstance(kind, sql.Date):
        made = date(2025, 3, 4 + n)
    elif isinstance(kind, sql.Boolean):
        made = n == 0
    elif isinstance(kind, sql.Numeric | sql.Integer | sql.Float):
        made = 7 + n
    elif isinstance(kind, sql.String) and kind.length:
        made = made[-kind.length :]
    return made


# Filled with what there is today


def taken_back(today: Path, path: Path, revision: str) -> Database:
    """A database of an earlier schema with the rows of one of today's, as far as that schema has columns for them."""
    make(path, revision).close()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("ATTACH ? AS today", (str(today),))
        connection.execute("BEGIN")
        tables = connection.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            if table.startswith("sqlite_") or table == "alembic_version":
                continue
            old, new = (_columns(connection, base, table) for base in ("main", "today"))
            values = {name: f'"{name}"' for name in old if name in new}
            values |= {name: f"'{value}'" for name, value in GONE.get(table, {}).items() if name in old}
            names = ", ".join(f'"{name}"' for name in values)
            chosen = ", ".join(values.values())
            connection.execute(f'INSERT INTO main."{table}" ({names}) SELECT {chosen} FROM today."{table}"')
        assert connection.execute("PRAGMA main.foreign_key_check").fetchall() == []
        connection.execute("COMMIT")
    return Database(f"sqlite:///{path}")


def _columns(connection: sqlite3.Connection, database: str, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f'PRAGMA {database}.table_info("{table}")')]


def said(path: Path) -> list[Any]:
    """The whole of a database: its schema, its mark, and every row of every table."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        schema = connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY type, name").fetchall()
        names = [name for kind, name, _sql in schema if kind == "table"]
        return [schema, *(connection.execute(f'SELECT * FROM "{name}" ORDER BY rowid').fetchall() for name in names)]
