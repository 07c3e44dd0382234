"""Where the words of a question stand: by their postings, in any form, side by side, joined or apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kb.search.fields import FIELDS, IN_TITLES, LEAST_HALF
from kb.search.language import asked_stems, compounds, fold
from kb.search.question import Words
from kb.search.weights import KIN
from kb.search.whoosh.lexicon import beginning_with
from kb.search.whoosh.places import Places, common, put_rows, union
from kb.search.whoosh.schema import stem_term
from kb.search.whoosh.segment import Numbers, Term
from kb.search.whoosh.snapshot import Snapshot
from kb.search.whoosh.weighing import Shares, shares

_KIN = np.float32(KIN)
_MOST_BEGINNING = 1000  # words that a beginning stands for, the most frequent ones
_NUMBERS = np.arange(len(FIELDS))
_TITLES = np.array(IN_TITLES)

Frequencies = NDArray[np.float32] | NDArray[np.uint8]
"""How often something stands in each of `FIELDS`, a row for each document; kin count for less."""


class Standing(NamedTuple):
    """The documents in which something stands, ascending, and how often in each."""

    documents: Numbers
    counts: Frequencies


class Found(NamedTuple):
    """What was found: the documents, ascending, how much each is about it, and how often it is in each of `FIELDS`.

    The counts are rounded up to whole numbers. What is no word has no shares and no counts.
    """

    documents: Numbers
    shares: Shares
    counts: NDArray[np.uint8]


_NO_SHARES = np.empty(0, np.float32)
_NO_COUNTS = np.empty((0, len(FIELDS)), np.uint8)
NOTHING = Found(np.empty(0, np.intp), _NO_SHARES, _NO_COUNTS)
"""What was looked for and stands nowhere."""


def found_by_value(documents: Numbers) -> Found:
    """Return documents, ascending, that have a value, which is no word and scores nothing."""
    return Found(documents, _NO_SHARES, _NO_COUNTS)


def find(snapshot: Snapshot, words: Words) -> Found:
    """Return where words stand in the documents that are not deleted."""
    return _remembered(snapshot, words, lambda: _standing(snapshot, words))


def beside(snapshot: Snapshot, first: str, second: str) -> Found:
    """Return where two words stand side by side, as they are."""
    folds = (fold(first), fold(second))
    return _remembered(snapshot, folds, lambda: phrase(snapshot, folds))


def joined(snapshot: Snapshot, first: str, second: str) -> Found:
    """Return where two words that were typed apart stand as one, as `Arbeitsmarkt Integration` does."""
    forms = compounds(first, second)
    stems = [
        stem_term(language, stem)
        for word in forms
        for language in snapshot.languages
        for stem in asked_stems(word, language)
    ]
    if not any(snapshot.has("words", [fold(word) for word in forms]) + snapshot.has("stems", stems)):
        return NOTHING
    return _remembered(
        snapshot, forms, lambda: _together(snapshot, [_forms(snapshot, word, fold(word)) for word in forms])
    )


def phrase(snapshot: Snapshot, folds: Sequence[str]) -> Standing:
    """Find words side by side, by the positions at which the phrase would begin in the documents that have them all."""
    terms = snapshot.terms("words", folds)
    if not all(len(term.documents) for term in terms):
        return Standing(np.empty(0, np.intp), np.empty((0, len(FIELDS)), np.uint8))
    documents = common([term.documents for term in terms], snapshot.size)
    spots = [_spots(term, documents, snapshot.size) for term in terms]
    begins = [spot.keys - offset for offset, spot in enumerate(spots)]
    kept = begins[0]
    for others in begins[1:]:
        kept = _shared(kept, others)
    first = begins[0].searchsorted(kept)
    rows, fields = kept >> 32, spots[0].fields()[first]
    frequencies = np.bincount(rows * len(FIELDS) + fields, minlength=len(FIELDS) * len(documents))
    frequencies = frequencies.reshape(-1, len(FIELDS))
    there = np.flatnonzero(frequencies.any(axis=1))
    return Standing(documents[there], frequencies[there].astype(np.float32))


class _Spots(NamedTuple):
    """Where a term stands in some documents: `keys` are the number of the document among these, and the position."""

    keys: NDArray[np.int64]
    counts: NDArray[np.uint8]

    def fields(self) -> NDArray[np.intp]:
        """Return the field of each."""
        return np.tile(_NUMBERS, len(self.counts)).repeat(self.counts.ravel())


def _spots(term: Term, documents: Numbers, size: int) -> _Spots:
    occurrences = sum(column.astype(np.int64) for column in term.counts.T)
    ends = occurrences.cumsum()
    rows = Places(documents, size).of(term.documents)[0]
    counts, many, starts = term.counts.take(rows, axis=0), occurrences[rows], (ends - occurrences)[rows]
    after = many.cumsum()
    within = np.arange(int(after[-1]) if len(after) else 0)
    positions = term.positions[(starts - (after - many)).repeat(many) + within]
    return _Spots((np.arange(len(documents)).repeat(many) << 32) + positions, counts)


def _shared(first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return what is in both of two ascending arrays, in which nothing is twice."""
    merged = np.concatenate((first, second))
    merged.sort(kind="stable")  # which finds the two runs and merges them
    return np.asarray(merged[:-1][merged[1:] == merged[:-1]])


