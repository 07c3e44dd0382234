"""The words that answer a question, marked in a text: as HTML, escaped, whole or the best passage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import accumulate, pairwise, repeat

from kb.search.kin import Kin, kin
from kb.search.language import LONGEST_WORD, asked_stems, compounds, forms, language_of, pieces, words
from kb.search.passages import passage
from kb.search.question import Question, Words

_CUT = "…"
_OPENS, _ASKED = 1, 2
_MOST_ASKED = 16  # questions in a language that are remembered
_MOST_WORDS = 1 << 12  # words for which it is remembered what they are to one of them


def mark(text: str, question: Question, language: str, *, characters: int | None = None, first: int = 0) -> str:
    """Return `text` as HTML with the words that answer `question` in <mark>.

    A word does where it equals one of the question, folded, or shares a stem with it in `language` (a BCP 47 tag), or
    begins as it does where it is a beginning; words of a phrase do where all of them stand side by side, and a compound
    does written apart or as one. With `characters`, only the passage of at most so many that holds most words of the
    question, with an ellipsis where text was left out; no word is cut unless it alone is longer. Among passages with as
    many, one whose words stand in the `first` characters of the text is better. Takes time in proportion to the text.
    """
    cut = pieces(text)
    ends = list(accumulate(map(len, cut)))
    found = _asked(question, language_of(language)).found(cut[1::2])
    marked = [(ends[2 * place], ends[2 * place + 1]) for place in found]
    if characters is None or len(text) <= characters:
        return _html(text, 0, len(text), marked)
    start, end = passage(cut, ends, found, characters - 2 * (len(_CUT) + 1), first)
    inside = [(begin, stop) for begin, stop in marked if start <= begin and stop <= end]
    before = f"{_CUT}\u00a0" if text[:start].strip() else ""  # neither stands alone on a line
    after = f"\u00a0{_CUT}" if text[end:].strip() else ""
    return before + _html(text, start, end, inside) + after


def answers(text: str, question: Question, language: str) -> bool:
    """Whether `mark` would mark anything in a text."""
    return _asked(question, language_of(language)).any(words(text))


class _Known(dict[str, int]):
    """What each word is, by the word as it is written, worked out when it is met first."""

    def __init__(self, asked: _Asked) -> None:
        self._asked = asked

    def __missing__(self, word: str) -> int:
        code = self._asked.code(word)
        if len(self) < _MOST_WORDS:
            self[word] = code
        return code


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
        self._codes: dict[str, int] = _Known(self) if self._beginnings else {}
        self._kin: tuple[Kin, int] | None = None

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

    def found(self, text: Sequence[str]) -> dict[int, int]:
        """Return which words of a text are looked for, in order, each with the number of what it is."""
        found: dict[int, int] = {}
        for place, code in enumerate(self._each(text)):
            if not code:  # as of nearly every word
                continue
            if code >= _ASKED:
                found.setdefault(place, code // _ASKED - 1)
            if code & _OPENS:
                for index, other in self._going_on(text, place):
                    found.setdefault(index, other)
        return dict(sorted(found.items()))

    def any(self, text: Sequence[str]) -> bool:
        """Whether any word of a text is looked for."""
        most = max(self._each(text), default=0)
        return most >= _ASKED or (most == _OPENS and bool(self.found(text)))

    def _each(self, text: Sequence[str]) -> Iterable[int]:
        """Return what each word of a text is; nothing where none of them is anything."""
        if self._beginnings:  # any word may begin so: each is looked at
            return map(self._codes.__getitem__, text)
        met = kin(self._language)
        met.meet(text)
        stand = met, met.version
        if stand != self._kin:
            self._codes = {word: code for word in met.of(self._all) if (code := self.code(word))}
            self._kin = stand
        codes = self._codes
        return () if codes.keys().isdisjoint(text) else map(codes.get, text, repeat(0))

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

    def _going_on(self, text: Sequence[str], place: int) -> Iterator[tuple[int, int]]:
        """Yield the words of compounds written apart, and of phrases, that begin at a word."""
        folded = self._forms(text[place])[0]
        if place + 1 < len(text):
            number = self._compounds.get(folded + self._forms(text[place + 1])[0])
            if number is not None:
                yield from ((place, number), (place + 1, number))
        for phrase, of_phrase in self._phrases.get(folded, ()):
            if tuple(self._forms(word)[0] for word in text[place : place + len(phrase)]) == phrase:
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
