"""Plain Whoosh: a query answered by Whoosh's own matchers, collectors and facet maps, from the same files.

It is slow, and nobody asks it but tests and `bench`: the engine has to find what this finds, and count what this
counts. It does not rank as the engine does, and corrects nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from whoosh import query as whoosh
from whoosh.index import FileIndex
from whoosh.scoring import Frequency
from whoosh.searching import Searcher
from whoosh.sorting import Categorizer, Count, Facets, FacetType

from kb.search.language import fold
from kb.search.port import FACETS, SORTS, Hit, Page, Query
from kb.search.question import Expansion, Question, Tagged, Years
from kb.search.whoosh.codec import Files
from kb.search.whoosh.schema import FIELDS, NUMBERED, SCHEMA, Record
from kb.search.whoosh.store import Store
from kb.search.whoosh.trees import OfRecords, Recorded, Trees, fields, overlaps, trees
from kb.search.whoosh.writing import segments_of

_MOST_YEARS = 200

Values = Callable[[Record], Iterable[Any]]
"""What a record is counted for."""

Documents = set[int]
"""Whoosh's numbers of documents."""


class Reference:
    """The live index of a folder, as it is now. Raises IndexLost where there is none. Not for several threads."""

    def __init__(self, folder: Path) -> None:
        manifest = Store(folder).current()
        path = folder / manifest.folder
        segments = segments_of(path, manifest.generation)
        self._reader = FileIndex._reader(Files(path), SCHEMA, segments, manifest.generation)
        self._searcher = Searcher(self._reader, weighting=Frequency())
        self._languages = frozenset(language for record in self._records() for language in record.languages)

    def close(self) -> None:
        """Give back the files."""
        self._searcher.close()

    def search(self, query: Query) -> Page:
        """Answer a query, without corrections and scores.

        Hits are in the order asked for; those of `relevance` in no order of any meaning, where there are words to look
        for. Raises ValueError for a sort or a facet that there is not.
        """
        if query.sort not in SORTS:
            raise ValueError(f"no such sort: {query.sort}")
        asked = self.trees(query.question)
        some, full = self._found(asked.some), self._found(asked.full)
        partial = bool(some and not full)
        counted = some if partial else full
        selection = _Selection(query)
        found = self._ordered(self._found(selection.tree(), counted), query)
        rest = [] if partial else self._ordered(self._found(selection.tree(), some - full), query)
        ends_here = query.offset <= max(0, len(found) - 1) < query.offset + query.limit
        hits = found[query.offset : query.offset + query.limit] + rest[: query.partial_limit * ends_here]
        return Page(
            total=len(found),
            hits=tuple(self._hit(number, query.question, asked) for number in hits),
            partial=partial,
            facets=self._facets(query, selection, counted) if query.facets else {},
            pairs={each: self._pairs(selection, counted, *each) for each in query.pairs},
            undated=self._undated(selection, counted),
            untyped=self._untyped(selection, counted),
            empty=not some,
            expansions=self._meanings(query.question),
            unknown=self._unknown(query.question, asked),
        )

    def literal(self, question: Question) -> frozenset[str]:
        """Return the ids of the documents in which all the words of a question stand, whatever else they mean.

        Of a loose one, the ids of those that answer it.
        """
        asked = self.trees(question)
        tree = asked.some if question.loose else whoosh.And([whoosh.Every(), *asked.clauses])
        return frozenset(self._record(number).id for number in self._found(tree))

    def trees(self, question: Question) -> Trees:
        """Return a question as Whoosh's queries, for this index."""
        return trees(question, self._languages, lambda word: ("words", word) in self._reader)

    def _record(self, number: int) -> Record:
        return Record(*self._reader.stored_fields(number)["record"])

    def _records(self) -> Iterable[Record]:
        return map(self._record, self._reader.all_doc_ids())

    def _search(self, tree: whoosh.Query, within: Documents | None = None, **more: Any) -> Any:
        if within is not None and not within:
            tree = whoosh.NullQuery  # Whoosh takes an empty filter for none
        return self._searcher.search(tree, limit=None, scored=False, filter=within, **more)

    def _found(self, tree: whoosh.Query, within: Documents | None = None) -> Documents:
        return set(self._search(tree, within).docs())

    def _hit(self, number: int, question: Question, asked: Trees) -> Hit:
        record = self._record(number)
        leaves = (leaf for leaf in self._searcher.leaf_searchers() if leaf[1] <= number)
        searcher, base = max(leaves, key=lambda leaf: leaf[1])
        held = frozenset[str]().union(*(fields(tree, searcher, number - base) for tree in asked.clauses))
        meant = (e.facet for e in question.expansions if Recorded(Tagged(e.facet, e.values)).suits(record))
        matched = tuple(dict.fromkeys([*filter(held.__contains__, FIELDS), *meant]))
        return Hit(record.id, record.slug, 0.0, matched, record.adopted)

    def _ordered(self, numbers: Documents, query: Query) -> list[int]:
        ordered = sorted(numbers, key=lambda number: (self._record(number).title, self._record(number).id))
        orders: Mapping[str, Callable[[Record], Any]] = {
            "newest": lambda record: record.published,
            "relevance": lambda record: record.published,
            "updated": lambda record: record.updated,
            "adopted": lambda record: record.adopted,
        }
        if query.sort in orders:
            ordered.sort(key=lambda number: orders[query.sort](self._record(number)), reverse=True)
        if query.alike is not None and query.sort == "relevance" and not query.question.clauses:
            ordered.sort(key=lambda number: _likeness(self._record(number), query.alike or {}), reverse=True)
        return ordered

    def _counts(self, tree: whoosh.Query, within: Documents, values: Mapping[str, Values]) -> dict[str, dict[Any, int]]:
        facets = Facets()
        for name, of in values.items():
            facets.add_facet(name, _Counted(of))
        results = self._search(tree, within, groupedby=facets, maptype=Count)
        return {name: dict(results.groups(name)) for name in values}

    def _facets(self, query: Query, selection: _Selection, within: Documents) -> Mapping[str, Any]:
        names = (*FACETS, "region") if query.places else FACETS
        chosen = {**query.filters, "region": query.regions}
        alike = [name for name in names if name not in selection.conditions]
        found = self._counts(selection.tree(), within, {name: _values(name) for name in alike})
        for name in set(names).difference(alike):
            found |= self._counts(selection.tree(name), within, {name: _values(name)})
        facets = {
            name: tuple(sorted({**dict.fromkeys(chosen.get(name, ()), 0), **found[name]}.items(), key=_most_first))
            for name in names
        }
        return {**facets, "year": self._years(query, selection, within)}

    def _years(self, query: Query, selection: _Selection, within: Documents) -> tuple[tuple[str, int], ...]:
        this_year = datetime.now(UTC).year
        known = [record.end_year if record.start_year is None else record.start_year for record in self._records()]
        first = max(min([this_year, *(year for year in known if year is not None)]), this_year - _MOST_YEARS)
        chosen = query.year_from if query.year_from == query.year_to else None
        listed = sorted({*range(first, this_year + 1), *([] if chosen is None else [chosen])})
        values: Values = lambda record: [year for year in listed if overlaps(record, year, year)]  # noqa: E731 (its type says more)
        found = self._counts(selection.tree("year"), within, {"year": values})["year"]
        return tuple((str(year), found.get(year, 0)) for year in listed if year == chosen or found.get(year))

    def _pairs(
        self, selection: _Selection, within: Documents, first: str, second: str
    ) -> Mapping[tuple[str, str], int]:
        firsts, seconds = _values(first), _values(second)
        values: Values = lambda record: [(a, b) for a in firsts(record) for b in seconds(record)]  # noqa: E731 (its type says more)
        return self._counts(selection.tree(first, second), within, {"pair": values})["pair"]

    def _undated(self, selection: _Selection, within: Documents) -> int:
        if "year" not in selection.conditions:
            return 0
        return len(self._found(_less(selection.tree("year"), Recorded(Years(None, None))), within))

    def _untyped(self, selection: _Selection, within: Documents) -> int:
        types = _values("region_type")
        values: Values = lambda record: [bool(types(record))]  # noqa: E731 (its type says more)
        return self._counts(selection.tree("region_type"), within, {"typed": values})["typed"].get(False, 0)

    def _meanings(self, question: Question) -> tuple[Expansion, ...]:
        return tuple(each for each in question.expansions if self._found(Recorded(Tagged(each.facet, each.values))))

    def _unknown(self, question: Question, asked: Trees) -> tuple[str, ...]:
        meant = {i for each in self._meanings(question) for i in range(each.start, each.end)}
        clauses = enumerate(zip(question.clauses, asked.clauses, strict=True))
        return tuple(fold(clause.word) for i, (clause, tree) in clauses
                     if clause.word and i not in meant and not self._found(tree))  # fmt: skip


