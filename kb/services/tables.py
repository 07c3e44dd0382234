"""Tables that people bring: the rows of a CSV file or a workbook as records, and in which cell each field stands."""

from __future__ import annotations

import difflib
import json as stdlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePath
from typing import Any, BinaryIO

from kb.formats import csv_reading, json, table
from kb.formats.grid import Cell, Fault, Line, Spot, Unreadable, column_name
from kb.formats.json import Row
from kb.formats.table import BY_NAME, PRACTICE
from kb.formats.template import EXAMPLE, VALUES
from kb.formats.xlsx import ABOUT, CODEBOOK, MAIN
from kb.formats.xlsx_reading import LARGEST, Book
from kb.services.errors import N_
from kb.services.record import CONTACT, GROUPS, LISTS

CUT = 32_767
"""Characters after which a spreadsheet cuts a cell that it saves."""

NEEDED_DRAFT = ("title", "language")
NEEDED = (
    *NEEDED_DRAFT, "summary", "level", "lead_organisation_name", "status", "actions", "themes", "target_groups",
    "sources",
)  # fmt: skip
"""Columns without which no row could be saved as a draft, or be submitted or published."""

CONTACT_COLUMNS = tuple(f"contact_{part}" for part in CONTACT)

ADDRESSES = ("links", "sources")
"""Lists that may stand in one cell as plain web addresses, parted by spaces or line breaks."""

MOST_NAMED = 20
"""Wrong columns that are named."""


class Kind(StrEnum):
    """What a file holds records as."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"


NOWHERE = Spot("", None, "")
"""The file itself."""


@dataclass(frozen=True)
class Wrong:
    """Something wrong with a file as a whole, and where."""

    fault: Fault
    spot: Spot = NOWHERE


class Unfit(Exception):
    """A table of which nothing can be taken: `wrongs` says all that is wrong with it as a whole."""

    def __init__(self, wrongs: Sequence[Wrong]) -> None:
        self.wrongs = tuple(wrongs)
        super().__init__("; ".join(str(each.fault) for each in wrongs))


def kind_of(file: BinaryIO, name: str) -> Kind:
    """What a file holds, judged by how it begins; where that says nothing, by the ending of its name. Raises Unfit."""
    start: bytes = file.read(4096)
    file.seek(0)
    if start.startswith(b"PK\x03\x04"):
        return Kind.XLSX
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        said = N_("This is an old workbook (.xls), or one with a password. Save it as a workbook without one (.xlsx).")
        raise Unfit([Wrong(Fault(said))])
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    named_json = PurePath(name).suffix.lower() in (".json", ".jsonl", ".ndjson")
    if text.startswith((b"[", b"{")) or (named_json and b"title" not in text.partition(b"\n")[0]):
        return Kind.JSON
    return Kind.CSV


def read(
    file: BinaryIO,
    name: str,
    needed: Sequence[str] = (),
    seen: Callable[[int], None] | None = None,
    *,
    largest: int = LARGEST,
) -> Iterator[Row]:
    """The records of a file, of whichever kind it is; `needed` are columns that a table must have.

    Raises Unfit for a table of which nothing can be taken, NotJson for JSON that is neither an array nor lines.
    """
    try:
        kind = kind_of(file, name)
        if kind is Kind.JSON:
            yield from json.read(file, seen)
        elif kind is Kind.CSV:
            yield from _Table(MAIN, csv_reading.lines(file, seen), needed, flat=True).rows()
        else:
            yield from _workbook(Book(file, largest=largest), needed)
    except Unreadable as error:
        raise Unfit([Wrong(error.fault)]) from error


def _workbook(book: Book, needed: Sequence[str]) -> Iterator[Row]:
    names = {name.strip().lower(): name for name in book.names}
    lists = {key: _Entries(key, book.lines(names[key])) for key in LISTS if key in names}
    main = names.get(MAIN) or next(
        (name for low, name in names.items() if low not in (*LISTS, CODEBOOK, VALUES, ABOUT)), None
    )
    wrongs = [wrong for each in lists.values() for wrong in each.wrongs]
    if main is None:
        text = N_("There is no sheet called “%(name)s”.")
        raise Unfit([Wrong(Fault(text, {"name": MAIN})), *wrongs])
    for low, name in names.items():
        if name != main and low not in (*LISTS, CODEBOOK, VALUES, ABOUT) and next(book.lines(name), None):
            text = N_(
                "The import has no use for this sheet. Give it the name of a list, such as “sources”, or delete it."
            )
            wrongs.append(Wrong(Fault(text), Spot(name, None, "")))
    sheet = _Table(main, book.lines(main), [each for each in needed if each not in lists], lists=lists, wrongs=wrongs)
    yield from sheet.rows()
    for entries in lists.values():
        yield from entries.left()


class _Header:
    """The names of a table's columns, and what is wrong with them."""

    def __init__(self, sheet: str, line: Line | None, known: Sequence[str], needed: Sequence[str]) -> None:
        self.sheet = sheet
        self.wrongs: list[Wrong] = []
        self.names: list[str] = []
        for index, cell in enumerate(line.cells if line else ()):
            fault = (line and line.faults.get(index)) or None
            self._add(index, cell, known, fault)
        for name in needed:
            if line is not None and name not in self.names:
                self._wrong(name, N_("This column is missing: no practice can be taken in without it."))
        if line is None or line.fault:
            self._wrong("", N_("The sheet is empty."))

    def _add(self, index: int, cell: str, known: Sequence[str], fault: Fault | None) -> None:
        said = " ".join(table.unmarked(cell).split())
        name = said.lower().replace(" ", "_").replace("-", "_")
        if fault is not None:
            self.wrongs.append(Wrong(fault, Spot(self.sheet, 1, column_name(index))))
        elif name and name not in known:
            close = difflib.get_close_matches(name, known, 1)
            if close:
                self._wrong(said[:80], N_("There is no such column. Did you mean “%(name)s”?"), name=close[0])
            else:
                self._wrong(said[:80], N_("There is no such column. Rename it, or delete it."))
        elif name and name in self.names:
            self._wrong(name, N_("Two columns bear this name."))
        self.names.append(name)

    def _wrong(self, column: str, text: str, **values: Any) -> None:
        if len(self.wrongs) < MOST_NAMED:
            self.wrongs.append(Wrong(Fault(text, values), Spot(self.sheet, 1, column)))

    def cells(self, line: Line) -> tuple[dict[str, str], list[tuple[str, Fault]]]:
        """The cells of a line by their column, and what is wrong with some of them."""
        faults = [("", line.fault)] if line.fault else []
        faults += [(self._name(index), fault) for index, fault in line.faults.items()]
        cells = {}
        for index, cell in enumerate(line.cells):
            name = self.names[index] if index < len(self.names) else ""
            if not cell.strip():
                continue
            if not name:
                faults.append((column_name(index), Fault(N_("This cell stands in a column without a name."))))
            elif len(cell) == CUT and not cell.endswith("]"):
                faults.append((name, Fault(N_("A spreadsheet has cut this cell: it holds no more than 32,767 signs."))))
            else:
                cells[name] = cell
        return cells, faults

    def _name(self, index: int) -> str:
        return (self.names[index] if index < len(self.names) else "") or column_name(index)


