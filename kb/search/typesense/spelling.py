"""Spelling: which words of the collection somebody may have meant who typed one that it does not hold, or hardly.

The server finds documents with a word that up to two slips make of another one; which word that is stands in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from kb.search.distance import distances
from kb.search.language import LONGEST_WORD, fold, is_stop_word
from kb.search.question import Expansion
from kb.search.typesense.about import MOST_HITS, Looking, documents
from kb.search.typesense.conditions import EVERYTHING, Condition, both, has
from kb.search.typesense.meaning import Meaning
from kb.search.typesense.schema import word_term

_MOST_CORRECTED = 4  # words of a question; where more are unknown it is not in a language of the collection
_RARE = 3  # documents: a word in so few may be a slip of somebody's pen
_FREQUENT = 10  # times as many documents make another word the likelier one
_LONG_ENOUGH = 6  # letters: shorter words have too many neighbours
_LEAST_LETTERS = 5  # of a word that is offered for one that is unknown
_FIRST_LETTER = 0.25  # added to the distance where the first letter is another one: people seldom get that wrong
_MOST_NEAR = 20


class _Near(NamedTuple):
    """A word that may have been meant, how far it is from the one typed, and how many documents hold it."""

    word: str
    distance: float
    documents: int


def corrections(
    looking: Looking,
    meaning: Meaning,
    standing: Sequence[int],
    unknown: Sequence[str],
    expansions: Sequence[Expansion],
) -> tuple[tuple[str, str], ...]:
    """Return (typed, meant) for each unknown word that resembles one that stands in documents.

    `standing` says in how many documents each clause stands. Where no word of several stands in any, the question is in
    another language, and no word of it is a slip of the pen, unless all are and the corrected ones stand together. The
    only word of a question may also be one that is hardly anywhere, where one letter makes it a frequent one.
    """
    clauses = meaning.question.clauses
    if len(clauses) == 1 and clauses[0].word and not unknown and not expansions:
        typed = fold(clauses[0].word)
        meant = _likelier(looking, typed, standing[0])
        return ((typed, meant),) if meant else ()
    if not unknown or len(unknown) > _MOST_CORRECTED:
        return ()
    beside = meaning.some if any(standing) or expansions else EVERYTHING
    found = [(word, meant) for word in unknown if (meant := _meant(looking, word, beside))]
    if len(clauses) > 1 and not any(standing):
        together = both(*(has(word_term(meant)) for _, meant in found))
        if len(found) < len(clauses) or not looking.counted([together])[0]:
            return ()
    return tuple(found)


def _meant(looking: Looking, word: str, beside: Condition) -> str | None:
    """Return the word that is closest to one that stands nowhere; that of e-learning may be only the learning."""
    near = _about(looking, word, beside)
    if word.startswith("e"):
        near = sorted([*near, *_about(looking, word[1:], beside)], key=lambda each: each.distance)
    for each in near:
        close = not each.distance or len(word) >= _LONG_ENOUGH or each.documents > 1
        if not is_stop_word(each.word) and len(each.word) >= _LEAST_LETTERS and close:
            return each.word if abs(len(each.word) - len(word)) <= _edits(word) or not each.distance else None
    return None


def _likelier(looking: Looking, word: str, count: int) -> str | None:
    """Return the frequent word that is one letter from one that is hardly anywhere."""
    if count > _RARE or len(word) < _LONG_ENOUGH:
        return None
    near = [each for each in _about(looking, word, EVERYTHING) if each.distance <= 1]
    frequent = [each for each in near if each.documents >= _FREQUENT * count]
    return max(frequent, key=lambda each: each.documents).word if frequent else None


def _about(looking: Looking, word: str, beside: Condition) -> list[_Near]:
    """Return words that are close to a word: the nearest first, of these those that stand `beside` others, or often."""
    edits = _edits(word)
    if not edits or not word.isascii():
        return []
    words = [each for each in _sounding(looking, word) if each != word]
    if not words:
        return []
    typed = list(dict.fromkeys((word, _plain(word))))
    nearest = np.min([distances(each, words, edits) for each in typed], axis=0).tolist()
    far = {
        each: 0.0 if _plain(each) == _plain(word) else distance + _FIRST_LETTER * (each[0] != word[0])
        for each, distance in zip(words, nearest, strict=True)
        if distance <= edits
    }
    likely = sorted(far, key=lambda each: (far[each], each))[:_MOST_NEAR]
    counts = looking.counted([has(word_term(each)) for each in likely])
    there = looking.counted([both(has(word_term(each)), beside) for each in likely])
    order = sorted(zip(likely, counts, there, strict=True), key=lambda row: (far[row[0]], not row[2], -row[1], row[0]))
    return [_Near(each, far[each], count) for each, count, _ in order if count]


def _sounding(looking: Looking, word: str) -> set[str]:
    """Return the words of documents that have one that is like a word, that and all others."""
    wanted = {
        "query_by": "terms",
        "prefix": False,
        "num_typos": 2,
        "min_len_1typo": 4,
        "min_len_2typo": 7,
        "drop_tokens_threshold": 0,
        "typo_tokens_threshold": MOST_HITS,
        "per_page": MOST_HITS // 2,
        "include_fields": "terms",
        "highlight_fields": "none",
        "highlight_full_fields": "none",
    }
    answers = looking.ask([{**wanted, "q": word_term(each)} for each in dict.fromkeys((word, _plain(word)))])
    terms = {term for answer in answers for each in documents(answer) for term in each["terms"]}
    return {term[1:] for term in terms if term[0] == "w" and "_" not in term}


def _edits(word: str) -> int:
    """Return how many letters of a word may be wrong: 1 of four or five, else 2."""
    if not 4 <= len(word) <= LONGEST_WORD or any(map(str.isdigit, word)):
        return 0
    return 1 if len(word) < _LONG_ENOUGH else 2


def _plain(word: str) -> str:
    """Return a folded word with ä, ö, ü, ø and å as `fold` writes them, if they were typed as ae, oe, ue and aa."""
    return word.replace("ae", "a").replace("oe", "o").replace("ue", "u").replace("aa", "a")
