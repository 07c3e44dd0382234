"""Workbooks are read as text, whoever wrote them; one that would harm is refused in a sentence."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime

import openpyxl
import pytest
from openpyxl.styles import NamedStyle
from xlsxwriter import Workbook

from kb.formats import xlsx_reading
from kb.formats.grid import Line, Unreadable
from kb.formats.xlsx_reading import Book


def written(*rows: list[object], name: str = "practices") -> bytes:
    """A workbook as openpyxl writes it."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = name
    for row in rows:
        sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def lines(data: bytes, name: str = "practices") -> list[Line]:
    return list(Book(io.BytesIO(data)).lines(name))


def first(*values: object) -> tuple[str, ...]:
    return lines(written(list(values)))[0].cells


def repacked(data: bytes, **parts: bytes | None) -> bytes:
    """A workbook with other parts in place of its own; a part whose name ends in `part`, with None it is left out."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            stem = info.filename.rpartition("/")[2].partition(".")[0]
            content = parts.get(stem, old.read(info)) if not info.filename.endswith(".rels") else old.read(info)
            if content is not None:
                new.writestr(info.filename, content)
    return buffer.getvalue()


@pytest.mark.parametrize("put", [b"\xff" * 40, b"\x00" * 40, b""], ids=["no deflate", "zeros", "cut off"])
def test_a_workbook_whose_packed_sheet_is_damaged_is_refused(put: bytes) -> None:
    data = written(["title"], ["A house"])
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        about = book.getinfo("xl/worksheets/sheet1.xml")
    start = about.header_offset + 30 + len(about.filename)
    end = start + (len(put) or about.compress_size)
    with pytest.raises(Unreadable):
        lines(data[:start] + put.ljust(end - start, b"\x03") + data[end:])


@pytest.mark.parametrize("encoding", ["utf-32", "klingon", "shift_jis"])
def test_a_workbook_in_an_encoding_that_no_spreadsheet_writes_is_refused(encoding: str) -> None:
    sheet = f'<?xml version="1.0" encoding="{encoding}"?><worksheet/>'.encode()
    with pytest.raises(Unreadable):
        lines(repacked(written(["title"]), sheet1=sheet))


def test_numbers_dates_and_yes_or_no_become_what_a_person_would_write() -> None:
    assert first("text", 2016, 2016.0, 2.5, True, False, date(2026, 9, 30), datetime(2026, 9, 30, 12, 5)) == (
        "text", "2016", "2016", "2.5", "true", "false", "2026-09-30", "2026-09-30T12:05:00",
    )  # fmt: skip


def test_a_month_that_excel_took_for_a_date_is_a_month_again() -> None:
    book = openpyxl.Workbook()
    book.active["A1"] = date(2016, 5, 1)
    book.active["A1"].style = NamedStyle("month", number_format="mmm-yy")
    buffer = io.BytesIO()
    book.save(buffer)
    assert lines(buffer.getvalue(), "Sheet")[0].cells == ("2016-05",)


def test_dates_of_a_workbook_that_counts_from_1904_are_right() -> None:
    book = openpyxl.Workbook()
    book.epoch = datetime(1904, 1, 1)
    book.active["A1"] = date(2016, 5, 1)
    buffer = io.BytesIO()
    book.save(buffer)
    assert lines(buffer.getvalue(), "Sheet")[0].cells == ("2016-05-01",)


def test_a_formula_is_refused_cell_by_cell_and_the_rest_is_read() -> None:
    line = lines(written(["title", "=1+1", "after"]))[0]
    assert line.cells == ("title", "", "after")
    assert "formula" in str(line.faults[1])


def test_an_error_of_the_spreadsheet_is_named() -> None:
    assert "#REF!" in str(lines(written(["#REF!"]))[0].faults[0])


def test_rows_and_columns_that_are_left_out_are_counted() -> None:
    book = openpyxl.Workbook()
    book.active["C4"] = "here"
    buffer = io.BytesIO()
    book.save(buffer)
    (line,) = lines(buffer.getvalue(), "Sheet")
    assert (line.row, line.cells) == (4, ("", "", "here"))


@pytest.mark.parametrize(
    "text", ["_x0041_", "_x000D_", "a_x005F_b", "  spaces  ", "two\nlines", "ș ț 𝒳 \u2028", "=1", "'"]
)
@pytest.mark.parametrize("constant_memory", [True, False])
def test_text_comes_back_as_it_was_written(text: str, constant_memory: bool) -> None:
    buffer = io.BytesIO()
    with Workbook(buffer, {"constant_memory": constant_memory, "in_memory": not constant_memory}) as book:
        book.add_worksheet("practices").write_string(0, 0, text)
    assert lines(buffer.getvalue())[0].cells == (text,)


def test_rich_text_is_its_words() -> None:
    buffer = io.BytesIO()
    with Workbook(buffer) as book:
        book.add_worksheet("practices").write_rich_string(0, 0, "a ", book.add_format({"bold": True}), "bold", " word")
    assert lines(buffer.getvalue())[0].cells == ("a bold word",)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"nothing of the kind", repacked(written(["x"]), workbook=None)])
def test_what_is_no_workbook_is_refused(data: bytes) -> None:
    with pytest.raises(Unreadable, match="not a workbook"):
        Book(io.BytesIO(data))


def test_markup_that_is_cut_off_is_refused() -> None:
    data = repacked(written(["x"]), sheet1=b"<worksheet><sheetData><row>")
    with pytest.raises(Unreadable, match="damaged"):
        lines(data)


def test_a_workbook_that_unpacks_to_too_much_is_refused_before_it_is_unpacked() -> None:
    bomb = repacked(written(["x"]), sheet1=b"<worksheet>" + b" " * 200_000_000)
    assert len(bomb) < 1_000_000
    with pytest.raises(Unreadable, match="128 MB"):
        Book(io.BytesIO(bomb))


@pytest.mark.parametrize("part", ["workbook", "sharedStrings", "sheet1", "styles"])
def test_entities_are_refused_wherever_they_stand(part: str) -> None:
    buffer = io.BytesIO()
    with Workbook(buffer) as book:
        book.add_worksheet("practices").write_string(0, 0, "text")
    data = repacked(buffer.getvalue(), **{part: b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'})
    with pytest.raises(Unreadable, match="entities"):
        lines(data)


def test_a_row_of_a_million_cells_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_reading, "MOST_ELEMENTS", 1000)
    data = repacked(
        written(["x"]), sheet1=b"<worksheet><sheetData><row>" + b"<c/>" * 3000 + b"</row></sheetData></worksheet>"
    )
    with pytest.raises(Unreadable, match="damaged"):
        lines(data)


def test_a_cell_far_to_the_right_costs_nothing() -> None:
    data = repacked(
        written(["x"]),
        sheet1=b'<worksheet><sheetData><row r="1"><c r="XFD1"><v>1</v></c></row></sheetData></worksheet>',
    )
    assert lines(data) == []


def test_empty_rows_without_end_are_not_read_to_their_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_reading, "MOST_EMPTY", 20)
    far = b'<row r="1"><c t="str"><v>x</v></c></row>'
    for empty, found in ((20, 1), (21, 0)):
        rows = b'<row r="1"/>' * empty + far
        data = repacked(written(["x"]), sheet1=b"<worksheet><sheetData>" + rows + b"</sheetData></worksheet>")
        assert len(lines(data)) == found


def test_a_workbook_with_one_part_for_many_sheets_is_refused() -> None:
    with zipfile.ZipFile(io.BytesIO(written(["x"]))) as old:
        book = old.read("xl/workbook.xml")
    sheet = book[book.index(b"<sheet ") : book.index(b"</sheets>")]
    twice = book.replace(sheet, sheet + sheet.replace(b"practices", b"partners"))
    with pytest.raises(Unreadable, match="damaged"):
        Book(io.BytesIO(repacked(written(["x"]), workbook=twice)))
