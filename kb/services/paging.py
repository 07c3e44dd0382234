"""One page of a long list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

PER_PAGE = 50


@dataclass(frozen=True)
class Page(Generic[T]):
    """The entries of one page, its number from 1, and how many entries there are in all."""

    items: Sequence[T]
    number: int
    total: int
    per_page: int = PER_PAGE

    @property
    def pages(self) -> int:
        """How many pages there are; one where there is nothing."""
        return max(1, -(-self.total // self.per_page))


def within(number: int, total: int, per_page: int = PER_PAGE) -> int:
    """A page number that exists: the last where one beyond it was asked for."""
    return min(max(1, number), max(1, -(-total // per_page)))
