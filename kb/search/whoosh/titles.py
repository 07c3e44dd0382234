"""The documents of a snapshot in the order of their titles, those of the same title in the order of their ids.

Each segment has its own order on disk. Those of several are merged when somebody asks; what an update adds to many
thousands is put in its places among them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kb.search.whoosh.columns import Columns

_BESIDE = 16  # where there are so many times as many whose order is known, each new one is looked up its place there
_ASKED = 500  # documents whose titles are compared with each other, rather than all titles with all


class TitleOrder:
    """An order of documents, which are numbered segment by segment. Safe for threads: at worst two do the same work."""

    def __init__(self, columns: Sequence[Columns], earlier: TitleOrder | None = None) -> None:
        """Order the documents of these segments; `earlier` is the order of a snapshot that may have had some of them.

        It is kept until somebody asks, and with it its files, so only where it helps.
        """
        self._columns = list(columns)
        self._bases = np.cumsum([0, *(len(each.by_title) for each in columns)]).tolist()
        if earlier is not None and not earlier.is_known:
            earlier = earlier._earlier
        helps = earlier is not None and {*map(id, columns)} & {*map(id, earlier._columns)}
        self._earlier: TitleOrder | None = earlier if helps else None

    @property
    def is_known(self) -> bool:
        """Whether anybody has asked for it."""
        return "order" in self.__dict__

    @cached_property
    def order(self) -> NDArray[np.uint32]:
        """The numbers of the documents, in the order of their titles."""
        known, others = self._known()
        self._earlier = None
        if len(known) < _BESIDE * (self._bases[-1] - len(known)):
            return self._merged()
        new = sorted(chain.from_iterable(map(self._entries, others)))
        places = [bisect_left(known, entry, key=self._entry) for entry, _ in new]
        return np.insert(known, places, [number for _, number in new])

    @cached_property
    def ranks(self) -> NDArray[np.int32]:
        """The place of each document in the order."""
        return _inverse(self.order)

    def among(self, documents: NDArray[np.integer[Any]]) -> NDArray[np.int32]:
        """Return for each of some documents a number: smaller ones come first. Of few this is quick at once."""
        if "ranks" in self.__dict__ or len(documents) > _ASKED:
            found: NDArray[np.int32] = self.ranks[documents]
            return found
        entries = [self._entry(number) for number in documents.tolist()]
        return _inverse(np.array(sorted(range(len(entries)), key=entries.__getitem__), np.intp))

    def _known(self) -> tuple[NDArray[np.uint32], list[int]]:
        """Return documents whose order is known, and the segments of all others."""
        if not self._columns:
            return np.empty(0, np.uint32), []
        if self._earlier is None:
            largest = max(range(len(self._columns)), key=lambda i: len(self._columns[i].by_title))
            known = self._columns[largest].by_title + np.uint32(self._bases[largest])
            return known, [i for i in range(len(self._columns)) if i != largest]
        now = {id(each): base for each, base in zip(self._columns, self._bases, strict=False)}
        then = self._earlier
        bases = np.array([now.get(id(each), -1) for each in then._columns])
        owners = np.searchsorted(then._bases, then.order, "right") - 1
        numbers = bases[owners] + then.order - np.array(then._bases)[owners]
        there = {id(each) for each in then._columns}
        others = [i for i, each in enumerate(self._columns) if id(each) not in there]
        return numbers[bases[owners] >= 0].astype(np.uint32), others

    def _merged(self) -> NDArray[np.uint32]:
        """Return the order of all. It is quick because the parts of the list are sorted already."""
        titles = [entry for each in self._columns for entry in each.titles.all_encoded()]
        parts = (each.by_title + np.uint32(base) for each, base in zip(self._columns, self._bases, strict=False))
        order = np.concatenate([np.empty(0, np.uint32), *parts]).tolist()
        order.sort(key=titles.__getitem__)
        return np.array(order, np.uint32)

    def _entries(self, segment: int) -> Iterator[tuple[bytes, int]]:
        """Yield what a segment's documents are ordered by, with their numbers, in the segment's order."""
        columns, base = self._columns[segment], self._bases[segment]
        titles = columns.titles.all_encoded()
        return ((titles[number], base + number) for number in columns.by_title.tolist())

    def _entry(self, number: int) -> bytes:
        segment = bisect_right(self._bases, number) - 1
        return self._columns[segment].titles.encoded(int(number) - self._bases[segment])


def _inverse(order: NDArray[Any]) -> NDArray[np.int32]:
    """Return the place of each number in an order of them all."""
    places = np.empty(len(order), np.int32)
    places[order] = np.arange(len(order), dtype=np.int32)
    return places
