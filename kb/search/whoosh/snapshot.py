"""The index at one moment: its segments side by side, the documents numbered through, the deleted ones masked."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kb.search.port import FACETS
from kb.search.whoosh.arrays import Texts, encode
from kb.search.whoosh.columns import Columns, ValueSets, joined_sets, title_entry
from kb.search.whoosh.inverted import hashed
from kb.search.whoosh.memo import Memo
from kb.search.whoosh.schema import FIELDS
from kb.search.whoosh.segment import NOWHERE, Numbers, Segment, Term
from kb.search.whoosh.store import damaged_is_lost
from kb.search.whoosh.titles import TitleOrder
from kb.search.whoosh.writing import segments_of

Mask = NDArray[np.bool_]
"""True for the documents that are meant."""


def open_snapshot(path: Path, generation: int, previous: Snapshot | None = None) -> Snapshot:
    """Open an index, with the segments of the `previous` snapshot where they are still in it. Raises IndexLost."""
    with damaged_is_lost():
        whoosh_segments = segments_of(path, generation)
        known = {segment.name: segment for segment in previous.segments} if previous else {}
        segments = [known.get(s.segment_id()) or Segment(path, s) for s in whoosh_segments]
        return Snapshot(segments, [sorted(s.deleted_docs()) for s in whoosh_segments], previous)


class Snapshot:
    """What a search looks at. Immutable, so that threads can share it and a commit meanwhile does no harm.

    Documents are numbered segment by segment. Deleted ones keep their number and are False in `live`.
    """

    def __init__(
        self, segments: Sequence[Segment], deleted: Sequence[Sequence[int]], previous: Snapshot | None = None
    ) -> None:
        self.segments = tuple(segments)
        sizes = [segment.count for segment in segments]
        self.bases = [0, *np.cumsum(sizes, dtype=int).tolist()]
        self.size = self.bases[-1]
        self.live: Mask = np.ones(self.size, np.bool_)
        for base, numbers in zip(self.bases, deleted, strict=False):
            self.live[base + np.array(numbers, np.intp)] = False
        self.count = int(self.live.sum())
        columns = [segment.columns for segment in segments]
        self.languages = frozenset[str]().union(*(each.languages for each in columns))
        self._columns = columns
        self._titles: TitleOrder = TitleOrder(columns, previous._titles if previous else None)
        self.ids = _Texts(self.bases, [each.ids for each in columns])
        self.slugs = _Texts(self.bases, [each.slugs for each in columns])
        self.sets = _Sets(columns)
        self.memo = Memo()

    @cached_property
    def starts(self) -> NDArray[np.int32]:
        """The first year of each document, or `ALWAYS_BEFORE`."""
        return self._joined([each.starts for each in self._columns], np.int32)

    @cached_property
    def ends(self) -> NDArray[np.int32]:
        """The last year of each document, or `ALWAYS_AFTER`."""
        return self._joined([each.ends for each in self._columns], np.int32)

    @cached_property
    def dated(self) -> Mask:
        """Which documents have years."""
        return self._joined([each.dated for each in self._columns], np.bool_)

    @cached_property
    def published(self) -> NDArray[np.int64]:
        """When each document was first published, in seconds since 1970, UTC."""
        return self._joined([each.published for each in self._columns], np.int64)

    @cached_property
    def updated(self) -> NDArray[np.int64]:
        """When each document was last updated, in seconds since 1970, UTC."""
        return self._joined([each.updated for each in self._columns], np.int64)

    @cached_property
    def adopted(self) -> NDArray[np.int32]:
        """How many practices adapt each document."""
        return self._joined([each.adopted for each in self._columns], np.int32)

    @cached_property
    def completeness(self) -> NDArray[np.float64]:
        """Which share of what could be said each document says."""
        return self._joined([each.completeness for each in self._columns], np.float64)

    @cached_property
    def lengths(self) -> NDArray[np.uint32]:
        """The words of each document, a column for each of `FIELDS`."""
        return self._joined([each.lengths for each in self._columns], np.uint32).reshape(-1, len(FIELDS))

    @cached_property
    def average_lengths(self) -> NDArray[np.float64]:
        """The average of `lengths` among the documents that are not deleted, at least 1."""
        gone = self.lengths[~self.live].sum(axis=0, dtype=np.int64)
        # A field that no document uses must not divide by nothing.
        totals: NDArray[np.int64] = self.lengths.sum(axis=0, dtype=np.int64) - gone
        return np.maximum(totals / max(1, self.count), 1.0)

    @property
    def title_ranks(self) -> NDArray[np.int32]:
        """The place of each document in the order of titles, those of the same title by their ids."""
        return self._titles.ranks

    def title_order(self, documents: NDArray[np.integer[Any]]) -> NDArray[np.int32]:
        """Return numbers by which some documents come in the order of `title_ranks`. Of few it is quick."""
        return self._titles.among(documents)

    def term(self, field: str, term: str) -> Term:
        """Return where a term stands, in all segments, without the deleted documents."""
        return self.terms(field, [term])[0]

    def terms(self, field: str, terms: Sequence[str]) -> list[Term]:
        """Return where terms stand; to ask for many at once is quicker than for one after the other."""
        encoded = [term.encode() for term in terms]
        found = [segment.terms(field, encoded) for segment in self.segments]
        return [self._whole([each[i] for each in found]) for i in range(len(terms))]

    def terms_of(self, field: str, hashes: Iterable[np.uint64]) -> list[Term]:
        """Return where the terms stand that `inverted.hashed` gives these numbers of."""
        return [self._whole([segment.term_of_hash(field, each) for segment in self.segments]) for each in hashes]

    def counts_of(self, field: str, hashes: Sequence[np.uint64]) -> list[int]:
        """Return in how many documents the terms stand that have these hashes."""
        if self.count < self.size:  # deleted documents are in the postings
            return [len(term.documents) for term in self.terms_of(field, hashes)]
        counts = np.zeros(len(hashes), np.int64)
        for segment in self.segments:
            starts, ends = segment.fields[field].slices_of(np.array(hashes, np.uint64))
            counts += ends - starts
        return [int(count) for count in counts]

    def has(self, field: str, terms: Sequence[str]) -> list[bool]:
        """Return which of the terms stand anywhere, be it in a deleted document."""
        encoded = [term.encode() for term in terms]
        places = [segment.fields[field].places(encoded) for segment in self.segments]
        return [any(place >= 0 for place in each) for each in zip(*places, strict=True)] or [False] * len(terms)

    def vectors(self, documents: Numbers) -> tuple[NDArray[np.intp], NDArray[np.uint64], NDArray[np.uint8]]:
        """Return the most frequent stems of documents: whose (by place in `documents`), their hashes, their counts."""
        owners = np.searchsorted(self.bases, documents, side="right") - 1
        found = []
        for i in np.unique(owners).tolist():
            rows = np.flatnonzero(owners == i)
            whose, hashes, counts = self.segments[i].vectors(documents[rows] - self.bases[i])
            found.append((rows[whose], hashes, counts))
        if not found:
            return np.empty(0, np.intp), np.empty(0, np.uint64), np.empty((0, len(FIELDS)), np.uint8)
        rows, hashes, counts = (np.concatenate([each[i] for each in found]) for i in range(3))
        return rows, hashes, counts

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

    def tagged(self, facet: str, values: Iterable[str]) -> Mask:
        """Return which documents have any of the values of a facet; deleted ones may be among them."""
        wanted = tuple(values)
        if facet in FACETS:
            return self._joined([segment.table.having(facet, wanted) for segment in self.segments], np.bool_)
        sets = self.sets[facet]
        mask = np.zeros(self.size, np.bool_)
        mask[sets.documents[sets.wanted(wanted)]] = True
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

    def check(self) -> None:
        """Read all files, which takes seconds. Raises IndexLost where one of them is not as it was written."""
        for segment in self.segments:
            segment.check()

    def titled(self, key: str) -> Numbers:
        """Return the documents, ascending, whose title is this one, as `schema.title_key` gives it."""
        found: list[int] = []
        begins = title_entry(key, "")
        value = np.uint64(hashed(encode(key)))
        for base, columns in zip(self.bases, self._columns, strict=False):
            for number in (columns.title_hashes == value).nonzero()[0].tolist():
                if columns.titles.encoded(number).startswith(begins):
                    found.append(base + number)
        return np.array(found, np.intp)

    def _joined(self, parts: Sequence[NDArray[Any]], kind: Any) -> NDArray[Any]:
        """Return one column of all segments; that of a single one is no copy."""
        return parts[0] if len(parts) == 1 else np.concatenate(parts) if parts else np.empty(0, kind)


class _Texts(Sequence[str]):
    """The texts of all segments, read from them when asked for."""

    def __init__(self, bases: Sequence[int], parts: Sequence[Texts]) -> None:
        self._bases, self._parts = bases, parts

    def __len__(self) -> int:
        return self._bases[-1]

    def __getitem__(self, document: Any) -> Any:
        segment = bisect_right(self._bases, document) - 1
        return self._parts[segment][document - self._bases[segment]]

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(self._parts)

    def many(self, documents: Numbers) -> list[str]:
        """Return the texts of some documents."""
        if len(self._parts) == 1:
            return self._parts[0].many(documents)
        return [self[document] for document in documents.tolist()]


class _Sets(dict[str, ValueSets]):
    """The values of each facet, joined when somebody first asks for one."""

    def __init__(self, columns: Sequence[Columns]) -> None:
        super().__init__()
        self._columns = columns

    def __missing__(self, name: str) -> ValueSets:
        parts = [each.sets[name] for each in self._columns]
        self[name] = found = parts[0] if len(parts) == 1 else joined_sets(parts)
        return found


def _positions(parts: Sequence[tuple[int, Term]]) -> NDArray[np.uint32]:
    return np.concatenate([term.positions for _, term in parts]) if len(parts) > 1 else parts[0][1].positions
