"""What words of a question mean beyond themselves: names of themes, target groups, countries and regions.

A name in any language of the vocabularies stands for the value that bears it, so that a practice is found by what it is
tagged with, whatever language it is written in. This happens when a question is asked, not when a practice is indexed:
an edited vocabulary needs no new index, and the reader can be told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from unicodedata import normalize

from kb.search.distance import distances
from kb.search.language import STEMMERS, asked_stems, fold, forms, is_stop_word, language_of, spans, without_umlauts
from kb.search.ordinary import ORDINARY
from kb.search.question import Expansion, Question, Words

_INFLECTED = ("theme", "target_group", "country")  # names of regions are too many not to resemble other words
_AND = frozenset("agus and e et i och si und y".split())  # folded
_LONGEST_ENDING = 3
_LONGEST_ADDED = 5  # letters that may follow a whole name: Swedish företag, företagarnas
_ECLIPSED = ("mb", "gc", "nd", "bhf", "ng", "bp", "dt")  # how Irish words begin after some others
_LEAST_TO_MEND = 6  # letters of a name that may have been mistyped
_LEAST_FOR_TWO = 9  # letters of one that may have been mistyped twice
_LEAST_IN_COMMON = 4  # letters that different endings have to leave

Value = tuple[str, str]
"""A facet (or `region`) and a value of it."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name, in a language (a BCP 47 tag), of a value of a facet. A `code` names it to operators alone.

    So does the name of a region that is an ordinary word: `marché du travail` has nothing to do with the Marche.
    """

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
        self._accented: dict[str, dict[Value, None]] = defaultdict(dict)
        self._stemmed: dict[str, dict[tuple[str, ...], dict[tuple[Value, str], None]]] = defaultdict(
            lambda: defaultdict(dict)
        )
        self._longest = 0
        self._spelt: dict[str, str] = {}
        for name in names:
            self._add(name)

    def _add(self, name: Name) -> None:
        self._add_words(name, _meaningful(name.text))
        if name.facet in _INFLECTED and not name.code:
            for word in _halves(name.text):
                self._add_words(name, [word])

    def _add_words(self, name: Name, words: Sequence[str]) -> None:
        key = _key(words)
        if not key:
            return
        value = (name.facet, name.value)
        self._named[name.facet][key][name.value] = None
        if name.code or (name.facet == "region" and key in ORDINARY):
            return
        self._longest = max(self._longest, len(words))
        self._folded[key][value] = None
        self._spelt.setdefault(key, " ".join(words))
        written = _written(words)
        if written != key:
            self._accented[written][value] = None
        language = language_of(name.language)
        if name.facet in _INFLECTED and language in STEMMERS:
            for stems in _stems(words, language):
                self._stemmed[language][stems][value, key] = None

    def named(self, facet: str, text: str) -> tuple[str, ...]:
        """Return the values of a facet that a name or a code stands for, in any language; none where nobody knows."""
        if facet not in self._named:
            return ()
        held = self._named[facet]
        return tuple(next((held[key] for key in _keys(_meaningful(text)) if key in held), ()))

    def expand(self, question: Question, dropped: Iterable[Value] = ()) -> Question:
        """Return the question with what else its words mean, less the values that the reader did not mean.

        Longer names go before shorter ones: Northern Ireland is not Ireland.
        """
        unwanted = frozenset(dropped)
        found = [each for run in question.runs() for each in self._in_run(question, *run)]
        found += self._in_choices(question)
        wanted = (
            replace(each, values=values)
            for each in found
            if (values := tuple(value for value in each.values if (each.facet, value) not in unwanted))
        )
        return replace(question, expansions=tuple(sorted(wanted, key=lambda each: (each.start, each.facet))))

    def nearest(self, words: Sequence[str]) -> str | None:
        """Return the name, as it is spelt, that words may have been meant for: one or two slips away; None if none is.

        A short name has too many neighbours, and a name itself is no slip.
        """
        key = _key(words)
        most = 0 if len(key) < _LEAST_TO_MEND else 1 if len(key) < _LEAST_FOR_TWO else 2
        if not most or key in self._folded:
            return None
        near = [name for name in self._spelt if abs(len(name) - len(key)) <= most]
        far = distances(key, near, most)
        best = int(far.argmin()) if near else 0
        return self._spelt[near[best]] if near and far[best] <= most else None

    def _in_run(self, question: Question, start: int, end: int) -> Iterator[Expansion]:
        words = [clause.word or "" for clause in question.clauses[start:end]]
        taken = [False] * len(words)
        for size in range(min(len(words), self._longest), 0, -1):
            for first in range(len(words) - size + 1):
                values = () if any(taken[first : first + size]) else self._values(words[first : first + size])
                if values:
                    taken[first : first + size] = [True] * size
                    yield from _expansions(values, start + first, start + first + size)

    def _in_choices(self, question: Question) -> Iterator[Expansion]:
        """Yield what the plain words of `this OR that` mean: any of it will do there too."""
        for i, clause in enumerate(question.clauses):
            if len(clause.needs) > 1:
                for need in clause.needs:
                    if isinstance(need, Words) and need.is_plain:
                        yield from _expansions(self._values(need.words), i, i + 1)

    def _values(self, words: Sequence[str]) -> tuple[Value, ...]:
        """Return what the words name: as they stand, and in forms that share their stems in some language.

        Accents that were typed are meant: Irish mná are not the French MNA.
        """
        keys = dict.fromkeys(_keys(words))
        found = dict(self._accented.get(_written(words), {}))
        for key in keys:
            found = found or dict(self._folded.get(key, {}))
        if any(facet in ("country", "region") for facet, _ in found):
            return tuple(found)
        for language, names in self._stemmed.items():
            for stems in _stems(words, language):
                for value, name in names.get(stems, ()):
                    typed = (*keys, *map(_unmutated, keys)) if language == "ga" else keys
                    if len(words) > 1 or any(_is_inflection(word, name) for word in typed):
                        found[value] = None
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


def _halves(text: str) -> Sequence[str]:
    """Return both words of a name like Kunst und Kultur: each is a name of it; none of any other name."""
    words = _meaningful(text)
    joined = any(fold(text[start:end]) in _AND for start, end in spans(text))
    return words if joined and len(words) == 2 else ()


def _key(words: Sequence[str]) -> str:
    """Return what names are compared by: a compound is the same written apart, with a hyphen, or together."""
    return "".join(map(fold, words))


def _written(words: Sequence[str]) -> str:
    return normalize("NFC", "".join(words)).casefold()


def _keys(words: Sequence[str]) -> Iterator[str]:
    """Yield what a name may be found by: as typed, and in case its umlauts were typed as two letters."""
    key = _key(words)
    yield key
    yield from (without_umlauts(key, language) for language in ("de", "da"))


def _is_inflection(word: str, name: str) -> bool:
    """Whether two folded words that share a stem differ in their endings only.

    Nobody says which language a question is in. Stemmers take off more than endings, so that English `nine` would be
    Spanish `niños`, `make` Swedish `makar` and `doctor` French `doctorants`; several words in a row seldom collide.
    """
    common = next((i for i, (a, b) in enumerate(zip(word, name, strict=False)) if a != b), min(len(word), len(name)))
    ending = max(len(word), len(name)) - common
    if common < _LEAST_IN_COMMON:
        return common == min(len(word), len(name)) and ending == 1
    return ending <= (_LONGEST_ADDED if common == len(name) else _LONGEST_ENDING)


def _unmutated(word: str) -> str:
    """Return a folded Irish word without what grammar does to its beginning: `thithiocht` and `dtithiocht` are one."""
    if word.startswith(_ECLIPSED):
        return word[2:] if word.startswith("bhf") else word[1:]
    return word[0] + word[2:] if word[1:2] == "h" and word[0] in "bcdfgmpst" else word


def _stems(words: Sequence[str], language: str) -> Iterator[tuple[str, ...]]:
    """Yield what names are compared by: each of the stems of a single word, the first of each of several."""
    if len(words) == 1:
        yield from ((stem,) for stem in asked_stems(words[0], language))
    else:
        yield tuple((forms(word, language)[1] or (fold(word),))[0] for word in words)


EMPTY = Thesaurus()
"""A thesaurus that knows nothing."""
