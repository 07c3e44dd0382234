"""Workbooks of spreadsheets (Office Open XML) read as text: sheet by sheet, line by line, whoever made the file.

Own code and not openpyxl, which cannot give back Excel's escapes (`_x000D_`) as they were, warns of what it does not
know, and trusts what a file says of its own size. Markup is read by defusedxml, which refuses entities.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any, BinaryIO, NamedTuple
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from kb.formats.grid import WIDEST, Fault, Line, Unreadable
from kb.formats.text import N_

LARGEST = 128 * 1024 * 1024
"""Bytes that the parts of a workbook may have, unpacked: several times what 5,000 practices take."""

MOST_ELEMENTS = 200_000
"""Elements of markup in one row: each takes much more memory than it takes in the file."""

MOST_PARTS = 1_000
MOST_SHEETS = 100
MOST_EMPTY = 10_000
"""Empty rows after which nothing more is looked for in a sheet; they take hardly any room in a file."""

MOST_ROWS = 1_048_576
"""Rows of a sheet, as a spreadsheet has them."""

FORMULA = N_("This cell holds a formula. Copy the column and paste it again as values.")
ERROR = N_("This cell holds an error of the spreadsheet: %(value)s.")
BROKEN = N_("This is not a workbook of a spreadsheet (XLSX), or it is damaged.")
TOO_LARGE = N_("The workbook is too large when it is unpacked: more than %(limit)d MB.")
ENTITIES = N_("The workbook holds a document type or entities, which no spreadsheet writes. It was not read.")
NO_DATE = N_("This is not a date: %(value)s.")

_DAMAGE = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, ParseError, EOFError, OSError, ValueError,
    LookupError, RuntimeError, NotImplementedError, OverflowError,
)  # fmt: skip
"""What zipfile, zlib and expat raise of a damaged file; LookupError for an encoding that nobody knows."""

_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")
_REFERENCE = re.compile("([A-Z]{1,3})[0-9]{1,7}")
_QUOTED = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.')
_BUILTIN_DATES = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
"""Numbers of the formats of dates and times that every spreadsheet has (ECMA-376, 18.8.30)."""

_MONTHS = {17, 55}
"""Those among them that show month and year only."""


class _Style(NamedTuple):
    date: bool
    day: bool


class Book:
    """A workbook that is open. Raises Unreadable for what is none, or cannot be read safely."""

    def __init__(self, file: BinaryIO, *, largest: int = LARGEST) -> None:
        try:
            self._zip = zipfile.ZipFile(file)
        except _DAMAGE as error:
            raise Unreadable(BROKEN) from error
        parts = self._zip.infolist()
        if sum(part.file_size for part in parts) > largest or len(parts) > MOST_PARTS:
            raise Unreadable(TOO_LARGE, limit=largest // 1024**2)
        self._names = {part.filename for part in parts}
        self._day_zero = datetime(1899, 12, 30)
        self._sheets = self._find_sheets()
        self._styles = self._read_styles()
        self._strings = self._read_strings()

    @property
    def names(self) -> list[str]:
        """What the sheets are called, in their order."""
        return list(self._sheets)

    def lines(self, name: str) -> Iterator[Line]:
        """The lines of a sheet that hold something. Raises Unreadable where the sheet is damaged."""
        number = empty = 0
        for seen, element in enumerate(self._elements(self._sheets[name], "row"), start=1):
            number = _number(element.get("r"), number + 1)
            if max(number, seen) > MOST_ROWS:
                raise Unreadable(BROKEN)
            line = self._line(number, element)
            if any(line.cells) or line.faults:
                yield line
                empty = 0
            elif (empty := empty + 1) > MOST_EMPTY:
                return

    def _line(self, number: int, row: Element) -> Line:
        cells: list[str] = []
        faults: dict[int, Fault] = {}
        at = -1
        for cell in row:
            at = _index(cell.get("r"), at + 1)
            if at >= WIDEST:
                break
            cells += [""] * (at + 1 - len(cells))
            try:
                cells[at] = self._value(cell)
            except _WrongCell as wrong:
                faults[at] = wrong.fault
        return Line(number, tuple(cells), faults)

    def _value(self, cell: Element) -> str:
        """What a cell says, as a person would write it into a record. Raises _WrongCell."""
        kind, text = cell.get("t", "n"), ""
        for part in cell:
            tag = _local(part)
            if tag == "f":
                raise _WrongCell(FORMULA)
            if tag == "is":
                text = _unescaped(_words(part))
            elif tag == "v":
                text = part.text or ""
        if not text:
            return ""
        if kind == "s":
            return self._strings[_number(text, -1)] if _number(text, -1) < len(self._strings) else ""
        if kind == "e":
            raise _WrongCell(ERROR, value=text[:80])
        if kind == "b":
            return "true" if text == "1" else "false"
        if kind == "n":
            return self._figure(text, self._styles.get(cell.get("s", "0"), _Style(False, False)))
        return _unescaped(text) if kind == "str" else text

    def _figure(self, text: str, style: _Style) -> str:
        """A number as people write it: a spreadsheet's 2016.0 is 2016, and a date is year, month and day."""
        try:
            number = float(text)
            if not style.date:
                return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
            moment = self._day_zero + timedelta(seconds=round(number * 86_400))
        except (ValueError, OverflowError) as error:
            raise _WrongCell(NO_DATE if style.date else ERROR, value=text[:80]) from error
        if moment.hour or moment.minute or moment.second:
            return moment.isoformat(timespec="seconds")
        return moment.strftime("%Y-%m-%d") if style.day else moment.strftime("%Y-%m")

    # What a workbook says of itself

    def _find_sheets(self) -> dict[str, str]:
        """The parts that hold the sheets, by the sheets' names."""
        book = next((to for kind, to in self._relations("").values() if kind.endswith("/officeDocument")), None)
        if book is None:
            raise Unreadable(BROKEN)
        targets = self._relations(book)
        sheets = {}
        for element in self._elements(book, "sheet", "workbookPr"):
            if _local(element) == "workbookPr":
                if element.get("date1904") in ("1", "true"):
                    self._day_zero = datetime(1904, 1, 1)
                continue
            key = next((value for name, value in element.items() if name.endswith("}id")), "")
            if key in targets and targets[key][0].endswith("/worksheet"):
                sheets[element.get("name", "")] = targets[key][1]
        self._others = {kind.rpartition("/")[2]: to for kind, to in targets.values()}
        if not sheets or len(sheets) > MOST_SHEETS or len(set(sheets.values())) < len(sheets):
            raise Unreadable(BROKEN)
        return sheets

    def _relations(self, part: str) -> dict[str, tuple[str, str]]:
        """What a part points to: a type and another part, by its key."""
        path = PurePosixPath(part)
        found = {}
        name = str(path.parent / "_rels" / f"{path.name}.rels") if part else "_rels/.rels"
        for element in self._elements(name, "Relationship"):
            target = element.get("Target", "")
            whole = target.lstrip("/") if target.startswith("/") else str(path.parent / target)
            found[element.get("Id", "")] = (element.get("Type", ""), whole)
        return found

    def _read_strings(self) -> list[str]:
        part = self._others.get("sharedStrings")
        return [_unescaped(_words(each)) for each in self._elements(part, "si")] if part in self._names else []

    def _read_styles(self) -> dict[str, _Style]:
        """What each style of a cell makes of a number."""
        part = self._others.get("styles")
        if part not in self._names:
            return {}
        own: dict[int, str] = {}
        styles: dict[str, _Style] = {}
        for element in self._elements(part, "numFmt", "cellXfs"):
            if _local(element) == "numFmt":
                own[_number(element.get("numFmtId"), -1)] = element.get("formatCode", "")
                continue
            for n, style in enumerate(element):
                styles[str(n)] = _style(_number(style.get("numFmtId"), 0), own)
        return styles

    def _elements(self, part: str | None, *names: str) -> Iterator[Element]:
        """The elements of a part that bear one of the names; each is forgotten once it was seen, all others at once."""
        if part not in self._names or part is None:
            raise Unreadable(BROKEN)
        try:
            with self._zip.open(part) as file:
                open_ones: list[Element] = []
                wanted = count = 0  # how many that bear a name are open; elements seen in the outermost of them
                for event, element in iterparse(file, ("start", "end"), forbid_dtd=True):
                    named = _local(element) in names
                    if event == "start":
                        open_ones.append(element)
                        wanted += named
                        count += 1
                        if count > MOST_ELEMENTS:
                            raise Unreadable(BROKEN)
                        continue
                    open_ones.pop()
                    wanted -= named
                    if named and not wanted:
                        yield element
                    if not wanted and open_ones:
                        open_ones[-1].remove(element)
                        count = 0
        except DefusedXmlException as error:
            raise Unreadable(ENTITIES) from error
        except _DAMAGE as error:
            raise Unreadable(BROKEN) from error


