"""What one database holds and another would not take, found before anything is written; and the sums of all the rest.

SQLite enforces less than PostgreSQL: texts longer than their column, any bytes as text, dates that no calendar has. A
file that somebody worked on by other means may also break what the schema says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import CheckConstraint, Column, Connection, Table, TextClause, literal_column, select, type_coerce
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.types import NullType

from kb.services.moving_rows import Row, Sum, Summing, stored
from kb.services.moving_values import Unfit, form


class Fault(NamedTuple):
    """Why a row cannot be moved: because of one column, or as a whole where `column` is empty."""

    table: str
    key: str
    column: str
    reason: str

    def __str__(self) -> str:
        return f"{self.table} {self.key}: {self.column or 'the row'} {self.reason}."


Tell = Callable[[Fault], None]
Reads = Sequence[tuple[Column[Any], Callable[[Any], str]]]


def examined(connection: Connection, table: Table, tell: Tell, moved: Callable[[int], None]) -> Sum:
    """Read a table whole; tells every fault, and returns the sum of its rows where there was none.

    `moved` is told how many rows were read.
    """
    sqlite = connection.dialect.name == "sqlite"
    forms = [(column, form(column)) for column in table.columns]
    reads = [(column, each.of_sqlite if sqlite else each.of_postgresql) for column, each in forms]
    summing = Summing()
    for batch in stored(connection, table):
        try:
            rows = [_quickly(reads, raw) for raw in batch]
        except Unfit:
            rows = []
            for raw in batch:
                for fault in _faults(table, reads, raw):
                    tell(fault)
        summing.add(rows)
        moved(len(batch))
    for fault in _broken_checks(connection, table):
        tell(fault)
    return summing.sum


def _quickly(reads: Reads, raw: Sequence[Any]) -> Row:
    """A row as it is carried. Raises Unfit."""
    row: list[str | None] = []
    for (column, read), value in zip(reads, raw, strict=True):
        if value is not None:
            row.append(read(value))
        elif column.nullable:
            row.append(None)
        else:
            raise Unfit("is empty, and must not be")
    return tuple(row)


def _faults(table: Table, reads: Reads, raw: Sequence[Any]) -> Iterator[Fault]:
    """What is wrong with one row."""
    for read, value in zip(reads, raw, strict=True):
        try:
            _quickly([read], [value])
        except Unfit as reason:
            column = read[0]
            key = [each for (part, _read), each in zip(reads, raw, strict=True) if part.primary_key]
            yield Fault(table.name, _key(key), column.name, str(reason))


def _broken_checks(connection: Connection, table: Table) -> Iterator[Fault]:
    """Rows that break a check of their table: a file may have been written without them."""
    key = [type_coerce(column, NullType()) for column in table.primary_key]
    for check in table.constraints:
        if not isinstance(check, CheckConstraint) or not isinstance(check.sqltext, TextClause):
            continue  # what is no text is the check of an enum, and told with the column
        for row in connection.execute(select(*key).where(literal_column(f"NOT ({check.sqltext})"))):
            yield Fault(table.name, _key(row), "", f"breaks the rule {check.name}")


def broken_references(connection: Connection) -> Iterator[Fault]:
    """Rows that name a row that is not there. PostgreSQL holds none."""
    if connection.dialect.name != "sqlite":
        return
    quote = connection.dialect.identifier_preparer.quote
    for name, rowid, parent, number in connection.exec_driver_sql("PRAGMA foreign_key_check").all():
        keys = connection.exec_driver_sql(f"PRAGMA foreign_key_list({quote(name)})").all()
        column = next((each[3] for each in keys if each[0] == number), "")
        held = connection.exec_driver_sql(f"PRAGMA table_info({quote(name)})").all()
        parts = ", ".join(quote(each[1]) for each in sorted(held, key=lambda each: each[5]) if each[5]) or "rowid"
        found = connection.exec_driver_sql(f"SELECT {parts} FROM {quote(name)} WHERE rowid = ?", (rowid,))  # noqa: S608 (our own names)
        yield Fault(name, _key(found.one()), column, f"names a row of {parent} that is not there")


def damage(connection: Connection) -> str | None:
    """What SQLite finds wrong with its file, in its own words; None where it is sound."""
    if connection.dialect.name != "sqlite":
        return None
    try:
        found = [text for (text,) in connection.exec_driver_sql("PRAGMA integrity_check(100)") if text != "ok"]
    except OperationalError:
        raise
    except DatabaseError as error:  # too damaged to be looked through
        return str(error.orig)
    # What breaks a rule of the schema is told by its key elsewhere.
    told = ("NULL value in", "CHECK constraint failed", "NUMERIC value in", "TEXT value in")
    return "; ".join([text for text in found if not text.startswith(told)][:3]) or None


def _key(parts: Sequence[Any]) -> str:
    """A row's key, as it stands in a sentence."""
    return "/".join(part.decode(errors="replace") if isinstance(part, bytes) else str(part) for part in parts)
