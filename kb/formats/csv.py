"""Rows as CSV for spreadsheets: with a byte-order mark, and no cell that a spreadsheet would take for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

MARK = "\ufeff"
"""The byte-order mark: without it spreadsheets do not read UTF-8."""

FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
"""What a cell that is more than text begins with. `'` is among them so that one `'` can be taken off again."""


def cell(value: object) -> str:
    """A value as the text of a cell: empty for None, with a leading `'` where it could be taken for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def rows(header: Sequence[str], values: Iterable[Sequence[object]]) -> Iterator[str]:
    """The text of a table, a piece a row."""
    yield MARK + _line(header)
    for row in values:
        yield _line([cell(value) for value in row])


def _line(cells: Sequence[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()
