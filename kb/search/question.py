"""A question, taken apart: what has to be found, what must not be, and what else it may have meant.

`parsing` makes it from what a reader typed, `thesaurus` says what else is meant, an engine answers it, `marking` shows
where it is answered.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kb.search.language import fold


@dataclass(frozen=True, slots=True)
class Words:
    """Words to be found in the texts.

    One word in any of its forms, or, where `exact`, these words as they are, side by side. Where `begins`, any word
    that begins with the one given. `field` is `title` where only titles count.
    """

    words: tuple[str, ...]
    exact: bool = False
    begins: bool = False
    field: str | None = None

    @property
    def folds(self) -> tuple[str, ...]:
        """The words, folded."""
        return tuple(map(fold, self.words))

    @property
    def is_plain(self) -> bool:
        """Whether this is one word, as typed by somebody who knows no operators."""
        return not (self.exact or self.begins or self.field)


@dataclass(frozen=True, slots=True)
class Tagged:
    """A value that a document has to have: of a facet, or of `region`. Any of the values will do."""

    facet: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Years:
    """Years that a document's own have to overlap; None is an open end."""

    first: int | None
    last: int | None


Need = Words | Tagged | Years
"""One thing to find."""


@dataclass(frozen=True, slots=True)
class Clause:
    """Something to find: any of `needs` will do. `follows` says that it was typed right after the clause before."""

    needs: tuple[Need, ...]
    follows: bool = False

    @property
    def word(self) -> str | None:
        """The word, where the clause is one plain word."""
        need = self.needs[0]
        return need.words[0] if len(self.needs) == 1 and isinstance(need, Words) and need.is_plain else None

    @property
    def has_words(self) -> bool:
        """Whether texts are looked at for it; otherwise it is a filter."""
        return any(isinstance(need, Words) for need in self.needs)


@dataclass(frozen=True, slots=True)
class Expansion:
    """What words of a question also mean: values of a facet, of which any stands in for the clauses [start, end)."""

    facet: str
    values: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Question:
    """What a reader asks.

    A document answers it in full where it holds each of `clauses`, itself or through one of `expansions`. Whatever
    answers it, in full or in part, has each of `required` and none of `excluded`. `text` is what was typed. Where
    `loose`, any of the clauses is enough, and being tagged with what they mean is as good as holding the words.
    """

    text: str = ""
    clauses: tuple[Clause, ...] = ()
    required: tuple[Clause, ...] = ()
    excluded: tuple[Need, ...] = ()
    expansions: tuple[Expansion, ...] = ()
    loose: bool = False

    @property
    def is_blank(self) -> bool:
        """Whether nothing was typed, which asks for everything."""
        return not self.text.strip()

    @property
    def asks_nothing(self) -> bool:
        """Whether something was typed in which there is nothing to look for."""
        return not (self.is_blank or self.clauses or self.required or self.excluded)

    def words(self) -> Iterator[Words]:
        """Yield what is looked for in texts, in the order typed."""
        for clause in self.clauses:
            yield from (need for need in clause.needs if isinstance(need, Words))

    def runs(self) -> Iterator[tuple[int, int]]:
        """Yield (start, end) of the longest runs of plain words that were typed one after the other."""
        start = 0
        for i, clause in enumerate((*self.clauses, None)):
            if clause is None or clause.word is None or not clause.follows:
                if i > start:
                    yield start, i
                start = i + (clause is None or clause.word is None)


NOTHING = Question()
"""The question that asks for everything."""
