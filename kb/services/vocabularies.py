"""The vocabularies in memory: themes, target groups, regions and countries, with names in the reader's language."""

from __future__ import annotations

import difflib
import threading
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, TypeVar

from babel import Locale
from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from kb.models import (
    Generation,
    Region,
    RegionFigure,
    RegionMeasure,
    RegionSuccessor,
    RegionType,
    TargetGroup,
    Theme,
)
from kb.services.merged_terms import TermSuccessors, term_successors

Named = TypeVar("Named")

LOCAL = "local"
"""The edition of regions that are in no statistical list."""

GENERATION = "vocabulary"

COUNTRY_ALIASES = {"EL": "GR", "UK": "GB"}
"""Eurostat's own codes for two countries, read as the ISO codes that the record holds."""

# Codes that CLDR lists beside countries: groupings, exceptional reservations, placeholders.
_NOT_COUNTRIES = frozenset("AC CP CQ DG EA EU EZ IC QO TA UN XA XB ZZ".split())

# Members of the Council of Europe (or neighbours of one) for which there is no statistical region.
_EUROPE_WITHOUT_REGIONS = frozenset("AD AM AZ BY GE MC SM VA".split())


@dataclass(frozen=True, slots=True)
class TermInfo:
    """A theme or target group: its slug, scope note, and labels and synonyms by language."""

    slug: str
    label: str
    scope_note: str
    labels: Mapping[str, str]
    synonyms: Mapping[str, list[str]]
    mappings: Mapping[str, list[str]] = field(default_factory=dict)

    def name(self, language: str) -> str:
        """The label in a language, in English where there is none."""
        return self.labels.get(language) or self.label


