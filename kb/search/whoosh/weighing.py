"""What finding something in a document is worth: BM25F, after Robertson, Zaragoza and Taylor (CIKM 2004).

A word's frequencies in the fields are weighted and made comparable in length first, and only their sum is saturated, so
that a word in title and summary does not count as two words.
"""

from __future__ import annotations

from math import log
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from kb.search.whoosh.schema import FIELDS
from kb.search.whoosh.segment import Numbers, Segment
from kb.search.whoosh.snapshot import Snapshot

# Title and summary are what the authors chose to say about a practice, word for word worth more than the long texts.
# Names are lists in which a word only says that somebody took part; foreign texts mostly say again what the title says.
_WEIGHTS = np.array([{"title": 5.0, "summary": 4.0, "story": 1.0, "names": 1.5, "foreign": 1.5}[f] for f in FIELDS])
# How far a word counts less in a field longer than the average. A long title is hardly worse than a short one.
_LENGTH = np.array([{"title": 0.3, "summary": 0.3, "story": 0.75, "names": 0.5, "foreign": 0.2}[f] for f in FIELDS])
_SATURATION = np.float32(2.0)
_ALL = np.ones(len(FIELDS), np.float32)

Shares = NDArray[np.float32]
"""How much documents are about something, from 0 to 1."""


def rarity(snapshot: Snapshot, count: int) -> float:
    """Return what standing in `count` documents is worth: Robertson and Spärck Jones's weight, never below 0."""
    return log(1 + (snapshot.count - count + 0.5) / (count + 0.5))


def worth(snapshot: Snapshot, count: int) -> float:
    """Return what a share of 1 scores for something that stands in `count` documents."""
    return rarity(snapshot, count) * (float(_SATURATION) + 1)


def shares(snapshot: Snapshot, documents: Numbers, frequencies: NDArray[Any]) -> Shares:
    """Return how much documents are about something, from its frequencies in each of `FIELDS`."""
    norms = snapshot.memo.once("norms", lambda: _norms(snapshot))
    weights = norms.take(documents, axis=0)
    weights *= frequencies
    weighted = weights @ _ALL
    return np.asarray(weighted / (weighted + _SATURATION))


def _norms(snapshot: Snapshot) -> NDArray[np.float32]:
    """Return what one occurrence weighs in each field of each document."""
    averages = tuple(float(f"{each:.2g}") for each in snapshot.average_lengths)
    parts = [_norms_of(segment, averages) for segment in snapshot.segments]
    return parts[0] if len(parts) == 1 else np.concatenate([np.empty((0, len(FIELDS)), np.float32), *parts])


def _norms_of(segment: Segment, averages: tuple[float, ...]) -> NDArray[np.float32]:
    """Return the norms of a segment, which stay while averages are the same to two digits: through most commits."""
    known = _known.get(segment)
    if known is None or known[0] != averages:
        lengths = segment.columns.lengths / np.array(averages)
        norms = np.asarray(_WEIGHTS / (1 - _LENGTH + _LENGTH * lengths), np.float32)
        _known[segment] = known = averages, norms
    return known[1]


_known: WeakKeyDictionary[Segment, tuple[tuple[float, ...], NDArray[np.float32]]] = WeakKeyDictionary()
