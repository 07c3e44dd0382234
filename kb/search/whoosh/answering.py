"""The answer to a query: what matches, in which order, and the page of it."""

from __future__ import annotations

import numpy as np

from kb.search.language import fold
from kb.search.port import SORTS, Hit, Page, Query
from kb.search.whoosh.ranking import best_first, by_relevance, leading
from kb.search.whoosh.scoring import Matches
from kb.search.whoosh.segment import Numbers
from kb.search.whoosh.selecting import Selection
from kb.search.whoosh.snapshot import Mask, Snapshot
from kb.search.whoosh.spelling import corrections

_MOST_CORRECTED = 4
"""Words of a question that are corrected; where more are unknown it is not in a language of the index."""

_RARE = 3  # documents: a word in so few may be a slip of somebody's pen
_FREQUENT = 10  # times as many documents make another word the likelier one
_LONG_ENOUGH = 6  # letters: shorter words have too many neighbours


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
        undated=selection.undated(matching),
        untyped=selection.untyped(matching),
        empty=not matches.some.any(),
        expansions=matches.expansions,
        corrections=_corrections(snapshot, matches),
    )


def _corrections(snapshot: Snapshot, matches: Matches) -> tuple[tuple[str, str], ...]:
    """Return (typed, meant) for each plain word that stands nowhere, nor means anything, and resembles one that does.

    So it is with a word that is hardly anywhere where one letter makes it a frequent one. Words that stand together in
    documents with the rest of the question go before others: they are of its language.
    """
    covered = {i for each in matches.expansions for i in range(each.start, each.end)}
    unsure = [
        (fold(clause.word), count)
        for i, (clause, count) in enumerate(zip(matches.question.clauses, matches.holding, strict=True))
        if clause.word and i not in covered and count <= _RARE
    ]
    if len(unsure) > _MOST_CORRECTED:
        return ()
    beside = matches.some if matches.some.any() else None
    found = ((word, _meant(snapshot, word, count, beside)) for word, count in unsure)
    return tuple((word, meant) for word, meant in found if meant)


def _meant(snapshot: Snapshot, word: str, count: int, beside: Mask | None) -> str | None:
    if not count:
        return next((each.word for each in corrections(snapshot, word, 1, beside)), None)
    if len(word) < _LONG_ENOUGH:
        return None
    near = [each for each in corrections(snapshot, word) if each.distance <= 1 and each.documents >= _FREQUENT * count]
    return max(near, key=lambda each: each.documents).word if near else None


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
