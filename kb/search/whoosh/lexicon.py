"""The lexicon: the words of the index, each with the number of documents it stands in, to look for by their letters.

The words themselves are the terms of the field `words`; beside them the arrays of a segment hold what tells at a glance
that a word is not like another.

Documents are counted as they were when the segment was written, and a word of deleted documents is still there. A text
that was taken back must not come out as a suggestion: whoever offers a word asks `Snapshot.term` first.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from kb.search.port import IndexLost
from kb.search.whoosh.arrays import Array, Texts

if TYPE_CHECKING:
    from kb.search.whoosh.snapshot import Snapshot

_TWICE = re.compile(r"(.)\1+", re.DOTALL)

_MOST_BEGINNINGS = 2_000  # words of one segment that are gathered for a prefix: of more, the most frequent


class Lexicon:
    """The words of one segment. Immutable. A word is named by its place in the order, as in the field `words`."""

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        """Take what `written` gave, and the field. Raises IndexLost where it is not there."""
        self._words = Texts.read(arrays, "words.terms")
        self.size = len(self._words)
        try:
            self._bounds, self._letters = arrays["words.bounds"], arrays["words.letters"]
            self._odd, self._skeletons = arrays["words.odd"], arrays["words.skeletons"]
            self._lengths = arrays["words.lengths"]
        except KeyError as error:
            raise IndexLost("there is no lexicon") from error
        if {len(each) for each in (self._letters, self._odd, self._skeletons, self._lengths)} != {self.size}:
            raise IndexLost("the lexicon of a segment is damaged")

    @cached_property
    def documents(self) -> NDArray[np.uint32]:
        """How many documents hold each word."""
        return np.diff(self._bounds).astype(np.uint32)

    def word(self, place: int) -> str:
        """Return a word."""
        return self._words[place]

    def words(self, places: NDArray[np.integer[Any]]) -> list[str]:
        """Return the words at some places."""
        return self._words.many(places)

    def beginning_with(self, prefix: str) -> range:
        """Return the places of the words that begin with a prefix."""
        start = prefix.encode()
        end = start + b"\xff"  # which no UTF-8 has
        return range(*(bisect_left(range(self.size), key, key=self._words.encoded) for key in (start, end)))

    def sounding_like(self, word: str) -> list[int]:
        """Return the places of the words that have the same skeleton as a word."""
        wanted = skeleton(word)
        places = np.flatnonzero(self._skeletons == np.uint32(crc32(wanted.encode()))).tolist()
        return [place for place in places if skeleton(self.word(place)) == wanted]

    def about(self, word: str, edits: int) -> NDArray[np.intp]:
        """Return the places of all words that so many edits can make of a word, and of few that they cannot.

        `edits` is less than the word is long. An edit puts in, takes out or replaces a letter or swaps two neighbours.
        So each one brings in one letter at most, and takes out one, and makes two at most odd or even. Those that
        change the length do the half of it.
        """
        letters, odd = (column[0] for column in _letters([word]))
        length = len(word)
        # Of a shorter word the difference is negative, which in a byte is a large number.
        places = np.flatnonzero(self._lengths - np.uint8(length - edits) <= 2 * edits)
        longer = self._lengths[places].astype(np.int8) - np.int8(length)
        brought = np.bitwise_count(self._letters[places] & ~letters)
        taken = np.bitwise_count(letters & ~self._letters[places])
        turned = np.bitwise_count(self._odd[places] ^ odd)
        near = (brought <= edits + np.minimum(longer, 0)) & (taken <= edits - np.maximum(longer, 0))
        found: NDArray[np.intp] = places[near & (turned <= 2 * edits - np.abs(longer))]
        return found


def written(words: Sequence[bytes]) -> Iterator[tuple[str, Array]]:
    """Yield the arrays of the terms of the field `words`, named for `arrays.write`; none of them is empty."""
    decoded = [word.decode() for word in words]
    letters, odd = _letters(decoded)
    yield "words.letters", letters
    yield "words.odd", odd
    yield "words.skeletons", np.array([crc32(skeleton(word).encode()) for word in decoded], np.uint32)
    yield "words.lengths", np.array([len(word) for word in decoded], np.uint8)


def beginning_with(snapshot: Snapshot, prefix: str, limit: int) -> list[str]:
    """Return up to `limit` words that begin with a folded prefix and stand in a document, the most frequent first.

    A prefix of which a segment has thousands of words gets the most frequent ones of each segment. No word begins with
    nothing.
    """
    found: Counter[str] = Counter()
    for segment in snapshot.segments if prefix else ():
        lexicon = segment.lexicon()
        places = np.array(lexicon.beginning_with(prefix), np.intp)
        documents = lexicon.documents[places]
        if len(places) > _MOST_BEGINNINGS:
            most = np.argpartition(documents, -_MOST_BEGINNINGS)[-_MOST_BEGINNINGS:]
            places, documents = places[most], documents[most]
        for word, count in zip(lexicon.words(places), documents.tolist(), strict=True):
            found[word] += count
    words: list[str] = []
    for word, _ in sorted(found.items(), key=lambda item: (-item[1], item[0])):
        if len(words) >= limit:
            break
        if snapshot.count == snapshot.size or len(snapshot.term("words", word).documents):
            words.append(word)
    return words


def plain(word: str) -> str:
    """Return a folded word with ä, ö, ü, ø and å, if somebody wrote them as ae, oe, ue and aa, as `fold` writes them.

    Anything else that looks like them changes too: two words are the same where this makes them the same.
    """
    return word.replace("ae", "a").replace("oe", "o").replace("ue", "u").replace("aa", "a")


def skeleton(word: str) -> str:
    """Return the `plain` form of a folded word with no letter doubled."""
    return _TWICE.sub(r"\1", plain(word))


def _letters(words: list[str]) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Return for each word a bit for each letter that it has, and for each that it has an odd number of times.

    A letter's bit is its code modulo 32. Within the Latin alphabet, the Greek and the Cyrillic no two share one; those
    that do only let more words through.
    """
    if not words:
        return np.empty(0, np.uint32), np.empty(0, np.uint32)
    codes = np.frombuffer("".join(words).encode("utf-32-le"), "<u4")
    starts = np.cumsum([0, *(len(word) for word in words[:-1])])
    bits = np.left_shift(np.uint32(1), codes & np.uint32(31))
    return np.bitwise_or.reduceat(bits, starts), np.bitwise_xor.reduceat(bits, starts)
