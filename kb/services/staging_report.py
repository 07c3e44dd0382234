"""What is known of a file of practices that waits to be taken in, or was: kept as JSON, said in any language."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kb.formats.grid import Spot
from kb.services.errors import Label, Message
from kb.services.importing import Outcome
from kb.services.incoming import Incoming
from kb.services.refusals import Refusal


@dataclass(frozen=True)
class Shown:
    """A practice of the file, as it would be taken."""

    title: str
    language: str | None
    country: str | None
    region: str | None
    place: str


@dataclass(frozen=True)
class Said:
    """Why something was left out, and where it stands; `row` is None for the file as a whole.

    `cell` is what a spreadsheet calls the place (AA3), `held` what stands there, `title` the practice's.
    """

    sheet: str
    row: int | None
    place: str
    column: str
    message: Message
    title: str
    cell: str
    held: str


@dataclass(frozen=True)
class Report:
    """The counts, the first practices, everything that was refused, and what is here already."""

    outcome: Outcome
    first: list[Shown]
    refused: list[Said]
    doubles: list[Said]

    @classmethod
    def of(
        cls, outcome: Outcome, first: Iterable[Incoming], refused: Iterable[Refusal], doubles: Iterable[Refusal]
    ) -> Report:
        """The report of an import that was run."""
        return cls(outcome, [*map(_shown, first)], [*map(_said, refused)], [*map(_said, doubles)])


def write_report(path: Path, report: Report) -> None:
    """Keep a report, readable by nobody else."""
    held = {
        "outcome": asdict(report.outcome),
        "first": [asdict(each) for each in report.first],
        "refused": [_to_json(each) for each in report.refused],
        "doubles": [_to_json(each) for each in report.doubles],
    }
    draft = path.with_name(f".{path.name}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(held, file)
    draft.replace(path)


def read_report(path: Path) -> Report | None:
    """Read a report; None where there is none."""
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    refused, doubles = ([_from_json(each) for each in held[name]] for name in ("refused", "doubles"))
    return Report(Outcome(**held["outcome"]), [Shown(**each) for each in held["first"]], refused, doubles)


def _shown(record: Incoming) -> Shown:
    document = record.document
    region = document["region"] or {}
    return Shown(
        str(document["title"]), document["language"], document["country"], region.get("code"), record.row.place
    )


def _said(refusal: Refusal) -> Said:
    spot = refusal.spot or Spot("", None, refusal.field)
    where = (spot.sheet, spot.row, refusal.place, refusal.column)
    return Said(*where, refusal.message, refusal.title, *refusal.cell)


def _to_json(said: Said) -> dict[str, Any]:
    return {**vars(said), "message": [said.message.text, _plain(said.message.values)]}


def _from_json(held: dict[str, Any]) -> Said:
    text, values = held.pop("message")
    return Said(**held, message=Message(text, _labelled(values)))


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as JSON holds them; a word that is to be translated stands in a list."""
    return {name: [str(value)] if isinstance(value, Label) else value if isinstance(value, int) else str(value)
            for name, value in values.items()}  # fmt: skip


def _labelled(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: Label(value[0]) if isinstance(value, list) else value for name, value in values.items()}
