"""One immutable segment as it is read: its records as arrays, its postings on demand.

A segment never changes, so what is made of it here holds until it is merged away; deletions are the snapshot's matter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kb.search.port import IndexLost
from kb.search.whoosh import arrays, columns, vectors
from kb.search.whoosh.codec import Files, arrays_path
from kb.search.whoosh.counting import SegmentTable
from kb.search.whoosh.inverted import Field
from kb.search.whoosh.lexicon import Lexicon
from kb.search.whoosh.schema import FIELDS
from kb.search.whoosh.store import damaged_is_lost

Numbers = NDArray[np.intp]
"""Numbers of documents."""


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


NOWHERE = Term(np.empty(0, np.intp), np.empty((0, len(FIELDS)), np.uint8))


class Segment:
    """A segment, open. Raises IndexLost where a file of it is damaged. Safe for threads, and after a fork."""

    def __init__(self, path: Path, whoosh_segment: Any) -> None:
        self.name: str = whoosh_segment.segment_id()
        self.count: int = whoosh_segment.doc_count_all()
        with damaged_is_lost():
            self._arrays = found = arrays.read(arrays_path(Files(path), whoosh_segment))
            self.fields = {name: Field(found, name, self.count) for name in ("words", "stems")}
            self.columns = columns.read(found)
            self.table = SegmentTable(found)
            self._vectors = vectors.read(found)
            if not len(self.columns.ids) == len(self._vectors.bounds) - 1 == self.table.count == self.count:
                raise IndexLost(f"the segment {self.name} does not have the {self.count} documents it should")
            self._lexicon = Lexicon(found)

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

    def term_of_hash(self, field: str, value: np.uint64) -> Term:
        """Return where the term stands that has a hash."""
        place = self.fields[field].place_of_hash(value)
        return NOWHERE if place < 0 else self.term_at(field, place)

    def vectors(self, numbers: Numbers) -> tuple[Numbers, NDArray[np.uint64], NDArray[np.uint8]]:
        """Return the most frequent stems of documents: whose each is, its hash, its counts. Raises IndexLost."""
        whose, stems, counts = self._vectors.of(numbers)
        return whose, self.fields["stems"].hashes(stems), counts

    def lexicon(self) -> Lexicon:
        """Return the words of the segment."""
        return self._lexicon

    def check(self) -> None:
        """Read the whole file, which takes seconds for a large one. Raises IndexLost where any byte of it changed."""
        self._arrays.check()
