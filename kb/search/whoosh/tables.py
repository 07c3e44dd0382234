"""How many of some documents have each value of each facet, from the tables of all segments."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from kb.search.whoosh.counting import Name, SegmentTable, packed, words
from kb.search.whoosh.segment import Numbers
from kb.search.whoosh.snapshot import Snapshot

_COMPARED = 0.35  # of the time in which the code of a value is gathered and counted, a word of bits takes to compare

Counts = tuple[tuple[str, int], ...]
"""Values, and how many documents have each."""


class Table:
    """The values of all segments of a snapshot. `names` are in order, so those of a facet stand together."""

    def __init__(self, bases: Sequence[int], segments: Sequence[SegmentTable]) -> None:
        self.names: list[Name] = sorted({name for each in segments for name in each.names})
        self._values = [value for _, value in self.names]
        place = {name: i for i, name in enumerate(self.names)}
        self._bases = bases
        self._segments = segments
        self.facets = sorted({facet for facet, _ in self.names})
        numbers = {facet: i for i, facet in enumerate(self.facets)}
        self._facets = np.array([numbers[facet] for facet, _ in self.names], np.int64)
        self._spans = {facet: self._span(facet) for facet in self.facets}
        self._maps = [np.array([place[name] for name in each.names], np.intp) for each in segments]

    def _span(self, facet: str) -> tuple[int, int]:
        return bisect_left(self.names, (facet,)), bisect_left(self.names, (facet + "\0",))

    def counts(self, documents: Numbers, facet: str | None = None) -> NDArray[np.int64]:
        """Return for each of `names` how many of the documents, ascending, have it.

        Where only those of one facet are wanted, the others may be anything.
        """
        counts = np.zeros(len(self.names), np.int64)
        parts = documents.searchsorted(self._bases).tolist()
        for i, (segment, codes) in enumerate(zip(self._segments, self._maps, strict=True)):
            found = documents[parts[i] : parts[i + 1]]
            if not len(found):
                continue
            local = found - self._bases[i] if self._bases[i] else found
            names = segment.of(facet) if facet else slice(0, len(segment.names))
            if _COMPARED * (names.stop - names.start) * words(segment.count) > len(local) * segment.rows.shape[1]:
                counts[codes] += segment.gathered(local)
            else:
                mask = np.zeros(segment.count, np.bool_)
                mask[local] = True
                counts[codes[names]] += segment.compared(packed(mask), names)
        return counts

    def ranked(self, counts: NDArray[np.int64]) -> Mapping[str, Counts]:
        """Return for each facet the values that any of the counted documents has, the highest count first.

        Equal ones come by name.
        """
        there = counts.nonzero()[0]
        order = there[np.lexsort((-counts[there], self._facets[there]))]  # stable, and names are in order
        found = list(zip(map(self._values.__getitem__, order.tolist()), counts[order].tolist(), strict=True))
        ends = self._facets[order].searchsorted(range(len(self.facets)), side="right").tolist()
        return {
            facet: tuple(found[start:end]) for facet, start, end in zip(self.facets, [0, *ends], ends, strict=False)
        }

    def ranked_of(self, facet: str, counts: NDArray[np.int64]) -> Counts:
        """Return the same as `ranked`, of one facet."""
        start, _ = self._spans.get(facet, (0, 0))
        found = self.counts_of(facet, counts)
        order = (-found).argsort(kind="stable")
        return tuple((self._values[start + i], int(found[i])) for i in order.tolist() if found[i])

    def counts_of(self, facet: str, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return of all counts those of a facet's values, in their order."""
        start, end = self._spans.get(facet, (0, 0))
        return counts[start:end]

    def years(self, facet: str) -> NDArray[np.int64]:
        """Return the values of `BEGUN` or `OVER`, in the order of names."""
        start, end = self._spans.get(facet, (0, 0))
        return np.array(self._values[start:end], np.int64)


def table_of(snapshot: Snapshot) -> Table:
    """Return the table of a snapshot."""

    def made() -> Table:
        return Table(snapshot.bases, [segment.table for segment in snapshot.segments])

    return snapshot.memo.once("table", made)
