"""How like one region is to another, by facts: docs/regions-like-mine.md says the same for readers.

    likeness(a, b) = sum(weight x agreement) / sum(weight), over the facts that are known of both

Agreement goes from 0 to 1. What neither region has says little: two regions without mountains agree in that with a
third of its weight, two that are no islands with nothing. A fact that is not known of one of them counts as slightly
unlike (`UNSURE`), so that nobody comes first for what is not known; where less than `LEAST_KNOWN` of the weight of
character can be compared, there is no likeness at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kb.models import RegionMeasure, RegionType
from kb.services.errors import N_, Invalid, Problem
from kb.services.region_facts import NO, NO_EXAMPLES, UNKNOWN, YES, Facts, Table, table
from kb.services.vocabularies import Vocabulary

Numbers = NDArray[np.float64]
"""One number for each region of a `Table`, in its order."""


class Reason(StrEnum):
    """What two regions have in common, weightiest first."""

    URBAN = "urban"
    INTERMEDIATE = "intermediate"
    RURAL = "rural"
    BORDER = "border"
    COAST = "coast"
    MOUNTAIN = "mountain"
    ISLAND = "island"
    CAPITAL = "capital"
    NORTH = "north"
    REMOTE = "remote"
    NEAR = "near"
    PEOPLE = "people"
    FOREIGN = "foreign"
    COUNTRY = "country"


class Fact(StrEnum):
    """What may not be known of a region. The figures are only asked for where the operator loaded any."""

    URBAN_TYPE = "urban_type"
    BORDER = "border"
    COAST = "coast"
    MOUNTAIN = "mountain"
    POPULATION = "population"
    FOREIGN_SHARE = "foreign-share"


URBAN, MOUNTAIN, COAST, BORDER, ISLAND, CAPITAL, NORTH = 30.0, 15.0, 12.0, 10.0, 15.0, 24.0, 15.0
"""Weights of character."""

SIZE, FOREIGN, ROOM, COUNTRY, NEARNESS = 8.0, 8.0, 8.0, 12.0, 12.0
"""Weights of circumstance: population (or level), share of foreign citizens, how far other regions are (it stands in
for density), same country, distance."""

REMOTE_ROOM = 20.0
"""Weight of how far other regions are where either is called far from others."""

NEIGHBOURS, ACROSS = 25.0, 50.0
"""Weight that is added to both sums for a region next door, and by distance less for one farther away; the second where
both lie on a border and a border between them, as Navarra and Pyrénées-Atlantiques do."""

NEXT_TYPE = 0.65
"""Agreement of regions one step apart, urban and intermediate or intermediate and rural."""

NEITHER = 1 / 3
"""Share of its weight that a trait of the landscape has where neither region has it."""

UNSURE = 0.35
"""Agreement of a fact that is not known of both: a little unlike."""

LEAST_KNOWN = 35.0
"""Weight of town or country, mountain, coast and border that has to be known of both, of 67 in all."""

ENOUGH = 0.58
"""The likeness from which a region is like another."""

FAR, NEXT_DOOR = 800.0, 200.0
"""Kilometres between centres at which nearness, and being next door, are down to 1/e."""

NEAR = 150.0
"""Kilometres between centres within which regions are called near: no list says which are neighbours."""

ROOMY = 0.6
"""Other regions four times as far away, in powers of ten: as unlike as can be."""

REMOTE = 0.35
"""Other regions 2.2 times as far away as is usual, in powers of ten, from which a region is called far from others."""

USUAL = 2
"""The level of most regions that have a council of their own."""

TENFOLD, TEN_POINTS = 1.0, 10.0
"""A population ten times as large, in powers of ten, and a share ten points higher: as unlike as can be."""

ALIKE_FIGURE = 0.65
"""Agreement of a figure from which it is a reason: 2.2 times the population, 3.5 points of a share."""


@dataclass(frozen=True, slots=True)
class Alike:
    """How like one region is to the one asked about, from 0 to 1, why, and which facts of either are not known."""

    code: str
    likeness: float
    reasons: tuple[Reason, ...] = ()
    unknown: tuple[Fact, ...] = ()

    @property
    def enough(self) -> bool:
        """Whether it is called like the other."""
        shares = bool(set(self.reasons) - _CIRCUMSTANCES)
        return shares and self.likeness >= ENOUGH and not self.code.startswith(NO_EXAMPLES)


class _Around(NamedTuple):
    """What lies around the character of one region, beside that of every other: agreements, and kilometres."""

    people: Numbers
    foreign: Numbers
    room: Numbers
    distances: Numbers


_CIRCUMSTANCES = {Reason.NEAR, Reason.PEOPLE, Reason.FOREIGN, Reason.COUNTRY}
_TYPES = {RegionType.URBAN: Reason.URBAN, RegionType.INTERMEDIATE: Reason.INTERMEDIATE, RegionType.RURAL: Reason.RURAL}


@dataclass(frozen=True, slots=True)
class Ranking:
    """The regions like one, the most alike first, each place once.

    `unknown` is what is not known of it. Where that is too much to compare by, `comparable` is False and `alike` empty.
    """

    code: str
    alike: tuple[Alike, ...]
    unknown: tuple[Fact, ...]
    comparable: bool


def ranked(vocabulary: Vocabulary, code: str, limit: int | None = None) -> Ranking:
    """The regions that are like one of levels 1 to 3, without itself, its parts and what it is a part of.

    A place that stands at several levels is there once, at the one nearest to that of `code`. Raises Invalid for a
    whole country, KeyError for a code that there is not.
    """
    refuse_country(vocabulary, code)
    regions = table(vocabulary)
    row = regions.rows[code]
    scores = _scores(regions, row)
    wanted = np.flatnonzero(scores >= ENOUGH)
    found = wanted[np.lexsort((np.abs(regions.level - regions.level[row])[wanted], -scores[wanted]))].tolist()
    places: dict[str, int] = {}
    for each in found:
        places.setdefault(regions.places[each], each)
    alike = (_alike(regions, row, each, scores) for each in places.values())
    kept = tuple(islice((each for each in alike if each.enough), limit))
    return Ranking(code, kept, _unknown(regions, row), _comparable(regions, row))


def foremost(vocabulary: Vocabulary, code: str, count: int) -> tuple[Alike, ...]:
    """The first regions like one, for reading: those at its own level first, none that is a part of another of them.

    Raises as `ranked` does.
    """
    regions, level = table(vocabulary), vocabulary.regions[code].level
    rows = {each: regions.rows[each.code] for each in ranked(vocabulary, code).alike}
    other_level = {each: not regions.levels[row, 0] <= level <= regions.levels[row, 1] for each, row in rows.items()}
    chosen: list[Alike] = []
    for each in sorted(rows, key=lambda one: (other_level[one], -one.likeness)):
        if len(chosen) == count:
            break
        related = regions.not_others(rows[each])
        if not any(related[rows[one]] for one in chosen):
            chosen.append(each)
    return tuple(chosen)


def compared(vocabulary: Vocabulary, code: str, other: str) -> Alike:
    """How like `other` is to `code`; 0 where too little is known of either. Raises KeyError for an unknown code."""
    regions = table(vocabulary)
    row = regions.rows[code]
    return _alike(regions, row, regions.rows[other], _scores(regions, row))


def unknown(vocabulary: Vocabulary, code: str) -> tuple[Fact, ...]:
    """What is not known of one region. Raises KeyError for a code that there is not."""
    regions = table(vocabulary)
    return _unknown(regions, regions.rows[code])


def alike_codes(vocabulary: Vocabulary, codes: Iterable[str]) -> dict[str, int]:
    """Every code of a region that is like any of some, with how like it is in thousandths, for the search."""
    found: dict[str, int] = {}
    for code in codes:
        for other, likeness in _weights(vocabulary, code).items():
            found[other] = max(likeness, found.get(other, 0))
    return found


def most_alike(vocabulary: Vocabulary, codes: Iterable[str], others: Iterable[str]) -> tuple[str, Alike] | None:
    """Of some regions the one most like any of `codes`, and which of these that is; None where none is like enough."""
    named = [other for other in others if other in vocabulary.regions]
    pairs = [(code, compared(vocabulary, code, other)) for code in codes for other in named]
    enough = [pair for pair in pairs if pair[1].enough]
    return max(enough, key=lambda pair: pair[1].likeness, default=None)


def refuse_country(vocabulary: Vocabulary, code: str) -> None:
    """Raise Invalid for a whole country: it has mountains and coasts, towns and country, so it is like all others."""
    if vocabulary.regions[code].level == 0:
        parts = [each for each in vocabulary.regions.values() if each.level and code in vocabulary.lineage(each.code)]
        example = min(((each.level != USUAL, each.level, each.code) for each in parts), default=(0, 0, ""))[2]
        text = N_("“%(value)s” is a whole country. Choose one of its regions, such as %(example)s.")
        title = vocabulary.region_title(example) or example
        raise Invalid([Problem.of("region_like", text, value=code, example=title)])


@lru_cache(maxsize=256)
def _weights(vocabulary: Vocabulary, code: str) -> Mapping[str, int]:
    regions = table(vocabulary)
    row = regions.rows[code]
    scores = _scores(regions, row)
    rows = np.flatnonzero(scores >= ENOUGH).tolist()
    found = (_alike(regions, row, each, scores) for each in rows)
    return {each.code: round(1000 * each.likeness) for each in found if each.enough}


@lru_cache(maxsize=64)
def _around(regions: Table, row: int) -> _Around:
    people = _agreement(regions.population, row, TENFOLD)
    foreign = _agreement(regions.foreign, row, TEN_POINTS)
    return _Around(people, foreign, _agreement(regions.room, row, ROOMY), regions.distances(row))


@lru_cache(maxsize=64)
def _scores(regions: Table, row: int) -> Numbers:
    """The likeness of every region to one; 0 where it cannot be compared, and for itself, its parts, what it is in."""
    top, bottom, known = _character(regions, row)
    for weight, agreement in _circumstances(regions, row):
        top += weight * np.nan_to_num(agreement, nan=UNSURE)
        bottom += weight
    across = (regions.border == YES) & (regions.border[row] == YES) & (regions.country != regions.country[row])
    extra = np.where(across, ACROSS, NEIGHBOURS) * np.nan_to_num(np.exp(-_around(regions, row).distances / NEXT_DOOR))
    scores = (top + extra) / (bottom + extra)
    return np.where((known >= LEAST_KNOWN) & ~regions.not_others(row), scores, 0.0)


def _character(regions: Table, row: int) -> tuple[Numbers, Numbers, Numbers]:
    """Sums over town or country and the traits: weight times agreement, weight, and how much of the weight is known."""
    both = (regions.urban != UNKNOWN) & (regions.urban[row] != UNKNOWN)
    steps = np.abs(regions.urban - regions.urban[row])
    agreement = np.select([~both, steps == 0, steps == 1], [UNSURE, 1.0, NEXT_TYPE], 0.0)
    top, bottom = URBAN * agreement, np.full_like(agreement, URBAN)
    known = URBAN * both.astype(np.float64)
    for full, trait in ((MOUNTAIN, regions.mountain), (COAST, regions.coast), (BORDER, regions.border)):
        both = (trait != UNKNOWN) & (trait[row] != UNKNOWN)
        weight = np.where((trait == NO) & (trait[row] == NO), full * NEITHER, full)
        top += weight * np.where(both, trait == trait[row], UNSURE)
        bottom += weight
        known += full * both
    for full, trait in ((ISLAND, regions.island), (CAPITAL, regions.capital), (NORTH, regions.north)):
        weight = full * ((trait == YES) | (trait[row] == YES))
        top += weight * (trait == trait[row])
        bottom += weight
    return top, bottom, known


def _circumstances(regions: Table, row: int) -> list[tuple[float | Numbers, Numbers]]:
    """Weight and agreement of what lies around the character; NaN where it is not known of both."""
    levels = 1.0 - regions.levels_apart(row) / 2.0
    around = _around(regions, row)
    size = np.where(np.isnan(around.people), levels, around.people)
    foreign = FOREIGN if RegionMeasure.FOREIGN_SHARE in regions.measured else 0.0
    room = np.where((regions.room >= REMOTE) | (regions.room[row] >= REMOTE), REMOTE_ROOM, ROOM)
    return [
        (SIZE, size),
        (foreign, around.foreign),
        (room, around.room),
        (COUNTRY, (regions.country == regions.country[row]).astype(np.float64)),
        (NEARNESS, np.exp(-around.distances / FAR)),
    ]


def _agreement(figures: Numbers, row: int, most: float) -> Numbers:
    return np.asarray(1.0 - np.minimum(np.abs(figures - figures[row]) / most, 1.0))


def _comparable(regions: Table, row: int) -> bool:
    facts = regions.facts(row)
    known = ((URBAN, facts.urban_type), (MOUNTAIN, facts.mountain), (COAST, facts.coast), (BORDER, facts.border))
    return sum(weight for weight, fact in known if fact is not None) >= LEAST_KNOWN


def _alike(regions: Table, row: int, other: int, scores: Numbers) -> Alike:
    unknown = dict.fromkeys((*_unknown(regions, row), *_unknown(regions, other)))
    return Alike(regions.codes[other], float(scores[other]), tuple(_reasons(regions, row, other)), tuple(unknown))


def _reasons(regions: Table, row: int, other: int) -> list[Reason]:
    one, two, around = regions.facts(row), regions.facts(other), _around(regions, row)
    shared = {
        Reason.BORDER: one.border and two.border,
        Reason.COAST: one.coast and two.coast,
        Reason.MOUNTAIN: one.mountain and two.mountain,
        Reason.ISLAND: one.island and two.island,
        Reason.CAPITAL: one.capital and two.capital,
        Reason.NORTH: one.north and two.north,
        Reason.REMOTE: min(regions.room[row], regions.room[other]) >= REMOTE,
        Reason.NEAR: around.distances[other] <= NEAR,
        Reason.PEOPLE: around.people[other] >= ALIKE_FIGURE,
        Reason.FOREIGN: around.foreign[other] >= ALIKE_FIGURE,
        Reason.COUNTRY: regions.country[row] == regions.country[other],
    }
    same = [_TYPES[RegionType(one.urban_type)]] if one.urban_type and one.urban_type == two.urban_type else []
    return [*same, *(reason for reason, holds in shared.items() if holds)]


def _unknown(regions: Table, row: int) -> tuple[Fact, ...]:
    facts: Facts = regions.facts(row)
    values: dict[Fact, object] = {
        Fact.URBAN_TYPE: facts.urban_type,
        Fact.BORDER: facts.border,
        Fact.COAST: facts.coast,
        Fact.MOUNTAIN: facts.mountain,
    }
    if RegionMeasure.POPULATION in regions.measured:
        values[Fact.POPULATION] = facts.population
    if RegionMeasure.FOREIGN_SHARE in regions.measured:
        values[Fact.FOREIGN_SHARE] = facts.foreign
    return tuple(fact for fact, value in values.items() if value is None)
