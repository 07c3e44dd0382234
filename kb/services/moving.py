"""Moving a base to another database, SQLite to PostgreSQL or back, so that what arrives is the same in every row.

1. The source is held still and read whole: what the target would not take is told, row by row, and nothing was
   written yet. Each table is summed up, by the number of its rows and a checksum over all of them.
2. The target, which must be empty, gets the schema from the migrations, without the mark of a release: no server and
   no other command takes a database without it, so nobody works in half a base.
3. Table by table, in an order in which no row comes before one that it names, the rows are copied. Each table is one
   transaction with a note that it is there. Whenever the move is killed, each table is there whole or not at all; run
   again, it goes on with the first that is missing, or begins anew where the source has changed since.
4. The target is read whole and summed up. Where a sum differs, all is taken back.
5. In one transaction counters are set and the target gets the mark: only now it is a base.

Uploaded files and the search index are no part of it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, MetaData, String, Table, Text, delete, inspect, select

from kb.db import Database
from kb.models import schema
from kb.services import setup
from kb.services.errors import Conflict, ServiceError
from kb.services.moving_faults import Fault, Tell, broken_references, damage, examined
from kb.services.moving_rows import (
    Sum,
    Summing,
    as_it_is,
    carried,
    count,
    held,
    is_sqlite,
    number_on,
    put,
    writing,
)
from kb.services.moving_values import Unfit

Bar = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]
"""Shows how far some work is: of a name and a number of rows, yields what is told how many more are done."""

Sums = Mapping[str, Sum]

NOTES = Table(
    "kb_move", MetaData(), Column("part", String(100), primary_key=True), Column("said", Text, nullable=False)
)
"""What a target holds of a move that has not ended: where it comes from, the schema, and each table that is there."""

SOURCE, SCHEMA = "from", "schema"  # no table is called so


class NotMoved(ServiceError):
    """The base cannot be moved, or did not arrive as it was."""


@dataclass(frozen=True)
class Done:
    """What came of a move: the sums of all tables, how many were found in the target from a move that was killed.

    `already`: all was there before, in a base that is equal.
    """

    sums: Sums
    found: int = 0
    already: bool = False

    @property
    def rows(self) -> int:
        """The rows of all tables."""
        return sum(each.rows for each in self.sums.values())


@contextlib.contextmanager
def unseen(_label: str, _total: int) -> Iterator[Callable[[int], None]]:
    """A Bar that shows nothing."""
    yield lambda _rows: None


def tables() -> list[Table]:
    """All tables, each after those that its rows name."""
    return schema().sorted_tables


def check(source: Database, target: Database, place: str, tell: Tell, bar: Bar = unseen) -> Sums:
    """Do all that a move does before it writes; returns the sums of the tables.

    `tell` is told every fault. Raises Conflict where the target holds something else, NotMoved where there are faults.
    """
    with as_it_is(source) as reading:
        _found(target, place)
        return _examine(reading, tell, bar)


def move(source: Database, target: Database, place: str, tell: Tell, bar: Bar = unseen) -> Done:
    """Move all rows of a base of this release's schema; the caller sees to it that nobody serves from either.

    `place` is where the source is, as the target notes it until the move has ended. `tell` is told every fault of the
    source. Raises Conflict where the target holds something else, NotMoved where there are faults.
    """
    with held(source, tables()) as reading:
        found = _found(target, place)
        if found is None:
            _refuse_other(target, {table.name: count(reading, table) for table in tables()})
        sums = _examine(reading, tell, bar)
        if found is None:
            if _differing(target, sums, bar):
                raise _another()
            return Done(sums, already=True)
        done = _begin(target, place, found, sums)
        _copy(reading, target, sums, done, bar)
        if differing := _differing(target, sums, bar):
            with writing(target) as connection:
                _take_back(connection)
            raise NotMoved(
                "What arrived is not what was sent, in %(tables)s: all was taken back.", tables=", ".join(differing)
            )
        _end(target)
    return Done(sums, len(done))


def _examine(reading: Connection, tell: Tell, bar: Bar) -> Sums:
    """The sums of all tables. Raises NotMoved where anything is at fault, which was told then."""
    if said := damage(reading):
        raise NotMoved("The database is damaged: %(said)s. Restore a backup.", said=said)
    told = 0

    def note(fault: Fault) -> None:
        nonlocal told
        told += 1
        tell(fault)

    sums = {}
    with bar("Checking", sum(count(reading, table) for table in tables())) as moved:
        for table in tables():
            sums[table.name] = examined(reading, table, note, moved)
    for fault in broken_references(reading):
        note(fault)
    if told:
        raise NotMoved("%(count)d faults: mend them first. Nothing was moved.", count=told)
    return sums


# The target


def _found(target: Database, place: str) -> dict[str, str] | None:
    """The notes of a move from the same place, none in an empty database; None where the target is a whole base.

    Raises Conflict where it holds anything else.
    """
    if is_sqlite(target) and not _has_file(target):
        return {}
    with as_it_is(target) as connection:
        _refuse_encoding(connection)
        names = set(inspect(connection).get_table_names())
        if not names:
            return {}
        if NOTES.name in names:
            notes = _notes(connection)
            if notes.get(SOURCE) != place:
                raise Conflict(
                    "The target holds part of a base from %(source)s, whose move did not end: end that, or empty it.",
                    source=notes.get(SOURCE),
                )
            return notes
        if strange := sorted(names - set(schema().tables) - {setup.MARK.name}):
            raise Conflict(
                "The target holds something else, such as the table %(table)s: name an empty database.",
                table=strange[0],
            )
    if setup.current(target) != setup.newest():
        raise Conflict("The target holds part of a base, or that of another release: name an empty database.")
    return None


def _has_file(target: Database) -> bool:
    return Path(target.engine.url.database or "").exists()


def _notes(connection: Connection) -> dict[str, str]:
    return {part: said for part, said in connection.execute(select(NOTES.c.part, NOTES.c.said))}


def _refuse_encoding(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        encoding = connection.exec_driver_sql("SHOW server_encoding").scalar()
        if encoding != "UTF8":
            raise Conflict("The target keeps texts in %(encoding)s: make a database in UTF8.", encoding=encoding)


def _refuse_other(target: Database, counts: Mapping[str, int]) -> None:
    """Say at once of a base that has other numbers of rows that it is another. Raises Conflict."""
    with as_it_is(target) as connection:
        if any(count(connection, table) != counts[table.name] for table in tables()):
            raise _another()


def _another() -> Conflict:
    return Conflict("The target holds another base, or one that was worked in since: name an empty database.")


def _begin(target: Database, place: str, notes: Mapping[str, str], sums: Sums) -> set[str]:
    """Make the target fit to take rows; returns the tables that are there already.

    Where the source, or the schema, has changed since a move was killed, all of it is taken back first.
    """
    done = {part: said for part, said in notes.items() if part not in (SOURCE, SCHEMA)}
    if notes.get(SCHEMA) == setup.newest() and all(said == _noted(sums[name]) for name, said in done.items()):
        return set(done)
    if is_sqlite(target):
        Path(target.engine.url.database or "").touch(mode=0o600)
    with writing(target) as connection:
        if notes:
            _take_back(connection)
        setup.make(connection)
        NOTES.create(connection)
        _note(connection, SOURCE, place)
        _note(connection, SCHEMA, setup.newest())
        setup.unmark(connection)
    return set()


def _take_back(connection: Connection) -> None:
    setup.unmake(connection)
    NOTES.drop(connection)


def _note(connection: Connection, part: str, said: str) -> None:
    connection.execute(NOTES.insert().values(part=part, said=said))


def _noted(found: Sum) -> str:
    return f"{found.rows} {found.sha256}"


def _copy(reading: Connection, target: Database, sums: Sums, done: set[str], bar: Bar) -> None:
    """Bring all tables that are missing into the target, each in a transaction of its own."""
    with bar("Moving", sum(each.rows for each in sums.values())) as moved:
        for table in tables():
            found = sums[table.name]
            if table.name in done:
                moved(found.rows)
                continue
            with writing(target) as connection:
                if count(connection, table):  # what a migration put there
                    connection.execute(delete(table))
                put(connection, table, _telling(carried(reading, table), moved))
                _note(connection, table.name, _noted(found))


def _telling(batches: Iterator[list[Any]], moved: Callable[[int], None]) -> Iterator[list[Any]]:
    for batch in batches:
        yield batch
        moved(len(batch))


def _differing(target: Database, sums: Sums, bar: Bar) -> list[str]:
    """The tables that the target has otherwise."""
    differing = []
    with as_it_is(target) as connection, bar("Comparing", sum(each.rows for each in sums.values())) as moved:
        for table in tables():
            summing = Summing()
            try:
                for batch in _telling(carried(connection, table), moved):
                    summing.add(batch)
            except Unfit:
                differing.append(table.name)
                continue
            if summing.sum != sums[table.name]:
                differing.append(table.name)
    return differing


def _end(target: Database) -> None:
    """Make a base of what arrived."""
    with writing(target) as connection:
        for table in tables():
            number_on(connection, table)
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("ANALYZE")  # so that the first questions are answered well
        setup.mark(connection, _notes(connection)[SCHEMA])
        NOTES.drop(connection)
