"""What the best documents found have in common, as a further hint: pseudo-relevance feedback.

The relevance model of Lavrenko and Croft (SIGIR 2001) in the form that is known as RM3 (Abdul-Jaleel et al., TREC
2004), by the weights of BM25F: the documents found stand for what was meant, each as likely as its score says; the
stems that they share, and few others have, are asked for beside the words of the question. Where one document is far
ahead of the rest hardly anything is learned but from it, so that a search for one known thing stays as it was.

It only moves documents that were found anyway, and never across the steps that `ranking.best_first` sets.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kb.search.whoosh.inverted import hashed
from kb.search.whoosh.places import Places
from kb.search.whoosh.segment import Numbers, Segment
from kb.search.whoosh.snapshot import Snapshot
from kb.search.whoosh.weighing import rarity, shares, worth

LEAST_WORDS = 2
"""Words of a question below which nothing is learned: the documents of a single word have only that in common."""

DOCUMENTS = 10
"""The best documents, from which is learned."""

MOST = 0.5
"""What is learned adds at most, of a document's own score: it moves, and does not decide."""

_STEMS = 20
_CANDIDATES = 30  # stems that are looked at more closely
_TEMPER = 2.0  # evens out how likely documents are, so that none of them alone is learned from
_MOST_COMMON = 0.2  # of all documents; what stands in more tells nothing
_WEIGHT = 0.4  # what all the stems learned count beside the words of the question


class Learned(NamedTuple):
    """The stems that the best documents share, by their hashes, with what a share of 1 of each adds to a score."""

    snapshot: Snapshot
    stems: NDArray[np.uint64]
    values: NDArray[np.float64]

    def added(self, documents: Numbers, first: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what to add to the scores `first` of documents, ascending, that are not deleted."""
        added = np.zeros(len(documents))
        snapshot = self.snapshot
        for base, segment in zip(snapshot.bases, snapshot.segments, strict=False):
            start, end = documents.searchsorted((base, base + segment.count)).tolist()
            if start < end:
                rows, counts, values = self._standing(segment, documents[start:end] - base)
                parts = shares(snapshot, documents[start + rows], counts) * values
                added += np.bincount(start + rows, parts, len(documents))
        return np.asarray(np.minimum(added.astype(np.float32), np.float32(MOST) * first))

    def _standing(self, segment: Segment, documents: Numbers) -> tuple[Numbers, NDArray[np.uint8], NDArray[np.float64]]:
        """Return where the stems stand in documents of a segment: by their place, the counts there, the stem's value.

        The documents are few and the stems' are many, so that each of the few is looked up.
        """
        places = Places(documents.astype(np.uint32), segment.count)
        field = segment.fields["stems"]
        starts, ends = field.slices_of(self.stems)
        found = [places.of(each) for each in field.documents_of(starts, ends)]
        rows = np.concatenate([here for _, here in found])
        counts = field.counts_at(
            np.concatenate([there + start for (there, _), start in zip(found, starts, strict=True)])
        )
        return rows, counts, self.values.repeat([len(here) for _, here in found])


def learn(
    snapshot: Snapshot, documents: Numbers, scores: NDArray[np.float32], asked: Collection[str], words: int
) -> Learned | None:
    """Return what the best of the documents have in common; None where that is nothing.

    `asked` are the terms of the field `stems` that the question itself has, `words` is how many words it has.
    """
    candidates = _common(snapshot, *_likeliest(documents, scores), asked)
    counts = snapshot.counts_of("stems", [stem for stem, _ in candidates])
    telling = [
        (-value * rarity(snapshot, count), int(stem), count)
        for (stem, value), count in zip(candidates, counts, strict=True)
        if 0 < count <= _MOST_COMMON * snapshot.count
    ]
    telling = sorted(telling)[:_STEMS]
    total = -sum(negative for negative, _, _ in telling)
    if not total:
        return None
    factor = _WEIGHT * words / total
    values = [factor * -negative * worth(snapshot, count) for negative, _, count in telling]
    return Learned(snapshot, np.array([stem for _, stem, _ in telling], np.uint64), np.array(values))


def _common(
    snapshot: Snapshot, best: Numbers, likely: NDArray[np.float64], asked: Collection[str]
) -> list[tuple[np.uint64, float]]:
    """Return the stems, by their hashes, that the best documents are most about, of those that more than one has."""
    rows, stems, counts = snapshot.vectors(best)
    parts = shares(snapshot, best[rows], counts) * likely[rows]
    different, places, documents = np.unique(stems, return_inverse=True, return_counts=True)
    about = np.bincount(places, parts, len(different))
    about[(documents < 2) | np.isin(different, [hashed(stem.encode()) for stem in asked])] = 0.0
    most = (-about).argsort(kind="stable")[:_CANDIDATES]
    return [(different[i], float(about[i])) for i in most if about[i]]


def _likeliest(documents: Numbers, scores: NDArray[np.float32]) -> tuple[Numbers, NDArray[np.float64]]:
    """Return the best documents, with how likely each is what was meant: a score is the logarithm of odds."""
    rows = np.arange(len(documents))
    if len(rows) > DOCUMENTS:
        rows = (scores >= np.partition(scores, -DOCUMENTS)[-DOCUMENTS]).nonzero()[0]
    rows = rows[(-scores[rows]).argsort(kind="stable")[:DOCUMENTS]]
    odds = np.exp((scores[rows].astype(np.float64) - scores[rows].max(initial=0.0)) / _TEMPER)
    return documents[rows], odds / odds.sum()
