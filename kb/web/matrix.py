"""The picture of what is missing: a cell for each theme and country, sorted both ways, so that gaps lie together."""

from __future__ import annotations

from dataclasses import dataclass

from kb.services.coverage import Table, step
from kb.services.query import CatalogueQuery
from kb.services.vocabularies import fold
from kb.web import templating
from kb.web.coverage_links import address

CELL, LINE, HEAD, SUM = 21, 30, 40, 48
"""Width of a cell, height of a row and of the head, width of the sums at the right, in units of the picture."""

LETTER, NARROWEST = 8, 180
"""Units that a letter of a theme's name takes, and the least width of the names."""

HOLE = 3
"""Radius of the ring that stands for a gap."""


@dataclass(frozen=True)
class Cell:
    """A theme of a country with practices: where, how many, the shade of the number, the address of the search."""

    x: float
    count: int
    shade: int
    url: str


@dataclass(frozen=True)
class Line:
    """A theme: its name, the middle of its row, its cells, the rings of its gaps as one path, its practices."""

    name: str
    y: int
    cells: tuple[Cell, ...]
    holes: str
    count: int


@dataclass(frozen=True)
class Matrix:
    """The whole picture. `heads` are (middle, code, name, practices) of the countries."""

    width: int
    height: int
    heads: tuple[tuple[float, str, str, int], ...]
    lines: tuple[Line, ...]
    cell: int = CELL
    line: int = LINE


def drawn(found: Table, asked: CatalogueQuery) -> Matrix:
    """Draw theme by country: the themes that most countries have first, the countries with most practices first."""
    names = {theme: templating.theme_name(theme) for theme in found.rows}
    order = sorted(names, key=lambda theme: (-len(found.having[theme]), -found.rows[theme], fold(names[theme])))
    left = max([NARROWEST, *(len(name) * LETTER for name in names.values())])
    middles = {code: left + (n + 0.5) * CELL for n, code in enumerate(found.columns)}
    most = max(found.cells.values(), default=0)
    lines = []
    for number, theme in enumerate(order):
        cells = [
            Cell(middles[code], count, step(count, most), address(asked, found.layout, theme, code))
            for code in found.having[theme]
            if (count := found.cells[theme, code])
        ]
        y = HEAD + number * LINE + LINE // 2
        holes = "".join(_ring(middles[code], y) for code in found.lacking[theme])
        lines.append(Line(names[theme], y, tuple(cells), holes, found.rows[theme]))
    return Matrix(
        width=left + CELL * len(middles) + SUM,
        height=HEAD + LINE * (len(order) + 1),
        heads=tuple((x, code, templating.country_name(code), found.columns[code]) for code, x in middles.items()),
        lines=tuple(lines),
    )


def _ring(x: float, y: float) -> str:
    return f"M{x - HOLE:g} {y}a{HOLE} {HOLE} 0 1 0 {2 * HOLE} 0a{HOLE} {HOLE} 0 1 0-{2 * HOLE} 0z"
