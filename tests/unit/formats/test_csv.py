"""Tables for spreadsheets: nothing in a cell is taken for a formula, and it reads back."""

from __future__ import annotations

import csv as stdlib
import io

import pytest

from kb.formats import csv


@pytest.mark.parametrize("text", ["=1+1", "+49", "-1", "@here", "\tx", "\rx", "'quoted"])
def test_what_looks_like_a_formula_gets_a_mark(text: str) -> None:
    assert csv.cell(text) == f"'{text}"


@pytest.mark.parametrize(("value", "text"), [(None, ""), (5, "5"), ("a=b", "a=b"), ("", "")])
def test_other_values_stay_as_they_are(value: object, text: str) -> None:
    assert csv.cell(value) == text


def test_a_table_reads_back() -> None:
    text = "".join(csv.rows(("a", "b"), [("x,y", 'say "no"'), ("two\nlines", "ș")]))
    assert text.startswith("\ufeff")
    assert list(stdlib.reader(io.StringIO(text[1:], newline=""))) == [
        ["a", "b"], ["x,y", 'say "no"'], ["two\nlines", "ș"],
    ]  # fmt: skip
