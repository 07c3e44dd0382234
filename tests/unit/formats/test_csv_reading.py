"""CSV is read as spreadsheets write it; what cannot be read costs one line, and says so."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.formats import csv_reading
from kb.formats.grid import Line, Unreadable


def lines(data: bytes | str) -> list[Line]:
    return list(csv_reading.lines(io.BytesIO(data if isinstance(data, bytes) else data.encode())))


def cells(data: bytes | str) -> list[tuple[str, ...]]:
    return [line.cells for line in lines(data)]


TABLE = [("title", "summary"), ("Mentors; many", "a, b")]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_separator_encoding_and_line_end_is_understood(separator: str, encoding: str, end: str) -> None:
    text = end.join(separator.join(f'"{cell}"' for cell in row) for row in TABLE) + end
    assert cells(text.encode(encoding)) == TABLE


def test_the_separator_that_excel_names_is_taken_and_its_line_not_counted() -> None:
    assert [(line.row, line.cells) for line in lines("sep=;\na,b;c\n1;2\n")] == [(1, ("a,b", "c")), (2, ("1", "2"))]


def test_rows_count_as_a_spreadsheet_counts_and_lines_as_an_editor() -> None:
    read = lines('title\n"two\nlines"\n\nthird\n')
    assert [(line.row, line.line) for line in read] == [(1, None), (2, None), (4, 5)]


def test_bytes_that_are_no_text_cost_their_cell_and_name_the_remedy() -> None:
    read = lines("title,place\nGood,Münster\n".encode() + "Bad,Köln\n".encode("latin-1") + b"Good,again\n")
    assert [list(line.faults) for line in read] == [[], [], [1], []]
    assert "CSV UTF-8" in str(read[2].faults[1])


def test_quotation_marks_that_make_no_sense_cost_their_row() -> None:
    read = lines('title\n"a"b\nc\n')
    assert [bool(line.fault) for line in read] == [False, True, False]


def test_a_quotation_mark_that_is_never_closed_is_named_and_ends_the_reading() -> None:
    read = lines('title\nfirst\n"second\nthird\n')
    assert [line.row for line in read] == [1, 2, 3]
    assert "not closed" in str(read[-1].fault)


def test_a_cell_beyond_all_measure_ends_the_reading_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_reading, "LONGEST", 1000)
    read = lines('title\n"' + "word\n" * 1000 + '"\nafter\n')
    assert len(read) == 2 and "not closed" in str(read[-1].fault)


def test_a_file_of_empty_rows_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_reading, "MOST_EMPTY", 10)
    read = lines("title\n" + "\n" * 9 + "here\n" + "\n" * 10 + "never\n")
    assert [(line.row, bool(line.fault)) for line in read] == [(1, False), (11, False), (21, True)]


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b"  \n"])
def test_an_empty_file_is_said_to_be_empty(data: bytes) -> None:
    with pytest.raises(Unreadable, match="empty"):
        lines(data)


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2, max_size=4), max_size=5))
def test_what_a_writer_of_csv_wrote_is_read(rows: list[list[str]]) -> None:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerows([["one", "two"], *rows])
    kept = [tuple(row) for row in rows if any(cell.strip() for cell in row)]
    assert cells(buffer.getvalue().encode("utf-8-sig"))[1:] == kept
