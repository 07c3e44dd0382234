"""One immutable segment as it is read: its records as arrays, its postings on demand.

A segment never changes, so what is made of it here holds until it is merged away; deletions are the snapshot's matter.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from whoosh.reading import TermNotFound

from kb.search.beginnings import Beginnings
from kb.search.port import COMPLETED
from kb.search.whoosh.codec import Files, Postings, read_postings
from kb.search.whoosh.lexicon import EXTENSION, Lexicon
from kb.search.whoosh.schema import FIELDS, NUMBERED, Record, id_term
from kb.search.whoosh.store import damaged_is_lost
from kb.search.whoosh.vectors import Vector, unpacked

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


class Term(NamedTuple):
    """A term: its documents, ascending; for each how often it stands in each of `FIELDS`; and of words where.

    `positions` are in the order of the documents, and within one of the fields. Stems have none.
    """

    documents: Numbers
    counts: NDArray[np.uint8]
    positions: NDArray[np.uint32]


NOWHERE = Term(np.empty(0, np.intp), np.empty((0, len(FIELDS)), np.uint8), np.empty(0, np.uint32))


class TermCache:
    """The terms read last, of all segments, up to a number of bytes. Safe for threads."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._bytes = 0
        self._terms: OrderedDict[tuple[str, str, bytes], Term] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[str, str, bytes]) -> Term | None:
        with self._lock:
            if key in self._terms:
                self._terms.move_to_end(key)
            return self._terms.get(key)

    def put(self, key: tuple[str, str, bytes], term: Term) -> None:
        with self._lock:
            if key in self._terms:
                return
            self._terms[key] = term
            self._bytes += _weight(term)
            while self._bytes > self._most:
                self._bytes -= _weight(self._terms.popitem(last=False)[1])


def _weight(term: Term) -> int:
    return term.documents.nbytes + term.counts.nbytes + term.positions.nbytes + 300


class Segment:
    """A segment, open. Raises IndexLost where a file of it is damaged. Safe for threads; its files close with it."""

    def __init__(self, path: Path, whoosh_segment: Any, cache: TermCache) -> None:
        self.name: str = whoosh_segment.segment_id()
        self.count: int = whoosh_segment.doc_count_all()
        self._cache = cache
        self._lock = threading.Lock()  # reading seeks, and all threads share the files
        self._lexicon: Lexicon | None = None
        self._beginnings: dict[str, Beginnings] = {}
        self._lazy_lock = threading.Lock()
        files = Files(path)
        weakref.finalize(self, files.close)
        with damaged_is_lost():
            self.columns = _columns(files, whoosh_segment)
            self._terms = whoosh_segment.codec().terms_reader(files, whoosh_segment)
            self._lexicon_file = whoosh_segment.open_file(files, EXTENSION).raw_file()

    def term(self, field: str, term: bytes) -> Term:
        """Return where a term of the field `words` or `stems` stands."""
        key = (self.name, field, term)
        found = self._cache.get(key)
        if found is None:
            postings = self._postings(field, term)
            found = NOWHERE if postings is None else _term(postings)
            self._cache.put(key, found)
        return found

    def vector(self, number: int) -> Vector:
        """Return the most frequent stems of a document. Raises IndexLost where they are damaged."""
        postings = self._postings("id", id_term(self.columns.ids[number]))
        with damaged_is_lost():
            assert postings is not None  # noqa: S101 - every document has an id
            place = int(np.searchsorted(postings.documents, number))
            start, end = postings.offsets[place : place + 2]
            return unpacked(postings.values[start:end].tobytes(), len(FIELDS))

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

    def _postings(self, field: str, term: bytes) -> Postings | None:
        with damaged_is_lost(), self._lock:
            try:
                return read_postings(self._terms._postfile, self._terms.term_info(field, term))
            except TermNotFound:
                return None


def _whole(handle: int) -> bytes:
    """Return all that is in an open file, wherever another process that shares it has got to."""
    return os.pread(handle, os.fstat(handle).st_size, 0)


def _term(postings: Postings) -> Term:
    count_bytes = postings.offsets[:-1, None] + np.arange(len(FIELDS))
    is_position = np.ones(len(postings.values), np.bool_)
    is_position[count_bytes] = False
    positions = np.frombuffer(postings.values[is_position].tobytes(), np.uintc)
    return Term(postings.documents.astype(np.intp), postings.values[count_bytes], positions)


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
