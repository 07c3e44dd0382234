"""The order of relevance, and the other orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kb.search.whoosh.feedback import MOST
from kb.search.whoosh.scoring import Flags, Scores, Weighed
from kb.search.whoosh.segment import Numbers
from kb.search.whoosh.snapshot import Snapshot

FIRST = 20
"""Documents that a reader sees first: a page as the site shows it."""

_FOR_OTHERS = 3  # places among the first that are for other languages

Ranked = tuple[Numbers, Scores]
"""Documents in their order, and their scores."""


def by_relevance(weighed: Weighed, kept: Flags | None, end: int) -> Ranked:
    """Return the first `end` of the documents that are kept (None: all) in the order of relevance.

    Documents that hold the words are mostly of one language, and where they are many nothing else would be seen. If all
    of the first `FIRST` are of one language, the last places among them go to the best of what was found by its
    meaning, in others.
    """
    rows = np.arange(len(weighed.documents)) if kept is None else np.flatnonzero(kept)
    numbers, scores = best_first(weighed, leading(weighed, rows, max(end, FIRST)))
    matches = weighed.matches
    if matches.question.loose or len(rows) <= FIRST or not matches.expansions:
        return numbers[:end], scores[:end]
    others, other_scores = _others(weighed, rows, numbers[:FIRST])
    rest = ~np.isin(numbers, others)
    place = FIRST - len(others)
    numbers, scores = numbers[rest], scores[rest]
    return (
        np.concatenate((numbers[:place], others, numbers[place:]))[:end],
        np.concatenate((scores[:place], other_scores, scores[place:]))[:end],
    )


def _others(weighed: Weighed, rows: NDArray[np.intp], first: Numbers) -> Ranked:
    """Return the best documents found by their meaning in other languages than that of `first`, if that is only one."""
    languages = _languages(weighed.matches.snapshot)
    if len(np.unique(languages[first])) > 1:
        rows = rows[:0]
    elsewhere = (languages[weighed.documents[rows]] != languages[first[0]]) & ~weighed.literal[rows]
    numbers, scores = best_first(weighed, leading(weighed, rows[elsewhere], _FOR_OTHERS))
    return numbers[:_FOR_OTHERS], scores[:_FOR_OTHERS]


def _languages(snapshot: Snapshot) -> NDArray[np.int16]:
    """Return a number for the language of each document."""

    def numbered() -> NDArray[np.int16]:
        sets = snapshot.sets["language"]
        languages = np.full(snapshot.size, -1, np.int16)
        languages[sets.documents] = sets.codes
        return languages

    return snapshot.memo.once("languages", numbered)


def leading(weighed: Weighed, rows: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """Return the rows of what may be among the `count` most relevant; the rest needs no sorting.

    What is learned from the best adds at most `MOST` of a score, so what is further behind stays behind.
    """
    if not 0 < count < len(rows):
        return rows
    tiers = 2 * weighed.titled[rows].view(np.int8) + weighed.literal[rows].view(np.int8)
    missing = count
    for tier in range(3, -1, -1):
        here = (tiers == tier).nonzero()[0]
        if len(here) >= missing:
            scores = weighed.scores[rows[here]]
            least = np.partition(scores, -missing)[-missing]
            near = scores >= (least if weighed.matches.learned is None else least / np.float32(1 + MOST))
            chosen = np.sort(np.concatenate(((tiers > tier).nonzero()[0], here[near])))
            return np.asarray(rows[chosen])
        missing -= len(here)
    return rows


def best_first(weighed: Weighed, rows: NDArray[np.intp]) -> Ranked:
    """Return documents in the order of relevance, by their ascending rows.

    The title asked for comes first, then what holds the words themselves, then by score. Where those are equal, what
    says more, and then what is fresher, goes before; at last the title decides.
    """
    snapshot, documents = weighed.matches.snapshot, weighed.documents[rows]
    scores = weighed.refined(rows)
    keys: list[NDArray[Any]] = [
        -snapshot.updated[documents],
        -snapshot.completeness[documents],
        -scores,
        ~weighed.literal[rows],
        ~weighed.titled[rows],
    ]
    order = np.lexsort(keys)
    if _equals(keys, order):
        order = np.lexsort((snapshot.title_order(documents), *keys))
    return documents[order], scores[order]


def _equals(keys: Sequence[NDArray[Any]], order: NDArray[np.intp]) -> bool:
    """Whether any two that follow each other have the same keys."""
    return bool(np.logical_and.reduce([key[order[1:]] == key[order[:-1]] for key in keys]).any())


def ordered(snapshot: Snapshot, sort: str, documents: Numbers, end: int) -> Numbers:
    """Return the first `end` of documents (0: all) in an order that no question decides; equals by title, then id."""
    places = snapshot.memo.once(("order", sort), lambda: _order(snapshot, sort))[documents]
    if 0 < end < len(documents):
        first = np.argpartition(places, end - 1)[:end]
        return documents[first[places[first].argsort()]]
    return documents[places.argsort()]


def most_alike(snapshot: Snapshot, alike: Mapping[str, int], documents: Numbers, end: int) -> Numbers:
    """Return the first `end` of documents (0: all), those of the regions that count most first; equals newest first."""
    sets = snapshot.sets["own_region"]
    counts = np.array([alike.get(name, 0) for name in sets.names], np.int64)
    most = np.zeros(snapshot.size, np.int64)
    np.maximum.at(most, sets.documents, counts[sets.codes])
    newest = ordered(snapshot, "relevance", documents, 0)
    return newest[np.argsort(-most[newest], kind="stable")][: end or None]


def _order(snapshot: Snapshot, sort: str) -> NDArray[np.int32]:
    """Return the place of each document in an order of them all."""
    titles = snapshot.title_ranks
    if sort == "title":
        order = np.argsort(titles)
    else:
        later: dict[str, NDArray[Any]] = {"adopted": snapshot.adopted, "updated": snapshot.updated}
        order = np.lexsort((titles, -later.get(sort, snapshot.published)))
    places = np.empty(snapshot.size, np.int32)
    places[order] = np.arange(snapshot.size, dtype=np.int32)
    return places
