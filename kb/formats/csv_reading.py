"""CSV as spreadsheets write it, read line by line: whatever parts the cells, with or without a byte-order mark."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator
from typing import BinaryIO, cast

from kb.formats.grid import WIDEST, Fault, Line, Unreadable
from kb.formats.text import N_

LONGEST = 8 * 1024 * 1024
"""Characters that one record may take: every field of a practice at its cap stays well below."""

SEPARATORS = (",", ";", "\t")
"""What may part the cells: that of the first line's that parts it into most."""

MOST_EMPTY = 100_000
"""Empty rows in a row after which a file is read no further: each costs time."""

_UNDECODED = re.compile("[\udc80-\udcff]")
_SAID = re.compile("sep=(.)\r?\n?")

NOT_UTF8 = N_("This is not UTF-8 text. In Excel, save the file as “CSV UTF-8”.")
NOT_CSV = N_(
    "The quotation marks of this row cannot be understood: a cell that holds one stands in quotation marks, and each "
    "one inside is doubled."
)
EMPTY = N_("There are %(most)d empty rows before this one. What follows was not read.")
ENDLESS = N_("This row does not end: a quotation mark is opened and not closed. What follows was not read.")


def lines(file: BinaryIO, seen: Callable[[int], None] | None = None) -> Iterator[Line]:
    """Read the lines of a table; the first are the names of the columns. Empty lines are counted and left out.

    A line that cannot be read bears a fault, and reading goes on. Memory holds one line. `seen` is told how many
    bytes were read. Raises Unreadable for a file without any line.
    """
    text = _Text(file, seen)
    first = text.peek()
    if not first.strip():
        raise Unreadable(N_("The file is empty."))
    said = _SAID.fullmatch(first)  # Excel's own way to say what parts the cells, which it does not show
    if said:
        text.skip()
        first = text.peek()
    csv.field_size_limit(LONGEST)
    reader = csv.reader(text, delimiter=said[1] if said else _separator(first), strict=True)
    row = filled = 0
    while row - filled < MOST_EMPTY:
        row += 1
        begun = text.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if text.ended or "field limit" in str(error):
                yield Line(row, fault=Fault(ENDLESS), line=begun if begun != row else None)
                return
            yield Line(row, fault=Fault(NOT_CSV), line=begun if begun != row else None)
            continue
        if any(cell.strip() for cell in cells):
            filled = row
            yield _line(row, begun, cells)
    yield Line(row, fault=Fault(EMPTY, {"most": MOST_EMPTY}))


def _line(row: int, begun: int, cells: list[str]) -> Line:
    faults = {n: Fault(NOT_UTF8) for n, cell in enumerate(cells[:WIDEST]) if _UNDECODED.search(cell)}
    return Line(row, tuple(cells[:WIDEST]), faults, line=begun if begun != row else None)


def _separator(first: str) -> str:
    outside = re.sub(r'"[^"]*"', "", first)
    return max(SEPARATORS, key=outside.count)


class _Text:
    """The lines of a text file, one ahead. `number` is how many were taken, `ended` whether none is left."""

    def __init__(self, file: BinaryIO, seen: Callable[[int], None] | None) -> None:
        self._file = _Counted(file, seen)
        start = file.read(2)
        file.seek(0)
        utf16 = start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)  # Excel's "Unicode text"
        # bytes that are not text become lone surrogates, so that only the line that holds them is refused
        encoding, errors = ("utf-16", "replace") if utf16 else ("utf-8-sig", "surrogateescape")
        self._text = io.TextIOWrapper(cast(BinaryIO, self._file), encoding, errors, newline="")
        self._ahead: str | None = None
        self.number = 0
        self.ended = False

    def peek(self) -> str:
        """The next line, which stays; "" after the last."""
        if self._ahead is None:
            self._ahead = self._text.readline(LONGEST)
        return self._ahead

    def skip(self) -> None:
        """Leave the next line out, and do not count it."""
        self._ahead = None

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self.peek()
        self._ahead = None
        if not line:
            self.ended = True
            raise StopIteration
        self.number += 1
        return line


class _Counted(io.BufferedIOBase):
    """A file that tells how many bytes were read of it, and is not closed with the text around it."""

    def __init__(self, file: BinaryIO, seen: Callable[[int], None] | None) -> None:
        self._file = file
        self._seen = seen

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        piece = self._file.read(-1 if size is None else size)
        if self._seen and piece:
            self._seen(len(piece))
        return piece

    def read1(self, size: int = -1, /) -> bytes:
        return self.read(size)
