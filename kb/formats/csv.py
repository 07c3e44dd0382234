"""Rows as CSV for spreadsheets: with a byte-order mark, and no cell that a spreadsheet would take for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from kb.formats import table
from kb.formats.about import About, Document
from kb.formats.table import cell

MEDIA_TYPE = "text/csv; charset=utf-8; header=present"

MARK = "\ufeff"
"""The byte-order mark: without it spreadsheets do not read UTF-8."""


def many(documents: Iterable[Document], about: About) -> Iterator[str]:
    """The text of a table with a row a record, a list in one cell as JSON."""
    yield MARK + _line(table.NAMES)
    for document in documents:
        yield _line(map(table.one_cell, table.row(document)))


def rows(header: Sequence[str], values: Iterable[Sequence[object]]) -> Iterator[str]:
    """The text of a table, a piece a row."""
    yield MARK + _line(header)
    for row in values:
        yield _line([cell(value) for value in row])


def _line(cells: Iterable[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()
