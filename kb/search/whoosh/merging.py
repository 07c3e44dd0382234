"""Several parts of a field put together to one, block after block: what a merge needs beside its result is bounded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import compress, pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kb.search.whoosh.inverted import Inverted

Numbers = NDArray[np.signedinteger[Any]]

_BLOCK = 1 << 20
"""Postings put in order at a time: in some 100 bytes of memory each."""

_FEW = np.iinfo(np.uint16).max  # numbers that numpy sorts without comparing them


class Part(NamedTuple):
    """A field, every term of which has documents, and the number that each document gets in the whole.

    The numbers ascend. None has a number that is negative: it is left out. Without `numbers` all keep their own.
    """

    field: Inverted
    numbers: Numbers | None = None


def joined(parts: Sequence[Part], block: int = _BLOCK) -> tuple[Inverted, list[NDArray[np.uint32]]]:
    """Return the parts as one field, put in order about `block` postings at a time.

    Their documents have to follow each other, as the parts do. And for each part the place that each of its terms has
    in the whole; it is of no meaning for those left out.
    """
    pieces = [_Pieces(*part) for part in parts]
    terms = sorted({term for piece in pieces for term in piece.terms()})
    place = {term: number for number, term in enumerate(terms)}
    sizes = np.zeros(len(terms), np.int64)
    for piece in pieces:
        piece.places = np.fromiter(map(place.__getitem__, piece.terms()), np.int64)
        sizes[piece.places] += piece.sizes
    bounds = np.concatenate(([0], np.cumsum(sizes)))
    columns = max((part.field.counts.shape[1] for part in parts), default=0)
    whole = Inverted(
        terms,
        bounds,
        np.empty(bounds[-1], np.uint32),
        np.empty((bounds[-1], columns), np.uint8),
        np.empty(sum(piece.occurrences() for piece in pieces), np.uint32),
    )
    _fill(whole, pieces, block)
    return whole, [piece.all_places() for piece in pieces]


def _fill(whole: Inverted, pieces: Sequence[_Pieces], size: int) -> None:
    filled = 0
    for first, last in _blocks(whole.bounds, size):
        block = [piece.take(first, last) for piece in pieces]
        owners, documents, counts, occurrences, positions = (np.concatenate(each) for each in zip(*block, strict=True))
        order = np.argsort(owners.astype(np.uint16) if last - first <= _FEW else owners, kind="stable")
        start, end = whole.bounds[[first, last]]
        whole.documents[start:end] = documents[order]
        whole.counts[start:end] = counts[order]
        taken = positions[rows(occurrences, order)] if len(positions) else positions
        whole.positions[filled : filled + len(taken)] = taken
        filled += len(taken)


def rows(sizes: NDArray[Any], order: NDArray[np.intp]) -> NDArray[np.int64]:
    """Return where to take entries from, that stand in rows of these sizes, so that the rows come in another order."""
    begins = (np.cumsum(sizes, dtype=np.int64) - sizes)[order]
    sizes = sizes[order]
    ends = np.cumsum(sizes, dtype=np.int64)
    found: NDArray[np.int64] = np.repeat(begins - (ends - sizes), sizes) + np.arange(ends[-1] if len(ends) else 0)
    return found


def _blocks(bounds: NDArray[np.int64], size: int) -> Iterator[tuple[int, int]]:
    """Yield (first, last + 1) of terms that follow each other and have so many postings together, or one term."""
    cuts = np.searchsorted(bounds, np.arange(size, bounds[-1], size))
    ends = np.unique(np.concatenate(([0], cuts, [len(bounds) - 1]))).tolist()
    yield from pairwise(ends)


class _Pieces:
    """A part of which one range of terms is taken after the other."""

    def __init__(self, field: Inverted, numbers: Numbers | None) -> None:
        self._field = field
        self._numbers = numbers if numbers is not None and len(numbers) else None
        self._sizes = np.diff(field.bounds) if self._numbers is None else self._kept_sizes(self._numbers)
        self._having = np.flatnonzero(self._sizes)
        self._posting = self._position = 0
        self.places = np.empty(0, np.int64)
        self.sizes = self._sizes[self._having]

    def terms(self) -> Iterator[bytes]:
        """The terms that are not left out."""
        return compress(self._field.terms, self._sizes.tolist())

    def occurrences(self) -> int:
        """How many positions it will have."""
        if self._numbers is None or not len(self._field.positions):
            return len(self._field.positions)
        return int(self._field.occurrences[self._numbers[self._field.documents] >= 0].sum(dtype=np.int64))

    def take(self, first: int, last: int) -> tuple[NDArray[Any], ...]:
        """Return what there is of the terms from one place in the whole up to another, which come next.

        For each posting the place of its term, counted from the first, its document, counts and number of positions;
        and all their positions.
        """
        low, high = np.searchsorted(self.places, (first, last))
        having = self._having[low:high]
        start, end = self._field.bounds[[having[0], having[-1] + 1]] if len(having) else (self._posting, self._posting)
        counts = self._field.counts[start:end]
        owners = np.repeat(self.places[low:high] - first, self._sizes[having])
        documents: NDArray[Any] = self._field.documents[start:end]
        occurrences, positions = _occurrences(counts), self._next_positions(int(start), int(end))
        if self._numbers is not None:
            documents = self._numbers[documents]
            kept = documents >= 0
            if len(positions):
                positions = positions[np.repeat(kept, occurrences)]
            documents, counts, occurrences = documents[kept], counts[kept], occurrences[kept]
        return owners, documents, counts, occurrences, positions

    def all_places(self) -> NDArray[np.uint32]:
        """Return the places of all terms in the whole."""
        found = np.zeros(len(self._field.terms), np.uint32)
        found[self._having] = self.places
        return found

    def _kept_sizes(self, numbers: Numbers) -> NDArray[np.int64]:
        if not len(self._field.terms):
            return np.zeros(0, np.int64)
        kept = numbers[self._field.documents] >= 0
        return np.add.reduceat(kept, self._field.bounds[:-1], dtype=np.int64)

    def _next_positions(self, start: int, end: int) -> NDArray[np.uint32]:
        """Return the positions of these postings, after those that were taken before."""
        if not len(self._field.positions):
            return self._field.positions
        skipped, taken = (
            int(_occurrences(self._field.counts[slice(*each)]).sum(dtype=np.int64))
            for each in ((self._posting, start), (start, end))
        )
        begin = self._position + skipped
        self._posting, self._position = end, begin + taken
        return self._field.positions[begin : begin + taken]


def _occurrences(counts: NDArray[np.uint8]) -> NDArray[np.uint16]:
    total: NDArray[np.uint16] = counts.sum(axis=1, dtype=np.uint16)
    return total
