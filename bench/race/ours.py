"""Our engine, through the port that the site uses."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bench.race.asking import HITS, Answer, Asked, Prepared
from bench.race.material import FACETS, Material
from kb.search.parsing import parse
from kb.search.port import Page, Query
from kb.search.whoosh.store import LAYOUT
from kb.search.whoosh_engine import WhooshEngine


class Ours:
    """The embedded engine. A typo is asked as the site does: as typed, then as the engine corrects it."""

    name = "ours"
    layout = str(LAYOUT)
    version = "this one"
    misses: tuple[str, ...] = ()

    def __init__(self, folder: Path, material: Material) -> None:
        self._engine = WhooshEngine(folder)
        self._material = material

    def build(self) -> None:
        """Index the documents."""
        self._engine.rebuild(self._material.documents())

    def close(self) -> None:
        """Give back files and memory."""
        self._engine.close()

    def prepare(self, asked: Asked) -> Prepared:
        """Return the query, parsed."""
        filters = {facet: (value,) for facet, value in asked.filters}
        query = Query(question=asked.question, filters=filters, limit=HITS)

        def answer() -> Answer:
            page = self._engine.search(query)
            if page.empty and page.corrections:
                meant = " ".join(meant for _, meant in page.corrections)
                page = self._engine.search(Query(question=parse(meant), filters=filters, limit=HITS))
            return _answer(page)

        return answer

    def count(self) -> int:
        """The number of documents."""
        return self._engine.count()

    def correction(self, text: str) -> str | None:
        """What the engine takes a mistyped word for."""
        corrections = self._engine.search(Query(question=parse(text), facets=False)).corrections
        return corrections[0][1] if corrections else None

    def matching(self, asked: Asked) -> Iterable[str]:
        """The ids of all that a query finds."""
        filters = {facet: (value,) for facet, value in asked.filters}
        return self._engine.matching(Query(question=asked.question, filters=filters))


def _answer(page: Page) -> Answer:
    facets = {name: {value: count for value, count in page.facets[name] if count} for name in FACETS}
    full = page.hits[: min(HITS, page.total)]  # what follows answers in part
    return Answer(page.total, [hit.id for hit in full], facets)
