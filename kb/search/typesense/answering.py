"""The answer to a query: what matches, in which order, and the page of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kb.search.language import fold
from kb.search.port import SORTS, Hit, Page, Query
from kb.search.typesense.about import Looking
from kb.search.typesense.choosing import FRESH
from kb.search.typesense.conditions import Condition, both, without
from kb.search.typesense.feedback import DOCUMENTS
from kb.search.typesense.meaning import Meaning, meant, tagged
from kb.search.typesense.ranking import Ranking
from kb.search.typesense.reading import READ
from kb.search.typesense.scoring import Weighing
from kb.search.typesense.selecting import Selection
from kb.search.typesense.spelling import corrections

_ORDERS = {
    "newest": "published:desc,title:asc",
    "relevance": "published:desc,title:asc",
    "updated": "updated:desc,title:asc",
    "adopted": "adopted:desc,title:asc",
    "title": "title:asc",
}

Found = list[tuple[dict[str, Any], float]]
"""Documents as they were read, with their scores."""


def answer(looking: Looking, query: Query) -> Page:
    """Answer a query. Raises ValueError for a sort or a facet that there is not."""
    answering = _Answering(looking, query)
    counts = answering.selection.counts(looking)
    unknown = answering.unknown()
    return Page(
        total=answering.total,
        hits=answering.hits(),
        partial=answering.partial,
        pairs={each: answering.selection.pairs(looking, *each) for each in query.pairs},
        empty=not answering.answering,
        expansions=answering.expansions,
        unknown=unknown,
        corrections=corrections(looking, answering.meaning, answering.standing, unknown, answering.expansions),
        **counts,
    )


def matching(looking: Looking, query: Query) -> tuple[str, ...]:
    """Return the ids of all that a query's total counts, in its order, without looking at pages, facets or spelling.

    Raises ValueError for a sort or a facet that there is not.
    """
    answering = _Answering(looking, query)
    return tuple(found["key"] for found, _ in answering.full(0, answering.total, ("key",)))


class _Answering:
    """One query on its way. `answering` is how many documents answer it, whatever the filters."""

    def __init__(self, looking: Looking, query: Query) -> None:
        if query.sort not in SORTS:
            raise ValueError(f"no such sort: {query.sort}")
        self._looking, self._query = looking, query
        self.meaning = Meaning(looking, query.question)
        literally, meanings = self.meaning.literally, [meant(each) for each in query.question.expansions]
        full, some, *counts = looking.counted([self.meaning.full, self.meaning.some, *literally, *meanings])
        self.standing = counts[: len(literally)]
        expansions = zip(query.question.expansions, counts[len(literally) :], strict=True)
        self.expansions = tuple(each for each, count in expansions if count)
        self.partial = bool(some and not full)
        self._more = some > full > 0 or (some > full and not self.partial)
        self.answering = full or some
        self.selection = Selection(query, self.meaning.some if self.partial else self.meaning.full)
        self.kept = self.selection.kept
        self.total = looking.counted([self.kept])[0]
        self._further = self.selection.among(both(self.meaning.some, without(self.meaning.full)))
        self._by_score = query.sort == "relevance" and bool(query.question.clauses)
        self._ranking: Ranking | None = None
        self._read: list[Weighing] = []
        self._read_further: list[Weighing] | None = None

    def unknown(self) -> tuple[str, ...]:
        """Return the plain words of the question, folded, that stand nowhere and mean nothing."""
        covered = {i for each in self.expansions for i in range(each.start, each.end)}
        clauses = enumerate(zip(self._query.question.clauses, self.standing, strict=True))
        return tuple(
            fold(clause.word) for i, (clause, count) in clauses if clause.word and not count and i not in covered
        )

    def hits(self) -> tuple[Hit, ...]:
        """Return the hits of the page: full ones, then the best partial ones where the full ones end."""
        query = self._query
        end = min(query.offset + query.limit, self.total)
        found = self.full(query.offset, end, READ)
        if not self.partial and self._wanted() and self._more:
            found = [*found, *self._best_partial(self._wanted())]
        scoring = self._ranked().scoring
        helds = self._ranked().held(each for each, _ in found)
        return tuple(
            Hit(held.key, str(held.found["slug"]), score, scoring.fields(held), int(held.found["adopted"]))
            for held, (_, score) in zip(helds, found, strict=True)
        )

    def full(self, start: int, end: int, fields: Sequence[str]) -> Found:
        """Return what the total counts, from one place to before another, in the order asked for."""
        if end <= start:
            return []
        query = self._query
        if self._by_score:
            return self._by_relevance(start, end, fields)
        tiers = [self.kept]
        if query.sort == "relevance" and query.alike is not None:
            tiers = self._tiers(query.alike)
        return [(each, 0.0) for each in self._in_turn(tiers, start, end, _ORDERS[query.sort], fields)]

    def _wanted(self) -> int:
        """Return how many partial hits go beyond this page: none unless it is the one on which the full ones end."""
        query = self._query
        begins_before = query.offset < self.total or query.offset == self.total == 0
        return query.partial_limit if begins_before and self.total <= query.offset + query.limit else 0

    def _ranked(self) -> Ranking:
        """Return the order of relevance, which has learned from the best of what was found.

        What is learned does not depend on the page asked for, or one page would go on otherwise than the one before.
        """
        if self._ranking is None:
            self._ranking = ranking = Ranking(self._looking, self.meaning)
            if self._by_score:
                holding = self.selection.among(self.meaning.allowed) if self.partial else None
                self._read = ranking.read(self.kept, holding)
                ranking.learn(self._read if len(self._read) >= DOCUMENTS else [*self._read, *self._further_read()])
        return self._ranking

    def _further_read(self) -> list[Weighing]:
        """Return the best of what answers in part only, not in order."""
        if self._read_further is None:
            ranking = self._ranking or self._ranked()
            self._read_further = ranking.read(self._further) if self._more and not self.partial else []
        return self._read_further

    def _by_relevance(self, start: int, end: int, fields: Sequence[str]) -> Found:
        ranking = self._ranked()
        best = ranking.best(self.kept, self.total, self._read)
        found = [(dict(each.held.found), each.score) for each in best[start:end]]
        if end > len(best):
            tiers = ranking.after(self.kept, best)
            first = max(0, start - len(best))
            found += [(each, 0.0) for each in self._in_turn(tiers, first, end - len(best), FRESH, fields)]
        return found

    def _best_partial(self, wanted: int) -> Found:
        """Return the best of what answers in part only, in the order asked for."""
        ranking = self._ranked()
        best = ranking.in_order(self._further_read())[:wanted]
        if not self._by_score:
            order = _ORDERS[self._query.sort]
            best.sort(key=lambda each: each.held.title)
            name = order.partition(":")[0]
            if name != "title":
                best.sort(key=lambda each: each.held.found[name], reverse=True)
        return [(dict(each.held.found), each.score) for each in best]

    def _in_turn(
        self, tiers: Sequence[Condition], start: int, end: int, order: str, fields: Sequence[str]
    ) -> list[dict[str, Any]]:
        """Return documents by their places where those of one condition come after those of another."""
        found: list[dict[str, Any]] = []
        for condition, count in zip(tiers, self._looking.counted(tiers), strict=True):
            if start < count and end > 0:
                found += self._looking.window(condition, max(start, 0), min(end, count), order, fields)
            start, end = start - count, end - count
        return found

    def _tiers(self, alike: Mapping[str, int]) -> list[Condition]:
        """Return what is of the regions that count most, then of those that count less, and so on."""
        tiers: list[Condition] = []
        higher: list[str] = []
        for value in sorted(set(alike.values()), reverse=True):
            codes = [code for code, each in alike.items() if each == value]
            tiers.append(both(self.kept, tagged("own_region", codes), without(tagged("own_region", higher))))
            higher += codes
        return tiers
