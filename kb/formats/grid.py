"""Lines of cells, wherever they were read from, and what can be wrong with a file that holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

WIDEST = 300
"""Columns that are read of a sheet; a record has fewer than a hundred."""


@dataclass(frozen=True)
class Fault:
    """What is wrong, as a sentence with named gaps (`%(name)s`) and what fills them."""

    text: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.text % self.values if self.values else self.text


@dataclass(frozen=True)
class Line:
    """One line of a sheet.

    `row` counts from 1 as a spreadsheet does; `line` is where it begins in a text file, if that is another number.
    `faults` says, by the index of a cell, why that cell could not be read; `fault` why the whole line could not.
    """

    row: int
    cells: tuple[str, ...] = ()
    faults: Mapping[int, Fault] = field(default_factory=dict)
    fault: Fault | None = None
    line: int | None = None


class Spot(NamedTuple):
    """Where something stands in a table: the sheet (empty in a file without sheets), the row, the column's name."""

    sheet: str
    row: int | None
    column: str


class Cell(NamedTuple):
    """One cell as people find it and see it: what a spreadsheet calls it (AA3), and what stands in it."""

    name: str
    held: str


class Unreadable(Exception):
    """A file that is no table, or none that can be read safely; `fault` says why."""

    def __init__(self, text: str, **values: Any) -> None:
        self.fault = Fault(text, values)
        super().__init__(str(self.fault))


def column_name(index: int) -> str:
    """What a spreadsheet calls a column: A for 0, AA for 26."""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(ord("A") + rest) + name
    return name
