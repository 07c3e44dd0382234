"""JSON arrays and JSON lines, written and read one record at a time."""

from __future__ import annotations

import io
import json as stdlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.formats import json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(), VALUES, max_size=4)


class Dribble(io.BytesIO):
    """A file that gives a few bytes at a time, so that every chunk border is met."""

    def __init__(self, data: bytes, size: int) -> None:
        super().__init__(data)
        self.size = size

    def read(self, _size: int | None = -1) -> bytes:
        return super().read(self.size)


def values(data: bytes, size: int = 1) -> list[Any]:
    rows = list(json.read(Dribble(data, size)))
    assert not [row.fault for row in rows if row.fault]
    return [row.value for row in rows]


def faults(data: bytes) -> list[tuple[str, str]]:
    return [(row.place, row.fault) for row in json.read(io.BytesIO(data)) if row.fault]


@given(st.lists(VALUES, max_size=6), st.integers(1, 7), st.booleans(), st.sampled_from([None, 1]), st.booleans())
def test_an_array_reads_as_the_standard_library_reads_it(
    items: list[Any], size: int, ascii_only: bool, indent: int | None, mark: bool
) -> None:
    text = stdlib.dumps(items, ensure_ascii=ascii_only, indent=indent)
    try:
        data = text.encode("utf-8-sig" if mark else "utf-8")
    except UnicodeEncodeError:  # a lone surrogate has no UTF-8
        return
    assert values(data, size) == stdlib.loads(text)


@given(st.lists(OBJECTS, min_size=1, max_size=6), st.integers(1, 7), st.sampled_from(["\n", "\r\n", "\n\n"]))
def test_lines_read_as_the_standard_library_reads_them(items: list[Any], size: int, end: str) -> None:
    data = end.join(stdlib.dumps(item) for item in items).encode()
    assert values(data, size) == items


@given(st.lists(OBJECTS, max_size=5))
def test_what_was_written_as_an_array_reads_back(items: list[Any]) -> None:
    assert stdlib.loads("".join(json.array(items))) == items


@given(st.lists(OBJECTS, min_size=1, max_size=5))
def test_what_was_written_as_lines_reads_back(items: list[Any]) -> None:
    text = "".join(json.lines(items))
    assert text.count("\n") == len(items)
    assert [stdlib.loads(line) for line in text.split("\n")[:-1]] == items


def test_an_array_has_one_record_a_line() -> None:
    assert "".join(json.array([{"a": 1}, {"b": "é"}])) == '[\n{"a": 1},\n{"b": "é"}\n]\n'


def test_no_records_make_an_empty_array() -> None:
    assert "".join(json.array([])) == "[]\n"
    assert values(b"[]\n") == []


def test_brackets_and_quotes_inside_strings_end_nothing() -> None:
    items = [{"text": 'a ] b } c "[{" \\'}, {"text": "\u2028 \x85"}]
    assert values(stdlib.dumps(items, ensure_ascii=False).encode()) == items
    assert values("".join(json.lines(items)).encode()) == items


def test_a_bad_line_is_named_and_the_others_are_read() -> None:
    rows = list(json.read(io.BytesIO(b'{"a": 1}\n{"a": \n{"a": 3}\n')))
    assert [(row.place, row.value, row.fault is None) for row in rows] == [
        ("line 1", {"a": 1}, True),
        ("line 2", None, False),
        ("line 3", {"a": 3}, True),
    ]


@pytest.mark.parametrize(
    "data",
    [b'[{"a": 1}, {"a": ]', b'[{"a": 1},', b'[{"a": 1}', b'[{"a": 1},]', b'[{"a": 1} {"a": 2}]', b'[{"a": 1}, NaN]',
     b'[{"a": 1}, \xff]', b'[{"a": 1}, ' + b"[" * 200_000, b'[{"a": 1}, ' + b"9" * 5000 + b"]"],
)  # fmt: skip
def test_an_array_is_read_up_to_its_first_fault(data: bytes) -> None:
    rows = list(json.read(io.BytesIO(data)))
    assert rows[-1].fault
    assert [row.value for row in rows[:-1]] in ([{"a": 1}], [])


@pytest.mark.parametrize("data", [b'[{"a": 1}, {"a": "\xff"}, {"a": 3}]', b'{"a": 1}\n{"a": "\xff"}\n{"a": 3}\n'])
def test_bytes_that_are_not_utf8_cost_one_record(data: bytes) -> None:
    rows = list(json.read(Dribble(data, 3)))
    assert [row.value for row in rows] == [{"a": 1}, None, {"a": 3}]
    assert rows[1].fault == "This is not UTF-8 text."


def test_what_follows_an_array_is_a_fault() -> None:
    assert faults(b"[1] [2]") == [("the end", "Something follows the end of the array; it was not read.")]


@pytest.mark.parametrize(
    "data", [b"", b"  \n", b"\xef\xbb\xbf", b"id,title\n1,x\n", b"PK\x03\x04", b"\xff\xfe[", b'"a"']
)
def test_a_file_of_another_kind_is_refused(data: bytes) -> None:
    with pytest.raises(json.NotJson):
        list(json.read(io.BytesIO(data)))


def test_a_record_without_end_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json, "LONGEST", 1000)
    monkeypatch.setattr(json, "CHUNK", 100)
    file = io.BytesIO(b'["' + b"x" * 1_000_000 + b'"]')
    assert [row.fault is None for row in json.read(file)] == [False]
    assert file.tell() < 10_000


def test_reading_tells_how_far_it_is() -> None:
    data = stdlib.dumps([{"n": n} for n in range(100)]).encode()
    seen: list[int] = []
    list(json.read(io.BytesIO(data), seen.append))
    assert sum(seen) == len(data)
