"""Where practices come from and what is missing: by country and region for the map, in tables for the gaps.

Every number is the total of a search, counted by the index as the page of results counts it; nothing but the public
versions is in there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain

from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.models import Evidence, Record, RecordRegion, Status
from kb.search.port import Page, SearchEngine
from kb.services import catalogue
from kb.services.query import CHOICES, CatalogueQuery
from kb.services.vocabularies import Vocabulary

Counts = Mapping[str, int]
"""How many practices each value finds, the highest first."""


@dataclass(frozen=True)
class Places:
    """Where the practices of a query come from. A practice of several countries or regions counts in each of them.

    `regions` are those that a practice names, not those above them; each counts what a search for it finds, so that
    one with practices of its own holds those of its sub-regions too.
    """

    total: int
    partial: bool
    countries: Counts
    regions: Counts


@dataclass(frozen=True)
class Layout:
    """What a table counts: by the values of one facet, its rows, or of two. `name` is what addresses call it."""

    name: str
    rows: str
    columns: str | None = None


LAYOUTS = {
    each.name: each
    for each in (
        Layout("theme-country", "theme", "country"),
        Layout("theme-region-type", "theme", "region_type"),
        Layout("theme-evidence", "theme", "evidence"),
        Layout("target-group-country", "target_group", "country"),
        Layout("evidence", "evidence"),
        Layout("status", "status"),
        Layout("language", "language"),
        Layout("year", "year"),
    )
}
"""Every table, by its name; the first is the one that is meant where none is named."""

MAIN = "theme-country"

OVER = (Status.ENDED, Status.DISCONTINUED)
"""Where a practice stands that goes on no more."""

FROM_OUTSIDE = (Evidence.EXTERNAL_EVALUATION, Evidence.COUNTERFACTUAL)
"""Evidence that is not the body's own."""


@dataclass(frozen=True)
class Table:
    """How many practices of a query have each value of a facet, or of two. `cells` has the pairs that any practice has.

    `rows` say how many practices each value finds whatever the columns say, `columns` likewise, `whole` how many there
    are whatever the rows say. A practice of several themes, target groups or countries counts for each of them.
    `unreported` is how many say nothing of the kind of evidence, or come from regions whose type is not known, where
    the table is about that.
    """

    layout: Layout
    total: int
    whole: int
    rows: Counts
    columns: Counts = field(default_factory=dict)
    cells: Mapping[tuple[str, str], int] = field(default_factory=dict)
    unreported: int | None = None

    @cached_property
    def having(self) -> Mapping[str, tuple[str, ...]]:
        """For each row the columns that have it, in their order."""
        return {row: tuple(each for each in self.columns if (row, each) in self.cells) for row in self.rows}

    @cached_property
    def lacking(self) -> Mapping[str, tuple[str, ...]]:
        """For each row the columns that do not have it, in their order."""
        return {row: tuple(each for each in self.columns if each not in held) for row, held in self.having.items()}

    @property
    def pairs(self) -> int:
        """How many pairs of row and column there are."""
        return len(self.rows) * len(self.columns)

    @property
    def empty(self) -> int:
        """How many pairs of row and column hold no practice."""
        return self.pairs - len(self.cells)

    @property
    def rare(self) -> tuple[str, ...]:
        """The rows that fewer than one column in four has; none where there are hardly any columns."""
        few = len(self.columns) > 3
        return tuple(row for row, held in self.having.items() if few and 4 * len(held) < len(self.columns))


def places(session: Session, engine: SearchEngine, vocabulary: Vocabulary, query: CatalogueQuery) -> Places:
    """Count the practices of a query by country and by region; of chosen countries and regions, these alone."""
    page = catalogue.counted(engine, vocabulary, query, places=True)
    countries = _positive(page.facets["country"], query.country)
    named = _named(session)
    regions = {
        code: count
        for code, count in page.facets["region"]
        if count and code in named and _wanted(code, countries, query, vocabulary)
    }
    return Places(page.total, page.partial, countries, regions)


def _named(session: Session) -> frozenset[str]:
    """The codes of regions that any public practice names."""
    codes = (session.scalars(select(table.region_code).distinct()) for table in (Record, RecordRegion))
    return frozenset(code for code in chain.from_iterable(codes) if code)


