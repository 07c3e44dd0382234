"""Spelling: which words of the index somebody may have meant who typed one that it does not hold."""

from __future__ import annotations

from collections import Counter
from itertools import groupby, islice
from typing import NamedTuple

import numpy as np

from kb.search.distance import distances
from kb.search.language import LONGEST_WORD
from kb.search.whoosh.lexicon import plain
from kb.search.whoosh.snapshot import Mask, Snapshot

FIRST_LETTER = 0.25
"""What is added to the distance where the first letter is another one: people seldom get that wrong."""

_DOUBLED = 0.5  # the distance of words whose only difference is letters doubled or not
_AT_ONCE = 40  # words of one distance whose documents are looked up, the most frequent first, before any more are


class Correction(NamedTuple):
    """A word that may have been meant.

    `distance` is that of `distances`, from the word as typed or `plain`, with `FIRST_LETTER` where due; 0 for a word
    that differs only in how umlauts are written, 0.5 in doubled letters only. `documents` hold it.
    """

    word: str
    distance: float
    documents: int


def corrections(snapshot: Snapshot, folded: str, limit: int = 5, beside: Mask | None = None) -> list[Correction]:
    """Return up to `limit` words of the index that are close to a folded word, without the word itself, best first.

    That is the nearest; of equally near ones those that stand in the documents of `beside`, where the other words of
    the question are, and so are of its language; of these the most frequent. Each stands in a document. There are none
    for words of fewer than four characters or with a digit. Raises IndexLost.
    """
    found: list[Correction] = []
    for distance, near in groupby(_ranked(snapshot, folded), key=lambda item: item[0]):
        words = ((-negative, word) for _, negative, word in near)
        while len(found) < limit and (some := list(islice(words, _AT_ONCE))):
            found += _standing(snapshot, some, distance, beside)
    return found[:limit]


def edits_allowed(folded: str) -> int:
    """Return how many letters of a word may be wrong: 1 of four or five, 2 of up to eleven, else 3.

    0 for what is shorter, has a digit, or is longer than a folded word can be.
    """
    length = len(folded)
    if not 4 <= length <= LONGEST_WORD or any(character.isdigit() for character in folded):
        return 0
    return 1 if length < 6 else 2 if length < 12 else 3


def _ranked(snapshot: Snapshot, folded: str) -> list[tuple[float, int, str]]:
    """Return distance, documents (negative, as they were counted when written) and word of what is near, in order."""
    edits = edits_allowed(folded)
    if not edits:
        return []
    typed = dict.fromkeys((folded, plain(folded)))
    documents: Counter[str] = Counter()
    alike: set[str] = set()
    for segment in snapshot.segments:
        lexicon = segment.lexicon()
        sounding = lexicon.sounding_like(folded)
        alike.update(map(lexicon.word, sounding))
        places = np.unique(np.concatenate([sounding, *(lexicon.about(word, edits) for word in typed)]).astype(np.intp))
        for word, count in zip(lexicon.words(places), lexicon.documents[places].tolist(), strict=True):
            documents[word] += count
    del documents[folded]
    words = list(documents)
    nearest = np.min([distances(word, words, edits) for word in typed], axis=0)
    near = {words[i]: float(nearest[i]) for i in np.flatnonzero(nearest <= edits).tolist()}
    near = {word: far + FIRST_LETTER * (word[0] != folded[0]) for word, far in near.items()}
    near |= {word: 0.0 if plain(word) == plain(folded) else _DOUBLED for word in alike if word != folded}
    return sorted((far, -documents[word], word) for word, far in near.items())


def _standing(
    snapshot: Snapshot, words: list[tuple[int, str]], distance: float, beside: Mask | None
) -> list[Correction]:
    """Return those of the words, each with its count as written, that stand in a document, best first."""
    if beside is None and snapshot.count == snapshot.size:  # nothing is deleted, and so the counts are right
        return [Correction(word, distance, count) for count, word in words]
    standing = []
    for term, word in zip(snapshot.terms("words", [word for _, word in words]), (w for _, w in words), strict=True):
        documents = term.documents
        if len(documents):
            apart = beside is not None and not beside[documents].any()
            standing.append((apart, -len(documents), word))
    return [Correction(word, distance, -documents) for _, documents, word in sorted(standing)]