@dataclass(frozen=True, slots=True)
class RegionInfo:
    """A region: its code and edition, where it belongs, its names, its centre, its types, its synonyms by language.

    `types` are those that are known to apply; `urban_type`, `mountain`, `coast` and `border` say what is known of each,
    None where nothing is. `lon` and `lat` are degrees.
    """

    code: str
    edition: str
    level: int
    country: str
    parent: str | None
    name_en: str | None
    name_native: str
    name_latin: str
    lon: float | None
    lat: float | None
    types: tuple[str, ...]
    urban_type: str | None = None
    mountain: bool | None = None
    coast: bool | None = None
    border: bool | None = None
    synonyms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Its names in English, its own language and Latin letters; synonyms are no names."""
        return tuple(name for name in (self.name_en, self.name_native, self.name_latin) if name)

    def called(self, text: str) -> str | None:
        """The synonym by which a text finds the region, or None where one of its names says it already."""
        wanted = fold(text)
        if any(wanted in fold(name) for name in self.names):
            return None
        found = [name for names in self.synonyms.values() for name in names if wanted in fold(name)]
        return min(found, key=lambda name: (not fold(name).startswith(wanted), len(name)), default=None)


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """All vocabularies as they stood at one generation. Immutable, shared by all threads of a process.

    `figures` are those that the operator loaded, by region and measure (see `RegionMeasure` for units).
    """

    generation: int
    themes: Mapping[str, TermInfo]
    target_groups: Mapping[str, TermInfo]
    regions: Mapping[str, RegionInfo]
    successors: Mapping[str, tuple[str, ...]]
    term_successors: TermSuccessors = field(default_factory=dict)
    figures: Mapping[str, Mapping[RegionMeasure, float]] = field(default_factory=dict)

    def current(self, key: str, slug: str) -> str:
        """What a slug means today: itself, or what it was merged into. `key` is the record's: themes, target_groups."""
        return self.term_successors.get(key, {}).get(slug, slug)

    @cached_property
    def children(self) -> Mapping[str, tuple[str, ...]]:
        """The codes directly below a region."""
        below: dict[str, list[str]] = {}
        for region in self.regions.values():
            if region.parent:
                below.setdefault(region.parent, []).append(region.code)
        return {code: tuple(sorted(codes)) for code, codes in below.items()}

    def lineage(self, code: str) -> Iterator[str]:
        """The code itself and every region above it, up to the country."""
        step: str | None = code
        while step is not None:
            yield step
            step = self.regions[step].parent

    def place(self, code: str) -> str:
        """The one code for a place that stands at several levels: Navarra is ES22, not ES220; Berlin DE30, not DE3.

        That is the local code where there is one, else that of level 2, which regional policy goes by and records use.
        """
        return self._place_of.get(code, code)

    @cached_property
    def _place_of(self) -> Mapping[str, str]:
        """The one code by every code of a place: a region that is the only part of another is that other."""
        found: dict[str, str] = {}
        for region in self.regions.values():
            only = self.children.get(region.code, ())
            if region.level and len(only) == 1 and region.code not in found:
                codes = [region.code, *only]
                while len(below := self.children.get(codes[-1], ())) == 1:
                    codes += below
                known = min(
                    map(self.regions.__getitem__, codes), key=lambda it: (it.edition != LOCAL, abs(it.level - 2))
                )
                found |= dict.fromkeys(codes, known.code)
        return found

    def country_region(self, country: str) -> str | None:
        """The region code of a whole country (`EL` for GR), or None where there is none."""
        return self._country_regions.get(country)

    @cached_property
    def _country_regions(self) -> Mapping[str, str]:
        return {region.country: region.code for region in self.regions.values() if region.level == 0}

    @cached_property
    def european(self) -> tuple[str, ...]:
        """Countries that the form offers."""
        return tuple(sorted(set(self._country_regions) | _EUROPE_WITHOUT_REGIONS))

    def region_name(self, code: str, language: str = "en") -> str:
        """A region's name for the reader: English where the page is and one exists, else its own, in Latin letters."""
        region = self.regions[code]
        if region.level == 0:
            return country_name(region.country, language)
        return (region.name_en if language == "en" else None) or region.name_latin

    def region_title(self, code: str | None, language: str = "en") -> str | None:
        """A region as a form shows it, by name and code; what is no code stays as it was typed."""
        region = self.regions.get(code) if code else None
        return f"{self.region_name(region.code, language)} ({code})" if region else code

    def known_code(self, text: str) -> str | None:
        """A region's code as the list writes it, from one in whichever letters; None where the list has none such."""
        return next((code for code in (text, text.upper(), text.lower()) if code in self.regions), None)

    def find_region(self, text: str) -> str | None:
        """The code that a person means by a code or a name, or None where no region or more than one is meant.

        A name means the one code of a place (see `place`), a code itself: a record may say ES220, “Navarra” is ES22.
        """
        code = text.strip()
        if "(" in code and code.endswith(")"):  # "Syddanmark (DK03)", as the list offers it
            code = code[code.rindex("(") + 1 : -1].strip()
        if (known := self.known_code(code)) is not None:
            return known
        if code.upper() in self.successors:
            after = self.successors[code.upper()]
            return after[0] if len(after) == 1 else None
        return self._by_name.get(fold(text))

    def find_place(self, text: str) -> str | None:
        """As `find_region`, but the one code of the place in any case: for the region of a person or council."""
        code = self.find_region(text)
        return self.place(code) if code else None

    @cached_property
    def _by_name(self) -> Mapping[str, str]:
        """Codes by folded name or synonym; what is a name of one region is not read as another's synonym."""
        meant = {**self._bearers(self.folded_synonyms), **self._bearers(self.folded_names)}
        return {name: self.place(code) for name, code in meant.items() if code is not None}

    @cached_property
    def folded_names(self) -> Mapping[str, frozenset[str]]:
        """The names of each region, folded."""
        return {code: frozenset(map(fold, region.names)) for code, region in self.regions.items()}

    @cached_property
    def folded_synonyms(self) -> Mapping[str, frozenset[str]]:
        """The synonyms of each region, folded."""
        return {
            code: frozenset(fold(name) for names in region.synonyms.values() for name in names)
            for code, region in self.regions.items()
        }

    def _bearers(self, names: Mapping[str, Iterable[str]]) -> Mapping[str, str | None]:
        """Codes by folded name. A place often bears its name at several levels: the highest below the country wins.

        None is the code of a name that several regions bear of which none contains the others.
        """
        found: dict[str, str | None] = {}
        for region in sorted(self.regions.values(), key=lambda each: (each.level, each.code)):
            for name in names[region.code] if region.level else ():
                first = found.setdefault(name, region.code)
                if first is None or first not in self.lineage(region.code):
                    found[name] = None
        return found

    def similar_regions(self, text: str, country: str | None = None) -> list[str]:
        """Up to three codes whose names resemble what was typed, for "did you mean"."""
        names = {
            name: code
            for name, code in self._by_name.items()
            if country is None or self.regions[code].country == country
        }
        wanted = fold(text)
        close = difflib.get_close_matches(wanted, names, n=12, cutoff=0.6)  # a region may have several such names
        return list(dict.fromkeys(names[name] for name in close))[:3]


_APART = str.maketrans(dict.fromkeys("-‐‑–—'’·/", " "))
_PLAIN = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i"})
"""Letters that are one with a plain letter to a reader, but that Unicode does not take apart."""


LONGEST_NAME = 400
"""Characters of a name that are compared."""


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """Return text without accents, case and hyphens, its white space single: for comparing names, not for search."""
    # No name is longer; to bring thousands of marks on one letter into order takes quadratic time.
    decomposed = unicodedata.normalize("NFKD", text[:LONGEST_NAME].casefold()).translate(_APART).translate(_PLAIN)
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).split())


