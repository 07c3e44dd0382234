"""Filters, and the counts that the reader would get by other filters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from kb.search.moments import ALWAYS_BEFORE
from kb.search.port import FACETS, Query
from kb.search.whoosh.columns import seconds
from kb.search.whoosh.counting import BEGUN, OVER
from kb.search.whoosh.segment import Numbers
from kb.search.whoosh.snapshot import Mask, Snapshot
from kb.search.whoosh.tables import Counts, Table, table_of

_MOST_YEARS = 200  # listed before the current one; an earlier start is a slip of the pen


class Selection:
    """The filters of a query over some documents, ascending: each by itself, so that any of them can be left out.

    `flags` says which of the documents all of them keep (None: no filter, all are kept), `kept` are those.
    """

    def __init__(self, snapshot: Snapshot, query: Query, documents: Numbers) -> None:
        self._snapshot = snapshot
        self._query = query
        self._chosen = {facet: values for facet, values in query.filters.items() if values}
        if unknown := self._chosen.keys() - set(FACETS):
            raise ValueError(f"no such facet: {', '.join(sorted(unknown))}")
        self.documents = documents
        self._conditions = {name: mask[documents] for name, mask in self._masks().items()}
        self.flags = self._flags()
        self.kept = documents if self.flags is None else documents[self.flags]

    def _masks(self) -> Mapping[str, Mask]:
        snapshot, query = self._snapshot, self._query
        masks = {facet: tagged(snapshot, facet, values) for facet, values in self._chosen.items()}
        if query.regions:
            masks["region"] = tagged(snapshot, "region", query.regions)
        if query.alike is not None:
            masks["alike"] = tagged(snapshot, "own_region", tuple(query.alike))
        if query.not_regions:
            masks["not_regions"] = ~tagged(snapshot, "region", query.not_regions)
        if query.updated_since:
            masks["updated"] = snapshot.updated >= seconds([query.updated_since])[0]
        if (query.year_from, query.year_to) != (None, None):
            masks["year"] = snapshot.overlapping(query.year_from, query.year_to)
        return masks

    def _flags(self, *but: str) -> Mask | None:
        """Return which of the documents all conditions keep, but for some; None where there is none to keep any out."""
        masks = [mask for name, mask in self._conditions.items() if name not in but]
        return np.asarray(np.logical_and.reduce(masks)) if masks else None

    def _keep(self, *but: str) -> Numbers:
        """Return those of the documents that all conditions keep, but for some."""
        flags = self._flags(*but)
        return self.documents if flags is None else self.documents[flags]

    def _without(self, name: str) -> Numbers:
        """Return the documents that all conditions keep but the one of a facet, if there is one."""
        return self._keep(name) if name in self._conditions else self.kept

    def undated(self) -> int:
        """Return how many documents only the range of years leaves out, and only for want of dates."""
        if "year" not in self._conditions:
            return 0
        return int(np.count_nonzero(~self._snapshot.dated[self._without("year")]))

    def untyped(self) -> int:
        """Return how many documents that the other conditions keep are from regions whose type is not known."""

        def typed() -> Mask:
            mask = np.zeros(self._snapshot.size, np.bool_)
            mask[self._snapshot.sets["region_type"].documents] = True
            return mask

        typed_ones = self._snapshot.memo.once("typed", typed)
        return int(np.count_nonzero(~typed_ones[self._without("region_type")]))

    def facets(self) -> Mapping[str, Counts]:
        """Return for each facet what its values would find, alone and beside the other conditions."""
        table = table_of(self._snapshot)
        counted = table.counts(self.kept)
        kept = table.ranked(counted)
        counts = {facet: kept.get(facet, ()) for facet in FACETS}
        for facet, values in self._chosen.items():
            counts[facet] = _with(table.ranked_of(facet, table.counts(self._without(facet), facet)), values)
        if self._query.places:
            counts["region"] = self._region_counts()
        counts["year"] = self._year_counts(table, counted)
        return counts

    def pairs(self, first: str, second: str) -> Mapping[tuple[str, str], int]:
        """Return what the values of two facets would find together, instead of those chosen."""
        kept = np.zeros(self._snapshot.size, np.bool_)
        kept[self._keep(first, second)] = True
        found = self._snapshot.sets[second]
        counts: dict[tuple[str, str], int] = {}
        for value in self._snapshot.sets[first].names:
            having = kept & tagged(self._snapshot, first, (value,))
            numbers = np.bincount(found.codes[having[found.documents]], minlength=len(found.names)).tolist()
            counts.update(((value, other), n) for other, n in zip(found.names, numbers, strict=True) if n)
        return counts

    def _region_counts(self) -> Counts:
        sets = self._snapshot.sets["region"]
        mask = np.zeros(self._snapshot.size, np.bool_)
        mask[self._without("region")] = True
        numbers = np.bincount(sets.codes[mask[sets.documents]], minlength=len(sets.names)).tolist()
        found = [(name, number) for name, number in zip(sets.names, numbers, strict=True) if number]
        return _with(tuple(sorted(found, key=lambda pair: (-pair[1], pair[0]))), self._query.regions)

    def _year_counts(self, table: Table, counted: NDArray[np.int64]) -> Counts:
        """Count for each year up to this one what is under way, and for a later one only where it is the chosen one."""
        snapshot, query = self._snapshot, self._query
        documents = self._without("year")
        if "year" in self._conditions:
            counted = table.counts(documents)
        this_year = datetime.now(UTC).year
        first, begun, over = snapshot.memo.once(("years", this_year), lambda: _years(snapshot, table, this_year))
        span = this_year - first + 2
        changes = np.bincount(begun, table.counts_of(BEGUN, counted), span)
        changes -= np.bincount(over, table.counts_of(OVER, counted), span)
        under_way = changes.cumsum()[:-1].astype(np.int64)
        years = under_way.nonzero()[0]
        counts = dict(zip((first + years).tolist(), under_way[years].tolist(), strict=True))
        if query.year_from is not None and query.year_from == query.year_to:
            there = snapshot.overlapping(query.year_from, query.year_to)[documents]
            counts[query.year_from] = int(np.count_nonzero(there))
        return tuple((str(year), number) for year, number in sorted(counts.items()))


def tagged(snapshot: Snapshot, facet: str, values: tuple[str, ...]) -> Mask:
    """Return which documents have any of the values of a facet; deleted ones may be among them."""
    return snapshot.memo.get(("tagged", facet, values), lambda: snapshot.tagged(facet, values))


def _with(counts: Counts, chosen: tuple[str, ...]) -> Counts:
    """Return counts, and none for what was chosen and is not among them."""
    missing = set(chosen).difference(value for value, _ in counts) if chosen else ()
    return counts + tuple((value, 0) for value in sorted(missing))


def _years(snapshot: Snapshot, table: Table, this_year: int) -> tuple[int, Numbers, Numbers]:
    """Return the first year listed, and how far from it are the years in which documents begin, and after they end."""
    known = np.where(snapshot.starts == ALWAYS_BEFORE, snapshot.ends, snapshot.starts)
    first = max(int(known[snapshot.live & snapshot.dated].min(initial=this_year)), this_year - _MOST_YEARS)
    begun = np.clip(table.years(BEGUN), first, this_year + 1) - first
    over = np.clip(table.years(OVER), first - 1, this_year) - first + 1
    return first, begun, over