class _Table:
    """The table with a row a practice; `lists` are the sheets of a workbook that hold the entries of its lists."""

    def __init__(
        self,
        sheet: str,
        lines: Iterator[Line],
        needed: Sequence[str],
        *,
        flat: bool = False,
        lists: Mapping[str, _Entries] | None = None,
        wrongs: Sequence[Wrong] = (),
    ) -> None:
        self._sheet = "" if flat else sheet
        self._lines = lines
        self._lists = lists or {}
        self._header = _Header(self._sheet, next(lines, None), (*table.NAMES, *CONTACT_COLUMNS), needed)
        if self._header.wrongs or wrongs:
            raise Unfit([*self._header.wrongs, *wrongs])

    def rows(self) -> Iterator[Row]:
        """The practices. What is damaged further down costs only what follows it."""
        try:
            for line in self._lines:
                yield self._row(line)
        except Unreadable as error:
            yield Row(self._sheet or "the end", faults=[("", error.fault)])

    def _row(self, line: Line) -> Row:
        cells, faults = self._header.cells(line)
        held = dict(cells)
        contact = {part: cells.pop(f"contact_{part}", None) for part in CONTACT}
        data = table.row_to_data({name: _as_list(name, cell) for name, cell in cells.items()})
        if any(contact.values()):
            data["contact"] = _contact(contact)
        spots: dict[str, list[_Place]] = {}
        names = self._header.names
        for key, entries in self._lists.items():
            mine = entries.of(data.get("slug"), data.get("id"), data.get("title"))
            here = data[key] if isinstance(data[key], list) else []
            inline = _Place(Spot(self._sheet, line.row, key), held, names)
            spots[key] = [*(inline for _ in here), *(each.place for each in mine)]
            data[key] = [*here, *(each.data for each in mine)] if isinstance(data[key], list) else data[key]
            faults += [
                (f"{key}.{len(here) + n}.{part}", fault) for n, each in enumerate(mine) for part, fault in each.faults
            ]
        place = f"row {line.row}" + (f" (line {line.line})" if line.line else "")
        example = str(data.get("title") or "").casefold().startswith(EXAMPLE)
        find = _Finder(_Place(Spot(self._sheet, line.row, ""), held, names), spots)
        return Row(place, data, faults=faults, spot=find, cell=find.cell, example=example)