class _Selection:
    """The filters of a query, each a tree of its own, so that any of them can be left out."""

    def __init__(self, query: Query) -> None:
        chosen = {facet: values for facet, values in query.filters.items() if values}
        if unknown := chosen.keys() - set(FACETS):
            raise ValueError(f"no such facet: {', '.join(sorted(unknown))}")
        self.conditions: dict[str, whoosh.Query] = {
            facet: Recorded(Tagged(facet, values)) for facet, values in chosen.items()
        }
        if query.regions:
            self.conditions["region"] = Recorded(Tagged("region", query.regions))
        if query.alike is not None:
            self.conditions["alike"] = Recorded(Tagged("own_region", tuple(query.alike)))
        if query.not_regions:
            self.conditions["not_regions"] = whoosh.Not(Recorded(Tagged("region", query.not_regions)))
        if query.updated_since:
            self.conditions["updated"] = _UpdatedSince(query.updated_since)
        if (query.year_from, query.year_to) != (None, None):
            self.conditions["year"] = Recorded(Years(query.year_from, query.year_to))

    def tree(self, *but: str) -> whoosh.Query:
        """Return what all conditions keep, or all but some."""
        kept = (condition for name, condition in self.conditions.items() if name not in but)
        return whoosh.And([whoosh.Every(), *kept])


