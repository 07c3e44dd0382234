"""The map: outlines of countries as paths of a picture, and where on it a place lies. The data are `seed/map.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import cos, radians, sin, sqrt
from pathlib import Path

FILE = Path(__file__).parents[2] / "seed" / "map.json"

CENTRE = (10.0, 52.0)
"""Longitude and latitude about which the map is drawn."""

EARTH = 6371.0
"""Radius of the sphere that the map takes the earth for, in kilometres."""


@dataclass(frozen=True)
class Shape:
    """A country on the map: its outline as the `d` of an SVG path, and where its number stands best.

    `room` is the radius of the largest circle about (`x`, `y`) that the country holds; all in units of the map.
    """

    path: str
    x: int
    y: int
    room: int


@dataclass(frozen=True)
class Atlas:
    """The whole map. `left` and `top` are the kilometres of its corner from the centre, `scale` kilometres a unit.

    `land` is the outline of all land on it that is none of `countries`; these are by ISO 3166-1 code.
    """

    source: str
    width: int
    height: int
    left: float
    top: float
    scale: float
    land: str
    countries: Mapping[str, Shape]

    def place(self, lon: float, lat: float) -> tuple[float, float] | None:
        """Where degrees (WGS 84) lie on the map, in its units; None beyond its frame."""
        east, north = project(lon, lat)
        x, y = (east - self.left) / self.scale, (self.top - north) / self.scale
        return (x, y) if 0 <= x <= self.width and 0 <= y <= self.height else None


def project(lon: float, lat: float) -> tuple[float, float]:
    """Kilometres east and north of the map's centre: Lambert's azimuthal equal-area projection of a sphere.

    J. P. Snyder, "Map projections: a working manual" (USGS Professional Paper 1395, 1987), equations 22-4 and 24-2 to
    24-4. Raises ValueError for the point on the other side of the earth, which lies nowhere.
    """
    phi, phi_1, away = radians(lat), radians(CENTRE[1]), radians(lon - CENTRE[0])
    nearness = 1 + sin(phi_1) * sin(phi) + cos(phi_1) * cos(phi) * cos(away)
    if nearness < 1e-9:
        raise ValueError("the antipode of the centre is on no map")
    k = EARTH * sqrt(2 / nearness)
    return k * cos(phi) * sin(away), k * (cos(phi_1) * sin(phi) - sin(phi_1) * cos(phi) * cos(away))


@lru_cache(maxsize=1)
def atlas() -> Atlas:
    """The map as `scripts/map_outlines.py` made it."""
    data = json.loads(FILE.read_text(encoding="utf-8"))
    countries = {code: Shape(**shape) for code, shape in data.pop("countries").items()}
    return Atlas(**data, countries=countries)
