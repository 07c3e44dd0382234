"""Which documents hold the words of a query, and how well: BM25F, after Robertson, Zaragoza and Taylor (CIKM 2004).

A word's frequencies in the fields are weighted and made comparable in length first, and only their sum is saturated, so
that a word in title and summary does not count as two words.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import log

import numpy as np
from numpy.typing import NDArray

from kb.search.language import asked_stems
from kb.search.parsing import Clause
from kb.search.whoosh.schema import FIELDS, stem_term
from kb.search.whoosh.segment import Numbers, Term
from kb.search.whoosh.snapshot import Snapshot

# Title and summary are what the authors chose to say about a practice, word for word worth more than the long texts.
# Names are lists in which a word only says that somebody took part; foreign texts mostly say again what the title says.
_WEIGHTS = np.array([{"title": 5.0, "summary": 4.0, "story": 1.0, "names": 1.5, "foreign": 1.5}[f] for f in FIELDS])
# How far a word counts less in a field longer than the average. A long title is hardly worse than a short one.
_LENGTH = np.array([{"title": 0.2, "summary": 0.3, "story": 0.5, "names": 0.5, "foreign": 0.2}[f] for f in FIELDS])
_SATURATION = 2.0
_KIN = 0.95  # what a word that only shares a stem counts beside the word as typed
_TOGETHER = 0.5  # what two words side by side as typed count beside a word of their own
_MOST_PAIRS = 16


class Found:
    """Where a clause was found: the documents, ascending, and how often in each of `FIELDS` (kin count for less)."""

    __slots__ = ("documents", "frequencies")

    def __init__(self, documents: Numbers, frequencies: NDArray[np.float64]) -> None:
        self.documents = documents
        self.frequencies = frequencies


class Matches:
    """What the clauses of a query found: for each document of the snapshot how many clauses it holds, and its score."""

    def __init__(self, snapshot: Snapshot, clauses: Sequence[Clause]) -> None:
        self._found = [find(snapshot, clause) for clause in clauses]
        self.held = np.zeros(snapshot.size, np.intp)
        self.scores = np.zeros(snapshot.size)
        for found in self._found:
            self.held[found.documents] += 1
            self.scores[found.documents] += _scores(snapshot, found)
        for pair in _pairs(clauses):
            found = find(snapshot, pair)
            self.scores[found.documents] += _TOGETHER * _scores(snapshot, found)

    def fields(self, document: int) -> tuple[str, ...]:
        """Return the fields of a document in which something was found, weightiest first."""
        held = np.zeros(len(FIELDS), np.bool_)
        for found in self._found:
            place = int(np.searchsorted(found.documents, document))
            if place < len(found.documents) and found.documents[place] == document:
                held |= found.frequencies[place] > 0
        return tuple(name for name, is_held in zip(FIELDS, held, strict=True) if is_held)


def _pairs(clauses: Sequence[Clause]) -> list[Clause]:
    """Return the words that were typed side by side, as phrases: where they stand so in a text, they mean the same."""
    words = [None if clause.exact else clause.words[0] for clause in clauses]
    return [Clause((a, b), exact=True) for a, b in pairwise(words) if a and b][:_MOST_PAIRS]


def find(snapshot: Snapshot, clause: Clause) -> Found:
    """Return where a clause stands in the documents that are not deleted."""
    return _phrase(snapshot, clause.folds) if clause.exact else _word(snapshot, clause.words[0], clause.folds[0])


def _word(snapshot: Snapshot, word: str, folded: str) -> Found:
    as_typed = snapshot.term("words", folded)
    terms = {stem_term(language, stem) for language in snapshot.languages for stem in asked_stems(word, language)}
    stems = [term for term in (snapshot.term("stems", term) for term in sorted(terms)) if len(term.documents)]
    there = np.zeros(snapshot.size, np.bool_)
    for term in (as_typed, *stems):
        there[term.documents] = True
    documents = np.flatnonzero(there)
    typed = _most(documents, [as_typed])
    kin = _most(documents, stems)
    return Found(documents, typed + _KIN * np.maximum(kin - typed, 0))


def _most(documents: Numbers, terms: Sequence[Term]) -> NDArray[np.float64]:
    """Return for each document the highest frequencies that any of the terms has there: stems overlap, so no sum."""
    most = np.zeros((len(documents), len(FIELDS)))
    for term in terms:
        places = np.searchsorted(documents, term.documents)
        most[places] = np.maximum(most[places], term.counts)
    return most


def _phrase(snapshot: Snapshot, words: Sequence[str]) -> Found:
    """Find words side by side, by intersecting the (document, position) pairs at which the phrase would begin."""
    starts: NDArray[np.int64] | None = None
    for offset, word in enumerate(words):
        term = snapshot.term("words", word)
        documents = np.repeat(term.documents, term.counts.sum(axis=1, dtype=np.intp))
        begins = (documents.astype(np.int64) << 32) + term.positions.astype(np.int64) - offset
        if starts is None:
            fields = np.repeat(np.tile(np.arange(len(FIELDS)), len(term.counts)), term.counts.ravel())
            starts = first = begins
        else:
            starts = np.intersect1d(starts, begins, assume_unique=True)
    assert starts is not None  # noqa: S101 - a phrase has words
    kept = np.isin(first, starts, assume_unique=True)
    documents, places = np.unique(first[kept] >> 32, return_inverse=True)
    frequencies = np.zeros((len(documents), len(FIELDS)))
    np.add.at(frequencies, (places, fields[kept]), 1)
    return Found(documents.astype(np.intp), frequencies)


def _scores(snapshot: Snapshot, found: Found) -> NDArray[np.float64]:
    lengths = snapshot.lengths[found.documents] / snapshot.average_lengths
    weighted = (found.frequencies * _WEIGHTS / (1 - _LENGTH + _LENGTH * lengths)).sum(axis=1)
    count = len(found.documents)
    rarity = log(1 + (snapshot.count - count + 0.5) / (count + 0.5))
    return np.asarray(rarity * weighted * (_SATURATION + 1) / (weighted + _SATURATION))
