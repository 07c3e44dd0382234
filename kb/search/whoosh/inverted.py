"""One field of a segment turned round: its terms in the order of their bytes, and for all of them where they stand.

The postings of all terms lie one after the other in a few arrays, so that those of one term, or of all that begin with
the same letters, are a slice. A term is found by its hash: one search in a sorted array for all that are asked for. As
two terms may share a hash, what was found is compared with what was asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kb.search.port import IndexLost
from kb.search.whoosh.arrays import Array, Texts

Offsets = NDArray[np.int64]


class Inverted(NamedTuple):
    """Terms, ascending, each once, with the postings of each, one after the other.

    Those of the term at place i are `documents[bounds[i] : bounds[i + 1]]`, ascending, none of them twice; `counts` has
    a row for each posting: how often the term stands in each of `schema.FIELDS` (no columns where nobody counts).
    `positions` follow in the same order, as many as are counted, or none for any.
    """

    terms: Sequence[bytes]
    bounds: Offsets
    documents: NDArray[np.uint32]
    counts: NDArray[np.uint8]
    positions: NDArray[np.uint32]

    @property
    def occurrences(self) -> NDArray[np.uint16]:
        """How often the term of each posting stands in the document. There may be millions, of at most 255 a field."""
        total: NDArray[np.uint16] = self.counts.sum(axis=1, dtype=np.uint16)
        return total


def hashed(term: bytes) -> int:
    """Return the 64 bits that a term is found by. They are on disk: another function is another layout."""
    return int.from_bytes(blake2b(term, digest_size=8).digest(), "little")


@lru_cache(maxsize=1 << 14)
def _hashed_once(term: bytes) -> int:
    """Return the same for what is asked of several segments, and often."""
    return hashed(term)


def written(name: str, field: Inverted) -> Iterator[tuple[str, Array]]:
    """Yield the arrays of a field, every term of which has documents, and of its dictionary, for `arrays.write`."""
    hashes = np.fromiter(map(hashed, field.terms), np.uint64, len(field.terms))
    by_hash = np.argsort(hashes, kind="stable")
    yield f"{name}.hashes", hashes
    yield f"{name}.sorted_hashes", hashes[by_hash]
    yield f"{name}.by_hash", by_hash.astype(np.uint32)
    yield from Texts.of(f"{name}.terms", field.terms)
    yield f"{name}.bounds", field.bounds.astype(np.int64)
    yield f"{name}.documents", field.documents
    yield f"{name}.counts", field.counts
    yield f"{name}.positions", field.positions
    sizes = np.zeros(len(field.terms), np.int64)
    if len(field.positions):
        sizes = np.add.reduceat(field.occurrences, field.bounds[:-1], dtype=np.int64)
    yield f"{name}.position_bounds", _bounds(sizes)


class Field:
    """A field as it is read. A term is named by its place in the order of the terms. Immutable."""

    def __init__(self, arrays: Mapping[str, Array], name: str, documents: int) -> None:
        """Take what `written` gave, of a segment of so many documents. Raises IndexLost where it is anything else."""
        self.terms = Texts.read(arrays, f"{name}.terms")
        try:
            self._hashes = arrays[f"{name}.hashes"]
            self._sorted = arrays[f"{name}.sorted_hashes"]
            self._by_hash = arrays[f"{name}.by_hash"]
            self._bounds = arrays[f"{name}.bounds"]
            self._documents = arrays[f"{name}.documents"]
            self._counts = arrays[f"{name}.counts"]
            self._positions = arrays[f"{name}.positions"]
            self._position_bounds = arrays[f"{name}.position_bounds"]
        except KeyError as error:
            raise IndexLost(f"there are no postings of {name}") from error
        self._most = documents
        sizes = {len(each) for each in (self.terms, self._hashes, self._sorted, self._by_hash)}
        if sizes != {len(self._bounds) - 1} or len(self._bounds) != len(self._position_bounds):
            raise IndexLost(f"the dictionary of {name} is damaged")

    def places(self, terms: Sequence[bytes]) -> list[int]:
        """Return the place of each of these terms, -1 for those that the segment does not have."""
        hashes = np.fromiter(map(_hashed_once, terms), np.uint64, len(terms))
        firsts = self._sorted.searchsorted(hashes)
        there = firsts < len(self._sorted)
        there[there] = self._sorted[firsts[there]] == hashes[there]
        places = [-1] * len(terms)
        for number in np.flatnonzero(there).tolist():
            places[number] = self._exactly(terms[number], hashes[number], int(firsts[number]))
        return places

    def place_of_hash(self, value: np.uint64) -> int:
        """Return the place of the (first) term that has a hash, -1 where none has it."""
        first = int(self._sorted.searchsorted(value))
        return int(self._by_hash[first]) if first < len(self._sorted) and self._sorted[first] == value else -1

    def slices_of(self, values: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return where the postings of the (first) terms that have these hashes begin and end; (0, 0) for no term."""
        if not len(self._sorted):
            return np.zeros(len(values), np.int64), np.zeros(len(values), np.int64)
        firsts = np.minimum(self._sorted.searchsorted(values), len(self._sorted) - 1)
        places = self._by_hash[firsts].astype(np.intp)
        there = self._sorted[firsts] == values
        return self._bounds[places] * there, self._bounds[places + 1] * there

    def documents_of(self, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> list[NDArray[np.uint32]]:
        """Return the documents in slices of the postings. Raises IndexLost where there are no such postings."""
        slices = list(zip(starts.tolist(), ends.tolist(), strict=True))
        if any(not 0 <= start <= end <= len(self._documents) for start, end in slices):
            raise IndexLost("the postings of a term are damaged")
        return [self._documents[start:end] for start, end in slices]

    def counts_at(self, entries: NDArray[np.intp]) -> NDArray[np.uint8]:
        """Return how often the terms of some postings stand in each field."""
        return np.asarray(self._counts.take(entries, axis=0))

    def hashes(self, places: NDArray[Any]) -> NDArray[np.uint64]:
        """Return the hashes of the terms at these places. Raises IndexLost where there is no such place."""
        if len(places) and int(places.max()) >= len(self.terms):
            raise IndexLost("a term is named that is not there")
        return np.asarray(self._hashes[places])

    def documents(self, first: int, last: int | None = None) -> NDArray[np.uint32]:
        """Return the documents of a term, ascending; or of all terms from one up to another, not included."""
        start, end = self._slice(first, last)
        found: NDArray[np.uint32] = self._documents[start:end]
        if last is None and (not len(found) or found[-1] >= self._most):
            raise IndexLost("the postings of a term are damaged")
        return found

    def counts(self, first: int, last: int | None = None) -> NDArray[np.uint8]:
        """Return for each of these `documents` how often the term stands in each field."""
        start, end = self._slice(first, last)
        return np.asarray(self._counts[start:end])

    def positions(self, place: int) -> NDArray[np.uint32]:
        """Return where a term stands, in the order of its documents; nothing in a field without positions."""
        start, end = self._position_bounds[place : place + 2].tolist()
        if not 0 <= start <= end <= len(self._positions):
            raise IndexLost("the positions of a term are damaged")
        return np.asarray(self._positions[start:end])

    def whole(self) -> Inverted:
        """Return all of it, as it was written."""
        return Inverted(self.terms.all_encoded(), self._bounds, self._documents, self._counts, self._positions)

    def _slice(self, first: int, last: int | None) -> tuple[int, int]:
        start, end = int(self._bounds[first]), int(self._bounds[first + 1 if last is None else last])
        if not 0 <= start <= end <= len(self._documents):
            raise IndexLost("the postings of a term are damaged")
        return start, end

    def _exactly(self, term: bytes, value: np.uint64, first: int) -> int:
        """Return the place of a term among those that have its hash, from the first of them on."""
        while first < len(self._sorted) and self._sorted[first] == value:
            place = int(self._by_hash[first])
            if self.terms.encoded(place) == term:
                return place
            first += 1
        return -1


def _bounds(sizes: NDArray[np.integer[Any]]) -> Offsets:
    """Return where runs of these sizes begin, and after them where the last one ends."""
    return np.concatenate(([0], np.cumsum(sizes, dtype=np.int64)))