class _WrongCell(Exception):
    def __init__(self, text: str, **values: Any) -> None:
        self.fault = Fault(text, values)


def _style(number: int, own: dict[int, str]) -> _Style:
    if number not in own:
        return _Style(number in _BUILTIN_DATES, number not in _MONTHS)
    code = _QUOTED.sub("", own[number]).lower()
    date = code != "general" and any(letter in code for letter in "dmyhs")
    return _Style(date, "d" in code or "y" not in code)


def _words(element: Element) -> str:
    """The text of a string, without the signs that say how to pronounce it."""
    if len(element) == 1 and _local(element[0]) == "t":
        return element[0].text or ""
    parts = []
    for part in element:
        if _local(part) == "t":
            parts.append(part.text or "")
        elif _local(part) == "r":
            parts += [each.text or "" for each in part if _local(each) == "t"]
    return "".join(parts)


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def _index(reference: str | None, otherwise: int) -> int:
    """The index of a cell's column, from a reference such as AB12."""
    found = _REFERENCE.fullmatch(reference or "")
    if not found:
        return otherwise
    index = 0
    for letter in found[1]:
        index = index * 26 + ord(letter) - ord("A") + 1
    return index - 1


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else otherwise


def _local(element: Element) -> str:
    tag: str = element.tag
    return tag.rpartition("}")[2]
