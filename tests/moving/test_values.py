"""Random rows of every table: what PostgreSQL and SQLite hold of them afterwards is what they were."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    Enum,
    Float,
    Integer,
    Numeric,
    String,
    Table,
    Uuid,
    select,
)
from sqlalchemy.exc import IntegrityError

from kb.db import Database, UtcDateTime
from kb.services import moving, setup
from kb.services.moving_faults import examined
from kb.services.moving_rows import Sum, Summing, carried, put
from tests import postgres
from tests.conftest import RUNS
from tests.moving.bases import unexpected

TABLES = {table.name: table for table in moving.tables()}


@pytest.fixture(scope="module")
def bases(server: postgres.Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, ...]]:
    """An SQLite file, a PostgreSQL, another SQLite file: empty, with the schema."""
    folder = tmp_path_factory.mktemp("values")
    found = [
        Database(f"sqlite:///{folder / 'one'}"),
        Database(server.create(folder.name)),
        Database(f"sqlite:///{folder / 'two'}"),
    ]
    for database in found:
        setup.migrate(database)
    yield tuple(found)
    for database in found:
        database.close()
    server.drop(folder.name)


@pytest.mark.parametrize("name", sorted(TABLES))
@settings(max_examples=RUNS or 8)
@given(data=st.data())
def test_rows_of_every_table_and_type_arrive_as_they_were(
    name: str, data: st.DataObject, bases: tuple[Database, ...]
) -> None:
    """Of each table alone: what its rows refer to is not there, and nobody asks for it."""
    table = TABLES[name]
    drawn = data.draw(st.lists(row_of(table), max_size=4))
    with alone(bases[0]) as one, alone(bases[1]) as there, alone(bases[2]) as back:
        inserted(one, table, drawn)
        found = examined(one, table, unexpected, lambda _rows: None)
        put(there, table, carried(one, table))
        put(back, table, carried(there, table))
        assert summed(there, table) == summed(back, table) == found
        assert rows(there, table) == rows(back, table) == rows(one, table)


@contextlib.contextmanager
def alone(database: Database) -> Iterator[Connection]:
    """A transaction of which nothing stays, and in which no row need be there that another names."""
    with database.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        if connection.dialect.name == "sqlite":
            driver.execute("PRAGMA foreign_keys=OFF")
        with connection.begin() as transaction:
            if connection.dialect.name != "sqlite":
                connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
                connection.exec_driver_sql("SET LOCAL TimeZone = 'UTC'")
            yield connection
            transaction.rollback()


def inserted(connection: Connection, table: Table, drawn: list[dict[str, Any]]) -> None:
    """Insert rows as the program does; one that breaks a rule of the table is left out."""
    for row in drawn:
        with contextlib.suppress(IntegrityError), connection.begin_nested():
            connection.execute(table.insert().values(row))


def summed(connection: Connection, table: Table) -> Sum:
    summing = Summing()
    for batch in carried(connection, table):
        summing.add(batch)
    return summing.sum


def rows(connection: Connection, table: Table) -> list[dict[str, Any]]:
    found = [dict(row._mapping) for row in connection.execute(select(table))]
    return sorted(found, key=lambda row: [str(row[each.name]) for each in table.primary_key])


# Rows by rule

CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
ANYTHING = st.recursive(
    SCALARS | st.text(CHARACTERS, max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(CHARACTERS, max_size=5), inner, max_size=3),
    max_leaves=6,
)


VALUES: dict[type[Any], Callable[[Any], st.SearchStrategy[Any]]] = {
    Uuid: lambda _: st.uuids(),
    Boolean: lambda _: st.booleans(),
    JSON: lambda _: (
        st.lists(ANYTHING, max_size=3) | st.dictionaries(st.text(CHARACTERS, max_size=5), ANYTHING, max_size=3)
    ),
    UtcDateTime: lambda _: st.datetimes(timezones=st.just(UTC)),
    Date: lambda _: st.dates(),
    Float: lambda _: st.floats(allow_nan=False, allow_infinity=False),
    Numeric: lambda _: st.decimals(-(10**12) + 1, 10**12 - 1, places=2),
    BigInteger: lambda _: st.integers(-(2**63), 2**63 - 1),
    Integer: lambda _: st.integers(-(2**31), 2**31 - 1),
    Enum: lambda kind: st.sampled_from(list(kind.enum_class)),
    String: lambda kind: st.text(CHARACTERS, max_size=min(kind.length or 100, 100)),
}
"""What a column of each type may have; of a type that is several of these, the first counts."""


def value_of(column: Column[Any]) -> st.SearchStrategy[Any]:
    """Any value that a column may have. JSON is a list or a mapping, as everywhere in the schema."""
    found = next(values(column.type) for kind, values in VALUES.items() if isinstance(column.type, kind))
    return st.none() | found if column.nullable else found


def row_of(table: Table) -> st.SearchStrategy[dict[str, Any]]:
    """Any row that a table may have, or nearly."""
    columns = {column.name: value_of(column) for column in table.columns}
    return st.fixed_dictionaries(columns).map(lambda row: fitting(table.name, row))


def fitting(table: str, row: dict[str, Any]) -> dict[str, Any]:
    """A row changed so that it obeys the checks of its table."""
    match table:
        case "regions":
            row |= {"level": 0 if row["parent"] is None else 1 + row["level"] % 3}
            row |= {"urban_type": row["urban_type"] and "rural"}
        case "users":
            row |= {"email": row["email"].lower()}
        case "practices":
            row |= {"version": abs(row["version"]) or 1, "slug": row["slug"] or "a-slug"}
        case "revisions":
            row |= {"version": (row["version"] or 1) if row["kind"] == "published" else None}
        case "adoptions":
            row |= {"decided": None if row["accepted"] is None else row["created"]}
        case "records":
            row |= {"title": f"abc{row['title'][:97]}", "country": "IT", "region_code": row["region_code"] or "ITH5"}
            row |= {"start": row["start_min"] and "2019", "end": row["end_max"] and "2021-04"}
            if row["start_min"] and row["end_max"]:
                row |= {"end_max": max(row["start_min"], row["end_max"])}
            row |= {name: row[name] and abs(row[name]) for name in ("beneficiaries", "budget_eur")}
            row |= {"budget_year": row["budget_year"] and 1900 + row["budget_year"] % 200}
            row |= {"completeness": abs(math.fmod(row["completeness"], 1))}
        case "record_themes" | "record_target_groups":
            row |= {"position": row["position"] % 5}
        case _:
            pass
    return row


@pytest.mark.parametrize("name", sorted(TABLES))
def test_rows_by_rule_obey_the_rules(name: str, bases: tuple[Database, ...]) -> None:
    """Rows that break a check are left out: of each table there has to be one that breaks none."""
    found = []

    @settings(max_examples=3, database=None)
    @given(row=row_of(TABLES[name]))
    def insert(row: dict[str, Any]) -> None:
        with alone(bases[0]) as connection:
            inserted(connection, TABLES[name], [row])
            found.append(len(rows(connection, TABLES[name])))

    insert()
    assert any(found)
