"""Where the words of a question stand: by their postings, in any form, side by side, joined or apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from kb.search.language import asked_stems, compounds, fold
from kb.search.question import Words
from kb.search.whoosh.lexicon import beginning_with
from kb.search.whoosh.schema import FIELDS, stem_term
from kb.search.whoosh.segment import NOWHERE, Numbers, Term
from kb.search.whoosh.snapshot import Snapshot

_KIN = 0.95  # what a word that only shares a stem counts beside the word as typed
_MOST_BEGINNING = 1000  # words that a beginning stands for, the most frequent ones
_LEAST_HALF = 3  # letters of the second half of a compound; the first may be the e of e-learning
_TITLES = np.array([field in ("title", "foreign") for field in FIELDS])


class Found:
    """Where something was found: the documents, ascending, and how often in each of `FIELDS` (kin count for less)."""

    __slots__ = ("documents", "frequencies")

    def __init__(self, documents: Numbers, frequencies: NDArray[np.float64]) -> None:
        self.documents = documents
        self.frequencies = frequencies


def find(snapshot: Snapshot, words: Words) -> Found:
    """Return where words stand in the documents that are not deleted."""
    if words.exact:
        found = phrase(snapshot, words.folds)
    elif words.begins:
        found = _beginning(snapshot, words.folds[0])
    else:
        found = _word(snapshot, words.words[0], words.folds[0])
    return _in_titles(found) if words.field == "title" else found


def joined(snapshot: Snapshot, first: str, second: str) -> Found:
    """Return where two words that were typed apart stand as one, as `Arbeitsmarkt Integration` does."""
    return _together(snapshot, [_forms(snapshot, word, fold(word)) for word in compounds(first, second)])


def phrase(snapshot: Snapshot, folds: Sequence[str]) -> Found:
    """Find words side by side, by intersecting the (document, position) pairs at which the phrase would begin."""
    starts: NDArray[np.int64] | None = None
    for offset, word in enumerate(folds):
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


def _word(snapshot: Snapshot, word: str, folded: str) -> Found:
    """Find a word in any of its forms, and where it stands taken apart: a compound has no one way to be written."""
    found = _forms(snapshot, word, folded)
    apart = [each for each in _apart(snapshot, folded) if len(each.documents)]
    return _together(snapshot, [found, *apart]) if apart else found


def _forms(snapshot: Snapshot, word: str, folded: str) -> Found:
    as_typed = snapshot.term("words", folded)
    terms = {stem_term(language, stem) for language in snapshot.languages for stem in asked_stems(word, language)}
    stems = [term for term in (snapshot.term("stems", term) for term in sorted(terms)) if len(term.documents)]
    documents = _documents(snapshot, (as_typed, *stems))
    typed = _most(documents, [as_typed])
    kin = _most(documents, stems)
    return Found(documents, typed + _KIN * np.maximum(kin - typed, 0))


def _apart(snapshot: Snapshot, folded: str) -> Iterable[Found]:
    """Yield where the halves of a word stand side by side, for each way to part it into words of the index."""
    for middle in range(1, len(folded) - _LEAST_HALF + 1):
        first, second = folded[:middle], folded[middle:]
        if len(snapshot.term("words", first).documents) and len(snapshot.term("words", second).documents):
            yield phrase(snapshot, (first, second))


def _beginning(snapshot: Snapshot, folded: str) -> Found:
    words = frozenset(beginning_with(snapshot, folded, _MOST_BEGINNING))
    documents, counts = [NOWHERE.documents], [NOWHERE.counts]
    for base, segment in zip(snapshot.bases, snapshot.segments, strict=False):
        lexicon = segment.lexicon()
        # Most words stand in few segments: to ask each for all takes long, and fills the cache with nothing.
        for word in words.intersection(map(lexicon.word, lexicon.beginning_with(folded))):
            term = segment.term("words", word.encode())
            documents.append(base + term.documents)
            counts.append(term.counts)
    return _highest(snapshot, np.concatenate(documents), np.concatenate(counts))


def _highest(snapshot: Snapshot, documents: Numbers, counts: NDArray[np.uint8]) -> Found:
    """Return the documents that are not deleted, each once, with the highest of its counts."""
    order = np.argsort(documents, kind="stable")
    order = order[snapshot.live[documents[order]]]
    documents, firsts = np.unique(documents[order], return_index=True)
    highest = np.maximum.reduceat(counts[order], firsts, axis=0) if len(documents) else counts[order]
    return Found(documents, highest.astype(np.float64))


def _documents(snapshot: Snapshot, found: Iterable[Term | Found]) -> Numbers:
    there = np.zeros(snapshot.size, np.bool_)
    for each in found:
        there[each.documents] = True
    return np.flatnonzero(there)


def _most(documents: Numbers, found: Iterable[Term | Found]) -> NDArray[np.float64]:
    """Return for each document the highest frequencies that any of them has there: stems overlap, so no sum."""
    most = np.zeros((len(documents), len(FIELDS)))
    for each in found:
        places = np.searchsorted(documents, each.documents)
        frequencies = each.counts if isinstance(each, Term) else each.frequencies
        most[places] = np.maximum(most[places], frequencies)
    return most


def _together(snapshot: Snapshot, found: Sequence[Found]) -> Found:
    documents = _documents(snapshot, found)
    return Found(documents, _most(documents, found))


def _in_titles(found: Found) -> Found:
    frequencies = found.frequencies * _TITLES
    there = frequencies.any(axis=1)
    return Found(found.documents[there], frequencies[there])
