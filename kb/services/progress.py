"""Long work shows how far it is by passing its items through one of these."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")


class Progress(Protocol):
    """Passes `items` through one by one; `total` is how many there will be."""

    def __call__(self, items: Iterable[T], total: int) -> Iterator[T]: ...


def silent(items: Iterable[T], total: int) -> Iterator[T]:
    """Pass items through and show nothing."""
    return iter(items)
