"""The script that draws the map: neighbours share their border, what is joined has none inside, what is small goes."""

from __future__ import annotations

from typing import Any

import pytest

from scripts.map_outlines import Land, area, cut, drawn, on_map, path, roomiest, simplified

SQUARE = [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)]


def topology(**shapes: list[list[int]]) -> dict[str, Any]:
    """Two squares of four by two degrees in the east of the sea, which share a border: arc 0."""
    arcs = [
        [[3000, 3500], [200, 3], [200, -3]],
        [[3400, 3500], [0, -200], [-400, 0], [0, 200]],
        [[3000, 3500], [0, 200], [400, 0], [0, -200]],
    ]
    geometries = [{"properties": {"a3": name}, "arcs": [rings]} for name, rings in shapes.items()]
    transform = {"scale": [0.01, 0.01], "translate": [0, 0]}
    return {"arcs": arcs, "transform": transform, "objects": {"countries": {"geometries": geometries}}}


def test_what_is_drawn_as_one_country_has_no_border_inside() -> None:
    land = Land(topology(CYP=[[0, 1]], CYN=[[2, -1]]))
    (ring,) = land.rings("CY")
    assert not {on_map(32, 35.03), on_map(32, 35)} & set(ring)


def test_neighbours_share_every_point_of_their_border() -> None:
    land = Land(topology(TUR=[[0, 1]], GEO=[[2, -1]]))
    (one,), (other,) = land.rings("TR"), land.rings("GE")
    shared = set(land.points(0))
    assert shared <= set(one) and shared <= set(other)


def test_countries_that_are_not_drawn_one_by_one_are_background() -> None:
    land = Land(topology(SYR=[[0, 1]], LBN=[[2, -1]]))
    assert len(land.rings("")) == 1


def test_small_bends_go_and_ends_stay() -> None:
    arc = [(0.0, 0.0), (5.0, 4.1), (10.0, 8.0), (15.0, 0.0)]
    assert simplified(arc, 3.0) == [(0.0, 0.0), (10.0, 8.0), (15.0, 0.0)]


def test_an_outline_is_cut_at_the_frame() -> None:
    ring = cut([(-500.0, 100.0), (50.0, 100.0), (50.0, 200.0), (-500.0, 200.0)])
    assert min(x for x, _ in ring) == -4 and area(ring) == pytest.approx(54 * 100)


def test_what_lies_beyond_the_frame_is_gone() -> None:
    assert cut([(-500.0, 100.0), (-400.0, 100.0), (-400.0, 200.0)]) == []


def test_a_path_holds_whole_steps() -> None:
    assert path([SQUARE]) == "M0 0l10 0 0 10-10 0z"


def test_the_roomiest_place_of_a_square_is_its_middle() -> None:
    assert roomiest([[(x * 4, y * 4) for x, y in SQUARE]]) == (20, 20, 20)


def test_a_country_too_small_to_be_seen_is_a_disc() -> None:
    assert drawn([[(7.0, 9.0)]]) == {"path": "M2 9a5 5 0 1 0 10 0a5 5 0 1 0-10 0z", "x": 7, "y": 9, "room": 5}
