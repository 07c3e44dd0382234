"""Plain Whoosh as it comes: its own codec and postings, `compound=False`, and `groupedby` for the facets."""

from __future__ import annotations

from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

from whoosh import index
from whoosh.analysis import SpaceSeparatedTokenizer
from whoosh.fields import ID, KEYWORD, TEXT, Schema
from whoosh.query import And, Every, Query, Term
from whoosh.sorting import Count, Facets, FieldFacet

from bench.race.asking import HITS, Answer, Asked, Prepared
from bench.race.material import FACETS, SEVERAL, Material
from bench.race.meaning import Meaning


class Whoosh:
    """Plain Whoosh. A typo is asked as it is, then as Whoosh's speller corrects it."""

    name = "whoosh"
    layout = "1"
    version = version("whoosh")
    misses: tuple[str, ...] = ()
    stays = True

    def __init__(self, folder: Path, material: Material) -> None:
        self._folder = folder
        self._material = material
        self._meaning = Meaning(material)
        self._searcher: Any = None
        if folder.exists():
            self._searcher = index.open_dir(folder).searcher()

    def build(self) -> None:
        """Index the documents, in one process and one segment."""
        self._folder.mkdir(parents=True)
        made = index.create_in(self._folder, _schema())
        writer = made.writer(limitmb=512)
        writer.compound = False
        for each in self._material.tokens():
            values = {name: " ".join(values) for name, values in each.facets.items() if values}
            writer.add_document(id=each.id, words=each.words, stems=each.stems, **values)
        writer.commit(optimize=True)
        self._searcher = made.searcher()

    def close(self) -> None:
        """Give back files and memory."""
        if self._searcher is not None:
            self._searcher.close()

    def prepare(self, asked: Asked) -> Prepared:
        """Return the query, as its own query objects."""
        tree = self._meaning.tree(asked.question)

        def answer() -> Answer:
            words = tree
            if asked.meant is not None:
                words = Term("words", (self._searcher.suggest("words", asked.text, limit=1) or [asked.text])[0])
            found = self._search(words, asked.filters, [name for name in FACETS if name not in asked.chosen], HITS)
            hits = [hit["id"] for hit in islice(found, HITS)]  # with groups it keeps more than the limit
            facets = _counts(found)
            for name in asked.chosen:
                facets |= _counts(self._search(words, asked.but(name), [name], 1))
            return Answer(len(found), hits, facets)

        return answer

    def _search(self, words: Query, filters: tuple[tuple[str, str], ...], names: list[str], limit: int) -> Any:
        chosen = [Term(name, value) for name, value in filters]
        grouped = Facets()
        for name in names:
            grouped.add_facet(name, _facet(name))
        tree = words if words != Every() or not chosen else chosen.pop()
        return self._searcher.search(
            tree, limit=limit, filter=And(chosen) if chosen else None, groupedby=grouped, maptype=Count
        )


def _facet(name: str) -> Any:
    # A FieldFacet of several values walks the postings of the whole field at every search; reading what is stored is
    # slower still where much is found.
    return FieldFacet(name, allow_overlap=name in SEVERAL)


def _schema() -> Schema:
    texts = {"words": TEXT(analyzer=SpaceSeparatedTokenizer(), phrase=True), "stems": KEYWORD}
    facets = {name: KEYWORD(sortable=name not in SEVERAL) for name in FACETS}
    return Schema(id=ID(stored=True), **texts, **facets)


def _counts(found: Any) -> dict[str, dict[str, int]]:
    groups = {name: found.groups(name) for name in found.facet_names()}
    return {name: {value: n for value, n in counts.items() if value} for name, counts in groups.items()}
