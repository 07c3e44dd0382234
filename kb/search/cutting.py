"""A text cut into its words once, for whatever is asked of it then.

Most words of a text are never looked at: where they begin and end, and with which letter, is worked out for all of them
at once, in arrays, and only those are taken out that may be looked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from itertools import accumulate, chain

import numpy as np
import numpy.typing as npt

from kb.search.language import WITHIN_WORDS, fold, spans

Places = npt.NDArray[np.int64]
Letters = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.uint8] | npt.NDArray[np.uint32]

_ALL = 0x10000  # characters beyond stand in no language of practices: a text with one is cut by an expression
_FOLDED = 0x600  # characters whose folds are looked at: Latin, Greek and Cyrillic letters are among them
_WORD, _SPACE, _WITHIN = 1, 2, 4


class Cut(str):
    """A text that keeps how it was cut; for whoever knows nothing of that, a text as any other.

    Nothing is cut before its words are asked for. They have numbers, from 0 on.
    """

    lengths: Sequence[int] = ()
    """Characters of the parts that it is made of, where it is."""

    of: tuple[Cut, int, int] | None = None
    """Where it is a part: of what, and from which word to which."""

    found: tuple[object, list[tuple[int, int]]] | None = None
    """Who looked for words last, and what they found: for `marking` alone."""

    @classmethod
    def together(cls, parts: Sequence[str]) -> Cut:
        """Return a text made of parts, one below the other: it is cut once for all of them."""
        whole = cls("\n".join(parts))
        whole.lengths = [len(part) for part in parts]
        return whole

    def part(self, number: int) -> Cut:
        """Return one of the parts that it was made of."""
        before = sum(self.lengths[:number]) + number
        part = Cut(self[before : before + self.lengths[number]])
        part.of = self, *self._spans[number]
        return part

    def word(self, number: int) -> str:
        """Return a word as it is written."""
        return self[self.starts[number] : self.ends[number]]

    def words(self, letters: Letters) -> tuple[list[int], list[str]]:
        """Return the words that may begin with one of some letters, as `beginning_with` gives them: numbers, words."""
        chosen = np.flatnonzero(letters[_within(self._codes[self.starts], _FOLDED)])
        ends = zip(self.starts[chosen].tolist(), self.ends[chosen].tolist(), strict=True)
        return chosen.tolist(), [self[start:end] for start, end in ends]

    @property
    def starts(self) -> Places:
        """Where each word begins, in characters: the words of `language.spans`."""
        return self._bounds[0]

    @property
    def ends(self) -> Places:
        """Where each word ends."""
        return self._bounds[1]

    @cached_property
    def runs(self) -> tuple[Places, Places]:
        """For each word, from where to where the run without white space goes that it is in."""
        starts, ends = _edges(self._kinds & _SPACE == 0)
        held = starts.searchsorted(self.starts, "right") - 1
        return starts[held], ends[held]

    def head(self, size: int) -> Cut:
        """Return the beginning of the text, enough to find the first `size` characters from its first word on."""
        limit = 4 * size
        if len(self) <= limit:
            return self
        short = Cut(self[:limit])
        return short if len(short.starts) and int(short.starts[0]) + size < limit else self

    @cached_property
    def _codes(self) -> Codes:
        """The number of each character in Unicode."""
        if self.isascii():
            return np.frombuffer(self.encode(), np.uint8)
        return np.frombuffer(self.encode("utf-32-le", "surrogatepass"), np.uint32)

    @cached_property
    def _kinds(self) -> npt.NDArray[np.uint8]:
        return _kinds()[_within(self._codes, _ALL)]

    @cached_property
    def _bounds(self) -> tuple[Places, Places]:
        if not self.isascii() and self._kinds.max() >= _WITHIN:
            ends = np.fromiter(chain.from_iterable(spans(self)), np.int64)
            return ends[::2], ends[1::2]
        return _edges(self._kinds == _WORD)

    @cached_property
    def _spans(self) -> list[tuple[int, int]]:
        """From which word to which each part goes."""
        borders = accumulate(self.lengths, lambda end, length: end + 1 + length)
        after = self.ends.searchsorted(list(borders), "right").tolist()
        return list(zip([0, *after], after, strict=False))


def beginning_with(letters: Iterable[str]) -> Letters:
    """Return for each character whether a word that begins with it may, folded, begin with one of some letters.

    The last is for all further characters, of which it is not looked at. The empty letter is any.
    """
    heads, wanted = _heads(), set(letters)
    if "" in wanted:
        return np.ones(len(heads), np.bool_)
    chosen: Letters = heads == 0
    for letter in wanted:
        chosen |= heads == ord(letter)
    return chosen


def _within(codes: Codes, most: int) -> Codes:
    """Return characters by which tables are read that end with one for all from `most` on."""
    return codes if codes.itemsize == 1 else np.minimum(codes, most)


def _edges(inside: npt.NDArray[np.bool_]) -> tuple[Places, Places]:
    """Return where the runs of what is true begin and end."""
    edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1
    before = [0] if len(inside) and inside[0] else []
    after = [len(inside)] if len(inside) and inside[-1] else []
    edges = np.concatenate((before, edges, after)).astype(np.int64) if before or after else edges
    return edges[::2], edges[1::2]


@lru_cache(maxsize=1)
def _kinds() -> npt.NDArray[np.uint8]:
    """What each character is; beyond those that are looked at, something for which an expression is needed."""
    kinds = [_WORD * char.isalnum() + _SPACE * char.isspace() for char in map(chr, range(_ALL))]
    known = np.array([*kinds, _WITHIN], np.uint8)
    known[[ord(char) for char in WITHIN_WORDS]] |= _WITHIN
    return known


@lru_cache(maxsize=1)
def _heads() -> npt.NDArray[np.uint32]:
    """The first letter of the fold of each character, by its number; 0 where there is none, or it is not known."""
    return np.array([*(ord((fold(chr(code)) or "\0")[0]) for code in range(_FOLDED)), 0], np.uint32)
