"""Where practices come from and what is missing: by country and region for the map, theme by country for the gaps.

Every number is the total of a search, counted by the index as the page of results counts it; nothing but the public
versions is in there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.models import Record, RecordRegion
from kb.search.port import SearchEngine
from kb.services import catalogue
from kb.services.query import CatalogueQuery
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
class Coverage:
    """Which themes the practices of which countries touch. `pairs` has those of theme and country that have any.

    `themes` and `countries` say how many practices each has, by any of the other.
    """

    total: int
    themes: Counts
    countries: Counts
    pairs: Mapping[tuple[str, str], int]

    @cached_property
    def having(self) -> Mapping[str, tuple[str, ...]]:
        """For each theme the countries that have it, in the order of `countries`."""
        return {theme: tuple(code for code in self.countries if (theme, code) in self.pairs) for theme in self.themes}

    @cached_property
    def lacking(self) -> Mapping[str, tuple[str, ...]]:
        """For each theme the countries that do not have it, in the order of `countries`."""
        return {
            theme: tuple(code for code in self.countries if code not in held) for theme, held in self.having.items()
        }

    @property
    def empty(self) -> int:
        """How many pairs of theme and country hold no practice."""
        return len(self.themes) * len(self.countries) - len(self.pairs)


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


def coverage(engine: SearchEngine, vocabulary: Vocabulary, query: CatalogueQuery) -> Coverage:
    """Count the practices of a query by theme and country.

    A chosen theme keeps its row alone and a chosen country its column, and each is held against all of the other kind:
    what housing lacks are the countries that have practices of anything else the query asks for.
    """
    page = catalogue.counted(engine, vocabulary, query.without("theme"), pairs=(("theme", "country"),))
    found, here = dict(page.facets["theme"]), dict(page.facets["country"])
    countries = {code: n for code, n in here.items() if (code in query.country if query.country else n)}
    order = sorted(query.theme or vocabulary.themes, key=lambda theme: (-found.get(theme, 0), theme))
    themes = {theme: found.get(theme, 0) for theme in order}
    both = page.pairs["theme", "country"].items()
    pairs = {(theme, code): n for (theme, code), n in both if theme in themes and code in countries}
    total = catalogue.counted(engine, vocabulary, query).total if query.theme else page.total
    return Coverage(total, themes, countries, pairs)


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
