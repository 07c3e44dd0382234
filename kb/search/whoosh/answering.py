"""The answer to a query: what matches, in which order, and the page of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kb.search.language import fold, is_stop_word
from kb.search.port import SORTS, Hit, Page, Query
from kb.search.whoosh.ranking import best_first, by_relevance, leading
from kb.search.whoosh.scoring import Matches
from kb.search.whoosh.segment import Numbers
from kb.search.whoosh.selecting import Selection
from kb.search.whoosh.snapshot import Mask, Snapshot
from kb.search.whoosh.spelling import corrections, edits_allowed

_MOST_CORRECTED = 4
"""Words of a question that are corrected; where more are unknown it is not in a language of the index."""

_RARE = 3  # documents: a word in so few may be a slip of somebody's pen
_FREQUENT = 10  # times as many documents make another word the likelier one
_LONG_ENOUGH = 6  # letters: shorter words have too many neighbours
_LEAST_LETTERS = 5  # of a word that is offered for one that is unknown


def answer(snapshot: Snapshot, query: Query) -> Page:
    """Answer a query from a snapshot. Raises ValueError for a sort or a facet that there is not."""
    if query.sort not in SORTS:
        raise ValueError(f"no such sort: {query.sort}")
    matches = Matches(snapshot, query.question)
    partial = bool(matches.some.any() and not matches.full.any())
    matching = matches.some if partial else matches.full
    selection = Selection(snapshot, query)
    kept = selection.keep(matching)
    total = int(kept.sum())
    unknown = _unknown(matches)
    numbers = _page(snapshot, query, matches, kept).tolist()
    if not partial:
        wanted = _partial_wanted(total, query)
        rest = selection.keep(matches.some & ~matches.full)
        numbers += _best_partial(snapshot, query, matches, rest, wanted).tolist()
    return Page(
        total=total,
        hits=tuple(_hit(snapshot, matches, number) for number in numbers),
        partial=partial,
        facets=selection.facets(matching) if query.facets else {},
        pairs=selection.pairs(matching, *query.pairs) if query.pairs else {},
        undated=selection.undated(matching),
        untyped=selection.untyped(matching),
        empty=not matches.some.any(),
        expansions=matches.expansions,
        unknown=tuple(unknown),
        corrections=_corrections(snapshot, matches, unknown),
    )


def matching(snapshot: Snapshot, query: Query) -> tuple[str, ...]:
    """Return the ids of all that a query's total counts, in its order, without looking at pages, facets or spelling.

    Raises ValueError for a sort or a facet that there is not.
    """
    if query.sort not in SORTS:
        raise ValueError(f"no such sort: {query.sort}")
    matches = Matches(snapshot, query.question)
    counted = matches.full if matches.full.any() else matches.some
    numbers = _page(
        snapshot, replace(query, offset=0, limit=snapshot.size), matches, Selection(snapshot, query).keep(counted)
    )
    return tuple(snapshot.ids[number] for number in numbers.tolist())


def _unknown(matches: Matches) -> list[str]:
    """Return the plain words of the question, folded, that stand nowhere and mean nothing."""
    covered = {i for each in matches.expansions for i in range(each.start, each.end)}
    clauses = enumerate(zip(matches.question.clauses, matches.holding, strict=True))
    return [fold(clause.word) for i, (clause, count) in clauses if clause.word and not count and i not in covered]


def _corrections(snapshot: Snapshot, matches: Matches, unknown: list[str]) -> tuple[tuple[str, str], ...]:
    """Return (typed, meant) for each unknown word that resembles one that stands in documents.

    Where no word of several stands in any, the question is in another language, and no word of it is a slip of the pen,
    unless all are and the corrected ones stand together. The only word of a question may also be one that is hardly
    anywhere, where one letter makes it a frequent one.
    """
    clauses = matches.question.clauses
    if len(clauses) == 1 and clauses[0].word and not unknown and not matches.expansions:
        meant = _likelier(snapshot, fold(clauses[0].word), matches.holding[0])
        return ((fold(clauses[0].word), meant),) if meant else ()
    if not unknown or len(unknown) > _MOST_CORRECTED:
        return ()
    beside = matches.some if matches.some.any() else None
    found = [(word, meant) for word in unknown if (meant := _meant(snapshot, word, beside))]
    if len(clauses) > 1 and not any(matches.holding) and not _together(snapshot, found, len(clauses)):
        return ()
    return tuple(found)


def _meant(snapshot: Snapshot, word: str, beside: Mask | None) -> str | None:
    """Return the word that is closest to one that stands nowhere; that of e-learning may be only the learning."""
    near = corrections(snapshot, word, beside=beside)
    if word.startswith("e"):
        near = sorted([*near, *corrections(snapshot, word[1:], beside=beside)], key=lambda each: each.distance)
    for each in near:
        close = not each.distance or len(word) >= _LONG_ENOUGH or each.documents > 1
        if not is_stop_word(each.word) and len(each.word) >= _LEAST_LETTERS and close:
            return each.word if abs(len(each.word) - len(word)) <= edits_allowed(word) or not each.distance else None
    return None


def _likelier(snapshot: Snapshot, word: str, count: int) -> str | None:
    """Return the frequent word that is one letter from one that is hardly anywhere."""
    if count > _RARE or len(word) < _LONG_ENOUGH:
        return None
    near = [each for each in corrections(snapshot, word) if each.distance <= 1 and each.documents >= _FREQUENT * count]
    return max(near, key=lambda each: each.documents).word if near else None


def _together(snapshot: Snapshot, found: list[tuple[str, str]], words: int) -> bool:
    """Whether every word of a question has a correction, and a document holds them all."""
    there = snapshot.live
    for _, meant in found:
        mask = np.zeros(snapshot.size, np.bool_)
        mask[snapshot.term("words", meant).documents] = True
        there = there & mask
    return len(found) == words and bool(there.any())


def _hit(snapshot: Snapshot, matches: Matches, number: int) -> Hit:
    return Hit(snapshot.ids[number], snapshot.slugs[number], float(matches.scores[number]), matches.fields(number))


def _page(snapshot: Snapshot, query: Query, matches: Matches, documents: Mask) -> Numbers:
    numbers = np.flatnonzero(documents)
    end = query.offset + query.limit
    if _by_score(query):
        return by_relevance(snapshot, matches, numbers, end)[query.offset : end]
    return _ordered(snapshot, query, matches, numbers)[query.offset : end]


def _partial_wanted(total: int, query: Query) -> int:
    """Return how many partial hits go beyond this page: none unless it is the one on which the full ones end."""
    begins_before = query.offset < total or query.offset == total == 0
    return query.partial_limit if begins_before and total <= query.offset + query.limit else 0


def _best_partial(snapshot: Snapshot, query: Query, matches: Matches, documents: Mask, wanted: int) -> Numbers:
    if not wanted:
        return np.empty(0, np.intp)
    numbers = leading(matches, np.flatnonzero(documents), wanted)
    return _ordered(snapshot, query, matches, best_first(snapshot, matches, numbers)[:wanted])


def _by_score(query: Query) -> bool:
    return query.sort == "relevance" and bool(query.question.clauses)


def _ordered(snapshot: Snapshot, query: Query, matches: Matches, numbers: Numbers) -> Numbers:
    """Return documents in the order asked for; what is equal comes by title, then id."""
    if _by_score(query):
        return best_first(snapshot, matches, numbers)
    titles = snapshot.title_ranks[numbers]
    if query.sort == "title":
        return numbers[np.argsort(titles)]
    if query.sort == "adopted":
        keys = snapshot.adopted[numbers]
    else:
        moments = snapshot.updated if query.sort == "updated" else snapshot.published
        keys = np.unique(moments[numbers], return_inverse=True)[1]
    return numbers[np.lexsort((titles, -keys))]
