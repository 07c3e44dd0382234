"""The words that answer a question, marked in a text: as HTML, escaped, whole or the best passage."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import lru_cache
from html import escape
from itertools import pairwise

from kb.search.language import Word, analyse, asked_stems, compounds, language_of
from kb.search.question import Question, Words

_SENTENCE_ENDS = ".!?…:\n"
_CUT = "…"


def mark(text: str, question: Question, language: str, *, characters: int | None = None, first: int = 0) -> str:
    """Return `text` as HTML with the words that answer `question` in <mark>.

    A word does where it equals one of the question, folded, or shares a stem with it in `language` (a BCP 47 tag), or
    begins as it does where it is a beginning; words of a phrase do where all of them stand side by side, and a compound
    does written apart or as one. With `characters`, only the passage of at most so many that holds most words of the
    question, with an ellipsis where text was left out; no word is cut unless it alone is longer. Among passages with as
    many, one whose words stand in the `first` characters of the text is better. Takes time in proportion to the text.
    """
    tokens = list(analyse(text, language))
    found = _asked(question, language_of(language)).found(tokens)
    if characters is None or len(text) <= characters:
        return _html(text, 0, len(text), [tokens[i] for i in found])
    start, end = _passage(text, tokens, found, characters, first)
    inside = [tokens[i] for i in found if start <= tokens[i].start and tokens[i].end <= end]
    before = f"{_CUT}\u00a0" if text[:start].strip() else ""  # neither stands alone on a line
    after = f"\u00a0{_CUT}" if text[end:].strip() else ""
    return before + _html(text, start, end, inside) + after


class _Asked:
    """What is looked for in a text of one language; each thing has a number."""

    def __init__(self, question: Question, language: str) -> None:
        self._folds: dict[str, int] = {}
        self._stems: dict[str, int] = {}
        self._beginnings: dict[str, int] = {}
        self._phrases: dict[str, list[tuple[tuple[str, ...], int]]] = {}
        self._compounds: dict[str, int] = {}
        for number, words in enumerate(question.words()):
            self._add(words, number, language)
        for start, end in question.runs():
            typed = [clause.word or "" for clause in question.clauses[start:end]]
            for first, second in pairwise(typed):
                for word in compounds(first, second):
                    self._add(Words((word,)), start, language)
        self._halves = {compound[:end] for compound in self._compounds for end in range(1, len(compound))}

    def _add(self, words: Words, number: int, language: str) -> None:
        if words.exact and len(words.words) > 1:
            self._phrases.setdefault(words.folds[0], []).append((words.folds, number))
            return
        folded = words.folds[0]
        if words.begins:
            self._beginnings.setdefault(folded, number)
            return
        self._folds.setdefault(folded, number)
        if not words.exact:
            self._compounds.setdefault(folded, number)
            for stem in asked_stems(words.words[0], language):
                self._stems.setdefault(stem, number)

    def found(self, tokens: Sequence[Word]) -> dict[int, int]:
        """Return which tokens are looked for, in order, each with the number of what it is."""
        found: dict[int, int] = {}
        for place, token in enumerate(tokens):
            number = self._number(token)
            if number is not None:
                found.setdefault(place, number)
            if token.folded in self._halves or token.folded in self._phrases:  # of most tokens neither is true
                for index, other in self._going_on(tokens, place):
                    found.setdefault(index, other)
        return dict(sorted(found.items()))

    def _number(self, token: Word) -> int | None:
        number = self._folds.get(token.folded)
        if number is None:
            number = next((self._stems[stem] for stem in token.stems if stem in self._stems), None)
        if number is None and token.folded.startswith(tuple(self._beginnings)):
            number = next(n for beginning, n in self._beginnings.items() if token.folded.startswith(beginning))
        return number

    def _going_on(self, tokens: Sequence[Word], place: int) -> Iterator[tuple[int, int]]:
        """Yield the words of compounds written apart, and of phrases, that begin at a token."""
        pair = tokens[place : place + 2]
        number = self._compounds.get("".join(token.folded for token in pair)) if len(pair) > 1 else None
        if number is not None:
            yield from ((place, number), (place + 1, number))
        for phrase, of_phrase in self._phrases.get(tokens[place].folded, ()):
            if tuple(token.folded for token in tokens[place : place + len(phrase)]) == phrase:
                yield from ((place + i, of_phrase) for i in range(len(phrase)))


@lru_cache(maxsize=64)
def _asked(question: Question, language: str) -> _Asked:
    """Return what is looked for: a page marks the same in a hundred texts. It is not changed once it is made."""
    return _Asked(question, language)


def _passage(text: str, tokens: Sequence[Word], found: dict[int, int], size: int, preferred: int) -> tuple[int, int]:
    """Return from where to where the best passage goes, with its ellipses at most `size` characters long."""
    size -= 2 * (len(_CUT) + 1)
    if not tokens:
        return 0, size
    edges = _edges(text, tokens)
    first = _best_start(text, tokens, edges, found, size, preferred)
    start = edges[first][0]
    last = first
    while last + 1 < len(tokens) and edges[last + 1][1] - start <= size:
        last += 1
    return start, min(edges[last][1], start + size)


def _edges(text: str, tokens: Sequence[Word]) -> list[tuple[int, int]]:
    """Return for each word the run without white space that it is in, so that no bracket and no l' is cut off."""
    edges: list[tuple[int, int]] = []
    for token in tokens:
        if edges and token.end <= edges[-1][1]:
            edges.append(edges[-1])
            continue
        start, end = token.start, token.end
        while start and not text[start - 1].isspace():
            start -= 1
        while end < len(text) and not text[end].isspace():
            end += 1
        edges.append((start, end))
    return edges


