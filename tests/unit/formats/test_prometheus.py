"""Measurements as Prometheus reads them."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from kb.formats.prometheus import Family, Sample, text

LABEL = re.compile(r'(\w+)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"')


def test_a_family_has_its_sentence_its_kind_and_its_numbers() -> None:
    family = Family("kb_x_total", "counter", "What\nhappens.", (Sample(3.0, {"room": "a"}), Sample(0.25, {}, "_sum")))
    assert text([family, Family("kb_empty", "gauge", "Nothing.", ())]) == (
        '# HELP kb_x_total What\\nhappens.\n# TYPE kb_x_total counter\nkb_x_total{room="a"} 3\nkb_x_total_sum 0.25\n'
    )


@given(st.text())
def test_any_value_of_a_label_can_be_read_back_from_one_line(value: str) -> None:
    line = text([Family("kb_x", "gauge", "X.", (Sample(1, {"of": value}),))]).split("\n", 2)[2]
    found = LABEL.search(line)
    assert line == f"kb_x{{{found[0]}}} 1\n" if found else False
    read = re.sub(r"\\(.)", lambda escaped: {"n": "\n"}.get(escaped[1], escaped[1]), found[2]) if found else None
    assert read == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_number_can_be_read_back(value: float) -> None:
    assert float(text([Family("kb_x", "gauge", "X.", (Sample(value),))]).split()[-1]) == value
