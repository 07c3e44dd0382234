"""The record as a row: every key has its column, and what a file says comes back as it was."""

from __future__ import annotations

import csv as stdlib
import io
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.formats import csv, table, xlsx
from kb.formats.about import About, Document
from kb.services.record import GROUPS, KEYS, LISTS, NUMBERS, SET_BY_SOFTWARE, TERMS
from tests.unit.formats.records import RECORDS, whole

ABOUT = About(
    site="Practices", base_url="https://practices.example.eu", title="All practices",
    url="https://practices.example.eu/practices", made=datetime(2026, 11, 23, tzinfo=UTC), language="en",
    term=lambda _facet, value: value, point=lambda _record: None,
)  # fmt: skip

RECORD = whole({"title": "A house for all", "evidence": "none", "start": "2016", "beneficiaries": 12,
                "partners": [{"name": "=SUM(A1)"}], "themes": ["housing", "health"]})  # fmt: skip

HOSTILE = [
    "=1+1", "+49 30", "-1", "@here", "'quoted", "''twice", "_x0041_", "_x0041_x0042_", "a\nb", 'say "no"', "NULL",
    "none", "true", "1e5", "0012", "[]", "\ufffe", "http://example.org", '=HYPERLINK("http://x")', ";", "|",
]  # fmt: skip


def from_csv(text: str) -> list[dict[str, Any]]:
    reader = stdlib.DictReader(io.StringIO(text.removeprefix(csv.MARK), newline=""))
    return [table.row_to_data(row) for row in reader]


def from_xlsx(data: bytes) -> list[dict[str, Any]]:
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True)
    records = [table.row_to_data(cells) for cells in _cells(book[xlsx.MAIN])]
    by_slug = {record["slug"]: record for record in records}
    for name in LISTS:
        for cells in _cells(book[name]):
            by_slug[cells[table.PRACTICE]][name].append(table.entry_to_data(name, cells))
    return records


def _cells(sheet: Any) -> Iterable[dict[str, str]]:
    header, *rows = sheet.iter_rows(values_only=True)
    return [{n: xlsx.unescaped(_text(v)) for n, v in zip(header, row, strict=False) if n} for row in rows]


def _text(value: Any) -> str:
    """A cell as a CSV file would hold it."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def sheets(documents: Iterable[Document]) -> Any:
    return openpyxl.load_workbook(io.BytesIO(b"".join(xlsx.many(documents, ABOUT))))


# The columns


def test_every_key_of_the_record_has_its_columns_in_order() -> None:
    assert tuple(dict.fromkeys(column.key for column in table.COLUMNS)) == KEYS


def test_groups_have_a_column_a_field() -> None:
    groups = {**GROUPS, "origin": ("kind", "url")}
    held = {key: tuple(c.part for c in table.COLUMNS if c.key == key) for key in groups}
    assert held == groups


def test_lists_have_a_sheet_with_their_fields() -> None:
    assert {column.name: tuple(part.name for part in column.parts) for column in table.SHEETS} == LISTS
    assert [column.name for column in table.COLUMNS if column.kind is table.Kind.TERMS] == list(TERMS)


def test_numbers_are_what_the_record_says_they_are() -> None:
    here = [column.name for column in table.COLUMNS if column.kind is table.Kind.NUMBER]
    here += [f"{c.name}.{part.name}" for c in table.SHEETS for part in c.parts if part.kind is table.Kind.NUMBER]
    assert set(here) == {*NUMBERS, "version", "completeness"}


def test_what_the_software_sets_is_told_apart() -> None:
    assert {column.key for column in table.COLUMNS if column.by_software} == set(SET_BY_SOFTWARE)


# Hostile and odd cells


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_comes_back_from_a_csv_file(text: str) -> None:
    record = whole({"title": text, "actions": text, "partners": [{"name": text}]})
    assert from_csv("".join(csv.many([record], ABOUT))) == [record]


def test_any_text_comes_back_from_a_workbook() -> None:
    records = [
        whole({"title": text, "actions": text, "partners": [{"name": text}]}, slug=f"practice-{n}")
        for n, text in enumerate(HOSTILE)
    ]
    assert from_xlsx(b"".join(xlsx.many(records, ABOUT))) == records


def test_no_cell_of_a_table_begins_like_a_formula() -> None:
    text = "".join(csv.many([whole({"title": text}) for text in HOSTILE], ABOUT))
    cells = [cell for row in stdlib.reader(io.StringIO(text.removeprefix(csv.MARK), newline="")) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_a_workbook_has_no_formula_and_no_link() -> None:
    book = sheets(whole({"title": text, "links": [{"title": text, "url": "https://example.org"}]}) for text in HOSTILE)
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f" or cell.hyperlink]


def test_none_and_nothing_are_told_apart() -> None:
    blank = whole({"title": "x"})
    assert [row["evidence"] for row in from_csv("".join(csv.many([RECORD, blank], ABOUT)))] == ["none", None]


def test_numbers_are_numbers_and_years_are_text_in_a_workbook() -> None:
    header, values = sheets([RECORD])[xlsx.MAIN].iter_rows(values_only=True)
    held = dict(zip(header, values, strict=True))
    assert (held["beneficiaries"], held["start"], held["themes"]) == (12, "2016", "housing; health")


def test_a_workbook_explains_every_column_in_the_readers_words() -> None:
    book = openpyxl.load_workbook(io.BytesIO(b"".join(xlsx.many([], ABOUT, str.upper))))
    rows = list(book[xlsx.CODEBOOK].iter_rows(min_row=2, values_only=True))
    assert len(rows) == len(table.COLUMNS) + sum(len(column.parts) for column in table.COLUMNS)
    assert all(row[3] == row[3].upper() for row in rows)


# Reading what people typed


def test_terms_may_be_typed_one_after_the_other() -> None:
    assert table.row_to_data({"themes": "housing; health,sport"})["themes"] == ["housing", "health", "sport"]
    assert table.row_to_data({"themes": '["housing"]'})["themes"] == ["housing"]


def test_what_is_no_number_or_list_stays_as_typed() -> None:
    data = table.row_to_data({"beneficiaries": "about 50", "partners": "[not json", "sources": "[NaN]", "hobby": "x"})
    assert data["beneficiaries"] == "about 50"
    assert (data["partners"], data["sources"], data["hobby"]) == ("[not json", "[NaN]", "x")


@settings(max_examples=300, deadline=None)
@given(st.text())
def test_one_mark_goes_on_and_one_comes_off(text: str) -> None:
    assert table.unmarked(table.cell(text)) == text


# There and back


@settings(max_examples=60, deadline=None)
@given(st.lists(RECORDS, max_size=3))
def test_any_record_comes_back_from_a_csv_file(records: list[Document]) -> None:
    assert from_csv("".join(csv.many(records, ABOUT))) == records


@settings(max_examples=40, deadline=None)
@given(st.lists(RECORDS, max_size=3, unique_by=lambda record: record["slug"]))
def test_any_record_comes_back_from_a_workbook(records: list[Document]) -> None:
    assert from_xlsx(b"".join(xlsx.many(records, ABOUT))) == records
