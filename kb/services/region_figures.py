"""Figures of regions from Eurostat's tables: how many people live there, and how many of them are foreign citizens.

The operator loads them; without them regions are compared by their types alone. Of each region the newest year is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.formats.eurostat import NotEurostat, Series, Table
from kb.models import RegionFigure, RegionMeasure
from kb.services import vocabularies
from kb.services.vocabularies import Vocabulary

TOTALS: Mapping[str, frozenset[str]] = {
    "freq": frozenset({"A"}),
    "sex": frozenset({"T", "_T"}),
    "age": frozenset({"TOTAL", "_T"}),
    "unit": frozenset({"NR", "THS", "THS_PER", "PER"}),
}
"""The values of a table's dimensions by which a row counts everybody."""

THOUSANDS = frozenset({"THS", "THS_PER"})

EVERYBODY = "TOTAL"

FOREIGN = (("FOR",), ("EU27_2020_FOR", "NEU27_2020_FOR"), ("EU28_FOR", "NEU28_FOR"))
"""What citizens of other countries are called: together, or of the Union and of elsewhere."""

NOT_REGIONS = ("EU", "EA", "EEA", "EFTA", "G7", "OECD")
"""What codes begin with that stand for several countries together."""

KNOWN_DIMENSIONS = frozenset({*TOTALS, "citizen", "geo"})

Found = dict[str, tuple[int, float]]
"""By region's code as the table has it: the newest year of which there is a figure, and the figure."""


@dataclass(frozen=True)
class Read:
    """What a table holds that can be used."""

    measure: RegionMeasure
    figures: Found


@dataclass
class Loaded:
    """What came of a table. `unknown` are codes of regions that the list does not hold, in the table's order."""

    measure: RegionMeasure
    regions: int = 0
    kept: int = 0
    last: int = 0
    unknown: list[str] = field(default_factory=list)


def read(table: Table) -> Read:
    """What a table says of how many people live in its regions, or of the share of foreign citizens in per cent.

    A table with the dimension `citizen` is one of citizenship. Raises NotEurostat where it is neither kind of table.
    """
    others = set(table.dimensions) - KNOWN_DIMENSIONS
    if others:
        said = ", ".join(sorted(others))
        raise NotEurostat(f"It is no table of population or of citizenship: nobody here knows what {said} means.")
    if not {"sex", "age"} <= set(table.dimensions):
        raise NotEurostat("It is no table of population or of citizenship: those are by sex and by age.")
    whole = (series for series in table.rows() if _whole(series))
    if "citizen" in table.dimensions:
        found, measure = _shares(whole), RegionMeasure.FOREIGN_SHARE
    else:
        found, measure = _newest(whole), RegionMeasure.POPULATION
    if not found:
        raise NotEurostat("It has no row that can be used: both sexes, all ages, numbers of people.")
    return Read(measure, found)


def load(session: Session, found: Read, source: str, now: datetime | None = None) -> Loaded:
    """Keep the figures of a table, but where a newer one is kept already. Twice changes nothing the second time.

    `source` is a word or two that say which table it was.
    """
    vocabulary, moment = vocabularies.load(session), now or datetime.now(UTC)
    held = {
        row.region_code: row
        for row in session.scalars(select(RegionFigure).where(RegionFigure.measure == found.measure))
    }
    done = Loaded(found.measure)
    for code, (year, value) in found.figures.items():
        region = _region(vocabulary, code)
        if region is None:
            done.unknown += [] if code.startswith(NOT_REGIONS) else [code]
            continue
        done.regions += 1
        done.last = max(done.last, year)
        row = held.get(region)
        if row is not None and (row.year > year or (row.year, row.value) == (year, value)):
            done.kept += 1
            continue
        if row is None:
            row = held[region] = RegionFigure(region_code=region, measure=found.measure)
            session.add(row)
        row.year, row.value, row.source, row.loaded = year, value, source[:100], moment
    session.flush()
    if done.kept < done.regions:
        vocabularies.moved(session)
    return done


def _region(vocabulary: Vocabulary, code: str) -> str | None:
    """The region that a table's code stands for today; a retired one only where a local code took its place whole."""
    if code in vocabulary.regions:
        return code
    after = vocabulary.successors.get(code, ())
    return after[0] if len(after) == 1 and vocabulary.regions[after[0]].edition == "local" else None


def _whole(series: Series) -> bool:
    return all(series.keys[name] in values for name, values in TOTALS.items() if name in series.keys)


def _newest(rows: Iterable[Series]) -> Found:
    found: Found = {}
    for series in rows:
        scale = 1000.0 if series.keys.get("unit") in THOUSANDS else 1.0
        years = {year: value * scale for year, value in series.years.items() if value > 0}
        if years:
            code, last = series.keys["geo"], max(years)
            found[code] = max(found.get(code, (0, 0.0)), (last, years[last]))
    return found


def _shares(rows: Iterable[Series]) -> Found:
    """Foreign citizens in per cent of all, in the newest year of which both numbers are known."""
    counted: dict[str, dict[str, Mapping[int, float]]] = {}
    wanted = {EVERYBODY, *(each for names in FOREIGN for each in names)}
    for series in rows:
        if series.keys["citizen"] in wanted:
            counted.setdefault(series.keys["geo"], {})[series.keys["citizen"]] = series.years
    found: Found = {}
    for code, by_citizen in counted.items():
        shares = dict(_yearly(by_citizen))
        if shares:
            found[code] = (max(shares), shares[max(shares)])
    return found


def _yearly(by_citizen: Mapping[str, Mapping[int, float]]) -> Iterator[tuple[int, float]]:
    for year, everybody in by_citizen.get(EVERYBODY, {}).items():
        for names in FOREIGN:
            parts = [by_citizen.get(name, {}).get(year) for name in names]
            known = [part for part in parts if part is not None]
            if len(known) == len(parts) and 0 <= sum(known) <= everybody and everybody > 0:
                yield year, 100.0 * sum(known) / everybody
                break
