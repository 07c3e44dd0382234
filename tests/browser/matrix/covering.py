"""A small choice in which every pair of values occurs: what `make test` looks at instead of everything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, product

Row = tuple[str, ...]


def combined(factors: Sequence[Sequence[str]]) -> list[Row]:
    """Rows of one value per factor in which every pair of values of two factors occurs, chosen greedily.

    The same factors give the same rows. Not the fewest possible: some few more than the product of the two largest.
    """
    everything = list(product(*factors))
    missing = {pair for row in everything for pair in _pairs(row)}
    chosen: list[Row] = []
    while missing:
        best = max(everything, key=lambda row: sum(pair in missing for pair in _pairs(row)))
        chosen.append(best)
        missing -= set(_pairs(best))
    return chosen


def dealt(items: Sequence[tuple[str, str]], settings: Sequence[Sequence[str]]) -> list[tuple[str, Row]]:
    """A setting for each (item, its kind): every item once, and every pair of values of settings and kinds.

    A kind with fewer items than it needs settings has its items more than once.
    """
    dealt_: list[tuple[str, Row]] = []
    rows = combined(settings)
    for kind in dict.fromkeys(kind for _item, kind in items):
        mine = [item for item, its in items if its == kind]
        shift = len(dealt_)
        for place in range(max(len(mine), len(rows))):
            dealt_.append((mine[place % len(mine)], rows[(place + shift) % len(rows)]))
    return dealt_


def _pairs(row: Row) -> Iterator[tuple[int, str, int, str]]:
    for (one, left), (other, right) in combinations(enumerate(row), 2):
        yield one, left, other, right
