"""What is known of every region, side by side, for comparing them: from the list of regions and the figures loaded.

A region whose own fact is not known has that of its parts: the coast or the border of one part is the whole's,
mountains and town or country are what most parts are, where it is known of a third of them at least.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from kb.models import RegionMeasure, RegionType
from kb.services.vocabularies import LOCAL, RegionInfo, Vocabulary, fold

Known = TypeVar("Known")

YES, NO, UNKNOWN = 1, 0, -1

URBAN_TYPES = (RegionType.URBAN, RegionType.INTERMEDIATE, RegionType.RURAL)
"""From town to country: one step lies between neighbours."""

EARTH = 6371.0
"""Kilometres from the centre of the Earth to its surface."""

NO_EXAMPLES = ("NO0B",)
"""Regions, with all their parts, that are like nobody's: Svalbard and Jan Mayen, where two thousand people live without
a council of their own in the one and none in the other."""

ISLANDS = (
    "CY", "DK014", "EL4", "EL62", "ES53", "ES7", "FI2", "FRM", "FRY1", "FRY2", "FRY4", "FRY5", "ITG", "MT", "NO0B",
    "PT2", "PT3", "SE214", "UKJ34", "UKL11", "UKM64", "UKM65", "UKM66",
)  # fmt: skip
"""Regions, with all their parts, that lie wholly on islands: Eurostat's island regions (Territorial typologies manual,
2018), with those of the United Kingdom and Norway. Ireland, Great Britain and Iceland are too large to count."""

CAPITALS = (
    "AL022", "AT13", "BE1", "BG411", "CZ01", "DE3", "DK011", "DK012", "EE001", "EL3", "ES3", "FI1B", "FR1", "HR05",
    "HU11", "IE061", "IS001", "ITI43", "LT01", "LV00A", "MK008", "NL32B", "NO081", "PL911", "PT1A", "RO32", "RS11",
    "SE11", "SI041", "SK01", "TR51", "UKI", "XK001",
)  # fmt: skip
"""Regions, with all their parts, that are a national capital or its conurbation."""

AROUND_CAPITALS = ("BG41", "DK01", "HU1", "IE06", "ITI4", "NL32", "NO08", "PL91", "SI04")
"""Regions that hold a capital and much else, of which not every part is one. Countries that are one region of level 2
have none; nor has Switzerland, whose law names no capital."""

NORTHERN = 62.0
"""Degrees of latitude from which a region is called northern: it holds the northern sparsely populated areas of
Finland, Norway and Sweden whose conditions the treaties of the European Union single out, and Iceland."""

NEIGHBOURS = 3
"""Nearest regions of its level from which it is said how far others are."""

MOST_ROOM = 0.6
"""Other regions four times as far as is usual, in powers of ten: farther makes no difference any more."""

Flags = NDArray[np.int8]
"""`YES`, `NO` or `UNKNOWN` for each region."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one region; None is not known. `population` in people, `foreign` in per cent of them."""

    urban_type: str | None
    mountain: bool | None
    coast: bool | None
    border: bool | None
    island: bool
    capital: bool
    north: bool
    population: float | None
    foreign: float | None


