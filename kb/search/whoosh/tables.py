"""The values of facets laid out for counting: how many of some documents have each value of each facet.

All facets are counted at once. Where the documents are few, the codes of their values are gathered, a row a document;
where they are many, a bit for each document and value is compared, which takes the same time however many they are.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from kb.search.port import FACETS
from kb.search.whoosh.columns import Columns
from kb.search.whoosh.memo import memo_of
from kb.search.whoosh.segment import Numbers, Segment
from kb.search.whoosh.snapshot import Snapshot

WIDEST = 32
"""Values of a document, of all facets together, that stand in its row; further ones have a list of their own."""

_COMPARED = 0.35  # of the time in which the code of a value is gathered and counted, a word of bits takes to compare

BEGUN, OVER = "begun", "over"
"""The first and the last year of a document, as if they were facets: of documents that have years, in their order."""

Name = tuple[str, str]
"""A facet and a value of it."""


class SegmentTable:
    """The values of one segment: `names` in order, `rows` of the codes of each document, `beyond` what no row holds.

    A code is a place in `names`; where a row has fewer values than others it goes on with len(names), for nothing.
    """

    def __init__(self, columns: Columns) -> None:
        count = len(columns.starts)
        documents, codes, names = _pairs(columns)
        self.names = names
        self.count = count
        order = np.argsort(documents, kind="stable")
        documents, codes = documents[order], codes[order]
        firsts = np.searchsorted(documents, np.arange(count))
        places = np.arange(len(documents)) - firsts[documents]
        width = min(WIDEST, int(places.max(initial=0)) + 1)
        inside = places < width
        self.rows = np.full((count, width), len(names), np.uint16 if len(names) < 1 << 16 else np.uint32)
        self.rows[documents[inside], places[inside]] = codes[inside]
        self.beyond = documents[~inside], codes[~inside]
        self._pairs = documents, codes
        self._bits: NDArray[np.uint64] | None = None

    def gathered(self, documents: Numbers) -> NDArray[np.int64]:
        """Count each value among few documents, ascending."""
        counts = np.bincount(self.rows[documents].ravel(), minlength=len(self.names) + 1)[:-1]
        if len(self.beyond[0]):
            counts = counts + np.bincount(self.beyond[1][np.isin(self.beyond[0], documents)], minlength=len(counts))
        return counts

    def compared(self, bits: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Count each value among documents, given as `packed` bits."""
        return np.asarray(np.bitwise_count(self.bits() & bits).sum(axis=1, dtype=np.int64))

    def bits(self) -> NDArray[np.uint64]:
        """Return for each value the bits of the documents that have it. Made when somebody first asks."""
        if self._bits is None:
            documents, codes = self._pairs
            found = np.zeros((len(self.names), 8 * words(self.count)), np.uint8)
            flags = np.left_shift(np.uint8(1), (documents & 7).astype(np.uint8))
            np.bitwise_or.at(found, (codes, documents >> 3), flags)
            self._bits = found.view(np.uint64)
        return self._bits


def words(count: int) -> int:
    """Return how many words of 64 bits hold a bit for each of so many documents."""
    return (count + 63) // 64


def packed(mask: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Return a mask as words of bits."""
    bits = np.zeros(8 * words(len(mask)), np.uint8)
    bits[: (len(mask) + 7) // 8] = np.packbits(mask, bitorder="little")
    return bits.view(np.uint64)


def _pairs(columns: Columns) -> tuple[Numbers, Numbers, list[Name]]:
    """Return for each value of each document the document and the code, and what the codes mean."""
    there = columns.dated & (columns.starts <= columns.ends)
    dated = np.flatnonzero(there)
    parts: list[tuple[str, Sequence[str], Numbers, Numbers]] = [
        (facet, sets.names, sets.documents.astype(np.intp), sets.codes.astype(np.intp))
        for facet, sets in ((facet, columns.sets[facet]) for facet in FACETS)
    ]
    for facet, years in ((BEGUN, columns.starts), (OVER, columns.ends)):
        different, codes = np.unique(years[dated], return_inverse=True)
        parts.append((facet, [str(year) for year in different.tolist()], dated, codes))
    names = sorted((facet, value) for facet, values, _, _ in parts for value in values)
    place = {name: i for i, name in enumerate(names)}
    documents, coded = [np.empty(0, np.intp)], [np.empty(0, np.intp)]
    for facet, values, numbers, codes in parts:
        new = np.array([place[facet, value] for value in values], np.intp)
        documents.append(numbers)
        coded.append(new[codes])
    return np.concatenate(documents), np.concatenate(coded), names


class Span(NamedTuple):
    """Where the values of a facet stand among all names: from `start` up to `end`."""

    start: int
    end: int


class Table:
    """The values of all segments of a snapshot. `names` are in order, so those of a facet stand together."""

    def __init__(self, bases: Sequence[int], segments: Sequence[SegmentTable]) -> None:
        self.names: list[Name] = sorted({name for each in segments for name in each.names})
        place = {name: i for i, name in enumerate(self.names)}
        self._bases = bases
        self._segments = segments
        self._maps = [np.array([place[name] for name in each.names], np.intp) for each in segments]

    def span(self, facet: str) -> Span:
        """Return where the values of a facet stand among `names`."""
        return Span(bisect_left(self.names, (facet,)), bisect_left(self.names, (facet + "\0",)))

    def counts(self, documents: Numbers) -> NDArray[np.int64]:
        """Return for each of `names` how many of the documents, ascending, have it."""
        counts = np.zeros(len(self.names), np.int64)
        parts = np.searchsorted(documents, self._bases).tolist()
        for i, (segment, codes) in enumerate(zip(self._segments, self._maps, strict=True)):
            found = documents[parts[i] : parts[i + 1]]
            if not len(found):
                continue
            local = found - self._bases[i] if self._bases[i] else found
            if _COMPARED * len(segment.names) * words(segment.count) > len(local) * segment.rows.shape[1]:
                counts[codes] += segment.gathered(local)
            else:
                mask = np.zeros(segment.count, np.bool_)
                mask[local] = True
                counts[codes] += segment.compared(packed(mask))
        return counts

    def values(self, facet: str, counts: NDArray[np.int64]) -> Mapping[str, int]:
        """Return those of a facet's values that any of the counted documents has, in their order."""
        start, end = self.span(facet)
        found = counts[start:end].tolist()
        return {self.names[start + i][1]: number for i, number in enumerate(found) if number}


def table_of(snapshot: Snapshot) -> Table:
    """Return the table of a snapshot, with those of the segments that have one already."""

    def made() -> Table:
        return Table(snapshot.bases, [_table(segment) for segment in snapshot.segments])

    return memo_of(snapshot).get("table", made)


_tables: WeakKeyDictionary[Segment, SegmentTable] = WeakKeyDictionary()


def _table(segment: Segment) -> SegmentTable:
    table = _tables.get(segment)
    return _tables.setdefault(segment, SegmentTable(segment.columns)) if table is None else table
