"""The words that a query finds, marked in a text: as HTML, escaped, whole or the best passage."""

from __future__ import annotations

from bisect import bisect_left
from html import escape

from kb.search.language import Word, analyse, asked_stems, fold, language_of
from kb.search.parsing import parse

_SENTENCE_ENDS = ".!?…:\n"
_CUT = "…"


def mark(text: str, query: str, language: str, *, words: int | None = None) -> str:
    """Return `text` as HTML with the words that `query` finds in <mark>.

    A word is found where it equals a word of the query, folded, or shares a stem with it in `language` (a BCP 47 tag);
    words of a phrase must be equal. With `words`, only the passage of that many words that holds most words of the
    query, with an ellipsis where text was left out. Takes time in proportion to the text.
    """
    tokens = list(analyse(text, language))
    found = _found(tokens, query, language_of(language))
    if words is None or len(tokens) <= words:
        return _html(text, 0, len(text), [tokens[i] for i in found])
    first = _best_start(text, tokens, found, max(1, words))
    last = first + max(1, words) - 1
    start = 0 if first == 0 else _left_edge(text, tokens[first].start)
    end = len(text) if last == len(tokens) - 1 else _right_edge(text, tokens[last].end)
    inside = [tokens[i] for i in found if first <= i <= last]
    before = f"{_CUT} " if start else ""
    after = f" {_CUT}" if text[end:].strip() else ""
    return before + _html(text, start, end, inside).strip() + after


def _found(tokens: list[Word], query: str, language: str) -> dict[int, int]:
    """Return which tokens the query finds, in order, each with a number for the word of the query that it is."""
    folds: dict[str, int] = {}
    stems: dict[str, int] = {}
    for clause in parse(query):
        for word in clause.words:
            number = folds.setdefault(fold(word), len(folds))
            if not clause.exact:
                stems.update(dict.fromkeys(asked_stems(word, language), number))
    found: dict[int, int] = {}
    for token in tokens:
        numbers = [folds.get(token.folded), *map(stems.get, token.stems)]
        found.update((token.position, number) for number in numbers[::-1] if number is not None)
    return found


def _best_start(text: str, tokens: list[Word], found: dict[int, int], size: int) -> int:
    """Return the first word of the best window: most words of the query, then a sentence start, then most marks."""
    if not found:
        return 0
    hits = list(found)
    held: dict[int, int] = {}
    best, best_rank = 0, (-1, False, 0, 0.0)
    for token in tokens[:size]:
        _count(held, found.get(token.position), 1)
    for start in range(len(tokens) - size + 1):
        if start:
            _count(held, found.get(start - 1), -1)
            _count(held, found.get(start + size - 1), 1)
        if len(held) < best_rank[0]:
            continue
        low, high = bisect_left(hits, start), bisect_left(hits, start + size)
        centre = (hits[low] + hits[high - 1]) / 2 if high > low else start
        rank = (len(held), _starts_sentence(text, tokens, start), high - low, -abs(centre - start - (size - 1) / 2))
        if rank > best_rank:
            best, best_rank = start, rank
    return best


def _count(held: dict[int, int], word: int | None, change: int) -> None:
    if word is None:
        return
    held[word] = held.get(word, 0) + change
    if not held[word]:
        del held[word]


def _starts_sentence(text: str, tokens: list[Word], index: int) -> bool:
    if index == 0:
        return True
    between = text[tokens[index - 1].end : tokens[index].start]
    return any(end in between for end in _SENTENCE_ENDS) and not between.isalnum() and between[-1:].strip() == ""


def _left_edge(text: str, start: int) -> int:
    """Return where the run without white space begins that holds `start`, so that no bracket and no l' is cut off."""
    while start and not text[start - 1].isspace():
        start -= 1
    return start


def _right_edge(text: str, end: int) -> int:
    while end < len(text) and not text[end].isspace():
        end += 1
    return end


def _html(text: str, start: int, end: int, marked: list[Word]) -> str:
    parts = []
    for word in marked:
        parts += [escape(text[start : word.start]), "<mark>", escape(text[word.start : word.end]), "</mark>"]
        start = word.end
    parts.append(escape(text[start:end]))
    return "".join(parts)
