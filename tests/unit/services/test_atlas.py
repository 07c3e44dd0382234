"""The map: whose land is whose, and where places lie on it."""

from __future__ import annotations

import re
from functools import cache

import pytest

from kb.services.atlas import FILE, atlas, project
from kb.services.vocabularies import Vocabulary

NO_LIMIT = 45_000

Point = tuple[float, float]

SIMFEROPOL, KYRENIA, NICOSIA, SOCHI = (34.10, 44.95), (33.32, 35.34), (33.36, 35.17), (39.73, 43.6)


@cache
def rings(path: str) -> list[list[Point]]:
    """The corners of each ring of a path of the form that the script writes."""
    found = []
    for x, y, steps in re.findall(r"M(\d+|-\d+) (-?\d+)l([-\d ]+)z", path):
        numbers = [int(each) for each in re.findall(r"-?\d+", steps)]
        ring = [(float(x), float(y))]
        for dx, dy in zip(numbers[::2], numbers[1::2], strict=True):
            ring.append((ring[-1][0] + dx, ring[-1][1] + dy))
        found.append(ring)
    return found


def holds(path: str, spot: Point) -> bool:
    """Whether a spot lies within a path: a line from it to the right crosses the border an odd number of times."""
    x, y = spot
    edges = [edge for ring in rings(path) for edge in zip(ring, ring[1:] + ring[:1], strict=True)]
    crossed = sum((a[1] > y) != (b[1] > y) and x < (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]) + a[0] for a, b in edges)
    return crossed % 2 == 1


def owners(lon: float, lat: float) -> list[str]:
    """The countries, or "land" for the background, in whose outline degrees lie."""
    spot = atlas().place(lon, lat)
    assert spot is not None
    shapes = {"land": atlas().land} | {code: shape.path for code, shape in atlas().countries.items()}
    return [code for code, path in shapes.items() if holds(path, spot)]


def test_crimea_is_drawn_with_ukraine_and_nobody_else() -> None:
    assert owners(*SIMFEROPOL) == ["UA"]


def test_sevastopol_and_kerch_too() -> None:
    assert owners(33.65, 44.65) == ["UA"] and owners(36.2, 45.3) == ["UA"]


def test_northern_cyprus_is_drawn_with_cyprus_and_nobody_else() -> None:
    assert owners(*KYRENIA) == ["CY"]


def test_no_border_runs_through_cyprus() -> None:
    assert owners(*NICOSIA) == ["CY"] and len(rings(atlas().countries["CY"].path)) == 1


def test_land_of_other_countries_is_background() -> None:
    assert owners(*SOCHI) == ["land"]


@pytest.mark.parametrize(
    ("code", "lon", "lat"),
    [("ES", -3.7, 40.4), ("IT", 12.5, 42.2), ("DE", 13.4, 52.5), ("IE", -7.7, 53.3), ("RO", 26.1, 44.5),
     ("TR", 32.9, 39.9), ("IS", -19.0, 64.8), ("XK", 21.0, 42.6), ("AZ", 48.0, 40.3), ("FI", 20.0, 60.2)],
)  # fmt: skip
def test_places_lie_in_their_countries(code: str, lon: float, lat: float) -> None:
    assert owners(lon, lat) == [code]


def test_every_country_of_the_vocabulary_is_drawn(vocabulary: Vocabulary) -> None:
    assert set(vocabulary.european) - set(atlas().countries) == set()


def test_every_country_is_drawn_where_the_map_says_and_within_its_frame() -> None:
    for shape in atlas().countries.values():
        assert shape.path.endswith("z") and shape.room >= 5
        assert 0 <= shape.x <= atlas().width and 0 <= shape.y <= atlas().height


def test_the_number_of_a_country_stands_in_it() -> None:
    drawn = {code: shape for code, shape in atlas().countries.items() if rings(shape.path)}
    assert [code for code, shape in drawn.items() if not holds(shape.path, (shape.x, shape.y))] == []


def test_the_centre_of_the_projection_is_its_origin() -> None:
    assert project(10, 52) == pytest.approx((0, 0), abs=1e-9)


def test_distances_from_the_centre_are_right_to_the_north() -> None:
    # Along a meridian the chord 2 R sin(c / 2) stands for the arc: 10 degrees are 1110.53 km.
    assert project(10, 62) == pytest.approx((0, 1110.53), abs=0.01)


def test_what_lies_beyond_the_frame_has_no_place() -> None:
    assert atlas().place(-28, 38.5) is None and atlas().place(-15.5, 28.1) is None


def test_the_other_side_of_the_earth_is_on_no_map() -> None:
    with pytest.raises(ValueError, match="antipode"):
        project(-170, -52)


def test_the_map_is_small_and_names_its_source() -> None:
    assert FILE.stat().st_size < NO_LIMIT and "Natural Earth" in atlas().source
