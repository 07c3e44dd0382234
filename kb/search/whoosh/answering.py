"""The answer to a query: what matches, in which order, and the page of it."""

from __future__ import annotations

import numpy as np

from kb.search.parsing import parse
from kb.search.port import SORTS, Hit, Page, Query
from kb.search.whoosh.scoring import Matches
from kb.search.whoosh.segment import Numbers
from kb.search.whoosh.selecting import Selection
from kb.search.whoosh.snapshot import Mask, Snapshot

_MOST_PARTIAL = 10
"""Documents that hold only some of the words, shown after those that hold them all."""


def answer(snapshot: Snapshot, query: Query) -> Page:
    """Answer a query from a snapshot. Raises ValueError for a sort or a facet that there is not."""
    if query.sort not in SORTS:
        raise ValueError(f"no such sort: {query.sort}")
    clauses = parse(query.text)
    matches = Matches(snapshot, clauses)
    if clauses:
        some = matches.held > 0
        full = matches.held == len(clauses)
    else:
        # Nothing typed asks for everything; something typed in which there is no word can be found nowhere.
        full = snapshot.live if not query.text.strip() else np.zeros(snapshot.size, np.bool_)
        some = full
    partial = bool(some.any() and not full.any())
    matching = some if partial else full
    selection = Selection(snapshot, query)
    kept = selection.keep(matching)
    total = int(kept.sum())
    numbers = _page(snapshot, query, matches, kept).tolist()
    if not partial:
        wanted = _partial_wanted(total, query)
        numbers += _best_partial(snapshot, query, matches, selection.keep(some & ~full), wanted).tolist()
    return Page(
        total=total,
        hits=tuple(_hit(snapshot, matches, number) for number in numbers),
        partial=partial,
        facets=selection.facets(matching) if query.facets else {},
        undated=selection.undated(matching),
        words=tuple(folded for clause in clauses for folded in clause.folds),
    )


def _hit(snapshot: Snapshot, matches: Matches, number: int) -> Hit:
    return Hit(snapshot.ids[number], snapshot.slugs[number], float(matches.scores[number]), matches.fields(number))


def _page(snapshot: Snapshot, query: Query, matches: Matches, documents: Mask) -> Numbers:
    numbers = np.flatnonzero(documents)
    end = query.offset + query.limit
    if _by_score(query):
        numbers = _leading(matches, numbers, end)
    return _ordered(snapshot, query, matches, numbers)[query.offset : end]


def _partial_wanted(total: int, query: Query) -> int:
    """Return how many partial hits go beyond this page: none unless it is the one on which the full ones end."""
    begins_before = query.offset < total or query.offset == total == 0
    return _MOST_PARTIAL if begins_before and total <= query.offset + query.limit else 0


def _best_partial(snapshot: Snapshot, query: Query, matches: Matches, documents: Mask, wanted: int) -> Numbers:
    if not wanted:
        return np.empty(0, np.intp)
    numbers = _leading(matches, np.flatnonzero(documents), wanted)
    best = numbers[np.lexsort((snapshot.title_ranks[numbers], -matches.scores[numbers]))][:wanted]
    return _ordered(snapshot, query, matches, best)


def _leading(matches: Matches, numbers: Numbers, count: int) -> Numbers:
    """Return the `count` best by score, and what equals the last of them: the rest needs no sorting."""
    if not 0 < count < len(numbers):
        return numbers
    scores = matches.scores[numbers]
    leading: Numbers = numbers[scores >= np.partition(scores, -count)[-count]]
    return leading


def _by_score(query: Query) -> bool:
    return query.sort == "relevance" and bool(query.text.strip())


def _ordered(snapshot: Snapshot, query: Query, matches: Matches, numbers: Numbers) -> Numbers:
    """Return documents in the order asked for; what is equal comes by title, then id."""
    titles = snapshot.title_ranks[numbers]
    if query.sort == "title":
        return numbers[np.argsort(titles)]
    if _by_score(query):
        keys = matches.scores[numbers]
    elif query.sort == "adopted":
        keys = snapshot.adopted[numbers]
    else:
        moments = snapshot.updated if query.sort == "updated" else snapshot.published
        keys = np.unique(moments[numbers], return_inverse=True)[1]
    return numbers[np.lexsort((titles, -keys))]
