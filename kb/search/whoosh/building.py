"""Building one segment: records and postings are gathered, then written at once."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import numpy as np

from kb.search.port import Document
from kb.search.whoosh import arrays, columns, inverted, lexicon, vectors
from kb.search.whoosh.codec import Codec, Files, arrays_path, write_terms
from kb.search.whoosh.gathering import Gatherer, Run
from kb.search.whoosh.inverted import Field, Inverted
from kb.search.whoosh.schema import SCHEMA, Record, id_term

NAME = "practices"
"""Whoosh's name for the index; its files begin with it."""


class SegmentBuilder:
    """Gathers documents, and other segments, and writes them as a segment. Documents come first."""

    def __init__(self, storage: Files) -> None:
        self._storage = storage
        self._codec = Codec()
        self.segment = self._codec.new_segment(storage, NAME)
        self._records = self._codec.per_document_writer(storage, self.segment)
        self._gatherer = Gatherer()
        self._runs: list[Run] = []
        self._recorded: list[Record] = []

    @property
    def count(self) -> int:
        """How many documents were added."""
        return len(self._recorded)

    def add(self, document: Document) -> int:
        """Add a document; return its number in the segment."""
        number = self._add_record(self._gatherer.add(document))
        if self._gatherer.full:
            self._runs.append(self._gatherer.run())
        return number

    def add_segment(self, segment: Any) -> None:
        """Add what is not deleted of another segment."""
        numbers = np.full(segment.doc_count_all(), -1)
        records = self._codec.per_document_reader(self._storage, segment)
        if not self._runs or self._gatherer.pending:
            self._runs.append(self._gatherer.run())
        for number in range(len(numbers)):
            if not segment.is_deleted(number):
                numbers[number] = self._add_record(Record(*records.stored_fields(number)["record"]))
        records.close()
        there = arrays.read(arrays_path(self._storage, segment))
        stems, words = (
            inverted.renumbered(Field(there, name, len(numbers)).whole(), numbers) for name in ("stems", "words")
        )
        kept = vectors.read(there).kept(numbers >= 0, np.arange(len(stems.terms), dtype=np.uint32))
        self._runs.append(Run(stems, words, kept))

    def finish(self) -> Any:
        """Write the segment and return Whoosh's object for it."""
        self._records.close()
        self.segment.set_doc_count(self.count)
        if not self._runs or self._gatherer.pending:
            self._runs.append(self._gatherer.run())
        stems, places = inverted.joined([run.stems for run in self._runs])
        words, _ = inverted.joined([run.words for run in self._runs])
        about = vectors.joined(
            [run.vectors._replace(stems=new[run.vectors.stems]) for run, new in zip(self._runs, places, strict=True)]
        )
        self._write(
            {"id": _identities([record.id for record in self._recorded]), "stems": stems, "words": words}, about
        )
        return self.segment

    def abandon(self) -> None:
        """Close the files. What they hold belongs to nothing and goes when the folder is tidied."""
        if not self._records.is_closed:
            self._records.close()

    def _write(self, fields: dict[str, Inverted], about: vectors.Vectors) -> None:
        parts = [part for name, field in fields.items() for part in inverted.written(name, field)]
        arrays.write(
            arrays_path(self._storage, self.segment),
            [*parts, *vectors.written(about), *columns.written(self._recorded)],
        )
        write_terms(self._storage, self.segment, fields)
        with closing(self.segment.create_file(self._storage, lexicon.EXTENSION)) as file:
            words = fields["words"]
            file.write(lexicon.written(dict(zip(words.terms, np.diff(words.bounds).tolist(), strict=True))))

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
