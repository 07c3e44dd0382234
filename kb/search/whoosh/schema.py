"""What of a document is written into a segment.

Three kinds of term: the document's `id`; its `words`, folded, each with how often it stands in each text field and
where; its `stems`, each with its language, because kin are only kin within a language. And one stored value, the
record: what filters, facets and sorting need.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from whoosh.fields import STORED, FieldType, Schema
from whoosh.formats import Format

from kb.search.fields import FIELDS, MOST_OCCURRENCES, NUMBERED, texts, title_key
from kb.search.language import STEMMERS, language_of
from kb.search.port import COMPLETED, FACETS, Document

__all__ = ["FIELDS", "MOST_OCCURRENCES", "NUMBERED", "SCHEMA", "Record", "id_term", "record", "stem_term", "texts",
           "title_key"]  # fmt: skip


class Record(NamedTuple):
    """The stored part of a document.

    `values` follow `NUMBERED`, `lengths` (in words) `FIELDS`, `completions` `COMPLETED`.
    """

    id: str
    slug: str
    title: str
    languages: tuple[str, ...]
    lengths: tuple[int, ...]
    values: tuple[tuple[str, ...], ...]
    start_year: int | None
    end_year: int | None
    published: str
    updated: str
    adopted: int
    completeness: float
    completions: tuple[tuple[str, ...], ...]


class _Terms(Format):  # type: ignore[misc]
    """The form of a posting: bytes. What is in them is the codec's matter."""


class _Counted(_Terms):
    """How often a term stands in each of `FIELDS`, for Whoosh's own matchers."""

    def decode_counts(self, value: bytes) -> bytes:
        return value[: len(FIELDS)]


class _Placed(_Counted):
    """The same, and where, for Whoosh's own phrases."""

    def decode_positions(self, value: bytes) -> list[int]:
        positions: list[int] = np.frombuffer(value, np.uintc, offset=len(FIELDS)).tolist()
        return positions


SCHEMA = Schema(id=FieldType(_Terms(), None), words=FieldType(_Placed(), None), stems=FieldType(_Counted(), None),
                record=STORED())  # fmt: skip


def id_term(document_id: str) -> bytes:
    """Return the term that finds a document by its id."""
    return document_id.encode("utf-8", "surrogatepass")


def stem_term(language: str, stem: str) -> str:
    """Return the term that finds a stem in texts of a language as `language_of` names it."""
    return f"{language}:{stem}"


def record(document: Document, lengths: list[int]) -> Record:
    """Return the record of a document whose fields are of these lengths."""
    spoken = dict.fromkeys(language_of(tag) for tag in (document.language, *(tag for tag, _ in document.foreign)))
    values = [tuple(dict.fromkeys(document.facets.get(facet, ()))) for facet in FACETS]
    return Record(
        id=document.id,
        slug=document.slug,
        title=title_key(document.title),
        languages=tuple(language for language in spoken if language in STEMMERS),
        lengths=tuple(lengths),
        values=(*values, tuple(dict.fromkeys(document.regions)), tuple(dict.fromkeys(document.own_regions))),
        start_year=document.start_year,
        end_year=document.end_year,
        published=document.published,
        updated=document.updated,
        adopted=document.adopted,
        completeness=document.completeness,
        completions=tuple(tuple(dict.fromkeys(document.completions.get(kind, ()))) for kind in COMPLETED),
    )