class _UpdatedSince(OfRecords):
    def __init__(self, moment: str) -> None:
        self._moment = moment

    def suits(self, record: Record) -> bool:
        return record.updated >= self._moment


class _Counted(FacetType):  # type: ignore[misc]
    """Counts documents by what a function says of their records."""

    maptype = Count

    def __init__(self, values: Values) -> None:
        self._values = values

    def categorizer(self, searcher: Searcher) -> Categorizer:
        return _ByRecord(self._values)


class _ByRecord(Categorizer):  # type: ignore[misc]
    allow_overlap = True

    def __init__(self, values: Values) -> None:
        self._values = values
        self._searcher: Any = None

    def set_searcher(self, segment_searcher: Any, docoffset: int) -> None:
        self._searcher = segment_searcher

    def keys_for(self, matcher: Any, segment_docnum: int) -> Iterable[Any]:
        return self._values(Record(*self._searcher.stored_fields(segment_docnum)["record"]))


def _most_first(pair: tuple[str, int]) -> tuple[int, str]:
    return -pair[1], pair[0]


def _values(facet: str) -> Values:
    place = NUMBERED.index(facet)
    return lambda record: record.values[place]


def _likeness(record: Record, alike: Mapping[str, int]) -> int:
    return max((alike[code] for code in record.values[NUMBERED.index("own_region")] if code in alike), default=0)


def _less(tree: whoosh.Query, other: whoosh.Query) -> whoosh.Query:
    return whoosh.And([tree, whoosh.Not(other)])
