"""The index at one moment: its segments side by side, the documents numbered through, the deleted ones masked."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kb.search.port import COMPLETED
from kb.search.whoosh.schema import FIELDS, NUMBERED
from kb.search.whoosh.segment import NOWHERE, Columns, Numbers, Segment, Term, ValueSets
from kb.search.whoosh.store import damaged_is_lost
from kb.search.whoosh.vectors import Vector
from kb.search.whoosh.writing import segments_of

Mask = NDArray[np.bool_]
"""True for the documents that are meant."""


def open_snapshot(path: Path, generation: int, previous: Snapshot | None = None) -> Snapshot:
    """Open an index, with the segments of the `previous` snapshot where they are still in it. Raises IndexLost."""
    with damaged_is_lost():
        whoosh_segments = segments_of(path, generation)
        known = {segment.name: segment for segment in previous.segments} if previous else {}
        segments = [known.get(s.segment_id()) or Segment(path, s) for s in whoosh_segments]
        return Snapshot(segments, [sorted(s.deleted_docs()) for s in whoosh_segments])


class Snapshot:
    """What a search looks at. Immutable, so that threads can share it and a commit meanwhile does no harm.

    Documents are numbered segment by segment. Deleted ones keep their number and are False in `live`.
    """

    def __init__(self, segments: Sequence[Segment], deleted: Sequence[Sequence[int]]) -> None:
        self.segments = tuple(segments)
        sizes = [segment.count for segment in segments]
        self.bases = [0, *np.cumsum(sizes, dtype=int).tolist()]
        self.size = self.bases[-1]
        self.live: Mask = np.ones(self.size, np.bool_)
        for base, numbers in zip(self.bases, deleted, strict=False):
            self.live[base + np.array(numbers, np.intp)] = False
        self.count = int(self.live.sum())
        self.languages = frozenset[str]().union(*(segment.columns.languages for segment in segments))
        self._gather([segment.columns for segment in segments])

    def _gather(self, columns: Sequence[Columns]) -> None:
        def joined(of: Callable[[Columns], NDArray[Any]], empty: Any) -> Any:
            return np.concatenate([of(c) for c in columns]) if columns else np.array([], empty)

        self.ids = [document_id for c in columns for document_id in c.ids]
        self.slugs = [slug for c in columns for slug in c.slugs]
        self.starts: NDArray[np.int64] = joined(lambda c: c.starts, np.int64)
        self.ends: NDArray[np.int64] = joined(lambda c: c.ends, np.int64)
        self.dated: Mask = joined(lambda c: c.dated, np.bool_)
        self.published: NDArray[np.bytes_] = joined(lambda c: c.published, "S1")
        self.updated: NDArray[np.bytes_] = joined(lambda c: c.updated, "S1")
        self.adopted: NDArray[np.int64] = joined(lambda c: c.adopted, np.int64)
        self.completeness: NDArray[np.float64] = joined(lambda c: c.completeness, np.float64)
        self.lengths: NDArray[np.int64] = joined(lambda c: c.lengths, np.int64).reshape(-1, len(FIELDS))
        self.title_ranks = self._title_ranks(columns)
        self.sets = {name: self._sets([c.sets[name] for c in columns]) for name in NUMBERED}
        self.completions = {kind: self._sets([c.completions[kind] for c in columns]) for kind in COMPLETED}
        # A field that no document uses must not divide by nothing.
        self.average_lengths = np.maximum(self.lengths[self.live].sum(axis=0) / max(1, self.count), 1.0)

    def term(self, field: str, term: str) -> Term:
        """Return where a term stands, in all segments, without the deleted documents."""
        return self.terms(field, [term])[0]

    def terms(self, field: str, terms: Sequence[str]) -> list[Term]:
        """Return where terms stand; to ask for many at once is quicker than for one after the other."""
        encoded = [term.encode() for term in terms]
        found = [segment.terms(field, encoded) for segment in self.segments]
        return [self._whole([each[i] for each in found]) for i in range(len(terms))]

    def _whole(self, found: Sequence[Term]) -> Term:
        """Return what was found in each segment as one."""
        parts = [(base, term) for base, term in zip(self.bases, found, strict=False) if len(term.documents)]
        if not parts:
            return NOWHERE
        documents = np.concatenate([np.add(term.documents, base, dtype=np.intp) for base, term in parts])
        counts = np.concatenate([term.counts for _, term in parts]) if len(parts) > 1 else parts[0][1].counts
        live = None if self.count == self.size else self.live[documents]
        if live is None or live.all():
            return Term(documents, counts, lambda: _positions(parts))
        occurrences = counts.sum(axis=1, dtype=np.intp)
        return Term(documents[live], counts[live], lambda: _positions(parts)[np.repeat(live, occurrences)])

    def vector(self, document: int) -> Vector:
        """Return the most frequent stems of a document."""
        i = bisect_right(self.bases, document) - 1
        return self.segments[i].vector(document - self.bases[i])

    def tagged(self, facet: str, values: Iterable[str]) -> Mask:
        """Return which documents have any of the values of a facet; deleted ones may be among them."""
        sets = self.sets[facet]
        mask = np.zeros(self.size, np.bool_)
        mask[sets.documents[sets.wanted(values)]] = True
        return mask

    def tagged_first(self, facet: str, values: Iterable[str]) -> Mask:
        """Return the documents of which one of the values is the primary one; deleted ones may be among them."""
        sets = self.sets[facet]
        is_first = np.diff(sets.documents, prepend=-1) != 0
        mask = np.zeros(self.size, np.bool_)
        mask[sets.documents[sets.wanted(values) & is_first]] = True
        return mask

    def overlapping(self, year_from: int | None, year_to: int | None) -> Mask:
        """Return the documents whose years overlap a range; None is an open end. Undated ones never do."""
        if year_from is not None and year_to is not None and year_from > year_to:
            return np.zeros(self.size, np.bool_)
        mask = self.dated
        if year_to is not None:
            mask = mask & (self.starts <= year_to)
        if year_from is not None:
            mask = mask & (self.ends >= year_from)
        return mask

    def titled(self, key: str) -> Mask:
        """Return the documents whose title is this one, as `schema.title_key` gives it."""
        mask = np.zeros(self.size, np.bool_)
        for base, segment in zip(self.bases, self.segments, strict=False):
            titles = segment.columns.by_title
            same = slice(bisect_left(titles, (key,)), bisect_right(titles, (key, "\U0010ffff")))
            mask[[base + number for _, _, number in titles[same]]] = True
        return mask

    def _title_ranks(self, columns: Sequence[Columns]) -> Numbers:
        """Return the place of each document in the order of titles, then ids. Sorting runs that are sorted is quick."""
        keys = [
            (title, i, base + n) for base, c in zip(self.bases, columns, strict=False) for title, i, n in c.by_title
        ]
        ranks = np.empty(self.size, np.intp)
        ranks[[number for _, _, number in sorted(keys)]] = np.arange(self.size)
        return ranks

    def _sets(self, parts: Sequence[ValueSets]) -> ValueSets:
        codes: dict[str, int] = {}
        documents, coded = [np.empty(0, np.intp)], [np.empty(0, np.intp)]
        for base, part in zip(self.bases, parts, strict=False):
            new = np.array([codes.setdefault(name, len(codes)) for name in part.names], np.intp)
            documents.append(base + part.documents)
            coded.append(new[part.codes])
        return ValueSets(list(codes), np.concatenate(documents), np.concatenate(coded))


def _positions(parts: Sequence[tuple[int, Term]]) -> NDArray[np.uint32]:
    return np.concatenate([term.positions for _, term in parts]) if len(parts) > 1 else parts[0][1].positions