@dataclass(frozen=True, eq=False)
class Table:
    """The facts of all regions as arrays, a row for each, in the order of `codes`.

    `urban` is the place in `URBAN_TYPES`. `population` is in powers of ten, `foreign` in per cent, NaN where not known.
    `room` is how far the nearest regions of its place's level are, in powers of ten of what is usual there.
    `levels` are the first and last level at which the place of a region stands; `places` is the same for all codes of
    one place. `lineages` are the rows of the region itself and those above it, then -1. `whole` are countries.
    `measured` are the measures of which any region has a figure.
    """

    codes: Sequence[str]
    rows: Mapping[str, int]
    held: Sequence[Facts]
    places: Sequence[str]
    lineages: NDArray[np.int64]
    level: NDArray[np.int64]
    levels: NDArray[np.int64]
    urban: Flags
    mountain: Flags
    coast: Flags
    border: Flags
    island: Flags
    capital: Flags
    north: Flags
    country: NDArray[np.str_]
    centres: NDArray[np.float64]
    population: NDArray[np.float64]
    foreign: NDArray[np.float64]
    room: NDArray[np.float64]
    measured: frozenset[RegionMeasure]
    whole: NDArray[np.bool_]

    def facts(self, row: int) -> Facts:
        """What is known of one region."""
        return self.held[row]

    def levels_apart(self, row: int) -> NDArray[np.int64]:
        """How many levels lie between one region and each: 0 where their places stand at a common one."""
        first, last = self.levels[:, 0], self.levels[:, 1]
        return np.asarray(np.maximum(0, np.maximum(first - self.levels[row, 1], self.levels[row, 0] - last)))

    def distances(self, row: int) -> NDArray[np.float64]:
        """Kilometres between the centre of one region and each, NaN where one is not known."""
        return _distances(self.centres, self.centres[row])

    def not_others(self, row: int) -> NDArray[np.bool_]:
        """Which regions are no others than one: itself, its parts, what it is a part of; and whole countries."""
        mask = (self.lineages == row).any(axis=1) | self.whole
        mask[self.lineages[row][self.lineages[row] >= 0]] = True
        return np.asarray(mask)


@lru_cache(maxsize=2)
def table(vocabulary: Vocabulary) -> Table:
    """The facts of all regions of a vocabulary; put together once, which takes some hundredths of a second."""
    regions = list(vocabulary.regions.values())
    rows = {region.code: row for row, region in enumerate(regions)}
    level = np.array([region.level for region in regions], np.int64)
    centres = np.column_stack([_numbers(each.lon for each in regions), _numbers(each.lat for each in regions)])
    collected = _Collected(vocabulary)
    facts = [collected.of(region.code) for region in regions]
    places = [vocabulary.place(region.code) for region in regions]
    spans: dict[str, list[int]] = {}
    for place, region in zip(places, regions, strict=True):
        spans.setdefault(place, []).append(region.level)
    return Table(
        codes=list(rows),
        rows=rows,
        held=facts,
        places=places,
        lineages=_padded([[rows[code] for code in codes] for codes in _lineages(vocabulary)]),
        level=level,
        levels=np.array([(min(spans[place]), max(spans[place])) for place in places], np.int64),
        urban=_flags(None if f.urban_type is None else URBAN_TYPES.index(RegionType(f.urban_type)) for f in facts),
        mountain=_flags(each.mountain for each in facts),
        coast=_flags(each.coast for each in facts),
        border=_flags(each.border for each in facts),
        island=_flags(each.island for each in facts),
        capital=_flags(each.capital for each in facts),
        north=_flags(each.north for each in facts),
        country=np.array([region.country for region in regions], np.str_),
        centres=centres,
        population=np.log10(np.maximum(1.0, _numbers(each.population for each in facts))),
        foreign=_numbers(each.foreign for each in facts),
        room=_room(centres, level)[[rows[place] for place in places]],
        measured=frozenset(measure for figures in vocabulary.figures.values() for measure in figures),
        whole=np.array([region.level == 0 for region in regions], np.bool_),
    )


