"""The rows of a table, out of either database and into either: in batches, in the order of their keys, summed up.

A row is a tuple of texts and NULLs, one for each column, as kb/services/moving_values.py writes them. So a sum of the
same rows is the same number, whichever database holds them.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, String, Table, func, select

from kb.db import Database
from kb.services.moving_values import form

BATCH = 1000
"""Rows that are read at a time."""

Row = tuple[str | None, ...]


class Sum(NamedTuple):
    """How many rows a table has, and the SHA-256 of all of them in the order of their keys."""

    rows: int
    sha256: str


class Summing:
    """Sums rows up as they pass."""

    def __init__(self) -> None:
        self._rows = 0
        self._digest = hashlib.sha256()

    def add(self, rows: Sequence[Row]) -> None:
        """Take further rows in. Each value goes with its length, so that no two rows read alike."""
        self._rows += len(rows)
        for row in rows:
            line = "".join("-" if value is None else f"{len(value)}:{value}" for value in row) + "\n"
            self._digest.update(line.encode())

    @property
    def sum(self) -> Sum:
        """What has passed so far."""
        return Sum(self._rows, self._digest.hexdigest())


# A state of a whole database


@contextlib.contextmanager
def as_it_is(database: Database) -> Iterator[Connection]:
    """One state of a database, however much is written meanwhile."""
    options = {} if is_sqlite(database) else {"isolation_level": "REPEATABLE READ"}
    with database.engine.execution_options(**options).connect() as connection, connection.begin() as transaction:
        with _as_stored(connection):
            yield connection
        transaction.rollback()


@contextlib.contextmanager
def held(database: Database, tables: Iterable[Table]) -> Iterator[Connection]:
    """One state of a database, which nobody changes while it is held. Raises DBAPIError where somebody is writing."""
    if is_sqlite(database):
        with writing(database) as connection, _as_stored(connection):
            yield connection
        return
    with as_it_is(database) as connection:
        quote = connection.dialect.identifier_preparer.format_table
        # Before anything is read: what is read is of the moment of the first question.
        connection.exec_driver_sql(f"LOCK TABLE {', '.join(map(quote, tables))} IN SHARE MODE")
        yield connection


@contextlib.contextmanager
def writing(database: Database) -> Iterator[Connection]:
    """A transaction that writes, however long it takes."""
    with database.engine.execution_options(kb_writes=True).begin() as connection:
        if is_sqlite(database):
            connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")  # a row may name one that comes after it
        else:
            _unhurried(connection)
        yield connection


def is_sqlite(database: Database) -> bool:
    """Whether a database is a file of SQLite."""
    return database.engine.dialect.name == "sqlite"


def _unhurried(connection: Connection) -> None:
    """Lift the limits on time for one transaction: what they guard is pages, and this is none."""
    for setting in ("statement_timeout", "idle_in_transaction_session_timeout"):
        connection.exec_driver_sql(f"SET LOCAL {setting} = 0")


@contextlib.contextmanager
def _as_stored(connection: Connection) -> Iterator[None]:
    """Have texts read as they are: what is not UTF-8 comes as bytes, and moments are in UTC."""
    if connection.dialect.name != "sqlite":
        _unhurried(connection)
        connection.exec_driver_sql("SET LOCAL TimeZone = 'UTC'")
        connection.exec_driver_sql("SET LOCAL DateStyle = 'ISO'")
        yield
        return
    driver: Any = connection.connection.driver_connection
    driver.text_factory = _text_or_bytes
    try:
        yield
    finally:
        driver.text_factory = str


def _text_or_bytes(raw: bytes) -> str | bytes:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


# Reading


def count(connection: Connection, table: Table) -> int:
    """How many rows a table has."""
    return connection.scalar(select(func.count()).select_from(table)) or 0


def stored(connection: Connection, table: Table) -> Iterator[Sequence[Sequence[Any]]]:
    """The rows of a table in the order of their keys, in batches, as the database keeps them.

    SQLite's values are those of its driver, PostgreSQL's its texts.
    """
    if connection.dialect.name == "sqlite":
        driver: Any = connection.connection.driver_connection
        cursor = driver.execute(_asked(connection, table))
        while batch := cursor.fetchmany(BATCH):
            yield batch
        return
    streamed = {"stream_results": True, "max_row_buffer": BATCH}
    with connection.exec_driver_sql(_asked(connection, table), execution_options=streamed) as found:
        yield from found.partitions(BATCH)


def _asked(connection: Connection, table: Table) -> str:
    """The question for all rows of a table. Texts are in the order of their bytes on either database."""
    named = connection.dialect.identifier_preparer.format_column
    whole = connection.dialect.identifier_preparer.format_table(table)
    if connection.dialect.name == "sqlite":
        columns, order = [named(each) for each in table.columns], [named(each) for each in table.primary_key]
    else:
        columns = [f"CAST({named(each)} AS TEXT)" for each in table.columns]
        by_bytes = ' COLLATE "C"'
        order = [f"{whole}.{named(each)}{by_bytes * isinstance(each.type, String)}" for each in table.primary_key]
    return f"SELECT {', '.join(columns)} FROM {whole} ORDER BY {', '.join(order)}"  # noqa: S608 (our own names)


def carried(connection: Connection, table: Table) -> Iterator[list[Row]]:
    """The rows of a table in the order of their keys, in batches, as they are carried. Raises Unfit."""
    sqlite = connection.dialect.name == "sqlite"
    forms = [form(column) for column in table.columns]
    reads = [each.of_sqlite if sqlite else each.of_postgresql for each in forms]
    for batch in stored(connection, table):
        yield [tuple(None if raw is None else read(raw) for read, raw in zip(reads, row, strict=True)) for row in batch]


# Writing


def put(connection: Connection, table: Table, batches: Iterable[Sequence[Row]]) -> None:
    """Write rows into a table, in the transaction that is open."""
    named = connection.dialect.identifier_preparer.format_column
    whole = connection.dialect.identifier_preparer.format_table(table)
    columns = ", ".join(named(each) for each in table.columns)
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name != "sqlite":
        with driver.cursor() as cursor, cursor.copy(f"COPY {whole} ({columns}) FROM STDIN") as copy:
            for batch in batches:
                for row in batch:
                    copy.write_row(row)
        return
    lay = [form(column).for_sqlite for column in table.columns]
    places = ", ".join("?" * len(table.columns))
    for batch in batches:
        rows = [
            tuple(None if value is None else each(value) for each, value in zip(lay, row, strict=True)) for row in batch
        ]
        driver.executemany(f"INSERT INTO {whole} ({columns}) VALUES ({places})", rows)  # noqa: S608 (our own names)


def number_on(connection: Connection, table: Table) -> None:
    """Have the next row that is numbered get a number that none had."""
    column = table.autoincrement_column
    if column is None or connection.dialect.name == "sqlite":
        return
    last = connection.scalar(select(func.max(column)))
    sequence = func.pg_get_serial_sequence(table.name, column.name)
    connection.execute(select(func.setval(sequence, last or 1, last is not None)))
