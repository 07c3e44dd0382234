"""The most frequent stems of a document: what it is about, seen from the document.

Postings say in which documents a term stands; a search that learns from the documents it found asks the other way
round.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kb.search.port import IndexLost
from kb.search.whoosh.arrays import Array

MOST_STEMS = 255
"""Stems of a document that are kept. With 96 of them feedback did more harm than good among long texts."""


class Vectors(NamedTuple):
    """The most frequent stems of documents that follow each other.

    Those of the document number n are `stems[bounds[n] : bounds[n + 1]]`, as places in a list of terms; `counts` has a
    row for each, how often it stands in each of `schema.FIELDS`.
    """

    bounds: NDArray[np.int64]
    stems: NDArray[np.uint32]
    counts: NDArray[np.uint8]

    def kept(self, documents: NDArray[np.bool_], places: NDArray[np.uint32]) -> Vectors:
        """Return those of some documents, with the `places` that their stems have in another list."""
        sizes = np.diff(self.bounds)
        entries = np.repeat(documents, sizes)
        return Vectors(_bounds(sizes[documents]), places[self.stems[entries]], self.counts[entries])

    def of(self, documents: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.uint32], NDArray[np.uint8]]:
        """Return the stems of some documents: for each the place in `documents` that it belongs to, itself, its counts.

        Raises IndexLost where they are damaged.
        """
        starts = self.bounds[documents]
        sizes = self.bounds[documents + 1] - starts
        if len(documents) and (sizes.min() < 0 or starts.min() < 0 or (starts + sizes).max() > len(self.stems)):
            raise IndexLost("the stems of a document are damaged")
        ends = np.cumsum(sizes)
        entries = np.repeat(starts - (ends - sizes), sizes) + np.arange(ends[-1] if len(ends) else 0)
        return np.arange(len(documents)).repeat(sizes), self.stems[entries], self.counts.take(entries, axis=0)


def joined(parts: Sequence[Vectors]) -> Vectors:
    """Return the vectors of documents, and after them those of others. They have to be of one list of terms."""
    bounds = _bounds(np.concatenate([np.diff(part.bounds) for part in parts]))
    stems, counts = (np.concatenate([part[i] for part in parts]) for i in (1, 2))
    return Vectors(bounds, stems, counts)


def written(vectors: Vectors) -> Iterator[tuple[str, Array]]:
    """Yield the arrays, named for `arrays.write`."""
    yield from zip(("vectors.bounds", "vectors.stems", "vectors.counts"), vectors, strict=True)


def read(arrays: Mapping[str, Array]) -> Vectors:
    """Return what `written` gave. Raises IndexLost where it is not there."""
    try:
        return Vectors(arrays["vectors.bounds"], arrays["vectors.stems"], arrays["vectors.counts"])
    except KeyError as error:
        raise IndexLost("there are no stems of documents") from error


def _bounds(sizes: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    return np.concatenate(([0], np.cumsum(sizes, dtype=np.int64)))
