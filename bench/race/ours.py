"""Our engines, through the port that the site uses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.race.asking import HITS, Answer, Asked, Prepared
from bench.race.material import FACETS, Material
from kb.search.parsing import parse
from kb.search.port import Page, Query, SearchEngine
from kb.search.typesense import address, keeping
from kb.search.typesense_engine import TypesenseEngine
from kb.search.whoosh import store
from kb.search.whoosh_engine import WhooshEngine
from tests import typesense_server


class _Ported:
    """An engine of the site's. A typo is asked as the site does: as typed, then as the engine corrects it."""

    misses: tuple[str, ...] = ()

    def __init__(self, engine: SearchEngine, material: Material) -> None:
        self._engine = engine
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


class Ours(_Ported):
    """The embedded engine."""

    name = "ours"
    layout = str(store.LAYOUT)
    version = "this one"
    stays = True

    def __init__(self, folder: Path, material: Material) -> None:
        super().__init__(WhooshEngine(folder), material)

    def correction(self, text: str) -> str | None:
        """What the engine takes a mistyped word for."""
        corrections = self._engine.search(Query(question=parse(text), facets=False)).corrections
        return corrections[0][1] if corrections else None

    def matching(self, asked: Asked) -> Iterable[str]:
        """The ids of all that a query finds."""
        filters = {facet: (value,) for facet, value in asked.filters}
        return self._engine.matching(Query(question=asked.question, filters=filters))


_URL = "url"
"""The file in the folder of a server that says how it is reached."""


class Typesense(_Ported):
    """The same through a Typesense server, on what `served` started.

    The time of the processor is that of this process only: what the server takes is seen by the clock.
    """

    name = "typesense"
    layout = str(keeping.LAYOUT)
    version = typesense_server.version() if typesense_server.available() is None else ""
    stays = False

    def __init__(self, folder: Path, material: Material) -> None:
        super().__init__(TypesenseEngine(address.parse((folder / _URL).read_text())), material)


@contextmanager
def served(folder: Path) -> Iterator[None]:
    """Run a server of one node on a folder, which goes with it."""
    folder.mkdir(parents=True, exist_ok=True)
    cluster = typesense_server.cluster(folder, nodes=1)
    try:
        (folder / _URL).write_text(cluster.url("race"))
        yield
    finally:
        cluster.stop()


def _answer(page: Page) -> Answer:
    facets = {name: {value: count for value, count in page.facets[name] if count} for name in FACETS}
    full = page.hits[: min(HITS, page.total)]  # what follows answers in part
    return Answer(page.total, [hit.id for hit in full], facets)
