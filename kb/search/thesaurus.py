"""What words of a question mean beyond themselves: names of themes, target groups, countries and regions.

A name in any language of the vocabularies stands for the value that bears it, so that a practice is found by what it is
tagged with, whatever language it is written in. This happens when a question is asked, not when a practice is indexed:
an edited vocabulary needs no new index, and the reader can be told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from kb.search.language import STEMMERS, fold, forms, is_stop_word, language_of, spans
from kb.search.question import Expansion, Question

_INFLECTED = ("theme", "target_group")  # other names are proper ones, which another word's stem only happens to equal

Value = tuple[str, str]
"""A facet (or `region`) and a value of it."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name, in a language (a BCP 47 tag), of a value of a facet. A `code` names it to operators alone."""

    facet: str
    value: str
    language: str
    text: str
    code: bool = False


class Thesaurus:
    """Finds names in questions. Immutable, so that threads can share it."""

    def __init__(self, names: Iterable[Name] = ()) -> None:
        self._named: dict[str, dict[str, dict[str, None]]] = defaultdict(lambda: defaultdict(dict))
        self._folded: dict[str, dict[Value, None]] = defaultdict(dict)
        self._stemmed: dict[str, dict[tuple[str, ...], dict[Value, None]]] = defaultdict(lambda: defaultdict(dict))
        self._longest = 0
        for name in names:
            self._add(name)

    def _add(self, name: Name) -> None:
        words = _meaningful(name.text)
        key = _key(words)
        if not key:
            return
        value = (name.facet, name.value)
        self._named[name.facet][key][name.value] = None
        if name.code:
            return
        self._longest = max(self._longest, len(words))
        self._folded[key][value] = None
        language = language_of(name.language)
        if name.facet in _INFLECTED and language in STEMMERS:
            self._stemmed[language][_stems(words, language)][value] = None

    def named(self, facet: str, text: str) -> tuple[str, ...]:
        """Return the values of a facet that a name or a code stands for, in any language; none where nobody knows."""
        return tuple(self._named[facet].get(_key(_meaningful(text)), ())) if facet in self._named else ()

    def expand(self, question: Question, dropped: Iterable[Value] = ()) -> Question:
        """Return the question with what else its words mean, less the values that the reader did not mean.

        Longer names go before shorter ones: Northern Ireland is not Ireland.
        """
        unwanted = frozenset(dropped)
        found = [each for run in question.runs() for each in self._in_run(question, *run)]
        wanted = (
            replace(each, values=values)
            for each in found
            if (values := tuple(value for value in each.values if (each.facet, value) not in unwanted))
        )
        return replace(question, expansions=tuple(sorted(wanted, key=lambda each: (each.start, each.facet))))

    def _in_run(self, question: Question, start: int, end: int) -> Iterator[Expansion]:
        words = [clause.word or "" for clause in question.clauses[start:end]]
        taken = [False] * len(words)
        for size in range(min(len(words), self._longest), 0, -1):
            for first in range(len(words) - size + 1):
                values = () if any(taken[first : first + size]) else self._values(words[first : first + size])
                if values:
                    taken[first : first + size] = [True] * size
                    yield from _expansions(values, start + first, start + first + size)

    def _values(self, words: Sequence[str]) -> tuple[Value, ...]:
        """Return what the words name: as they stand, or else in a form that shares their stems in some language."""
        named = self._folded.get(_key(words))
        if named:
            return tuple(named)
        found: dict[Value, None] = {}
        for language, names in self._stemmed.items():
            found |= names.get(_stems(words, language), {})
        return tuple(found)


def _expansions(values: Iterable[Value], start: int, end: int) -> Iterator[Expansion]:
    by_facet: dict[str, list[str]] = {}
    for facet, value in values:
        by_facet.setdefault(facet, []).append(value)
    for facet, held in by_facet.items():
        yield Expansion(facet, tuple(held), start, end)


def _meaningful(text: str) -> list[str]:
    """Return the words of a name as a question has them: without stop words, unless there is nothing else."""
    words = [text[start:end] for start, end in spans(text)]
    return [word for word in words if not is_stop_word(fold(word))] or words


def _key(words: Sequence[str]) -> str:
    """Return what names are compared by: a compound is the same written apart, with a hyphen, or together."""
    return "".join(map(fold, words))


def _stems(words: Sequence[str], language: str) -> tuple[str, ...]:
    return tuple((forms(word, language)[1] or (fold(word),))[0] for word in words)


EMPTY = Thesaurus()
"""A thesaurus that knows nothing."""
