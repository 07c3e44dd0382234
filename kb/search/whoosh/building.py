"""Building one segment: records and postings are gathered, then written at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kb.search.port import Document
from kb.search.whoosh import arrays, columns, counting, inverted, lexicon, vectors
from kb.search.whoosh.codec import Codec, Files, arrays_path
from kb.search.whoosh.dictionary import TermsWriter
from kb.search.whoosh.gathering import Gatherer, Run, spilled
from kb.search.whoosh.inverted import Field, Inverted
from kb.search.whoosh.merging import Part, joined
from kb.search.whoosh.schema import SCHEMA, Record, id_term

NAME = "practices"
"""Whoosh's name for the index; its files begin with it."""


class _Part(NamedTuple):
    """Some of the documents of the segment that is built, and the numbers that they get there, as in `merging.Part`."""

    run: Run
    numbers: NDArray[np.intp] | None = None

    def of(self, field: str) -> Part:
        """Return the part of a field."""
        return Part(getattr(self.run, field), self.numbers)

    def vectors(self, places: NDArray[np.uint32]) -> vectors.Vectors:
        """Return the stems of the documents that have a number, by the `places` that they get."""
        if self.numbers is None:
            return self.run.vectors._replace(stems=places[self.run.vectors.stems])
        return self.run.vectors.kept(self.numbers >= 0, places)


class SegmentBuilder:
    """Gathers documents, and other segments, and writes them as a segment. Documents come first."""

    def __init__(self, storage: Files) -> None:
        self._storage = storage
        self._codec = Codec()
        self.segment = self._codec.new_segment(storage, NAME)
        self._records = self._codec.per_document_writer(storage, self.segment)
        self._gatherer = Gatherer()
        self._parts: list[_Part] = []
        self._recorded: list[Record] = []

    @property
    def count(self) -> int:
        """How many documents were added."""
        return len(self._recorded)

    def add(self, document: Document) -> int:
        """Add a document; return its number in the segment."""
        number = self._add_record(self._gatherer.add(document))
        if self._gatherer.full:
            self._end_run()
        return number

    def add_segment(self, segment: Any) -> None:
        """Add what is not deleted of another segment."""
        self._end_run()
        numbers = np.full(segment.doc_count_all(), -1)
        records = self._codec.per_document_reader(self._storage, segment)
        for number in range(len(numbers)):
            if not segment.is_deleted(number):
                numbers[number] = self._add_record(Record(*records.stored_fields(number)["record"]))
        records.close()
        there = arrays.read(arrays_path(self._storage, segment))
        stems, words = (Field(there, name, len(numbers)).whole() for name in ("stems", "words"))
        self._parts.append(_Part(Run(stems, words, vectors.read(there)), numbers))

    def finish(self) -> Any:
        """Write the segment and return Whoosh's object for it."""
        self._records.close()
        self.segment.set_doc_count(self.count)
        self._end_run()
        with closing(TermsWriter(self._storage, self.segment)) as dictionary:
            arrays.write(arrays_path(self._storage, self.segment), self._arrays(dictionary))
        return self.segment

    def abandon(self) -> None:
        """Close the files. What they hold belongs to nothing and goes when the folder is tidied."""
        if not self._records.is_closed:
            self._records.close()

    def _arrays(self, dictionary: TermsWriter) -> Iterator[tuple[str, arrays.Array]]:
        """Yield all arrays, one field after the other: memory never holds two."""
        yield from self._field(dictionary, "id", _identities([record.id for record in self._recorded]))
        stems, places = joined([part.of("stems") for part in self._parts])
        yield from self._field(dictionary, "stems", stems)
        del stems
        yield from vectors.written(
            vectors.joined([part.vectors(new) for part, new in zip(self._parts, places, strict=True)])
        )
        words, _ = joined([part.of("words") for part in self._parts])
        yield from self._field(dictionary, "words", words)
        yield from lexicon.written(words.terms)
        recorded = dict(columns.written(self._recorded))
        yield from recorded.items()
        yield from counting.written(columns.read(recorded))

    def _field(self, dictionary: TermsWriter, name: str, field: Inverted) -> Iterator[tuple[str, arrays.Array]]:
        dictionary.add(name, field)
        yield from inverted.written(name, field)

    def _end_run(self) -> None:
        """Take what was gathered as a part; beside others it waits on disk. There is always a part."""
        if not self._gatherer.pending and self._parts:
            return
        waits = self._gatherer.full or self._parts
        run = self._gatherer.run()
        if waits:
            path = Path(self._storage.folder, self.segment.make_filename(".run"))
            run = spilled(run, path)
        self._parts.append(_Part(run))

    def _add_record(self, record: Record) -> int:
        number = len(self._recorded)
        self._records.start_doc(number)
        self._records.add_field("record", SCHEMA["record"], tuple(record), 0)
        self._records.finish_doc()
        self._recorded.append(record)
        return number


def _identities(ids: list[str]) -> Inverted:
    """Return where each id stands: an id that came again stands in two documents, the earlier one deleted."""
    numbers: dict[bytes, list[int]] = {}
    for number, document_id in enumerate(ids):
        numbers.setdefault(id_term(document_id), []).append(number)
    terms = sorted(numbers)
    bounds = np.cumsum([0, *(len(numbers[term]) for term in terms)])
    documents = np.array([number for term in terms for number in numbers[term]], np.uint32)
    return Inverted(terms, bounds, documents, np.empty((len(documents), 0), np.uint8), np.empty(0, np.uint32))