class _Collected:
    """The facts of regions, those of parts where a region's own are not known. Each is worked out once."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._held: dict[str, Facts] = {}

    def of(self, code: str) -> Facts:
        """What is known of one region."""
        if code not in self._held:
            region, figures = self._vocabulary.regions[code], self._vocabulary.figures.get(code, {})
            parts = [self.of(part) for part in self._vocabulary.children.get(code, ())]
            self._held[code] = Facts(
                urban_type=_first(region.urban_type, _most([part.urban_type for part in parts])),
                mountain=_first(region.mountain, _most([part.mountain for part in parts])),
                coast=_first(region.coast, _any([part.coast for part in parts])),
                border=_first(region.border, _any([part.border for part in parts])),
                island=code.startswith(ISLANDS),
                capital=code.startswith(CAPITALS) or code in AROUND_CAPITALS,
                north=region.lat is not None and region.lat >= NORTHERN,
                population=_first(figures.get(RegionMeasure.POPULATION), _sum([part.population for part in parts])),
                foreign=figures.get(RegionMeasure.FOREIGN_SHARE),
            )
        return self._held[code]


def _first(own: Known | None, of_parts: Known | None) -> Known | None:
    return of_parts if own is None else own


def _most(parts: Sequence[Known | None]) -> Known | None:
    """What most parts are, where it is known of a third of them at least."""
    known = Counter(part for part in parts if part is not None)
    return known.most_common(1)[0][0] if known and 3 * known.total() >= len(parts) else None


def _any(parts: Sequence[bool | None]) -> bool | None:
    """Whether any part has it; None where none is known to, and not all are known not to."""
    return True if any(parts) else None if not parts or None in parts else False


def _sum(parts: Sequence[float | None]) -> float | None:
    known = [part for part in parts if part is not None]
    return sum(known) if known and len(known) == len(parts) else None


def _lineages(vocabulary: Vocabulary) -> list[list[str]]:
    """Of each region the codes of itself and of those that it is a part of.

    A local region stands directly below its country or nation. It is a part as well of each statistical region there
    that has its name in full within its own: “Argyll and Bute” of “Lochaber, Skye & Lochalsh, Arran & Cumbrae and
    Argyll & Bute”.
    """
    found = {code: list(vocabulary.lineage(code)) for code in vocabulary.regions}
    named = {code: _spelled(region) for code, region in vocabulary.regions.items() if region.level}
    for local in (each for each in vocabulary.regions.values() if each.level and each.edition == LOCAL):
        for code, name in named.items():
            same = vocabulary.regions[code].country == local.country and named[local.code] in name
            if same and local.code not in found[code]:
                found[local.code] += found[code]
    return [list(dict.fromkeys(codes)) for codes in found.values()]


def _spelled(region: RegionInfo) -> str:
    """The Latin name of a region, folded, its words parted by single spaces and with one at either end."""
    words = fold(region.name_latin).replace("&", " and ").replace(",", " ").split()
    return f" {' '.join(words)} "


def _room(centres: NDArray[np.float64], level: NDArray[np.int64]) -> NDArray[np.float64]:
    """How far the nearest regions of its level are from each: a mean, in powers of ten of the level's median.

    NUTS is made by population, so regions of one level lie far apart where few people live. NaN for whole countries.
    """
    room = np.full(len(level), np.nan)
    for each in set(level.tolist()) - {0}:
        rows = np.flatnonzero((level == each) & ~np.isnan(centres).any(axis=1))
        if len(rows) > NEIGHBOURS:
            nearest = [np.sort(_distances(centres[rows], centres[row]))[1 : NEIGHBOURS + 1].mean() for row in rows]
            room[rows] = np.log10(np.maximum(nearest, 1.0))
            room[rows] = np.minimum(room[rows] - np.median(room[rows]), MOST_ROOM)
    return room


def _distances(centres: NDArray[np.float64], centre: NDArray[np.float64]) -> NDArray[np.float64]:
    """Kilometres from one place to each: longitudes and latitudes in degrees, by the haversine formula."""
    (lon, lat), (its_lon, its_lat) = np.radians(centres).T, np.radians(centre)
    half = np.sin((lat - its_lat) / 2) ** 2
    half += np.cos(lat) * np.cos(its_lat) * np.sin((lon - its_lon) / 2) ** 2
    return np.asarray(2 * EARTH * np.arcsin(np.sqrt(np.clip(half, 0, 1))))


def _padded(rows: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    longest = max(map(len, rows), default=0)
    return np.array([[*each, *[-1] * (longest - len(each))] for each in rows], np.int64)


def _flags(values: Iterable[int | None]) -> Flags:
    return np.array([UNKNOWN if value is None else int(value) for value in values], np.int8)


def _numbers(values: Iterable[float | None]) -> NDArray[np.float64]:
    return np.array([float("nan") if value is None else value for value in values], np.float64)
