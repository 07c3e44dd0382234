"""The record as a row: which column holds what, from a record to its cells, and from cells back to a record.

What a cell holds is the value itself; an empty cell is null. A list has one column in a flat table, and in a workbook
a sheet of its own with a row an entry. Every other format of rows (CSV, XLSX, their import, the codebook) asks here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kb.formats.about import Document
from kb.formats.json import no_constant
from kb.formats.meanings import LISTS, SCALARS
from kb.formats.text import N_

FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
"""What a cell that is more than text begins with. `'` is among them so that one `'` can be taken off again."""

PRACTICE = "practice"
"""The first column of a list's sheet: the slug of the practice that an entry belongs to, its id where it has none."""

_NUMBER = re.compile(r"-?\d{1,18}(\.\d{1,18})?")


class Kind(StrEnum):
    """What the cells of a column hold."""

    TEXT = N_("text")
    NUMBER = N_("number")
    YES_NO = N_("yes or no")
    TERMS = N_("list of terms")
    LIST = N_("list")


@dataclass(frozen=True)
class Column:
    """One column: its name, what it means in words, and where its value stands in the record.

    `part` names the field of a group (`region_code` is `code` of `region`); `parts` are the columns of a list's sheet.
    `by_software` says that whoever writes a practice does not fill it in.
    """

    name: str
    meaning: str
    kind: Kind
    key: str
    part: str | None = None
    parts: tuple[Column, ...] = ()
    by_software: bool = False


_GROUPS = ("region", "lead_organisation", "origin")
_NUMBERS = frozenset({"beneficiaries", "budget_eur", "budget_year", "version", "completeness", "year", "amount_eur",
                      "bytes"})  # fmt: skip
_TERMS = frozenset({"themes", "target_groups"})
_BY_SOFTWARE = frozenset({"id", "slug", "origin", "version", "published", "updated", "completeness", "url"})


def _kind(name: str) -> Kind:
    if name in _NUMBERS:
        return Kind.NUMBER
    if name in _TERMS:
        return Kind.TERMS
    return Kind.YES_NO if name == "machine" else Kind.TEXT


def _column(name: str, meaning: str) -> Column:
    group = next((each for each in _GROUPS if name.startswith(f"{each}_")), None)
    key, part = (group, name[len(group) + 1 :]) if group else (name, None)
    parts = tuple(Column(each, said, _kind(each), each) for each, said in LISTS.get(name, {}).items())
    return Column(name, meaning, Kind.LIST if parts else _kind(name), key, part, parts, key in _BY_SOFTWARE)


COLUMNS = tuple(_column(name, meaning) for name, meaning in SCALARS.items())
"""Every column of the flat table, in the order of the record's keys."""

NAMES = tuple(column.name for column in COLUMNS)

BY_NAME = {column.name: column for column in COLUMNS}

SHEETS = tuple(column for column in COLUMNS if column.kind is Kind.LIST)
"""The columns that have a sheet of their own in a workbook; the sheet bears the column's name."""


def codebook() -> Iterator[tuple[str, str, str]]:
    """Every column and every part of a list: its name, its kind, its meaning."""
    for column in COLUMNS:
        yield column.name, column.kind, column.meaning
        yield from ((f"{column.name}.{part.name}", part.kind, part.meaning) for part in column.parts)


# To cells


def row(document: Document) -> list[Any]:
    """The values of a record's row: text, numbers, lists as they are, None where there is nothing."""
    return [_value(document, column) for column in COLUMNS]


def _value(document: Document, column: Column) -> Any:
    value = document[column.key]
    if column.part is None:
        return value
    return value[column.part] if value else None


def cell(value: object) -> str:
    """A value as the text of a cell: empty for None, with a leading `'` where it could be taken for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def one_cell(value: Any) -> str:
    """A value, be it a list, as the text of one cell: a list that is not empty is JSON."""
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False) if value else ""
    return cell(value)


# And back


def row_to_data(cells: Mapping[str, str]) -> dict[str, Any]:
    """The record's data under its keys, from the text of a row's cells by the name of their column.

    Empty cells and missing columns are null, a list that is not there is []. What does not read as a number or a list
    stays as text, and a column that nobody knows stays under its name: `record.shape` then says what is wrong.
    """
    data: dict[str, Any] = {column.key: None for column in COLUMNS}
    data |= {column.key: [] for column in COLUMNS if column.kind in (Kind.LIST, Kind.TERMS)}
    for name, held in cells.items():
        if not held:
            continue
        column = BY_NAME.get(name)
        if column is None:
            data[name] = held
        elif column.part is None:
            data[column.key] = _read(column.kind, held)
        else:
            group = data[column.key] or {each.part: None for each in COLUMNS if each.key == column.key}
            data[column.key] = {**group, column.part: unmarked(held)}
    return data


def entry_to_data(name: str, cells: Mapping[str, str]) -> dict[str, Any]:
    """One entry of a list, from the cells of a row of the sheet `name`; the column `practice` is left out."""
    kinds = {part.name: part.kind for part in BY_NAME[name].parts}
    entry: dict[str, Any] = dict.fromkeys(kinds)
    for part, held in cells.items():
        if part != PRACTICE and held:
            entry[part] = _read(kinds.get(part, Kind.TEXT), held)
    return entry


def unmarked(held: str) -> str:
    """The text of a cell without the one `'` that `cell` put before it."""
    return held[1:] if held.startswith("'") else held


def _read(kind: Kind, held: str) -> Any:
    if kind is Kind.NUMBER:
        return _number(held)
    if kind is Kind.YES_NO:
        return {"true": True, "false": False, "1": True, "0": False}.get(held.strip().lower(), unmarked(held))
    if kind is Kind.LIST:
        return _list(held)
    if kind is Kind.TERMS:
        terms = _list(held)
        return terms if isinstance(terms, list) else [each.strip() for each in re.split("[;,]", terms) if each.strip()]
    return unmarked(held)


def _number(held: str) -> int | float | str:
    plain = unmarked(held).strip()
    if not _NUMBER.fullmatch(plain):
        return unmarked(held)
    return float(plain) if "." in plain else int(plain)


def _list(held: str) -> Any:
    """The list that stands as JSON in a cell, or the text where there is none."""
    try:
        found = json.loads(held, parse_constant=no_constant)
    except (ValueError, RecursionError):
        return unmarked(held)
    return found if isinstance(found, list) else unmarked(held)
