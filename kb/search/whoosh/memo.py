"""What was worked out about a snapshot and may be asked again: words found, values masked, orders sorted.

A memo belongs to one snapshot, so nothing in it is ever out of date; the next commit begins an empty one. It holds no
answers to questions, only what many questions share.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import numpy as np

Made = TypeVar("Made")

MOST = 24 << 20
"""Bytes that a memo holds in each process: a few dozen frequent words of 100,000 documents, or thousands of others."""

_OVERHEAD = 500  # bytes of a key and of what surrounds arrays


class Memo:
    """Things by a key, the latest used, up to a number of bytes. Safe for threads."""

    def __init__(self, most_bytes: int = MOST) -> None:
        self._most = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._once: dict[Hashable, Any] = {}
        self._lock = threading.Lock()

    def once(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """Return what is kept under a key, however large it is: for the few things of which a snapshot has one."""
        if key not in self._once:
            self._once[key] = make()
        found: Made = self._once[key]
        return found

    def get(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """Return what is kept under a key; where there is nothing, make it and keep it.

        Two threads that ask for the same at once both make it. What takes more than an eighth of the room is not kept.
        """
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                found: Made = self._kept[key][0]
                return found
        made = make()
        size = _OVERHEAD + _bytes(made)
        if size <= self._most // 8:
            with self._lock:
                if key not in self._kept:
                    self._kept[key] = made, size
                    self._bytes += size
                while self._bytes > self._most:
                    self._bytes -= self._kept.popitem(last=False)[1][1]
        return made


def _bytes(made: Any) -> int:
    if isinstance(made, np.ndarray):
        return made.nbytes
    return sum(map(_bytes, made)) if isinstance(made, (tuple, list)) else 0
