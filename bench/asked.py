"""The pages that are asked of two sites in turn: questions made of the words of the records, no two alike."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

TEXTS = ("context", "objectives", "actions", "results", "difficulties", "lessons", "transferability")
"""The long texts of a record."""

KINDS = ("rare", "common", "both", "either", "phrase", "beginning", "misspelt", "filtered")
"""What kinds of questions there are, as many of each: a rare word, a common one, two words, either of two, two side by
side, the first letters of one, one with two letters swapped, and a word with two filters."""

SAMPLE = 2_000
"""Records whose words are counted."""

RARE, COMMON = 0.004, 0.04
"""Share of the records up to which a word is rare, and from which it is common."""

_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class Asked:
    """One page to ask for: its words, as they stand, and a value of two filters where there are any."""

    kind: str
    words: tuple[str, ...]
    country: str = ""
    theme: str = ""


class Questions:
    """Questions that the records of a collection answer; another `seed`, other ones."""

    def __init__(self, records: Iterable[dict[str, Any]], seed: int = 1) -> None:
        self._chance = random.Random(seed)  # noqa: S311 (no secret)
        self._sample = list(islice(records, SAMPLE))
        held = Counter(word for record in self._sample for word in set(_words(record)) if len(word) > 3)
        shares = {word: number / len(self._sample) for word, number in sorted(held.items())}
        rare = max(RARE, 1 / len(self._sample))
        self._rare = [word for word, share in shares.items() if share <= rare]
        self._common = [word for word, share in shares.items() if share >= COMMON]
        self._between = [word for word, share in shares.items() if rare < share < COMMON]

    def asked(self) -> Iterator[Asked]:
        """Yield one of each kind after the other, without end, and each only once."""
        given = set()
        for number in count():
            each = self._one(KINDS[number % len(KINDS)])
            if each not in given:
                given.add(each)
                yield each

    def words(self, number: int) -> list[str]:
        """That many single words, rare and common, for comparing what is found."""
        some = self._chance.sample(self._rare, number // 2)
        return some + self._chance.sample(self._common, number - number // 2)

    def _one(self, kind: str) -> Asked:
        chance = self._chance
        record = chance.choice(self._sample)
        held = sorted({word for word in _words(record) if len(word) > 3})
        words = {
            "rare": lambda: (chance.choice(self._rare),),
            "common": lambda: (chance.choice(self._common), chance.choice(self._between))[: chance.randint(1, 2)],
            "both": lambda: tuple(chance.sample(held, 2)),
            "either": lambda: (chance.choice(self._between), chance.choice(self._common)),
            "phrase": self._beside,
            "beginning": lambda: (chance.choice(self._between)[: chance.randint(3, 5)],),
            "misspelt": lambda: (self._misspelt(),),
            "filtered": lambda: (chance.choice(held),),
        }[kind]()
        return Asked(kind, words, record["country"], record["themes"][0]) if kind == "filtered" else Asked(kind, words)

    def _beside(self) -> tuple[str, ...]:
        """Two words that stand side by side somewhere."""
        words: Sequence[str] = ()
        while len(words) < 3:
            words = _WORD.findall((self._chance.choice(self._sample)["actions"] or "").lower())
        first = self._chance.randrange(len(words) - 1)
        return tuple(words[first : first + 2])

    def _misspelt(self) -> str:
        word = self._chance.choice([each for each in self._between if len(each) >= 6])
        at = self._chance.randrange(2, len(word) - 2)
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _words(record: dict[str, Any]) -> list[str]:
    text = " ".join(record[key] or "" for key in ("title", "summary", *TEXTS))
    return _WORD.findall(text.lower())
