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
from kb.search.question import Question, Tagged, Years
from kb.search.whoosh.codec import Files
from kb.search.whoosh.schema import NUMBERED, SCHEMA, Record
from kb.search.whoosh.store import Store
from kb.search.whoosh.trees import OfRecords, Recorded, Trees, overlaps, trees
from kb.search.whoosh.writing import segments_of

_MOST_YEARS = 200

Values = Callable[[Record], Iterable[Any]]
"""What a record is counted for."""


class Reference:
    """The live index of a folder, as it is now. Raises IndexLost where there is none. Not for several threads."""

    def __init__(self, folder: Path) -> None:
        manifest = Store(folder).current()
        path = folder / manifest.folder
        segments = segments_of(path, manifest.generation)
        self._reader = FileIndex._reader(Files(path), SCHEMA, segments, manifest.generation)
        self._searcher = Searcher(self._reader, weighting=Frequency())
        self._languages = frozenset(language for _, record in self._records() for language in record.languages)

    def close(self) -> None:
        """Give back the files."""
        self._searcher.close()

    def search(self, query: Query) -> Page:
        """Answer a query, without corrections; hits have neither a score nor what they matched.

        Hits are in the order asked for; those of `relevance` in no order of any meaning, where there are words to look
        for. Raises ValueError for a sort or a facet that there is not.
        """
        if query.sort not in SORTS:
            raise ValueError(f"no such sort: {query.sort}")
        asked = self.trees(query.question)
        empty = not self._any(asked.some)
        partial = not empty and not self._any(asked.full)
        counted = asked.some if partial else asked.full
        selection = _Selection(query)
        found = self._ordered(selection.keep(counted), query)
        rest = [] if partial else self._ordered(selection.keep(_less(asked.some, asked.full)), query)
        last_page = query.offset <= max(0, len(found) - 1) < query.offset + query.limit
        hits = found[query.offset : query.offset + query.limit] + rest[: query.partial_limit * last_page]
        return Page(
            total=len(found),
            hits=tuple(Hit(record.id, record.slug, 0.0) for record in hits),
            partial=partial,
            facets=self._facets(query, selection, counted) if query.facets else {},
            pairs=self._pairs(selection, counted, *query.pairs) if query.pairs else {},
            undated=self._undated(selection, counted),
            untyped=self._untyped(selection, counted),
            empty=empty,
            expansions=tuple(e for e in query.question.expansions if self._any(Recorded(Tagged(e.facet, e.values)))),
            unknown=self._unknown(query.question, asked),
        )

    def literal(self, question: Question) -> frozenset[str]:
        """Return the ids of the documents in which all the words of a question stand, whatever else they mean.

        Of a loose one, the ids of those that answer it.
        """
        asked = self.trees(question)
        tree = asked.some if question.loose else whoosh.And([whoosh.Every(), *asked.clauses])
        return frozenset(Record(*hit["record"]).id for hit in self._searcher.search(tree, limit=None, scored=False))

    def trees(self, question: Question) -> Trees:
        """Return a question as Whoosh's queries, for this index."""
        return trees(question, self._languages, lambda word: ("words", word) in self._reader)

    def _records(self) -> Iterable[tuple[int, Record]]:
        return ((number, Record(*fields["record"])) for number, fields in self._reader.iter_docs())

    def _any(self, tree: whoosh.Query) -> bool:
        return not self._searcher.search(tree, limit=1, scored=False).is_empty()

    def _ordered(self, tree: whoosh.Query, query: Query) -> list[Record]:
        results = self._searcher.search(tree, limit=None, scored=False)
        records = sorted((Record(*hit["record"]) for hit in results), key=lambda record: (record.title, record.id))
        orders: Mapping[str, Callable[[Record], Any]] = {
            "newest": lambda record: record.published,
            "relevance": lambda record: record.published,
            "updated": lambda record: record.updated,
            "adopted": lambda record: record.adopted,
        }
        if query.sort in orders:
            records.sort(key=orders[query.sort], reverse=True)
        return records

    def _counts(self, tree: whoosh.Query, values: Mapping[str, Values]) -> Mapping[str, Mapping[Any, int]]:
        facets = Facets()
        for name, of in values.items():
            facets.add_facet(name, _Counted(of))
        results = self._searcher.search(tree, limit=None, scored=False, groupedby=facets, maptype=Count)
        return {name: results.groups(name) for name in values}

    def _facets(self, query: Query, selection: _Selection, counted: whoosh.Query) -> Mapping[str, Any]:
        names = (*FACETS, "region") if query.places else FACETS
        chosen = {**query.filters, "region": query.regions}
        alike = [name for name in names if name not in selection.conditions]
        found = dict(self._counts(selection.keep(counted), {name: _values(name) for name in alike}))
        for name in set(names).difference(alike):
            found |= self._counts(selection.keep(counted, name), {name: _values(name)})
        facets = {
            name: tuple(sorted({**dict.fromkeys(chosen.get(name, ()), 0), **found[name]}.items(), key=_most_first))
            for name in names
        }
        return {**facets, "year": self._years(query, selection.keep(counted, "year"))}

    def _years(self, query: Query, tree: whoosh.Query) -> tuple[tuple[str, int], ...]:
        this_year = datetime.now(UTC).year
        known = [record.end_year if record.start_year is None else record.start_year for _, record in self._records()]
        first = max(min([this_year, *(year for year in known if year is not None)]), this_year - _MOST_YEARS)
        listed = [*range(first, this_year + 1)]
        if query.year_from is not None and query.year_from == query.year_to:
            listed = sorted({*listed, query.year_from})
        found = self._counts(tree, {"year": lambda r: [year for year in listed if overlaps(r, year, year)]})["year"]
        chosen = query.year_from if query.year_from == query.year_to else None
        return tuple((str(year), found.get(year, 0)) for year in listed if year == chosen or found.get(year))

    def _pairs(
        self, selection: _Selection, counted: whoosh.Query, first: str, second: str
    ) -> Mapping[tuple[str, str], int]:
        firsts, seconds = _values(first), _values(second)
        tree = selection.keep(counted, first, second)
        return dict(self._counts(tree, {"pair": lambda r: [(a, b) for a in firsts(r) for b in seconds(r)]})["pair"])

    def _undated(self, selection: _Selection, counted: whoosh.Query) -> int:
        if "year" not in selection.conditions:
            return 0
        return self._number(_less(selection.keep(counted, "year"), Recorded(Years(None, None))))

    def _untyped(self, selection: _Selection, counted: whoosh.Query) -> int:
        of = _values("region_type")
        found = self._counts(selection.keep(counted, "region_type"), {"typed": lambda r: [bool(of(r))]})["typed"]
        return found.get(False, 0)

    def _number(self, tree: whoosh.Query) -> int:
        return len(self._searcher.search(tree, limit=None, scored=False))

    def _unknown(self, question: Question, asked: Trees) -> tuple[str, ...]:
        meant = {
            i
            for each in question.expansions
            if self._any(Recorded(Tagged(each.facet, each.values)))
            for i in range(each.start, each.end)
        }
        clauses = enumerate(zip(question.clauses, asked.clauses, strict=True))
        return tuple(fold(clause.word) for i, (clause, tree) in clauses
                     if clause.word and i not in meant and not self._any(tree))  # fmt: skip


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
        if query.updated_since:
            self.conditions["updated"] = _UpdatedSince(query.updated_since)
        if (query.year_from, query.year_to) != (None, None):
            self.conditions["year"] = Recorded(Years(query.year_from, query.year_to))

    def keep(self, tree: whoosh.Query, *but: str) -> whoosh.Query:
        """Return what all conditions keep, or all but some."""
        return whoosh.And([tree, *(condition for name, condition in self.conditions.items() if name not in but)])


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


def _less(tree: whoosh.Query, other: whoosh.Query) -> whoosh.Query:
    return whoosh.And([tree, whoosh.Not(other)])
