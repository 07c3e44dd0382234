"""What the best documents found have in common, as a further hint: pseudo-relevance feedback.

The relevance model of Lavrenko and Croft (SIGIR 2001) in the form that is known as RM3 (Abdul-Jaleel et al., TREC
2004), by the weights of BM25F: the documents found stand for what was meant, each as likely as its score says; the
stems that they share, and few others have, are asked for beside the words of the question. Where one document is far
ahead of the rest hardly anything is learned but from it, so that a search for one known thing stays as it was.

It only moves documents that were found anyway, and never across the steps that `scoring.best_first` sets.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from kb.search.whoosh.snapshot import Mask, Snapshot
from kb.search.whoosh.weighing import rarity, scores, shares

LEAST_WORDS = 2
"""Words of a question below which nothing is learned: the documents of a single word have only that in common."""

_DOCUMENTS = 10
_STEMS = 20
_CANDIDATES = 30  # stems that are looked at more closely
_TEMPER = 2.0  # evens out how likely documents are, so that none of them alone is learned from
_MOST_COMMON = 0.2  # of all documents; what stands in more tells nothing
_MOST = 0.5  # of a document's own score: what is learned moves, and does not decide
_WEIGHT = 0.4  # what all the stems learned count beside the words of the question


def learned(
    snapshot: Snapshot, first: NDArray[np.float64], found: Mask, asked: Collection[str], words: int
) -> NDArray[np.float64]:
    """Return what to add to the scores `first` of the documents in `found`.

    `asked` are the terms of the field `stems` that the question itself has, `words` is how many words it has.
    """
    added = np.zeros(snapshot.size)
    stems = _telling(snapshot, first, found, asked)
    total = sum(stems.values())
    for stem, value in stems.items():
        term = snapshot.term("stems", stem)
        added[term.documents] += value / total * scores(snapshot, term.documents, term.counts)
    added *= _WEIGHT * words
    added[~found] = 0.0
    return np.minimum(added, _MOST * first)


def _telling(snapshot: Snapshot, first: NDArray[np.float64], found: Mask, asked: Collection[str]) -> dict[str, float]:
    """Return the stems that tell the best documents from all others, with what they are worth."""
    common = _common(snapshot, first, found)
    candidates = sorted((-value, stem) for stem, value in common.items() if stem not in asked)[:_CANDIDATES]
    worth = []
    for negative, stem in candidates:
        count = len(snapshot.term("stems", stem).documents)
        if count <= _MOST_COMMON * snapshot.count:
            worth.append((negative * rarity(snapshot, count), stem))
    return {stem: -negative for negative, stem in sorted(worth)[:_STEMS]}


def _common(snapshot: Snapshot, first: NDArray[np.float64], found: Mask) -> dict[str, float]:
    """Return the stems that more than one of the best documents has, with how much these are about them."""
    likely: dict[bytes, float] = {}
    in_documents: dict[bytes, int] = {}
    for document, probability in _likeliest(first, found):
        vector = snapshot.vector(document)
        parts = shares(snapshot, np.full(len(vector.terms), document), vector.counts)
        for term, part in zip(vector.terms, (probability * parts).tolist(), strict=True):
            likely[term] = likely.get(term, 0.0) + part
            in_documents[term] = in_documents.get(term, 0) + 1
    return {term.decode(): value for term, value in likely.items() if in_documents[term] > 1}


def _likeliest(first: NDArray[np.float64], found: Mask) -> list[tuple[int, float]]:
    """Return the best documents, with how likely each is what was meant: a score is the logarithm of odds."""
    numbers = np.flatnonzero(found)
    best = numbers[np.argsort(-first[numbers], kind="stable")[:_DOCUMENTS]]
    odds = np.exp((first[best] - first[best].max(initial=0.0)) / _TEMPER)
    return [(int(n), float(p)) for n, p in zip(best, odds / odds.sum(), strict=True)]