def _wanted(code: str, countries: Counts, query: CatalogueQuery, vocabulary: Vocabulary) -> bool:
    """Whether a region is below a country that is counted, and in a chosen region where any is chosen."""
    region = vocabulary.regions.get(code)
    if region is None or region.level == 0 or region.country not in countries:
        return False
    return not query.region or not set(query.region).isdisjoint(vocabulary.lineage(code))


def tables(
    engine: SearchEngine, vocabulary: Vocabulary, query: CatalogueQuery, names: Iterable[str] = tuple(LAYOUTS)
) -> Mapping[str, Table]:
    """Count the practices of a query for tables of LAYOUTS, in as few questions to the index as there can be.

    A chosen value of the rows keeps its row alone and one of the columns its column, and rows are held against all
    columns: what housing lacks are the countries that have practices of anything else the query asks for.
    """
    layouts = [LAYOUTS[name] for name in names]
    asked: dict[CatalogueQuery, list[tuple[str, str]]] = {query: []}
    for each in layouts:
        pairs = asked.setdefault(_against(query, each), [])
        pairs += [(each.rows, each.columns)] if each.columns else []
    pages = {each: catalogue.counted(engine, vocabulary, each, pairs=tuple(pairs)) for each, pairs in asked.items()}
    total = pages[query].total
    return {each.name: _table(each, total, pages[_against(query, each)], query, vocabulary) for each in layouts}


def _against(query: CatalogueQuery, layout: Layout) -> CatalogueQuery:
    """What the columns of a table are counted of."""
    return query.without(layout.rows) if layout.columns else query


def _table(layout: Layout, total: int, page: Page, query: CatalogueQuery, vocabulary: Vocabulary) -> Table:
    rows = _values(layout.rows, dict(page.facets[layout.rows]), query, vocabulary)
    unreported = _unreported(layout.columns or layout.rows, page, query)
    if layout.columns is None:
        return Table(layout, total, page.total, rows, unreported=unreported)
    columns = _values(layout.columns, dict(page.facets[layout.columns]), query, vocabulary)
    found = page.pairs[layout.rows, layout.columns].items()
    cells = {(row, column): n for (row, column), n in found if row in rows and column in columns}
    return Table(layout, total, page.total, rows, columns, cells, unreported)


def _values(facet: str, found: Counts, query: CatalogueQuery, vocabulary: Vocabulary) -> Counts:
    """The values of a facet that a table has, with their counts: terms the most frequent first, those of a fixed list
    in its order, the latest year first; of countries and languages those that have any practice.
    """
    if facet == "year":
        first, last = query.year_from or 0, query.year_to or 9999
        return {year: found[year] for year in sorted(found, key=int, reverse=True) if first <= int(year) <= last}
    chosen: tuple[str, ...] = getattr(query, facet)
    if facet in ("theme", "target_group"):
        terms = chosen or (vocabulary.themes if facet == "theme" else vocabulary.target_groups)
        return {term: found.get(term, 0) for term in sorted(terms, key=lambda term: (-found.get(term, 0), term))}
    if facet in ("region_type", "evidence", "status"):
        return {value: found.get(value, 0) for value in map(str, CHOICES[facet]) if not chosen or value in chosen}
    return {value: n for value, n in found.items() if (value in chosen if chosen else n)}


def _unreported(facet: str, page: Page, query: CatalogueQuery) -> int | None:
    """How many practices have no value of a facet that not all have; None where all have one, or one was chosen."""
    if facet == "evidence" and not query.evidence:
        return page.total - sum(count for _, count in page.facets["evidence"])
    if facet == "region_type" and not query.region_type:
        return page.untyped
    return None


def _positive(counts: tuple[tuple[str, int], ...], chosen: tuple[str, ...]) -> dict[str, int]:
    """The values that find anything, of chosen ones these alone."""
    return {value: count for value, count in counts if count and (not chosen or value in chosen)}


def steps(most: int) -> tuple[int, int]:
    """The highest number of the first and of the second of three shades, for numbers up to `most`: equal ratios.

    Where a third or a second shade is not needed, bounds are alike, or `most` itself.
    """
    first, second = (int(most ** (n / 3) + 1e-9) for n in (1, 2))
    return max(1, first), max(1, second)


def step(number: int, most: int) -> int:
    """The shade of a number: 0 for none, then 1 to 3."""
    return int(number > 0) + sum(number > bound for bound in steps(most))