@dataclass(frozen=True)
class _Place:
    """A row and what stands in it by column, or the one cell of it that holds a list; the names of its columns."""

    spot: Spot
    held: Mapping[str, str]
    names: Sequence[str]


class _Finder:
    """Finds the cell of a record's field."""

    def __init__(self, main: _Place, lists: Mapping[str, Sequence[_Place]]) -> None:
        self._main = main
        self._lists = lists

    def __call__(self, path: str) -> Spot:
        return self._find(path)[1]

    def cell(self, path: str) -> Cell:
        """The cell itself; no name where the column is not there."""
        place, spot = self._find(path)
        if not spot.column or spot.column not in place.names:
            return Cell("", "")
        name = f"{column_name(place.names.index(spot.column))}{spot.row}"
        return Cell(name, table.unmarked(place.held.get(spot.column, "")))

    def _find(self, path: str) -> tuple[_Place, Spot]:
        key, _, rest = path.partition(".")
        index, _, part = rest.partition(".")
        if key in self._lists and index.isdecimal() and int(index) < len(self._lists[key]):
            place = self._lists[key][int(index)]
            return place, place.spot if place.spot.column else place.spot._replace(column=part)
        column = key
        if key in GROUPS:
            column = f"{key}_{rest or GROUPS[key][0]}"
        elif key in ("origin", "contact") and rest:
            column = f"{key}_{rest}"
        return self._main, self._main.spot._replace(column=column)


@dataclass(frozen=True)
class _Entry:
    """One entry of a list, and its place."""

    data: dict[str, Any]
    place: _Place
    faults: list[tuple[str, Fault]] = field(default_factory=list)


class _Entries:
    """The entries of one list's sheet, by the practice that each belongs to."""

    def __init__(self, key: str, lines: Iterator[Line]) -> None:
        self._key = key
        header = next(lines, None)
        parts = tuple(part.name for part in BY_NAME[key].parts)
        self._header = _Header(key, header, (PRACTICE, *parts), (PRACTICE,) if header and any(header.cells) else ())
        self.wrongs = self._header.wrongs if header else []
        self._held: dict[str, list[_Entry]] = {}
        for line in lines if not self.wrongs else ():
            self._keep(line)

    def _keep(self, line: Line) -> None:
        cells, faults = self._header.cells(line)
        place = _Place(Spot(self._key, line.row, ""), dict(cells), self._header.names)
        whose = table.unmarked(cells.pop(PRACTICE, ""))
        if cells or faults:
            entry = _Entry(table.entry_to_data(self._key, cells), place, faults)
            self._held.setdefault(_called(whose), []).append(entry)

    def of(self, *names: Any) -> list[_Entry]:
        """The entries of the practice that bears one of these names, which are then no longer left."""
        found = []
        for name in dict.fromkeys(_called(name) for name in names if name):
            found += self._held.pop(name, [])
        return found

    def left(self) -> Iterator[Row]:
        """What belongs to no practice."""
        for name, entries in self._held.items():
            for entry in entries:
                fault = Fault(N_("No practice in this file has this slug, id or title. Write it as it stands there."))
                if not name:
                    fault = Fault(N_("Say which practice this row belongs to: write its slug or title here."))
                find = _Finder(entry.place, {})
                place = f"sheet {self._key}, row {entry.place.spot.row}"
                if not name.startswith(EXAMPLE):
                    yield Row(place, faults=[(PRACTICE, fault)], spot=find, cell=find.cell, stray=True)


def _called(name: Any) -> str:
    return " ".join(str(name).split()).casefold()


def _as_list(name: str, cell: str) -> str:
    """Plain web addresses in the cell of a list of links as that list; any other cell as it is."""
    if name not in ADDRESSES or cell.lstrip().startswith("["):
        return cell
    return stdlib.dumps([{"url": each.strip(",;")} for each in table.unmarked(cell).split()])


def _contact(contact: Mapping[str, str | None]) -> dict[str, Any]:
    given: dict[str, Any] = {part: table.unmarked(held) if held else None for part, held in contact.items()}
    given["consent"] = str(given["consent"] or "").strip().casefold() in ("true", "yes", "1", "x")
    return given
