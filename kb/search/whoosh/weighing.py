"""What finding something in the documents of a snapshot is worth, by `kb.search.weights`."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from kb.search import weights
from kb.search.fields import FIELDS
from kb.search.weights import LENGTH, SATURATION, WEIGHTS
from kb.search.whoosh.segment import Numbers, Segment
from kb.search.whoosh.snapshot import Snapshot

_WEIGHTS = np.array(WEIGHTS)
_LENGTH = np.array(LENGTH)
_SATURATION = np.float32(SATURATION)
_ALL = np.ones(len(FIELDS), np.float32)

Shares = NDArray[np.float32]
"""How much documents are about something, from 0 to 1."""


def rarity(snapshot: Snapshot, count: int) -> float:
    """Return what standing in `count` documents is worth, never below 0."""
    return weights.rarity(snapshot.count, count)


def worth(snapshot: Snapshot, count: int) -> float:
    """Return what a share of 1 scores for something that stands in `count` documents."""
    return weights.worth(snapshot.count, count)


def shares(snapshot: Snapshot, documents: Numbers, frequencies: NDArray[Any]) -> Shares:
    """Return how much documents are about something, from its frequencies in each of `FIELDS`."""
    norms = snapshot.memo.once("norms", lambda: _norms(snapshot))
    weighing = norms.take(documents, axis=0)
    weighing *= frequencies
    weighted = weighing @ _ALL
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
