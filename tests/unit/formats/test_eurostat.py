"""Eurostat's tables, read back as they were written; whatever is none is refused in a sentence."""

from __future__ import annotations

import gzip
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.formats.eurostat import NotEurostat, Table, figure, opened

flags = st.sampled_from(["", " ", " b", " p", " ep", " bdep"])
figures = st.one_of(
    st.none(), st.integers(-(10**9), 10**9), st.floats(-1e9, 1e9).map(lambda value: round(value, 2))
)  # fmt: skip
words = st.text("ABCDEFYT_0123456789", min_size=1, max_size=6)
tables = st.integers(1, 4).flatmap(
    lambda width: st.tuples(
        st.lists(st.integers(1960, 2050), min_size=width, max_size=width, unique=True),
        st.lists(
            st.tuples(words, words, st.lists(st.tuples(figures, flags), min_size=width, max_size=width)), max_size=5
        ),
    )
)


def written(years: list[int], rows: list[tuple[str, str, list[tuple[float | None, str]]]]) -> str:
    lines = ["freq,sex,geo\\TIME_PERIOD\t" + "\t".join(f"{year} " for year in years)]
    for sex, geo, cells in rows:
        shown = [f"{':' if value is None else value}{flag}" for value, flag in cells]
        lines.append("\t".join([f"A,{sex},{geo}", *shown]))
    return "\n".join(lines) + "\n"


@given(tables, st.booleans())
def test_what_was_written_is_read(table: tuple[list[int], list], packed: bool) -> None:  # type: ignore[type-arg]
    years, rows = table
    data = written(years, rows).encode()
    moved: list[int] = []
    with opened(io.BytesIO(gzip.compress(data) if packed else data), moved.append) as lines:
        found = list(Table(lines).rows())
    assert [(series.keys["sex"], series.keys["geo"]) for series in found] == [(sex, geo) for sex, geo, _ in rows]
    for series, (_sex, _geo, cells) in zip(found, rows, strict=True):
        known = {year: value for year, (value, _flag) in zip(years, cells, strict=True) if value is not None}
        assert series.years == pytest.approx(known)


@given(st.binary(max_size=300), st.sampled_from([b"", b"freq,geo\\TIME_PERIOD\t2020\n", b"\x1f\x8b"]))
def test_whatever_is_no_table_is_refused_in_a_sentence(data: bytes, before: bytes) -> None:
    try:
        with opened(io.BytesIO(before + data), lambda _bytes: None) as lines:
            list(Table(lines).rows())
    except NotEurostat as refused:
        assert str(refused).endswith(".")


@pytest.mark.parametrize(
    ("cell", "value"),
    [("123 b", 123.0), ("12.3 ep", 12.3), (": ", None), (":", None), (": c", None), ("", None), ("1e400", None),
     ("nan", None), ("1_000", None), ("-5", -5.0), ("٣", None)],
)  # fmt: skip
def test_a_cell_is_a_number_with_flags_or_nothing(cell: str, value: float | None) -> None:
    assert figure(cell) == value


def test_quarters_are_no_years() -> None:
    with pytest.raises(NotEurostat, match="no column of a whole year"):
        Table(["freq,geo\\TIME_PERIOD\t2020-Q1 \t2020-Q2\n"])


def test_a_row_with_other_columns_is_named_by_its_line() -> None:
    with pytest.raises(NotEurostat, match="Line 3 "):
        list(Table(["freq,geo\\TIME_PERIOD\t2020\n", "A,ES\t1\n", "A,ES\t1\t2\n"]).rows())
