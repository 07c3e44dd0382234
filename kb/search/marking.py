"""The words that answer a question, marked in a text: as HTML, escaped, whole or the best passage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from itertools import chain, pairwise

import numpy as np

from kb.search.cutting import Cut, beginning_with
from kb.search.kin import Kin, kin
from kb.search.language import LONGEST_WORD, asked_stems, compounds, first_letters, forms, language_of
from kb.search.passages import passage
from kb.search.question import Question, Words

_CUT = "…"
_OPENS, _ASKED = 1, 2
_MOST_ASKED = 16  # questions in a language that are remembered


def mark(text: str, question: Question, language: str, *, characters: int | None = None, first: int = 0) -> str:
    """Return `text` as HTML with the words that answer `question` in <mark>.

    A word does where it equals one of the question, folded, or shares a stem with it in `language` (a BCP 47 tag), or
    begins as it does where it is a beginning; words of a phrase do where all of them stand side by side, and a compound
    does written apart or as one. With `characters`, only the passage of at most so many that holds most words of the
    question, with an ellipsis where text was left out; no word is cut unless it alone is longer. Among passages with as
    many, one whose words stand in the `first` characters of the text is better. Takes time in proportion to the text.
    """
    cut = text if isinstance(text, Cut) else Cut(text)
    asked = _asked(question, language_of(language))
    if characters is None or len(cut) <= characters:
        return _html(cut, 0, len(cut), _places(cut, asked.found(cut)))
    size = characters - 2 * (len(_CUT) + 1)
    if asked.nothing:
        cut = cut.head(size)
    found = asked.found(cut)
    start, end = passage(cut, found, size, first)
    inside = [(begin, stop) for begin, stop in _places(cut, found) if start <= begin and stop <= end]
    before = f"{_CUT}\u00a0" if text[:start].strip() else ""  # neither stands alone on a line
    after = f"\u00a0{_CUT}" if text[end:].strip() else ""
    return before + _html(text, start, end, inside) + after


def answers(text: str, question: Question, language: str) -> bool:
    """Whether `mark` would mark anything in a text."""
    cut = text if isinstance(text, Cut) else Cut(text)
    return _asked(question, language_of(language)).any(cut)


def _places(cut: Cut, found: Mapping[int, int]) -> list[tuple[int, int]]:
    """Return from where to where words go."""
    if not found:
        return []
    numbers = np.fromiter(found, np.int64, len(found))
    return list(zip(cut.starts[numbers].tolist(), cut.ends[numbers].tolist(), strict=True))


class _Asked:
    """What is looked for in texts of one language; each thing has a number."""

    def __init__(self, question: Question, language: str) -> None:
        self._language = language
        self._folds: dict[str, int] = {}
        self._stems: dict[str, int] = {}
        self._beginnings: dict[str, int] = {}
        self._phrases: dict[str, list[tuple[tuple[str, ...], int]]] = {}
        self._compounds: dict[str, int] = {}
        for number, each in enumerate(question.words()):
            self._add(each, number)
        for start, end in question.runs():
            typed = [clause.word or "" for clause in question.clauses[start:end]]
            for first, second in pairwise(typed):
                for word in compounds(first, second):
                    self._add(Words((word,)), start)
        self._halves = {compound[:end] for compound in self._compounds for end in range(1, len(compound))}
        self._all = {*self._folds, *self._stems, *self._phrases, *self._halves}
        self._letters = {beginning[:1] for beginning in self._beginnings}
        self.nothing = not self._all and not self._letters
        self._heads = beginning_with(first_letters({*self._letters, *(form[:1] for form in self._all)}, language))
        self._known: tuple[Kin | None, int, dict[str, int]] = None, 0, {}

    def _add(self, asked: Words, number: int) -> None:
        if asked.exact and len(asked.words) > 1:
            self._phrases.setdefault(asked.folds[0], []).append((asked.folds, number))
            return
        folded = asked.folds[0]
        if asked.begins:
            self._beginnings.setdefault(folded, number)
            return
        self._folds.setdefault(folded, number)
        if not asked.exact:
            self._compounds.setdefault(folded, number)
            for stem in asked_stems(asked.words[0], self._language):
                self._stems.setdefault(stem, number)

    def found(self, cut: Cut) -> dict[int, int]:
        """Return which words of a text are looked for, in order, each with the number of what it is."""
        found: dict[int, int] = {}
        for place, code in self._coded(cut):
            if code >= _ASKED:
                found.setdefault(place, code // _ASKED - 1)
            if code & _OPENS:
                for index, other in self._going_on(cut, place):
                    found.setdefault(index, other)
        return dict(sorted(found.items()))

    def any(self, cut: Cut) -> bool:
        """Whether any word of a text is looked for."""
        coded = self._coded(cut)
        return any(code >= _ASKED for _place, code in coded) or (bool(coded) and bool(self.found(cut)))

    def _coded(self, cut: Cut) -> list[tuple[int, int]]:
        """Return the words of a text that are anything at all, by their places, each with what it is."""
        if cut.found is None or cut.found[0] is not self:
            cut.found = self, self._look(cut)
        return cut.found[1]

    def _look(self, cut: Cut) -> list[tuple[int, int]]:
        if self.nothing:
            return []
        if cut.of is not None:
            whole, start, end = cut.of
            return [(place - start, code) for place, code in self._coded(whole) if start <= place < end]
        places, words = cut.words(self._heads)
        codes = self._codes(words)
        return [(place, codes[word]) for place, word in zip(places, words, strict=True) if word in codes]

    def _codes(self, words: Sequence[str]) -> dict[str, int]:
        """Return what words are that are anything, of all that were met, these among them."""
        met = kin(self._language)
        met.meet(words)
        known, number, codes = self._known
        now = len(met)
        if known is not met:
            known, codes = met, {}
            new: Iterable[str] = chain(met.of(self._all), met.under(self._letters))
        elif number < now:
            new = met.since(number)
        else:
            return codes
        for word in new:
            code = self.code(word)
            if code:
                codes[word] = code
        self._known = known, now, codes  # last: another thread that sees the number finds the words
        return codes

    def code(self, word: str) -> int:
        """Return what a word is, as one number: `_OPENS` where a phrase or a compound may begin with it, and `_ASKED`
        times one more than the number of what it is itself.
        """
        folded, stems = self._forms(word)
        number = self._folds.get(folded)
        if number is None:
            number = next((self._stems[stem] for stem in stems if stem in self._stems), None)
        if number is None and folded.startswith(tuple(self._beginnings)):
            number = next(n for beginning, n in self._beginnings.items() if folded.startswith(beginning))
        opens = _OPENS if folded in self._halves or folded in self._phrases else 0
        return opens if number is None else opens + _ASKED * (number + 1)

    def _going_on(self, cut: Cut, place: int) -> Iterator[tuple[int, int]]:
        """Yield the words of compounds written apart, and of phrases, that begin at a word."""
        left = len(cut.starts) - place
        folded = self._forms(cut.word(place))[0]
        if left > 1:
            number = self._compounds.get(folded + self._forms(cut.word(place + 1))[0])
            if number is not None:
                yield from ((place, number), (place + 1, number))
        for phrase, of_phrase in self._phrases.get(folded, ()):
            if len(phrase) <= left and all(
                self._forms(cut.word(place + i))[0] == each for i, each in enumerate(phrase)
            ):
                yield from ((place + i, of_phrase) for i in range(len(phrase)))

    def _forms(self, word: str) -> tuple[str, tuple[str, ...]]:
        return forms(word[:LONGEST_WORD], self._language)


_recent: dict[tuple[int, str], tuple[Question, _Asked]] = {}


def _asked(question: Question, language: str) -> _Asked:
    """Return what is looked for: a page marks the same in a hundred texts.

    A question is known again by being the same object, which costs less than comparing all that it holds.
    """
    key = (id(question), language)
    held = _recent.get(key)
    if held is not None and held[0] is question:  # it is kept, so that no other one can get its id
        return held[1]
    if len(_recent) >= _MOST_ASKED:
        _recent.clear()
    made = _Asked(question, language)
    _recent[key] = question, made
    return made


def _html(text: str, start: int, end: int, marked: Iterable[tuple[int, int]]) -> str:
    parts = []
    for first, last in marked:
        parts += [escape(text[start:first]), "<mark>", escape(text[first:last]), "</mark>"]
        start = last
    parts.append(escape(text[start:end]))
    return "".join(parts)