def _remembered(snapshot: Snapshot, key: Words | tuple[str, ...], make: Callable[[], Standing]) -> Found:
    return snapshot.memo.get(key, lambda: _found(snapshot, make()))


def _found(snapshot: Snapshot, standing: Standing) -> Found:
    documents, counts = standing
    whole = np.ceil(counts).astype(np.uint8, copy=False)
    return Found(documents.astype(np.intp, copy=False), shares(snapshot, documents, counts), whole)


def _standing(snapshot: Snapshot, words: Words) -> Standing:
    if words.exact:
        standing = phrase(snapshot, words.folds) if len(words.words) > 1 else _exactly(snapshot, words.folds[0])
    elif words.begins:
        standing = _beginning(snapshot, words.folds[0])
    else:
        standing = _word(snapshot, words.words[0], words.folds[0])
    return _in_titles(standing) if words.field == "title" else standing


def _exactly(snapshot: Snapshot, folded: str) -> Standing:
    term = snapshot.term("words", folded)
    return Standing(term.documents, term.counts)


def _word(snapshot: Snapshot, word: str, folded: str) -> Standing:
    """Find a word in any of its forms, and where it stands taken apart: a compound has no one way to be written."""
    found = _forms(snapshot, word, folded)
    apart = [each for each in _apart(snapshot, folded) if len(each.documents)]
    return _together(snapshot, [found, *apart]) if apart else found


def _forms(snapshot: Snapshot, word: str, folded: str) -> Standing:
    typed = snapshot.term("words", folded)
    names = {stem_term(language, stem) for language in snapshot.languages for stem in asked_stems(word, language)}
    stems = [term for term in snapshot.terms("stems", sorted(names)) if len(term.documents)]
    if not stems:
        return Standing(typed.documents, typed.counts)
    documents = union([typed.documents, *(stem.documents for stem in stems)], snapshot.size)
    places = Places(documents, snapshot.size)
    kin = _most(places, stems)
    if not len(typed.documents):
        return Standing(documents, kin * _KIN)
    as_typed = _most(places, [typed])
    return Standing(documents, as_typed + _KIN * (np.maximum(kin, as_typed) - as_typed))


def _apart(snapshot: Snapshot, folded: str) -> Iterable[Standing]:
    """Yield where the halves of a word stand side by side, for each way to part it into words of the index."""
    halves = [(folded[:i], folded[i:]) for i in range(1, len(folded) - LEAST_HALF + 1)]
    there = snapshot.has("words", [half for each in halves for half in each])
    for i, each in enumerate(halves):
        if there[2 * i] and there[2 * i + 1]:
            yield phrase(snapshot, each)


def _beginning(snapshot: Snapshot, folded: str) -> Standing:
    terms = snapshot.terms("words", beginning_with(snapshot, folded, _MOST_BEGINNING))
    most = np.zeros((snapshot.size, len(FIELDS)), np.uint8)
    for term in terms:
        put_rows(most, term.documents, np.maximum(most.take(term.documents, axis=0), term.counts))
    documents = union([np.empty(0, np.intp), *(term.documents for term in terms)], snapshot.size)
    return Standing(documents, most.take(documents, axis=0))


def _most(places: Places, found: Sequence[Term | Standing]) -> Frequencies:
    """Return for each member the highest frequencies that any of them has there: stems overlap, so no sum.

    All their documents are members.
    """
    most = np.zeros((len(places.members), len(FIELDS)), np.result_type(np.uint8, *(each.counts for each in found)))
    for i, each in enumerate(found):
        counts = each.counts.astype(most.dtype, copy=False)
        if len(each.documents) == len(places.members):
            np.maximum(most, counts, out=most)
        else:
            there = places.of_members(each.documents)
            put_rows(most, there, np.maximum(most.take(there, axis=0), counts) if i else counts)
    return most


def _together(snapshot: Snapshot, found: Sequence[Standing]) -> Standing:
    documents = union([np.empty(0, np.intp), *(each.documents for each in found)], snapshot.size)
    return Standing(documents, _most(Places(documents, snapshot.size), found))


def _in_titles(standing: Standing) -> Standing:
    counts = standing.counts * _TITLES
    there = np.flatnonzero(counts.any(axis=1))
    return Standing(standing.documents[there], counts[there])
