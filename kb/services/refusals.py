"""Why a record of a file was not taken: said in the file's own terms, row and column, in any language."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from kb.formats.grid import Spot
from kb.formats.json import Row
from kb.services.errors import Message, Problem
from kb.services.tables import Wrong


@dataclass(frozen=True)
class Refusal:
    """Why one record was not taken: where it stands in the file, which field, and a sentence.

    `message` is that sentence, to be said in another language; `spot` the cell, where the file is a table.
    """

    place: str
    field: str
    reason: str
    message: Message = dataclasses.field(default=Message(""), compare=False)
    spot: Spot | None = None

    @classmethod
    def of(cls, row: Row, problem: Problem) -> Refusal:
        """What is said of a problem with a row."""
        spot = row.spot(problem.field) if row.spot else None
        return cls(row.place, problem.field, str(problem.message), problem.message, spot)

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
