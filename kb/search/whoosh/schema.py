"""What of a document is written into a segment.

Three kinds of term: the document's `id`; its `words`, folded, each with how often it stands in each text field and
where; its `stems`, each with its language, because kin are only kin within a language. And one stored value, the
record: what filters, facets and sorting need.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from whoosh.fields import STORED, FieldType, Schema
from whoosh.formats import Format

from kb.search.language import LONGEST_WORD, STEMMERS, fold, forms, is_stop_word, language_of, spans
from kb.search.port import COMPLETED, FACETS, TEXT_FIELDS, Document
from kb.search.whoosh.vectors import packed

FIELDS = (*TEXT_FIELDS, "foreign")
"""The fields that words are counted in. `foreign` holds the texts in other languages than the document's own."""

NUMBERED = (*FACETS, "region")
"""The sets of values of a document that filters ask for, in the order they are stored in."""

MOST_OCCURRENCES = 255
"""Occurrences of a word in one field of one document that count, for scores and phrases alike."""

# More than any phrase has words: so that none begins in one text and ends in the next.
_GAP = 1000


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
    """The form of a posting: bytes. What is in them is a matter between `contents` and `segment`."""


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


class Contents(NamedTuple):
    """A document as it is written: the value of each term of each indexed field, and the record.

    The value of an id is what `vectors` packs; that of a stem is a byte for each of `FIELDS`, how often it stands
    there; that of a word is the same and then its positions, 4 bytes each, in the order of the fields.
    """

    terms: Mapping[str, Mapping[bytes, bytes]]
    record: Record


def contents(document: Document) -> Contents:
    """Return what is written of a document."""
    words: dict[str, tuple[bytearray, array[int]]] = {}
    stems: dict[str, bytearray] = {}
    telling: dict[str, bytearray] = {}
    lengths = [0] * len(FIELDS)
    base = 0
    for field, language, text in _texts(document):
        tongue = language_of(language)
        length = 0
        for word, positions in _places(text, base).items():
            folded, kin = forms(word, tongue)
            _add_word(words, folded, field, positions)
            for stem in kin:
                term = stem_term(tongue, stem)
                counts = stems.setdefault(term, bytearray(len(FIELDS)))
                counts[field] = min(counts[field] + len(positions), MOST_OCCURRENCES)
                if len(stem) > 1 and not folded.isdigit() and not is_stop_word(folded):
                    telling[term] = counts
            length += len(positions)
        lengths[field] += length
        base += length + _GAP
    terms = {
        "id": {id_term(document.id): packed(telling)},
        "stems": {stem.encode(): bytes(counts) for stem, counts in stems.items()},
        "words": {word.encode(): bytes(c) + p.tobytes() for word, (c, p) in words.items() if word},
    }
    return Contents(terms, _record(document, lengths))


def id_term(document_id: str) -> bytes:
    """Return the term that finds a document by its id."""
    return document_id.encode("utf-8", "surrogatepass")


def stem_term(language: str, stem: str) -> str:
    """Return the term that finds a stem in texts of a language as `language_of` names it."""
    return f"{language}:{stem}"


def title_key(title: str) -> str:
    """Return what titles are sorted and compared by."""
    return " ".join(filter(None, map(fold, title.split())))


def _places(text: str, base: int) -> dict[str, list[int]]:
    """Return the positions of each word of a text, as written: most are there more than once, and folded only once."""
    places: dict[str, list[int]] = {}
    for position, (start, end) in enumerate(spans(text), base):
        places.setdefault(text[start : min(end, start + LONGEST_WORD)], []).append(position)
    return places


def _add_word(words: dict[str, tuple[bytearray, array[int]]], folded: str, field: int, positions: list[int]) -> None:
    if folded not in words:
        words[folded] = (bytearray(len(FIELDS)), array("I"))
    counts, there = words[folded]
    counting = positions[: MOST_OCCURRENCES - counts[field]]
    counts[field] += len(counting)
    there.extend(counting)


def _texts(document: Document) -> Iterator[tuple[int, str, str]]:
    """Yield (number of the field, language, text), in the order of `FIELDS`: positions must grow with the field.

    A foreign text whose language nobody has named is most often a name, and half in the language of the document.
    """
    texts = {"title": document.title, **document.texts}
    for number, name in enumerate(TEXT_FIELDS):
        yield number, document.language, texts.get(name, "")
    for language, text in document.foreign:
        yield FIELDS.index("foreign"), document.language if language == "und" else language, text


def _record(document: Document, lengths: list[int]) -> Record:
    spoken = dict.fromkeys(language_of(tag) for tag in (document.language, *(tag for tag, _ in document.foreign)))
    values = [tuple(dict.fromkeys(document.facets.get(facet, ()))) for facet in FACETS]
    return Record(
        id=document.id,
        slug=document.slug,
        title=title_key(document.title),
        languages=tuple(language for language in spoken if language in STEMMERS),
        lengths=tuple(lengths),
        values=(*values, tuple(dict.fromkeys(document.regions))),
        start_year=document.start_year,
        end_year=document.end_year,
        published=document.published,
        updated=document.updated,
        adopted=document.adopted,
        completeness=document.completeness,
        completions=tuple(tuple(dict.fromkeys(document.completions.get(kind, ()))) for kind in COMPLETED),
    )
