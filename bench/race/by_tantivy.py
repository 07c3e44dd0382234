"""tantivy, with a fast field for each facet and one aggregation request for all of them.

Its segments are as it merges them by itself. The ten best and the total come from one pass, as its search does by
itself, and the facets from another: its Python package has no collector of both. Leaving the count to the aggregation,
so that the first pass may skip blocks of postings, was tried and is slower.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import tantivy
from tantivy import Occur, SchemaBuilder
from whoosh import query as tree

from bench.race.asking import HITS, Answer, Asked, Prepared
from bench.race.material import FACETS, Material
from bench.race.meaning import Meaning

_HEAP = 256 << 20
_MOST_VALUES = 1000  # of one facet


class Tantivy:
    """tantivy. A typo is asked as a fuzzy term: any word that one edit makes of it."""

    name = "tantivy"
    layout = "3"
    version = version("tantivy")
    misses: tuple[str, ...] = ()
    stays = True

    def __init__(self, folder: Path, material: Material) -> None:
        self._folder = folder
        self._material = material
        self._meaning = Meaning(material)
        self._schema = _schema()
        self._searcher: Any = None
        if folder.exists():
            self._searcher = tantivy.Index(self._schema, path=str(folder)).searcher()

    def build(self) -> None:
        """Index the documents, with a thread for each of two cores."""
        self._folder.mkdir(parents=True)
        index = tantivy.Index(self._schema, path=str(self._folder))
        writer = index.writer(heap_size=_HEAP, num_threads=2)
        for number, each in enumerate(self._material.tokens()):
            document = tantivy.Document(number=number, words=each.words, stems=each.stems)
            for name, values in each.facets.items():
                for value in values:
                    document.add_text(name, value)
            writer.add_document(document)
        writer.commit()
        writer.wait_merging_threads()
        index.reload()
        self._searcher = index.searcher()

    def close(self) -> None:
        """Give back files and memory."""
        self._searcher = None

    @property
    def segments(self) -> int:
        """How many segments it made."""
        return int(self._searcher.num_segments)

    def prepare(self, asked: Asked) -> Prepared:
        """Return the query, made of its own query objects."""
        words = self._words(asked)
        whole = self._filtered(words, asked.filters)
        tables = [(whole, _counting(name for name in FACETS if name not in asked.chosen))]
        tables += [(self._filtered(words, asked.but(name)), _counting([name])) for name in asked.chosen]

        ids = self._material.ids

        def answer() -> Answer:
            searcher = self._searcher
            found = searcher.search(whole, HITS, count=True)
            addresses = [address for _, address in found.hits]
            hits = [ids[number] for number in searcher.fast_field_values("number", addresses)]
            counted = [searcher.aggregate(query, counting) for query, counting in tables]
            facets = {name: _table(each) for part in counted for name, each in part.items()}
            return Answer(found.count, hits, facets)

        return answer

    def _words(self, asked: Asked) -> Any:
        if asked.kind == "typo" and asked.meant is not None:
            return tantivy.Query.fuzzy_term_query(self._schema, "words", asked.text, distance=1)
        return self._query(self._meaning.tree(asked.question))

    def _query(self, node: tree.Query) -> Any:
        query, schema = tantivy.Query, self._schema
        match node:
            case tree.Phrase():
                return query.phrase_query(schema, node.fieldname, node.words)
            case tree.Prefix():
                return query.regex_query(schema, node.fieldname, re.escape(node.text) + ".*")
            case tree.Term():
                return query.term_query(schema, node.fieldname, node.text, "freq")
            case tree.And() | tree.Or():
                occur = Occur.Must if isinstance(node, tree.And) else Occur.Should
                return query.boolean_query([(occur, self._query(each)) for each in node.subqueries])
            case tree.Every():
                return query.all_query()
            case tree.NullQuery:
                return query.empty_query()
        raise ValueError(f"no such query: {node!r}")

    def _filtered(self, words: Any, filters: tuple[tuple[str, str], ...]) -> Any:
        query = tantivy.Query
        chosen = [query.term_query(self._schema, facet, value, "basic") for facet, value in filters]
        unscored = [(Occur.Must, query.const_score_query(each, 0.0)) for each in chosen]
        return query.boolean_query([(Occur.Must, words), *unscored]) if chosen else words


def _schema() -> Any:
    schema = SchemaBuilder()
    schema.add_integer_field("number", fast=True)
    schema.add_text_field("words", tokenizer_name="whitespace", index_option="position")
    schema.add_text_field("stems", tokenizer_name="whitespace", index_option="freq")
    for name in FACETS:
        schema.add_text_field(name, fast=True, tokenizer_name="raw", index_option="basic")
    return schema.build()


def _counting(names: Iterable[str]) -> dict[str, Any]:
    return {name: {"terms": {"field": name, "size": _MOST_VALUES}} for name in names}


def _table(found: Mapping[str, Any]) -> dict[str, int]:
    return {bucket["key"]: bucket["doc_count"] for bucket in found["buckets"]}
