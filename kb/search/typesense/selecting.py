"""Filters, and the counts that the reader would get by other filters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

from kb.search.moments import second
from kb.search.port import FACETS, Query
from kb.search.typesense.about import Looking
from kb.search.typesense.conditions import Condition, Number, both, has, overlapping, without, written
from kb.search.typesense.meaning import tagged
from kb.search.typesense.schema import UNDATED, UNTYPED, value_of

Counts = tuple[tuple[str, int], ...]
"""Values with how many documents have each."""

MOST_YEARS = 200
"""Years listed before the current one; an earlier start is a slip of the pen."""

_MOST_VALUES = 100_000  # of a facet

_Later = Callable[[Mapping[str, Any]], None]
"""What is done with an answer."""


class Selection:
    """The filters of a query over the documents that answer it: each by itself, so that any can be left out."""

    def __init__(self, query: Query, answers: Condition) -> None:
        """Raises ValueError for a facet that there is not."""
        self._query = query
        self._answers = answers
        self._chosen = {facet: values for facet, values in query.filters.items() if values}
        if unknown := self._chosen.keys() - set(FACETS):
            raise ValueError(f"no such facet: {', '.join(sorted(unknown))}")
        self._conditions = dict(self._each())

    def _each(self) -> Iterable[tuple[str, Condition]]:
        query = self._query
        for facet, values in self._chosen.items():
            yield facet, tagged(facet, values)
        if query.regions:
            yield "region", tagged("region", query.regions)
        if query.alike is not None:
            yield "alike", tagged("own_region", query.alike)
        if query.not_regions:
            yield "not_regions", without(tagged("region", query.not_regions))
        if query.updated_since:
            yield "updated", Number("updated", second(query.updated_since), at_least=True)
        if (query.year_from, query.year_to) != (None, None):
            yield "year", overlapping(query.year_from, query.year_to)

    def among(self, documents: Condition) -> Condition:
        """Return those of some documents that all conditions keep."""
        return both(documents, *self._conditions.values())

    @property
    def kept(self) -> Condition:
        """What answers the query and is kept by all conditions."""
        return self.among(self._answers)

    def keep(self, *but: str) -> Condition:
        """Return what all conditions keep, but for some."""
        return both(self._answers, *(each for name, each in self._conditions.items() if name not in but))

    def counts(self, looking: Looking) -> dict[str, Any]:
        """Return `facets`, `undated` and `untyped` of a page."""
        query, asked = self._query, _Questions(looking)
        undated = [both(self.keep("year"), has(UNDATED))] if "year" in self._conditions else []
        untyped = both(self.keep("region_type"), has(UNTYPED))
        facets: dict[str, Counts] = {}
        if query.facets:
            asked.facets(self, ("region", *FACETS) if query.places else FACETS, "year")
        found = asked.answered()
        if query.facets:
            names = (*FACETS, "region") if query.places else FACETS
            chosen = {**self._chosen, "region": query.regions}
            facets = {name: _ranked(found[name], chosen.get(name, ())) for name in names}
            facets["year"] = self._years(looking, found)
        counts = looking.counted([untyped, *undated])
        return {"facets": facets, "untyped": counts[0], "undated": sum(counts[1:])}

    def _years(self, looking: Looking, found: Mapping[str, Mapping[str, int]]) -> Counts:
        """Count for each year up to this one what is under way, and for a later one only where it is the chosen one."""
        this_year = datetime.now(UTC).year
        first = max(min(looking.about.first_year, this_year), this_year - MOST_YEARS)
        changes = dict.fromkeys(range(first, this_year + 2), 0)
        for begun, count in found["begun"].items():
            changes[min(max(int(begun), first), this_year + 1)] += count
        for over, count in found["over"].items():
            changes[min(max(int(over) + 1, first), this_year + 1)] -= count
        under_way = accumulate(changes[year] for year in range(first, this_year + 1))
        counts = {year: count for year, count in enumerate(under_way, first) if count}
        chosen = self._query.year_from
        if chosen is not None and chosen == self._query.year_to:
            counts[chosen] = looking.counted([both(self.keep("year"), overlapping(chosen, chosen))])[0]
        return tuple((str(year), count) for year, count in sorted(counts.items()))

    def pairs(self, looking: Looking, first: str, second: str) -> Mapping[tuple[str, str], int]:
        """Return what the values of two facets would find together, instead of those chosen."""
        kept = self.keep(first, second)
        values = list(_counted(looking, [(kept, (first,))])[first])
        answers = [_counted(looking, [(both(kept, tagged(first, (value,))), (second,))])[second] for value in values]
        return {
            (value, other): count
            for value, others in zip(values, answers, strict=True)
            for other, count in others.items()
        }

    def leaves_out(self, name: str) -> bool:
        """Whether there is a condition of this name."""
        return name in self._conditions


class _Questions:
    """Facets to be counted, those among the same documents with one question."""

    def __init__(self, looking: Looking) -> None:
        self._looking = looking
        self._asked: list[tuple[Condition, tuple[str, ...]]] = []

    def facets(self, selection: Selection, names: Sequence[str], years: str) -> None:
        """Count the values of facets, and the years."""
        fields = {name: (name,) for name in names} | {years: ("begun", "over")}
        alike = [each for name, each in fields.items() if not selection.leaves_out(name)]
        self._asked.append((selection.kept, tuple(field for each in alike for field in each)))
        self._asked += [(selection.keep(name), each) for name, each in fields.items() if selection.leaves_out(name)]

    def answered(self) -> dict[str, dict[str, int]]:
        """Return how many documents have each value of each facet."""
        return _counted(self._looking, self._asked)


def _counted(looking: Looking, asked: Sequence[tuple[Condition, tuple[str, ...]]]) -> dict[str, dict[str, int]]:
    searches = [
        {
            "filter_by": written(looking.short(condition)),
            "facet_by": ",".join("regions" if name == "region" else name for name in names),
            "max_facet_values": _MOST_VALUES,
            "per_page": 0,
        }
        for condition, names in asked
        if names
    ]
    counted = {}
    for answer in looking.ask(searches):
        for facet in answer["facet_counts"]:
            name = "region" if facet["field_name"] == "regions" else facet["field_name"]
            counted[name] = {_value(name, each["value"]): each["count"] for each in facet["counts"]}
    return {name: counted.get(name, {}) for _, names in asked for name in names}


def _value(name: str, tokens: str) -> str:
    return tokens if name in ("begun", "over") else value_of(tokens)


def _ranked(counts: Mapping[str, int], chosen: Iterable[str]) -> Counts:
    """Return counts, the highest first, and none for what was chosen and is not among them."""
    listed = {**dict.fromkeys(chosen, 0), **counts}
    return tuple(sorted(listed.items(), key=lambda pair: (-pair[1], pair[0])))
