"""The answer to a query: what matches, in which order, and the page of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kb.search.language import fold, is_stop_word
from kb.search.port import SORTS, Hit, Page, Query
from kb.search.whoosh.places import Places
from kb.search.whoosh.ranking import Ranked, best_first, by_relevance, leading, most_alike, ordered
from kb.search.whoosh.scoring import Matches, Scores, flags
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
    matches = _matches(snapshot, query)
    selection = Selection(snapshot, query, matches.answers)
    partial = not len(matches.full) and len(matches.some) > 0
    total = len(selection.kept)
    unknown = _unknown(matches)
    numbers, scores = _page(matches, query, selection)
    wanted = 0 if partial else _partial_wanted(total, query)
    if wanted and len(matches.some) > len(matches.full):
        further = _best_partial(matches, query, wanted)
        numbers, scores = np.concatenate((numbers, further[0])), np.concatenate((scores, further[1]))
    return Page(
        total=total,
        hits=_hits(matches, numbers, scores),
        partial=partial,
        facets=selection.facets() if query.facets else {},
        pairs={each: selection.pairs(*each) for each in query.pairs},
        undated=selection.undated(),
        untyped=selection.untyped(),
        empty=not len(matches.answers),
        expansions=matches.expansions,
        unknown=tuple(unknown),
        corrections=_corrections(snapshot, matches, unknown),
    )


def matching(snapshot: Snapshot, query: Query) -> tuple[str, ...]:
    """Return the ids of all that a query's total counts, in its order, without looking at pages, facets or spelling.

    Raises ValueError for a sort or a facet that there is not.
    """
    matches = _matches(snapshot, query)
    whole = replace(query, offset=0, limit=snapshot.size)
    numbers, _ = _page(matches, whole, Selection(snapshot, query, matches.answers))
    return tuple(snapshot.ids.many(numbers))


def _matches(snapshot: Snapshot, query: Query) -> Matches:
    if query.sort not in SORTS:
        raise ValueError(f"no such sort: {query.sort}")
    return Matches(snapshot, query.question)


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
    beside = None
    if len(matches.some):
        beside = np.zeros(snapshot.size, np.bool_)
        beside[matches.some] = True
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


def _hits(matches: Matches, numbers: Numbers, scores: Scores) -> tuple[Hit, ...]:
    snapshot = matches.snapshot
    named = (snapshot.ids.many(numbers), snapshot.slugs.many(numbers))
    adopted = matches.snapshot.adopted[numbers].tolist()
    return tuple(map(Hit, *named, scores.tolist(), matches.fields(numbers), adopted))


def _page(matches: Matches, query: Query, selection: Selection) -> Ranked:
    start, end = query.offset, query.offset + query.limit
    if not len(selection.kept):
        return selection.kept, np.zeros(0, np.float32)
    if _by_score(query):
        numbers, scores = by_relevance(matches.weigh(selection.documents), selection.flags, end)
    else:
        if query.sort == "relevance" and query.alike is not None:
            numbers = most_alike(matches.snapshot, query.alike, selection.kept, end)
        else:
            numbers = ordered(matches.snapshot, query.sort, selection.kept, end)
        scores = np.zeros(len(numbers), np.float32)
    return numbers[start:end], scores[start:end]


def _partial_wanted(total: int, query: Query) -> int:
    """Return how many partial hits go beyond this page: none unless it is the one on which the full ones end."""
    begins_before = query.offset < total or query.offset == total == 0
    return query.partial_limit if begins_before and total <= query.offset + query.limit else 0


def _best_partial(matches: Matches, query: Query, wanted: int) -> Ranked:
    """Return the best of what answers in part only, in the order asked for."""
    size = matches.snapshot.size
    partly = matches.some[~flags(Places(matches.some, size), matches.full)]
    weighed = matches.weigh(Selection(matches.snapshot, query, partly).kept)
    rows = leading(weighed, np.arange(len(weighed.documents)), wanted)
    numbers, scores = best_first(weighed, rows)
    numbers, scores = numbers[:wanted], scores[:wanted]
    if _by_score(query):
        return numbers, scores
    order = np.argsort(numbers)
    in_order = ordered(matches.snapshot, query.sort, numbers, 0)
    return in_order, scores[order][np.searchsorted(numbers[order], in_order)]


def _by_score(query: Query) -> bool:
    return query.sort == "relevance" and bool(query.question.clauses)
