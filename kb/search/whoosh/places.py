"""Sets of documents as ascending numbers, and where the members of one stand in another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kb.search.whoosh.segment import Numbers
from kb.search.whoosh.snapshot import Snapshot

_SOUGHT = 24  # documents that are looked up one by one in the time in which one is marked, in the list of them all


class Places:
    """Where documents stand in `members`, ascending numbers below `size`.

    It is quicker where those it is asked for are of the same type.
    """

    def __init__(self, members: NDArray[Any], size: int) -> None:
        self.members = members
        self._size = size
        self._place: NDArray[np.int32] | None = None

    def of(self, documents: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return which of the documents, ascending, are members, by their place there and by their place here."""
        if documents is self.members:
            return self._all(), self._all()
        if _SOUGHT * len(self.members) < len(documents):
            found = documents.searchsorted(self.members)
            found[found == len(documents)] = 0
            here = (documents[found] == self.members).nonzero()[0]
            return found[here], here
        return self.of_any(documents)

    def of_members(self, documents: Numbers) -> NDArray[np.intp]:
        """Return the places of documents, all of which are members."""
        return self._map().take(documents).astype(np.intp)

    def of_any(self, documents: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the same as `of`, for documents in any order, which may be there more than once."""
        places = self._map().take(documents)
        there = (places >= 0).nonzero()[0]
        return there, places[there].astype(np.intp)

    def _map(self) -> NDArray[np.int32]:
        """Return the place of each document of all; -1 for those that are no members."""
        if self._place is None:
            self._place = np.full(self._size, -1, np.int32)
            self._place[self.members] = np.arange(len(self.members), dtype=np.int32)
        return self._place

    def _all(self) -> NDArray[np.intp]:
        return np.arange(len(self.members))


def put_rows(into: NDArray[Any], rows: NDArray[Any], values: NDArray[Any]) -> None:
    """Set rows of an array, no row twice: as one value each, which numpy does three times as quickly."""
    kind = np.dtype((np.void, into.itemsize * into.shape[1]))
    np.put(into.view(kind)[:, 0], rows, np.ascontiguousarray(values).view(kind)[:, 0])


def union(sets: Sequence[Numbers], size: int) -> Numbers:
    """Return what is in any of the sets."""
    sets = [each for each in sets if len(each)]
    if len(sets) == 1:
        return sets[0]
    there = np.zeros(size, np.bool_)
    for each in sets:
        there[each] = True
    return there.nonzero()[0]


def common(sets: Sequence[Numbers], size: int) -> Numbers:
    """Return what is in all of the sets, of which there is at least one."""
    first, *others = sorted(sets, key=len)
    for each in others:
        if not len(first):
            break
        if each is not first:
            first = first[_inside(first, each, size)]
    return first


def _inside(first: Numbers, second: Numbers, size: int) -> NDArray[np.bool_] | NDArray[np.intp]:
    """Return which of the first are among the second, as an index."""
    if _SOUGHT * len(first) < len(second):
        return Places(first, size).of(second)[1]
    there = np.zeros(size, np.bool_)
    there[second] = True
    return there[first]


def everything(snapshot: Snapshot) -> Numbers:
    """Return all documents of a snapshot that are not deleted."""
    return snapshot.memo.once("everything", lambda: np.flatnonzero(snapshot.live))
