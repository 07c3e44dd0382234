"""What the engines are asked: queries of eight kinds, drawn from the material with a seed, and the answer to one."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from bench.race.material import BREAK, FACETS, Material, Tokens
from kb.search.language import is_stop_word
from kb.search.parsing import parse
from kb.search.question import Question

KINDS = ("rare", "common", "and", "or", "phrase", "prefix", "typo", "filtered")
"""The kinds of query, equally many of each."""

HITS = 10
"""Documents of an answer."""

_LOOKED_AT = 5000  # documents that words and phrases are drawn from
_RARE, _COMMON = 0.005, 0.05  # shares of all documents that hold a rare word at most, a common one at least
_FREQUENT = 0.002  # share of all documents that hold a word which is then mistyped
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Asked:
    """One query: what is typed, and the chosen values of facets. `meant` is the word of a typo."""

    kind: str
    text: str
    filters: tuple[tuple[str, str], ...] = ()
    meant: str | None = None

    @property
    def question(self) -> Question:
        """What is asked for. Without a thesaurus, which no other engine has."""
        return parse(self.text)

    def but(self, facet: str) -> tuple[tuple[str, str], ...]:
        """The chosen values of the other facets: what the counts of this one go by."""
        return tuple(pair for pair in self.filters if pair[0] != facet)

    @property
    def chosen(self) -> tuple[str, ...]:
        """The facets of which a value is chosen."""
        return tuple(facet for facet, _ in self.filters)


@dataclass(frozen=True)
class Answer:
    """The total, the ids of the first `HITS`, and for each of `FACETS` how many of the found have each value."""

    total: int
    hits: Sequence[str]
    facets: Mapping[str, Mapping[str, int]]


Prepared = Callable[[], Answer]
"""A query that an engine has understood; calling it answers it."""


class Drawing:
    """Draws queries from material. The same material and seed give the same ones."""

    def __init__(self, material: Material, seed: int) -> None:
        self._material = material
        self._chance = random.Random(seed)  # noqa: S311 - nothing here is secret
        self._drawn: set[tuple[str, tuple[tuple[str, str], ...]]] = set()

    def queries(self, kind: str, count: int) -> list[Asked]:
        """Return so many queries of a kind that were not drawn before. Raises ValueError where there are too few."""
        found: list[Asked] = []
        for each in islice(self._endless(kind), 1000 * count):
            key = (each.text, each.filters)
            if key not in self._drawn:
                self._drawn.add(key)
                found.append(each)
            if len(found) == count:
                return found
        raise ValueError(f"the material has only {len(found)} queries of the kind {kind}, not {count}")

    def _endless(self, kind: str) -> Iterator[Asked]:
        draw: Callable[[], Asked] = getattr(self, f"_{kind}")
        while True:
            yield draw()

    @cached_property
    def _documents(self) -> list[Tokens]:
        return list(islice(self._material.tokens(), _LOOKED_AT))

    @cached_property
    def _words(self) -> list[str]:
        return sorted(word for word in self._material.words if word.isalpha() and not is_stop_word(word))

    def _between(self, least: float, most: float) -> list[str]:
        count, words = self._material.count, self._material.words
        return [word for word in self._words if max(3, least * count) <= words[word] <= most * count]

    @cached_property
    def _rare_words(self) -> list[str]:
        return self._between(0, max(_RARE, 3 / self._material.count))

    @cached_property
    def _common_words(self) -> list[str]:
        return self._between(_COMMON, 1)

    @cached_property
    def _frequent_words(self) -> list[str]:
        return [word for word in self._between(_FREQUENT, 1) if len(word) >= 6]

    def _some_of_one(self, count: int) -> list[str]:
        """Return words that stand in one document."""
        words = {word for word in self._chance.choice(self._documents).words.split() if word.isalpha()}
        return self._chance.sample(sorted(word for word in words if not is_stop_word(word)), count)

    def _rare(self) -> Asked:
        return Asked("rare", self._chance.choice(self._rare_words))

    def _common(self) -> Asked:
        return Asked("common", self._chance.choice(self._common_words))

    def _and(self) -> Asked:
        return Asked("and", " ".join(self._some_of_one(self._chance.randint(2, 3))))

    def _or(self) -> Asked:
        return Asked("or", " OR ".join(self._some_of_one(1)[0] for _ in range(2)))

    def _phrase(self) -> Asked:
        words = self._chance.choice(self._documents).words.split()
        length = self._chance.randint(2, 3)
        start = self._chance.randrange(len(words) - length)
        inside = words[start : start + length]
        return self._phrase() if BREAK in inside else Asked("phrase", f'"{" ".join(inside)}"')

    def _prefix(self) -> Asked:
        word = self._chance.choice(self._words)
        return Asked("prefix", f"{word[: self._chance.randint(4, 6)]}*") if len(word) > 6 else self._prefix()

    def _typo(self) -> Asked:
        """Draw a word with one letter replaced, left out, doubled or swapped with the next, that stands nowhere."""
        meant = self._chance.choice(self._frequent_words)
        at = self._chance.randrange(1, len(meant) - 1)
        before, letter, following, after = meant[:at], meant[at], meant[at + 1], meant[at + 2 :]
        slip = self._chance.choice((self._chance.choice(_LETTERS) + following, following, letter + letter + following,
                                    following + letter))  # fmt: skip
        typed = before + slip + after
        return self._typo() if typed in self._material.words else Asked("typo", typed, meant=meant)

    def _filtered(self) -> Asked:
        """Draw filters that a document passes, with words of it or none."""
        document = self._chance.choice(self._documents)
        facets = self._chance.sample([name for name in FACETS if document.facets[name]], self._chance.randint(1, 2))
        filters = tuple((name, self._chance.choice(document.facets[name])) for name in facets)
        words = sorted({word for word in document.words.split() if word.isalpha() and not is_stop_word(word)})
        return Asked("filtered", " ".join(self._chance.sample(words, self._chance.randint(0, 2))), filters)
