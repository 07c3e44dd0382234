"""What a reader typed, taken apart into what has to be found."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from kb.search.language import LONGEST_WORD, fold, is_stop_word, spans

MOST_WORDS = 64
"""Words of a query that count; further ones are ignored."""

_MOST_CHARACTERS = MOST_WORDS * (LONGEST_WORD + 1)
_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»＂", '"'))
_PHRASE = re.compile(r'"([^"]*)"')


@dataclass(frozen=True, slots=True)
class Clause:
    """One thing to find: a word in any of its forms, or, where `exact`, these words as they are, side by side."""

    words: tuple[str, ...]
    exact: bool = False

    @property
    def folds(self) -> tuple[str, ...]:
        """The words, folded."""
        return tuple(map(fold, self.words))


@lru_cache(maxsize=256)
def parse(text: str) -> tuple[Clause, ...]:
    """Return the clauses of a query, each once, in the order typed.

    Words between double quotes are a phrase; a quote without its partner and any operator are read as spaces. Stop
    words count only where there is nothing else. Nothing raises: any string is a query.
    """
    text = text[:_MOST_CHARACTERS].translate(_QUOTES)
    clauses: list[Clause] = []
    rest = 0
    for match in _PHRASE.finditer(text):
        clauses += [Clause((word,)) for word in _words(text[rest : match.start()])]
        phrase = tuple(_words(match[1]))
        clauses += [Clause(phrase, exact=True)] if phrase else []
        rest = match.end()
    clauses += [Clause((word,)) for word in _words(text[rest:])]
    return _meaningful(_capped(clauses))


def _words(text: str) -> list[str]:
    words = (text[start : min(end, start + LONGEST_WORD)] for start, end in spans(text))
    return [word for word in words if fold(word)]


def _capped(clauses: list[Clause]) -> list[Clause]:
    """Return the clauses without those that were there before, cut after `MOST_WORDS` words."""
    kept: dict[tuple[tuple[str, ...], bool], Clause] = {}
    left = MOST_WORDS
    for clause in clauses:
        if left <= 0:
            break
        cut = Clause(clause.words[:left], clause.exact)
        if (cut.folds, cut.exact) not in kept:
            kept[cut.folds, cut.exact] = cut
            left -= len(cut.words)
    return list(kept.values())


def _meaningful(clauses: list[Clause]) -> tuple[Clause, ...]:
    meaningful = tuple(clause for clause in clauses if clause.exact or not is_stop_word(clause.folds[0]))
    return meaningful or tuple(clauses)
