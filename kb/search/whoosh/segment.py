"""One immutable segment as it is read: its records as arrays, its postings on demand.

A segment never changes, so what is made of it here holds until it is merged away; deletions are the snapshot's matter.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kb.search.beginnings import Beginnings
from kb.search.port import COMPLETED
from kb.search.whoosh import arrays, vectors
from kb.search.whoosh.codec import Files, arrays_path
from kb.search.whoosh.inverted import Field
from kb.search.whoosh.lexicon import EXTENSION, Lexicon
from kb.search.whoosh.schema import FIELDS, NUMBERED, Record
from kb.search.whoosh.store import damaged_is_lost
from kb.search.whoosh.vectors import Vector

Numbers = NDArray[np.intp]
"""Numbers of documents."""

ALWAYS_BEFORE, ALWAYS_AFTER = -(1 << 30), 1 << 30
"""The years that stand for a start that is not known, and for an end that is yet to come."""


class ValueSets(NamedTuple):
    """Which documents have which values: for each pair an entry in `documents` and in `codes` (places in `names`)."""

    names: list[str]
    documents: Numbers
    codes: Numbers

    def wanted(self, values: Iterable[str]) -> NDArray[np.bool_]:
        """Return which of the entries are of one of these values."""
        if not self.names:
            return np.zeros(0, np.bool_)
        return np.isin(np.array(self.names, object), list(values))[self.codes]


class Columns(NamedTuple):
    """The records of a segment, a row for each document."""

    ids: list[str]
    slugs: list[str]
    by_title: list[tuple[str, str, int]]
    lengths: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    dated: NDArray[np.bool_]
    published: NDArray[np.bytes_]
    updated: NDArray[np.bytes_]
    adopted: NDArray[np.int64]
    completeness: NDArray[np.float64]
    sets: dict[str, ValueSets]
    completions: dict[str, ValueSets]
    languages: frozenset[str]


class Term:
    """A term: its `documents`, ascending; in a row of `counts` for each how often it stands in each of `FIELDS`.

    Documents are uint32 in a segment, on disk, and `Numbers` in a snapshot.
    """

    __slots__ = ("_positions", "counts", "documents")

    def __init__(
        self,
        documents: NDArray[Any],
        counts: NDArray[np.uint8],
        positions: Callable[[], NDArray[np.uint32]] | None = None,
    ) -> None:
        self.documents = documents
        self.counts = counts
        self._positions = positions

    @property
    def positions(self) -> NDArray[np.uint32]:
        """Where it stands, in the order of the documents, and within one of the fields. Stems have none."""
        return self._positions() if self._positions else np.empty(0, np.uint32)

    @property
    def nbytes(self) -> int:
        """The memory that it takes, most of it shared with others."""
        return self.documents.nbytes + self.counts.nbytes


NOWHERE = Term(np.empty(0, np.intp), np.empty((0, len(FIELDS)), np.uint8))


class Segment:
    """A segment, open. Raises IndexLost where a file of it is damaged. Safe for threads; its files close with it."""

    def __init__(self, path: Path, whoosh_segment: Any) -> None:
        self.name: str = whoosh_segment.segment_id()
        self.count: int = whoosh_segment.doc_count_all()
        self._lexicon: Lexicon | None = None
        self._beginnings: dict[str, Beginnings] = {}
        self._lazy_lock = threading.Lock()
        files = Files(path)
        weakref.finalize(self, files.close)
        with damaged_is_lost():
            self.columns = _columns(files, whoosh_segment)
            found = arrays.read(arrays_path(files, whoosh_segment))
            self.fields = {name: Field(found, name, self.count) for name in ("words", "stems")}
            self._vectors = vectors.read(found)
            self._lexicon_file = whoosh_segment.open_file(files, EXTENSION).raw_file()

    def term(self, field: str, term: bytes) -> Term:
        """Return where a term of the field `words` or `stems` stands."""
        return self.terms(field, [term])[0]

    def terms(self, field: str, terms: Sequence[bytes]) -> list[Term]:
        """Return where terms of the field `words` or `stems` stand, without copies. They are looked up all at once."""
        return [NOWHERE if place < 0 else self.term_at(field, place) for place in self.fields[field].places(terms)]

    def term_at(self, field: str, place: int) -> Term:
        """Return where the term at a place among those of its field stands; for words it is that of the lexicon."""
        found = self.fields[field]
        return Term(found.documents(place), found.counts(place), partial(found.positions, place))

    def vector(self, number: int) -> Vector:
        """Return the most frequent stems of a document. Raises IndexLost where they are damaged."""
        _, stems, counts = self._vectors.of(np.array([number]))
        terms = self.fields["stems"].terms
        with damaged_is_lost():
            return Vector([terms.encoded(place) for place in stems.tolist()], counts)

    def lexicon(self) -> Lexicon:
        """Return the lexicon. It is read when somebody first asks for it. Raises IndexLost where it is damaged."""
        with self._lazy_lock:
            if self._lexicon is None:
                with damaged_is_lost():
                    self._lexicon = Lexicon(_whole(self._lexicon_file.fileno()))
            return self._lexicon

    def beginnings(self, kind: str) -> Beginnings:
        """Return the names of a kind of `COMPLETED` by their words. They are sorted when somebody first asks."""
        with self._lazy_lock:
            if kind not in self._beginnings:
                self._beginnings[kind] = Beginnings(self.columns.completions[kind].names)
            return self._beginnings[kind]


def _whole(handle: int) -> bytes:
    """Return all that is in an open file, wherever another process that shares it has got to."""
    return os.pread(handle, os.fstat(handle).st_size, 0)


def _columns(files: Files, whoosh_segment: Any) -> Columns:
    reader = whoosh_segment.codec().per_document_reader(files, whoosh_segment)
    records = [Record(*reader.stored_fields(n)["record"]) for n in range(whoosh_segment.doc_count_all())]
    reader.close()
    starts = [r.start_year for r in records]
    ends = [r.end_year for r in records]
    return Columns(
        ids=[r.id for r in records],
        slugs=[r.slug for r in records],
        by_title=sorted((r.title, r.id, n) for n, r in enumerate(records)),
        lengths=np.array([r.lengths for r in records], np.int64).reshape(-1, len(FIELDS)),
        starts=np.array([ALWAYS_BEFORE if year is None else year for year in starts], np.int64),
        ends=np.array([ALWAYS_AFTER if year is None else year for year in ends], np.int64),
        dated=np.array([(s, e) != (None, None) for s, e in zip(starts, ends, strict=True)], np.bool_),
        published=np.array([r.published.encode() for r in records], np.bytes_),
        updated=np.array([r.updated.encode() for r in records], np.bytes_),
        adopted=np.array([r.adopted for r in records], np.int64),
        completeness=np.array([r.completeness for r in records], np.float64),
        sets={name: _sets([r.values[i] for r in records]) for i, name in enumerate(NUMBERED)},
        completions={kind: _sets([r.completions[i] for r in records]) for i, kind in enumerate(COMPLETED)},
        languages=frozenset(language for r in records for language in r.languages),
    )


def _sets(values: Sequence[tuple[str, ...]]) -> ValueSets:
    codes: dict[str, int] = {}
    coded = [codes.setdefault(value, len(codes)) for row in values for value in row]
    documents = np.repeat(np.arange(len(values)), [len(row) for row in values])
    return ValueSets(list(codes), documents, np.array(coded, np.intp))