def by_name(items: Iterable[Named], name: Callable[[Named], str] = str) -> list[Named]:
    """Things in the order of their names, an accented letter beside the plain one; `name` says what each is called."""
    return sorted(items, key=lambda each: fold(name(each)))


@lru_cache(maxsize=64)
def _territories(language: str) -> Mapping[str, str]:
    return dict(Locale.parse(language).territories)


# CLDR's English names, but where people who work there say it otherwise.
_ENGLISH = {"TR": "Türkiye", "BA": "Bosnia and Herzegovina"}


def country_name(code: str, language: str = "en") -> str:
    """A country's name in a language, from CLDR; the code itself where CLDR has none."""
    if language == "en" and code in _ENGLISH:
        return _ENGLISH[code]
    return _territories(language).get(code, code)


@lru_cache(maxsize=1)
def countries() -> frozenset[str]:
    """Every ISO 3166-1 alpha-2 code, and XK."""
    codes = (code for code in _territories("en") if len(code) == 2 and code.isalpha())
    return frozenset(code for code in codes if code not in _NOT_COUNTRIES)


def region_types(region: Region | Row[Any]) -> tuple[str, ...]:
    """The types that are known to apply to a region, in the order of RegionType."""
    flags = {RegionType.MOUNTAIN: region.mountain, RegionType.COAST: region.coast, RegionType.BORDER: region.border}
    return tuple(kind.value for kind in RegionType if kind == region.urban_type or flags.get(kind))


_REGIONS = select(Region.__table__).order_by(Region.code)
"""All regions as plain rows: there are thousands, and objects of the session take five times as long."""


def load(session: Session) -> Vocabulary:
    """Read all vocabularies from the database."""
    successors: dict[str, list[str]] = {}
    for row in session.scalars(select(RegionSuccessor).order_by(RegionSuccessor.code, RegionSuccessor.successor)):
        successors.setdefault(row.code, []).append(row.successor)
    return Vocabulary(
        generation=generation(session),
        themes={term.slug: _term(term) for term in session.scalars(select(Theme).order_by(Theme.position))},
        target_groups={
            term.slug: _term(term) for term in session.scalars(select(TargetGroup).order_by(TargetGroup.position))
        },
        regions={region.code: _region(region) for region in session.execute(_REGIONS)},
        successors={code: tuple(after) for code, after in successors.items()},
        term_successors=term_successors(session),
        figures=_figures(session),
    )


def _figures(session: Session) -> dict[str, dict[RegionMeasure, float]]:
    found: dict[str, dict[RegionMeasure, float]] = {}
    for code, measure, value in session.execute(
        select(RegionFigure.region_code, RegionFigure.measure, RegionFigure.value)
    ):
        found.setdefault(code, {})[measure] = value
    return found


def generation(session: Session) -> int:
    """The number that moves whenever a vocabulary changes."""
    return session.scalar(select(Generation.value).where(Generation.name == GENERATION)) or 0


def moved(session: Session) -> None:
    """Note that a vocabulary changed, so that every process reads it anew."""
    row = session.get(Generation, GENERATION)
    if row is None:
        session.add(Generation(name=GENERATION, value=1))
    else:
        row.value += 1


def _term(term: Theme | TargetGroup) -> TermInfo:
    mappings = term.mappings if isinstance(term, Theme) else {}
    return TermInfo(term.slug, term.label, term.scope_note, term.labels, term.synonyms, mappings)


def _region(region: Row[Any]) -> RegionInfo:
    return RegionInfo(
        code=region.code,
        edition=region.edition,
        level=region.level,
        country=region.country,
        parent=region.parent,
        name_en=region.name_en,
        name_native=region.name_native,
        name_latin=region.name_latin,
        lon=region.lon,
        lat=region.lat,
        types=region_types(region),
        urban_type=region.urban_type,
        mountain=region.mountain,
        coast=region.coast,
        border=region.border,
        synonyms={language: tuple(names) for language, names in region.synonyms.items()},
    )


class VocabularyCache:
    """The vocabularies of one process, read anew when their generation moves."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: Vocabulary | None = None

    def get(self, session: Session, known: int | None = None) -> Vocabulary:
        """Return the vocabularies as they stand now; costs one small query while nothing changed.

        `known` is their generation where it was read in this session already: then it costs none.
        """
        held = self._held
        now = generation(session) if known is None else known
        if held is not None and held.generation == now:
            return held
        with self._lock:
            if self._held is None or self._held.generation != now:
                self._held = load(session)
            return self._held
