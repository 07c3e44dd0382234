"""Bases to move, and what stands in one: read by SQLAlchemy, without anything of what moves it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import select

from kb.db import Database
from kb.services import moving
from kb.services.moving_faults import Fault

PLACE = "the base that is moved"


def moved(source: Database, target: Database, **how: Any) -> moving.Done:
    """Move a base in which nothing is at fault."""
    return moving.move(source, target, PLACE, unexpected, **how)


def unexpected(fault: Fault) -> None:
    raise AssertionError(f"found at fault: {fault}")


def contents(database: Database) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables, as the program reads them."""
    found = {}
    with database.engine.connect() as connection:
        for table in moving.tables():
            rows = [dict(row._mapping) for row in connection.execute(select(table))]
            found[table.name] = sorted(rows, key=lambda row: [str(row[each.name]) for each in table.primary_key])
    return found


class Countdown:
    """A bar that does something when so many rows have passed."""

    def __init__(self, rows: int, act: Callable[[], None]) -> None:
        self._rows = rows
        self._act = act

    @contextlib.contextmanager
    def __call__(self, _label: str, _total: int) -> Iterator[Callable[[int], None]]:
        yield self._count

    def _count(self, rows: int) -> None:
        self._rows -= rows
        if self._rows <= 0:
            self._act()


def once(act: Callable[[], None]) -> Callable[[], None]:
    """Something that is done at the first call alone."""
    left = [act]
    return lambda: left.pop()() if left else None
