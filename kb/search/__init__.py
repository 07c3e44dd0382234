"""Full-text search behind one port. Knows neither Flask nor the models."""

from __future__ import annotations

from pathlib import Path

from kb.search.port import SearchEngine
from kb.search.whoosh_engine import WhooshEngine

__all__ = ["open_engine"]


def open_engine(url: str, folder: Path) -> SearchEngine:
    """Open the engine that the setting KB_SEARCH_URL names; `folder` is where an embedded one keeps its index."""
    if url == "whoosh:":
        return WhooshEngine(folder)
    raise ValueError(f"no engine for {url!r}")
