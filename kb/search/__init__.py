"""Full-text search behind one port. Knows neither Flask nor the models."""

from __future__ import annotations

from pathlib import Path

from kb.search.port import SearchEngine
from kb.search.typesense.address import parse
from kb.search.typesense_engine import TypesenseEngine
from kb.search.whoosh_engine import WhooshEngine

__all__ = ["open_engine"]


def open_engine(url: str, folder: Path) -> SearchEngine:
    """Open the engine that the setting KB_SEARCH_URL names; `folder` is where an embedded one keeps its index.

    Raises SearchUnavailable where the packages that it needs are not installed, ValueError where it is none.
    """
    if url == "whoosh:":
        return WhooshEngine(folder)
    return TypesenseEngine(parse(url))
