"""Why a record of a file was not taken: said in the file's own terms, row and column, in any language."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from kb.formats.grid import Cell, Spot
from kb.formats.json import Row
from kb.services.errors import Message, Problem
from kb.services.tables import Wrong

NO_CELL = Cell("", "")

LONGEST = 80
"""Characters of a cell or a title that are said."""


@dataclass(frozen=True)
class Refusal:
    """Why one record was not taken: where it stands in the file, which field, and a sentence.

    `message` is that sentence, to be said in another language; `spot` and `cell` say where the field stands, and what
    stands there, where the file is a table; `title` is the record's.
    """

    place: str
    field: str
    reason: str
    message: Message = dataclasses.field(default=Message(""), compare=False)
    spot: Spot | None = None
    cell: Cell = NO_CELL
    title: str = ""

    @classmethod
    def of(cls, row: Row, problem: Problem) -> Refusal:
        """What is said of a problem with a row."""
        spot = row.spot(problem.field) if row.spot else None
        name, held = row.cell(problem.field) if row.cell else ("", "")
        title = _short(row.value.get("title")) if isinstance(row.value, Mapping) else ""
        return cls(
            row.place, problem.field, str(problem.message), problem.message, spot, Cell(name, _short(held)), title
        )

    @classmethod
    def of_file(cls, wrong: Wrong) -> Refusal:
        """What is said of something wrong with a file as a whole."""
        message = Message(wrong.fault.text, wrong.fault.values)
        sheet, row, column = wrong.spot
        place = ", ".join([f"sheet {sheet}"] * bool(sheet) + [f"row {row}"] * bool(row)) or "the file"
        return cls(place, column, str(message), message, wrong.spot)

    @property
    def column(self) -> str:
        """The column where the file is a table, the field where it is not."""
        return self.spot.column if self.spot else self.field

    def __str__(self) -> str:
        place = self.place
        if self.spot and self.spot.sheet and self.spot.row:
            place = f"sheet {self.spot.sheet}, row {self.spot.row}"
        return ": ".join(part for part in (place, self.column, self.reason) if part)


def _short(text: object) -> str:
    said = " ".join(str(text or "")[: 4 * LONGEST].split())
    return said if len(said) <= LONGEST else f"{said[:LONGEST]}…"
