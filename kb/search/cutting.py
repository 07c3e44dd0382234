"""A text cut into its words once, for whatever is asked of it then."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from kb.search.language import pieces

Places = npt.NDArray[np.int64]


class Cut(str):
    """A text that keeps how it was cut; for whoever knows nothing of that, a text as any other.

    Nothing is cut before its words are asked for.
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
        """Return one of the parts that it was made of. Its words are known."""
        before = sum(self.lengths[:number]) + number
        part = Cut(self[before : before + self.lengths[number]])
        part.of = self, *self._spans[number]
        return part

    @cached_property
    def pieces(self) -> list[str]:
        """The text as `language.pieces` cuts it."""
        return pieces(self)

    @cached_property
    def words(self) -> list[str]:
        """Its words, as they are written."""
        if self.of is not None:
            whole, start, end = self.of
            return whole.words[start:end]
        return self.pieces[1::2]

    @cached_property
    def ends(self) -> Places:
        """Where each piece ends, in characters."""
        return np.cumsum(np.fromiter(map(len, self.pieces), np.int64, len(self.pieces)))

    def head(self, size: int) -> Cut:
        """Return the beginning of the text, enough to find the first `size` characters from its first word on."""
        limit = 4 * size
        if len(self) <= limit:
            return self
        short = Cut(self[:limit])
        return short if short.words and len(short.pieces[0]) + size < limit else self

    @cached_property
    def _spans(self) -> list[tuple[int, int]]:
        """From which word to which each part goes."""
        borders = accumulate(self.lengths, lambda end, length: end + 1 + length)
        after = (self.ends.searchsorted(list(borders), "right") // 2).tolist()
        return list(zip([0, *after], after, strict=False))
