"""What a representation says besides the records: whose they are, where they were asked for, and when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

Document = dict[str, Any]
"""A whole public record, under the keys of the contract."""

Point = tuple[float, float]
"""Longitude and latitude in degrees (WGS 84)."""


class Reader(Protocol):
    """Whoever reads what is said in words: `say` puts a writer's own words into their `language`."""

    @property
    def language(self) -> str: ...
    @property
    def say(self) -> Callable[[str], str]: ...


def _code(_facet: str, value: str) -> str:
    return value


def _nowhere(_document: Document) -> None:
    return None


@dataclass(frozen=True)
class About:
    """What surrounds the records of one export.

    `title` says in words what was asked for, `url` is the address of the page that shows the same, `made` the moment
    (UTC). `term` names a value of a facet (`theme`, `housing`) in `language`, by default its code; `point` is where
    a record lies, if that is known. `say` puts a writer's own words into `language`; `notice` is what a reader of one
    record must know first, such as that it is archived.
    """

    site: str
    base_url: str
    title: str
    url: str
    made: datetime
    language: str
    term: Callable[[str, str], str] = _code
    point: Callable[[Document], Point | None] = _nowhere
    say: Callable[[str], str] = str
    notice: str | None = None
