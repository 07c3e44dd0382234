"""The three shades of a number: bounds in equal ratios, each number in one of them."""

from __future__ import annotations

import pytest

from kb.services.coverage import step, steps


@pytest.mark.parametrize(
    ("most", "bounds"), [(0, (1, 1)), (1, (1, 1)), (2, (1, 1)), (7, (1, 3)), (14, (2, 5)), (27, (3, 9)), (64, (4, 16))]
)
def test_bounds_of_the_shades(most: int, bounds: tuple[int, int]) -> None:
    assert steps(most) == bounds


@pytest.mark.parametrize("most", [1, 2, 3, 8, 14, 1000])
def test_shades_rise_with_the_number_and_nothing_has_none(most: int) -> None:
    shades = [step(number, most) for number in range(most + 1)]
    assert shades == sorted(shades) and shades[0] == 0 and shades[1] == 1
    assert set(shades) <= {0, 1, 2, 3}


def test_the_most_has_the_deepest_shade_where_there_is_more_than_one() -> None:
    assert all(step(most, most) == 3 for most in range(2, 500))
