"""Filters, and the counts that the reader would get by other filters: masks over the documents of a snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np

from kb.search.port import FACETS, Query
from kb.search.whoosh.segment import ALWAYS_BEFORE
from kb.search.whoosh.snapshot import Mask, Snapshot

_MOST_YEARS = 200  # listed before the current one; an earlier start is a slip of the pen

Counts = tuple[tuple[str, int], ...]


class Selection:
    """The filters of a query, each a mask of its own, so that any of them can be left out."""

    def __init__(self, snapshot: Snapshot, query: Query) -> None:
        self._snapshot = snapshot
        self._query = query
        self._chosen = {facet: values for facet, values in query.filters.items() if values}
        if unknown := self._chosen.keys() - set(FACETS):
            raise ValueError(f"no such facet: {', '.join(sorted(unknown))}")
        self._conditions = {facet: snapshot.tagged(facet, values) for facet, values in self._chosen.items()}
        if query.regions:
            self._conditions["region"] = snapshot.tagged("region", query.regions)
        if query.updated_since:
            self._conditions["updated"] = snapshot.updated >= query.updated_since.encode("ascii", "replace")
        if (query.year_from, query.year_to) != (None, None):
            self._conditions["year"] = snapshot.overlapping(query.year_from, query.year_to)

    def keep(self, documents: Mask, *, but: str | None = None, nor: str | None = None) -> Mask:
        """Return those of `documents` that all conditions keep, or all `but` one, or two."""
        for name, mask in self._conditions.items():
            if name not in (but, nor):
                documents = documents & mask
        return documents

    def undated(self, documents: Mask) -> int:
        """Return how many of `documents` only the range of years leaves out, and only for want of dates."""
        if "year" not in self._conditions:
            return 0
        return int((self.keep(documents, but="year") & ~self._snapshot.dated).sum())

    def untyped(self, documents: Mask) -> int:
        """Return how many of `documents` that the other conditions keep are from regions whose type is not known."""
        typed = np.zeros(self._snapshot.size, np.bool_)
        typed[self._snapshot.sets["region_type"].documents] = True
        return int((self.keep(documents, but="region_type") & ~typed).sum())

    def facets(self, documents: Mask) -> Mapping[str, Counts]:
        """Return for each facet what its values would find among `documents`, alone and beside the other conditions."""
        kept = self.keep(documents)
        counts: dict[str, Counts] = {}
        for facet in (*FACETS, "region") if self._query.places else FACETS:
            others = self.keep(documents, but=facet) if facet in self._conditions else kept
            counts[facet] = self._value_counts(facet, others)
        counts["year"] = self._year_counts(self.keep(documents, but="year"))
        return counts

    def pairs(self, documents: Mask, first: str, second: str) -> Mapping[tuple[str, str], int]:
        """Return what the values of two facets would find among `documents` together, instead of those chosen."""
        kept = self.keep(documents, but=first, nor=second)
        found = self._snapshot.sets[second]
        counts: dict[tuple[str, str], int] = {}
        for value in self._snapshot.sets[first].names:
            having = kept & self._snapshot.tagged(first, (value,))
            numbers = np.bincount(found.codes[having[found.documents]], minlength=len(found.names)).tolist()
            counts.update(((value, other), n) for other, n in zip(found.names, numbers, strict=True) if n)
        return counts

    def _value_counts(self, facet: str, documents: Mask) -> Counts:
        sets = self._snapshot.sets[facet]
        numbers = np.bincount(sets.codes[documents[sets.documents]], minlength=len(sets.names)).tolist()
        chosen = self._query.regions if facet == "region" else self._chosen.get(facet, ())
        counts = dict.fromkeys(chosen, 0)
        counts.update((name, number) for name, number in zip(sets.names, numbers, strict=True) if number)
        return tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))

    def _year_counts(self, documents: Mask) -> Counts:
        """Count for each year up to this one what is under way, and for a later one only where it is the chosen one."""
        snapshot, query = self._snapshot, self._query
        this_year = datetime.now(UTC).year
        known = np.where(snapshot.starts == ALWAYS_BEFORE, snapshot.ends, snapshot.starts)[
            snapshot.live & snapshot.dated
        ]
        first = max(int(known.min(initial=this_year)), this_year - _MOST_YEARS)
        dated = documents & snapshot.dated & (snapshot.starts <= snapshot.ends)
        starts = np.clip(snapshot.starts[dated], first, this_year + 1) - first
        ends = np.clip(snapshot.ends[dated], first - 1, this_year) - first
        begun = np.bincount(starts, minlength=this_year - first + 2)
        over = np.bincount(ends + 1, minlength=this_year - first + 2)
        under_way = np.cumsum(begun - over).tolist()[:-1]
        counts = {first + i: number for i, number in enumerate(under_way) if number}
        if query.year_from is not None and query.year_from == query.year_to:
            counts[query.year_from] = int((documents & snapshot.overlapping(query.year_from, query.year_to)).sum())
        return tuple((str(year), number) for year, number in sorted(counts.items()))
