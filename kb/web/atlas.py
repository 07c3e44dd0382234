"""Where practices come from, as a map and a table. What is missing is in coverage.py, of the same blueprint."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import cos, hypot, pi, sin

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from kb.search.port import SearchUnavailable
from kb.services import coverage as service
from kb.services import query, tallies
from kb.services.atlas import Atlas, Shape, atlas
from kb.services.coverage import Places, step, steps
from kb.services.query import CatalogueQuery
from kb.services.vocabularies import by_name, fold
from kb.web import context, templating
from kb.web.results import Chip, chips

bp = Blueprint("atlas", __name__)

RADII = (0, 5, 7, 9)
"""Radius of a region's point by its step, in units of the map."""

ROOM, CLEAR = 13, 16
"""Units that a number needs between its middle and the nearest border and point, or it is not written on the map."""


@dataclass(frozen=True)
class Row:
    """A country or region with practices: its name, the address of its search, how many; the regions of a country."""

    code: str
    name: str
    url: str
    count: int
    regions: tuple[Row, ...] = ()

    @property
    def said(self) -> str:
        """The name and the number in words."""
        number = templating.number(self.count)
        return ngettext("%(name)s: %(shown)s practice", "%(name)s: %(shown)s practices", self.count,
                        name=self.name, shown=number)  # fmt: skip


Spot = tuple[Row, float, float, int]


@dataclass(frozen=True)
class Picture:
    """What is drawn. `countries` holds (row, outline, shade), `blank` outlines without practices, `spots` regions.

    A spot is (row, x, y, radius), the largest first. `numbers` are (text, x, y, shade) of countries with room for one.
    `beyond` are countries and regions that lie outside the frame. `key` says which numbers a shade stands for.
    """

    atlas: Atlas
    countries: tuple[tuple[Row, Shape, int], ...]
    blank: tuple[Shape, ...]
    spots: tuple[Spot, ...]
    numbers: tuple[tuple[str, int, int, int], ...]
    beyond: tuple[Row, ...]
    key: tuple[tuple[int, str], ...]


@bp.get("/map", endpoint="map")
def show_map() -> ResponseReturnValue:
    """The practices of a query on a map, and the same figures in a table."""
    asked = query.parse(request.args.items(multi=True), context.vocabulary())
    narrowed = replace(asked.query, sort="relevance")
    if not asked.canonical:
        return redirect(templating.query_url(narrowed, endpoint="atlas.map"))
    found = service.places(context.reading(), context.engine(), context.vocabulary(), narrowed)
    listed = rows(found, narrowed)
    return render_template(
        "catalogue/map.html",
        query=narrowed,
        total=found.total,
        partial=found.partial,
        rows=listed,
        picture=picture(listed),
        chips=chips_of(narrowed, "atlas.map"),
        filtered=bool(narrowed.to_params()),
    )


def chips_of(asked: CatalogueQuery, endpoint: str) -> list[Chip]:
    """The chosen filters, each with the same page without it."""
    return [replace(each, url=templating.query_url(each.less, endpoint=endpoint)) for each in chips(asked)]


# The map


def overview() -> Picture:
    """All practices on the map; without the regions in their countries where the search engine does not answer."""
    everything, session, engine = CatalogueQuery(), context.reading(), context.engine()
    try:
        found = service.places(session, engine, context.vocabulary(), everything)
    except SearchUnavailable:
        found = Places(0, False, tallies.facet_counts(session, engine)["country"], {})
    return picture(rows(found, everything))


def rows(found: Places, asked: CatalogueQuery) -> list[Row]:
    """Countries with practices, those with most first, each with its regions."""
    vocabulary = context.vocabulary()
    regions: dict[str, list[Row]] = {}
    for code, count in found.regions.items():
        if any(above in found.regions and _same(above, code) for above in list(vocabulary.lineage(code))[1:]):
            continue  # of one place that stands at several levels, the highest counts all
        address = templating.query_url(asked, region=(code,))
        held = regions.setdefault(vocabulary.regions[code].country, [])
        held.append(Row(code, templating.region_name(code), address, count))
    listed = [
        Row(code, templating.country_name(code), templating.query_url(asked, country=(code,)), count,
            tuple(sorted(regions.get(code, ()), key=_order)))
        for code, count in found.countries.items()
    ]  # fmt: skip
    return sorted(listed, key=_order)


def _same(code: str, other: str) -> bool:
    return templating.region_name(code) == templating.region_name(other)


def _order(row: Row) -> tuple[int, str]:
    return -row.count, fold(row.name)


def picture(listed: Iterable[Row]) -> Picture:
    """Draw countries and their regions."""
    listed, drawn = list(listed), atlas()
    most = max((row.count for row in listed), default=0)
    here = {row.code: row for row in listed if row.code in drawn.countries}
    placed = [(each, _place(each.code)) for row in listed for each in row.regions]
    crowd = max((each.count for each, _ in placed), default=0)
    spots = [(each, *spot, RADII[step(each.count, crowd)]) for each, spot in placed if spot]
    beyond = [row for row in listed if row.code not in here] + [each for each, spot in placed if not spot]
    countries = [
        (row, drawn.countries[row.code], step(row.count, most)) for row in by_name(here.values(), lambda row: row.name)
    ]
    return Picture(
        atlas=drawn,
        countries=tuple(countries),
        blank=tuple(shape for code, shape in drawn.countries.items() if code not in here),
        spots=tuple(sorted(spots, key=lambda spot: (-spot[3], spot[0].name))),
        numbers=tuple(
            (templating.number(row.count), *free, shade)
            for row, shape, shade in countries
            if (free := _free(shape, spots))
        ),
        beyond=tuple(beyond),
        key=tuple(_key(most)),
    )


def _place(code: str) -> tuple[float, float] | None:
    """Where a region lies on the map: its centre, or nowhere where that is not known or outside the frame."""
    region = context.vocabulary().regions[code]
    if region.lon is None or region.lat is None:
        return None
    return atlas().place(region.lon, region.lat)


def _free(shape: Shape, spots: Iterable[Spot]) -> tuple[int, int] | None:
    """Where in a country a number stands clear of its points, as near to its middle as can be."""
    near = [(x, y, radius) for _, x, y, radius in spots if hypot(x - shape.x, y - shape.y) < shape.room + CLEAR]
    for away in range(0, max(shape.room - ROOM + 1, 0), 6):
        for turn in range(8 if away else 1):
            x, y = shape.x + away * cos(turn * pi / 4), shape.y + away * sin(turn * pi / 4)
            if all(hypot(x - a, y - b) >= radius + CLEAR for a, b, radius in near):
                return round(x), round(y)
    return None


def _key(most: int) -> Iterable[tuple[int, str]]:
    """Which numbers each shade stands for, in words; a shade that stands for none is left out."""
    low = 1
    for shade, high in enumerate((*steps(most), most), start=1):
        if low <= high:
            yield shade, _span(low, high if high < most or low == most else None)
            low = high + 1


def _span(low: int, high: int | None) -> str:
    first = templating.number(low)
    if high is None:
        return gettext("%(num)s or more", num=first)
    last = templating.number(high)
    if low == high:
        return first
    if high == low + 1:
        return gettext("%(low)s or %(high)s", low=first, high=last)
    return gettext("%(low)s to %(high)s", low=first, high=last)
