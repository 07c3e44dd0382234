"""The values of the facets of one segment, laid out on disk for counting: how many of some documents have each of them.

All facets are counted at once. Where the documents are few, the codes of their values are gathered, a row a document;
where they are many, a bit for each document and value is compared, which takes the same time however many they are.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from kb.search.port import FACETS, IndexLost
from kb.search.whoosh.arrays import Array, Texts
from kb.search.whoosh.columns import Columns

WIDEST = 32
"""Values of a document, of all facets together, that stand in its row; further ones have a list of their own."""

BEGUN, OVER = "begun", "over"
"""The first and the last year of a document, as if they were facets: of documents that have years, in their order."""

Name = tuple[str, str]
"""A facet and a value of it."""

Numbers = NDArray[np.intp]

_ALL = slice(None)
_EVEN = np.uint64(0x00FF00FF00FF00FF)  # every second byte of a word
_SUMMED = 8 * 511  # bytes of up to 64 that eight to a word add up, two to each 16 bits, before these overflow


class SegmentTable:
    """The values of one segment: `names` in order, `rows` of the codes of each document, `beyond` what no row holds.

    A code is a place in `names`; where a row has fewer values than others it goes on with len(names), for nothing.
    `bits` has a row for each name: a bit for each document, the first the lowest one of the first word.
    """

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        """Take what `written` gave. Raises IndexLost where it is not there."""
        try:
            self.rows, self.bits = arrays["table.rows"], arrays["table.bits"]
            self.beyond = arrays["table.beyond_documents"], arrays["table.beyond_codes"]
        except KeyError as error:
            raise IndexLost("there is no table of values") from error
        names = (name.partition("\0") for name in Texts.read(arrays, "table.names"))
        self.names: list[Name] = [(facet, value) for facet, _, value in names]
        self.count = len(self.rows)
        if self.bits.shape != (len(self.names), words(self.count)) or len(self.beyond[0]) != len(self.beyond[1]):
            raise IndexLost("the table of values is damaged")

    def gathered(self, documents: Numbers) -> NDArray[np.int64]:
        """Count each value among few documents, ascending."""
        counts = np.bincount(self.rows[documents].ravel(), minlength=len(self.names) + 1)[:-1]
        if len(self.beyond[0]):
            counts = counts + np.bincount(self.beyond[1][np.isin(self.beyond[0], documents)], minlength=len(counts))
        return counts

    def compared(self, bits: NDArray[np.uint64], names: slice = _ALL) -> NDArray[np.int64]:
        """Count each value, or those of some names, among documents, given as `packed` bits."""
        return sums(np.bitwise_count(self.bits[names] & bits))

    def having(self, facet: str, values: Collection[str]) -> NDArray[np.bool_]:
        """Return which documents have any of some values of a facet."""
        names = self.of(facet)
        rows = [i for i in range(names.start, names.stop) if self.names[i][1] in values]
        bits = np.bitwise_or.reduce(self.bits[rows], axis=0) if len(rows) != 1 else self.bits[rows[0]]
        return np.unpackbits(bits.view(np.uint8), count=self.count, bitorder="little").view(np.bool_)

    def of(self, facet: str) -> slice:
        """Return where the names of a facet stand among all."""
        return slice(bisect_left(self.names, (facet,)), bisect_left(self.names, (facet + "\0",)))


def written(columns: Columns) -> Iterator[tuple[str, Array]]:
    """Yield the arrays of the table of a segment, named for `arrays.write`."""
    count = len(columns.starts)
    documents, codes, names = _pairs(columns)
    order = np.argsort(documents, kind="stable")
    documents, codes = documents[order], codes[order]
    places = np.arange(len(documents)) - np.searchsorted(documents, np.arange(count))[documents]
    width = min(WIDEST, int(places.max(initial=0)) + 1)
    inside = places < width
    rows = np.full((count, width), len(names), np.uint16 if len(names) < 1 << 16 else np.uint32)
    rows[documents[inside], places[inside]] = codes[inside]
    bits = np.zeros((len(names), 8 * words(count)), np.uint8)
    np.bitwise_or.at(bits, (codes, documents >> 3), np.left_shift(np.uint8(1), (documents & 7).astype(np.uint8)))
    yield "table.rows", rows
    yield "table.beyond_documents", documents[~inside].astype(np.uint32)
    yield "table.beyond_codes", codes[~inside].astype(np.uint32)
    yield "table.bits", bits.view(np.uint64)
    yield from Texts.of("table.names", ("\0".join(name) for name in names))


def words(count: int) -> int:
    """Return how many words of 64 bits hold a bit for each of so many documents."""
    return (count + 63) // 64


def sums(counts: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the sums of rows of numbers up to 64: eight are added at once, which numpy does not do with bytes."""
    height, width = counts.shape
    padded = np.zeros((height, 8 * ((width + 7) // 8)), np.uint8)
    padded[:, :width] = counts
    sums = np.zeros(height, np.int64)
    for start in range(0, width, _SUMMED):
        eights = padded[:, start : start + _SUMMED].view(np.uint64)
        pairs = (eights & _EVEN) + ((eights >> np.uint64(8)) & _EVEN)
        sums += pairs.sum(axis=1).view(np.uint16).reshape(-1, 4).sum(axis=1, dtype=np.int64)
    return sums


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
        (facet, list(sets.names), sets.documents.astype(np.intp), sets.codes.astype(np.intp))
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
