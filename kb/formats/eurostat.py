"""Eurostat's tables as tab-separated values: what its bulk download and its API write, read line by line.

    freq,unit,sex,age,geo\\TIME_PERIOD<tab>2023 <tab>2024
    A,NR,T,TOTAL,ES22<tab>672155 <tab>678333 p

A value may have flags after it ("123 b" is a break in the series); ":" is none. Source: Eurostat, "TSV format of the
bulk download facility"; https://ec.europa.eu/eurostat/web/user-guides/data-browser/api-data-access.
"""

from __future__ import annotations

import gzip
import io
import math
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, TextIO

GZIP = b"\x1f\x8b"

LONGEST_LINE = 1 << 20
"""Characters of a line; Eurostat's longest tables have some thousand periods."""

_YEAR = re.compile(r"\d{4}", re.ASCII)
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_TOLD_EVERY = 1000  # lines


class NotEurostat(Exception):
    """The file is no table of Eurostat's; a sentence."""


@dataclass(frozen=True, slots=True)
class Series:
    """One row: the value of each dimension, and the figure of each year that has one."""

    keys: Mapping[str, str]
    years: Mapping[int, float]


class Table:
    """A table that is being read: its dimensions, in their order, and its rows, once. Raises NotEurostat."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        head = next(self._lines, "").removeprefix("\ufeff").rstrip("\r\n").split("\t")
        names, parted, _time = head[0].partition("\\")
        self.dimensions = tuple(name.strip().lower() for name in names.split(","))
        self._years = [int(text) if _YEAR.fullmatch(text) else None for text in map(str.strip, head[1:])]
        if not parted or self.dimensions[-1] != "geo" or len(set(self.dimensions)) < len(self.dimensions):
            raise NotEurostat("It does not begin as a table of regions does: freq,…,geo\\TIME_PERIOD and years.")
        if not any(self._years):
            raise NotEurostat("It has no column of a whole year.")

    def rows(self) -> Iterator[Series]:
        """Yield the rows in their order. Raises NotEurostat, with the number of the line, for what is none."""
        for number, line in enumerate(self._lines, start=2):
            if line.strip():
                yield self._row(number, line.rstrip("\r\n").split("\t"))

    def _row(self, number: int, cells: list[str]) -> Series:
        keys = [key.strip() for key in cells[0].split(",")]
        if len(keys) != len(self.dimensions) or len(cells) - 1 > len(self._years):
            raise NotEurostat(f"Line {number} has other columns than the first line.")
        years = {}
        for year, cell in zip(self._years, cells[1:], strict=False):
            value = figure(cell)
            if year is not None and value is not None:
                years[year] = value
        return Series(dict(zip(self.dimensions, keys, strict=True)), years)


def figure(cell: str) -> float | None:
    """The number in a cell without its flags, None for ":" and for whatever is no finite number."""
    words = cell.split(maxsplit=1)
    if not words or not _NUMBER.fullmatch(words[0]):
        return None
    value = float(words[0])
    return value if math.isfinite(value) else None


@contextmanager
def opened(file: BinaryIO, moved: Callable[[int], None]) -> Iterator[Iterator[str]]:
    """Give the lines of a file, unpacked where it is packed with gzip; `moved` hears how many of its bytes were read.

    Raises NotEurostat where it cannot be unpacked, is no text, or has a line that is far too long.
    """
    packed = file.read(len(GZIP)) == GZIP
    file.seek(0)
    plain = gzip.GzipFile(fileobj=file) if packed else file
    text = io.TextIOWrapper(plain, encoding="utf-8")
    try:
        yield _lines(text, file, moved)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise NotEurostat("It cannot be unpacked: the file is cut short or damaged.") from error
    except UnicodeDecodeError as error:
        raise NotEurostat("It is no text in UTF-8.") from error
    finally:
        text.detach()


def _lines(text: TextIO, file: BinaryIO, moved: Callable[[int], None]) -> Iterator[str]:
    told = number = 0
    while line := text.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise NotEurostat("It has a line that is too long for a table.")
        yield line
        number += 1
        if number % _TOLD_EVERY == 0:
            moved(file.tell() - told)
            told = file.tell()
    moved(file.tell() - told)
