"""Names, to be found by how their words begin, whatever their accents, case and hyphens."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kb.search.language import fold, spans

WHOLE, START, WORDS = range(3)
"""How near a text comes to a name: it is the name, the name begins with it, its words begin words of the name."""


def folds(text: str) -> list[str]:
    """Return the words of a text, folded."""
    return [folded for start, end in spans(text) if (folded := fold(text[start:end]))]


class Parts(NamedTuple):
    """What names are found by: the words of them all, in order; the names of each; and each name as one word.

    Names are numbered in their order. Those of the word at place i are `numbers[starts[i] : starts[i + 1]]`.
    """

    words: Sequence[str]
    numbers: NDArray[np.int32]
    starts: NDArray[np.int64]
    wholes: Sequence[str]


class Beginnings:
    """A list of names, sorted by its words. Immutable, so that threads can share it."""

    def __init__(self, names: Iterable[str]) -> None:
        held: dict[str, list[int]] = defaultdict(list)
        wholes: list[str] = []
        for number, name in enumerate(names):
            words = folds(name)
            wholes.append("".join(words))
            for word in {*words, wholes[-1]} - {""}:  # the whole too: a compound may be typed together
                held[word].append(number)
        ordered = sorted(held)
        numbers = np.array([number for word in ordered for number in held[word]], np.int32)
        self.parts = Parts(ordered, numbers, np.cumsum([0, *(len(held[word]) for word in ordered)]), wholes)

    @classmethod
    def of(cls, parts: Parts) -> Beginnings:
        """Return those whose parts these are, wherever they were kept."""
        found = cls(())
        found.parts = parts
        return found

    def find(self, text: str) -> list[tuple[int, int]]:
        """Return (nearness, place in the list) of each name that a text may be the beginning of."""
        typed = folds(text)
        if not typed:
            return []
        started = "".join(typed)
        found = reduce(np.intersect1d, map(self._beginning, typed))
        numbers = np.union1d(found, self._beginning(started)).tolist() if len(typed) > 1 else found.tolist()
        return [(_nearness(started, self.parts.wholes[number]), number) for number in numbers]

    def _beginning(self, prefix: str) -> NDArray[np.int32]:
        """Return the names that have a word that begins so, each once."""
        words, numbers, starts, _ = self.parts
        first, last = (bisect_left(words, key) for key in (prefix, prefix + "\U0010ffff"))
        return np.unique(numbers[starts[first] : starts[last]])


def _nearness(started: str, whole: str) -> int:
    if not whole.startswith(started):
        return WORDS
    return WHOLE if whole == started else START