def _best_start(
    text: str, tokens: Sequence[Word], edges: Sequence[tuple[int, int]], found: dict[int, int], size: int,
    preferred: int,
) -> int:  # fmt: skip
    """Return the first word of the best window: most things asked for, all of them in the first `preferred` characters,
    then a sentence start, then most marks.
    """
    if not found:
        return 0
    hits = list(found)
    held: dict[int, int] = {}
    best, best_rank, end = 0, (-1, False, False, 0, 0.0), 0
    for start in range(len(tokens)):
        while end < len(tokens) and (edges[end][1] - edges[start][0] <= size or end <= start):
            _count(held, found.get(end), 1)
            end += 1
        if len(held) >= best_rank[0]:
            low, high = bisect_left(hits, start), bisect_left(hits, end)
            centre = (hits[low] + hits[high - 1]) / 2 if high > low else start
            off = abs(centre - (start + end - 1) / 2)
            leading = high > low and tokens[hits[high - 1]].end <= preferred
            rank = (len(held), leading, _starts_sentence(text, tokens, start), high - low, -off)
            if rank > best_rank:
                best, best_rank = start, rank
        _count(held, found.get(start), -1)
        if end == len(tokens) and best_rank[0] >= 0 and edges[-1][1] - edges[start][0] <= size:
            break  # further windows are parts of this one
    return best


def _count(held: dict[int, int], number: int | None, change: int) -> None:
    if number is None:
        return
    held[number] = held.get(number, 0) + change
    if not held[number]:
        del held[number]


def _starts_sentence(text: str, tokens: Sequence[Word], index: int) -> bool:
    if index == 0:
        return True
    between = text[tokens[index - 1].end : tokens[index].start]
    return any(end in between for end in _SENTENCE_ENDS) and between[-1:].strip() == ""


def _html(text: str, start: int, end: int, marked: Sequence[Word]) -> str:
    parts = []
    for word in marked:
        parts += [escape(text[start : word.start]), "<mark>", escape(text[word.start : word.end]), "</mark>"]
        start = word.end
    parts.append(escape(text[start:end]))
    return "".join(parts)
