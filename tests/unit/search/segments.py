"""Parts of a segment made of plain values."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

import numpy as np

from kb.search.whoosh import lexicon
from kb.search.whoosh.arrays import Texts
from kb.search.whoosh.inverted import Inverted
from kb.search.whoosh.lexicon import Lexicon
from kb.search.whoosh.schema import FIELDS
from kb.search.whoosh.snapshot import Snapshot

Postings = Mapping[str, Mapping[int, list[list[int]]]]
"""Of each term the documents, and for each of them the positions in each of `FIELDS`."""


def inverted_of(postings: Postings) -> Inverted:
    """Return a field with these postings."""
    terms = sorted(postings)
    rows = [row for term in terms for _, row in sorted(postings[term].items())]
    return Inverted(
        [term.encode() for term in terms],
        np.cumsum([0, *(len(postings[term]) for term in terms)]),
        np.array([document for term in terms for document in sorted(postings[term])], np.uint32),
        np.array([[len(places) for places in row] for row in rows], np.uint8).reshape(-1, len(FIELDS)),
        np.array([place for row in rows for places in row for place in places], np.uint32),
    )


def lexicon_of(documents: Mapping[str, int]) -> Lexicon:
    """Return a lexicon of words, each in so many documents."""
    terms = sorted(word.encode() for word in documents)
    bounds = np.cumsum([0, *(documents[term.decode()] for term in terms)])
    return Lexicon({"words.bounds": bounds, **dict(chain(Texts.of("words.terms", terms), lexicon.written(terms)))})


def stems_of(snapshot: Snapshot, document: int) -> Mapping[str, list[int]]:
    """Return the stems that are kept of a document, with how often each stands in each of `FIELDS`."""
    _, hashes, counts = snapshot.vectors(np.array([document]))
    fields = [segment.fields["stems"] for segment in snapshot.segments]
    places = [[(field, field.place_of_hash(each)) for field in fields] for each in hashes]
    terms = [next(field.terms[place] for field, place in found if place >= 0) for found in places]
    return dict(zip(terms, counts.tolist(), strict=True))
