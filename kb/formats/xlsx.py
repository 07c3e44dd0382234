"""Records as a workbook: the sheet "practices" with a row a record, a sheet a list, and a codebook.

Everything is written as it comes and never held: a row goes to a file on the disk as soon as the next one begins.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from kb.formats import table
from kb.formats.about import About, Document
from kb.formats.table import PRACTICE, Column, Kind

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

MAIN = "practices"
CODEBOOK = "codebook"
VALUES = "values"
ABOUT = "about"

CHUNK = 64 * 1024
"""Bytes of the finished workbook in a piece."""

WIDEST = 32_767
"""Characters that a cell can hold; what is longer is cut, for a spreadsheet would refuse the whole workbook."""

_ESCAPED = re.compile(r"_x005F(_x[0-9A-Fa-f]{4}_)|_x([0-9A-Fa-f]{4})_")
"""What stands for itself, and what stands for a character."""


class Value(NamedTuple):
    """A code that may stand in a column, and what it is called."""

    column: str
    code: str
    label: str
    meaning: str


def many(
    documents: Iterable[Document], about: About, say: Callable[[str], str] = str, values: Sequence[Value] = ()
) -> Iterator[bytes]:
    """The bytes of a workbook.

    `say` puts the codebook's sentences into the reader's language; `values` are explained on a sheet of their own.
    """
    with tempfile.TemporaryDirectory(prefix="kb-xlsx-") as folder:
        path = Path(folder) / "book.xlsx"
        with Workbook(str(path), {"constant_memory": True, "tmpdir": folder, "in_memory": False}) as book:
            book.set_properties(
                {"title": about.title, "author": about.site, "created": about.made.replace(tzinfo=None)}
            )
            sheets = _Sheets(book)
            for document in documents:
                sheets.add(document)
            _codebook(book, say)
            if values:
                _values(book, values)
            _about(book, about, sheets.count)
        with path.open("rb") as file:
            while piece := file.read(CHUNK):
                yield piece


def unescaped(text: str) -> str:
    """A text as it was before it was written: what XML cannot hold stands in the file as `_xHHHH_`.

    Spreadsheets undo that by themselves, openpyxl leaves it to whoever reads.
    """
    return _ESCAPED.sub(lambda found: found.group(1) or chr(int(found.group(2), 16)), text)


class _Sheet:
    """A sheet that takes rows one after the other; the first is the header and stays in sight."""

    def __init__(self, book: Workbook, name: str, header: Sequence[str], widths: Mapping[int, int]) -> None:
        self._sheet: Worksheet = book.add_worksheet(name)
        self._sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
        self._sheet.freeze_panes(1, 0)
        for column, width in widths.items():
            self._sheet.set_column(column, column, width)
        self._at = 0
        self.write(header, book.add_format({"bold": True}))

    def write(self, values: Iterable[Any], style: Any = None) -> None:
        """Write the next row: numbers and yes or no as such, everything else as text that is nothing but text."""
        for column, value in enumerate(values):
            if isinstance(value, bool):
                self._sheet.write_boolean(self._at, column, value)
            elif isinstance(value, int | float):
                self._sheet.write_number(self._at, column, value)
            elif value is not None:
                self._sheet.write_string(self._at, column, table.cell(value)[:WIDEST], style)
        self._at += 1


class _Sheets:
    """The sheets of one workbook that hold records."""

    def __init__(self, book: Workbook) -> None:
        self.count = 0
        self._columns = [column for column in table.COLUMNS if column.kind is not Kind.LIST]
        self._places = [table.NAMES.index(column.name) for column in self._columns]
        self._main = _Sheet(book, MAIN, [column.name for column in self._columns], {0: 12, 1: 24, 2: 48, 5: 48})
        self._lists = {
            column.name: _Sheet(book, column.name, [PRACTICE, *(part.name for part in column.parts)], {0: 24, 1: 32})
            for column in table.SHEETS
        }

    def add(self, document: Document) -> None:
        """Write a record: one row in the main sheet, one for each entry of its lists."""
        self.count += 1
        values = table.row(document)
        self._main.write(_flat(self._columns, [values[place] for place in self._places]))
        whose = document["slug"] or document["id"]
        for column in table.SHEETS:
            for entry in document[column.key]:
                self._lists[column.name].write([whose, *(entry.get(part.name) for part in column.parts)])


def _flat(columns: Iterable[Column], values: Iterable[Any]) -> Iterator[Any]:
    for column, value in zip(columns, values, strict=True):
        yield "; ".join(value) or None if column.kind is Kind.TERMS else value


def _codebook(book: Workbook, say: Callable[[str], str]) -> None:
    sheet = _Sheet(book, CODEBOOK, ["sheet", "column", "kind", "meaning"], {0: 20, 1: 26, 2: 14, 3: 100})
    for column in table.COLUMNS:
        where = MAIN if column.kind is not Kind.LIST else column.name
        sheet.write([where, column.name if where == MAIN else "", column.kind.value, say(column.meaning)])
        for part in column.parts:
            sheet.write([where, part.name, part.kind.value, say(part.meaning)])


def _values(book: Workbook, values: Sequence[Value]) -> None:
    sheet = _Sheet(book, VALUES, Value._fields, {0: 24, 1: 28, 2: 48, 3: 100})
    for value in values:
        sheet.write(value)


def _about(book: Workbook, about: About, count: int) -> None:
    """Where the file is from: in English, as the names of columns are."""
    sheet, day = _Sheet(book, ABOUT, ["name", "value"], {0: 16, 1: 100}), about.made.date().isoformat()
    for pair in (
        ("site", about.site),
        ("query", about.title),
        ("address", about.url),
        ("practices", count),
        ("made", day),
        ("licence", "CC BY 4.0 unless the column licence says otherwise: name whom the column attribution names."),
        ("cite", f"{about.site}. {about.title}. As of {day}. {about.url}. CC BY 4.0."),
        ("codebook", f"{about.base_url}/codebook"),
    ):
        sheet.write(pair)
