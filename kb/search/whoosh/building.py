"""Building one segment: records and postings are gathered, then written at once."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any

import numpy as np

from kb.search.whoosh import lexicon
from kb.search.whoosh.codec import Codec, Files, Gathered, Postings, read_postings
from kb.search.whoosh.schema import SCHEMA, Contents, Record

NAME = "practices"
"""Whoosh's name for the index; its files begin with it."""


class SegmentBuilder:
    """Gathers documents and writes them as a Whoosh segment.

    Whoosh's own writer sorts a tuple for each posting, and on disk when there are many. Here the postings of a term are
    kept together from the start, in some 20 bytes each, so that only terms are sorted.
    """

    def __init__(self, storage: Files) -> None:
        self._storage = storage
        self._codec = Codec()
        self.segment = self._codec.new_segment(storage, NAME)
        self._records = self._codec.per_document_writer(storage, self.segment)
        self._gathered: dict[str, dict[bytes, Gathered]] = {"id": {}, "stems": {}, "words": {}}
        self._count = 0
        self.postings = 0

    def add(self, contents: Contents) -> int:
        """Add a document; return its number in the segment."""
        for field, values in contents.terms.items():
            gathered = self._gathered[field]
            for term, value in values.items():
                if term not in gathered:
                    gathered[term] = Gathered()
                gathered[term].add(self._count, value)
            self.postings += len(values)
        return self._add_record(contents.record)

    def add_segment(self, segment: Any) -> None:
        """Add what is not deleted of another segment."""
        numbers = np.full(segment.doc_count_all(), -1)
        records = self._codec.per_document_reader(self._storage, segment)
        for number in range(len(numbers)):
            if not segment.is_deleted(number):
                numbers[number] = self._add_record(Record(*records.stored_fields(number)["record"]))
        records.close()
        terms = self._codec.terms_reader(self._storage, segment)
        for (field, term), info in terms.items():
            kept = _renumbered(read_postings(terms._postfile, info), numbers)
            if len(kept.documents):
                self._gathered[field].setdefault(term, Gathered()).extend(kept)
                self.postings += len(kept.documents)
        terms.close()

    def finish(self) -> Any:
        """Write the segment and return Whoosh's object for it."""
        self._records.close()
        self.segment.set_doc_count(self._count)
        terms = self._codec.field_writer(self._storage, self.segment)
        for field, gathered in self._gathered.items():
            self._write_field(terms, field, gathered)
        terms.close()
        with closing(self.segment.create_file(self._storage, lexicon.EXTENSION)) as file:
            words = self._gathered["words"]
            file.write(lexicon.written({word: len(gathered.documents) for word, gathered in words.items()}))
        return self.segment

    def abandon(self) -> None:
        """Close the files. What they hold belongs to nothing and goes when the folder is tidied."""
        if not self._records.is_closed:
            self._records.close()

    def _add_record(self, record: Record) -> int:
        number = self._count
        self._records.start_doc(number)
        self._records.add_field("record", SCHEMA["record"], tuple(record), 0)
        self._records.finish_doc()
        self._count += 1
        return number

    @staticmethod
    def _write_field(terms: Any, field: str, gathered: Mapping[bytes, Gathered]) -> None:
        if not gathered:
            return
        terms.start_field(field, SCHEMA[field])
        for term in sorted(gathered):
            terms.start_term(term)
            terms._postwriter.write(gathered[term])
            terms.finish_term()
        terms.finish_field()


def _renumbered(postings: Postings, numbers: np.ndarray[Any, np.dtype[np.int64]]) -> Postings:
    """Return postings with the documents' new numbers, without those that have none (-1)."""
    new = numbers[postings.documents]
    kept = new >= 0
    if kept.all():
        return Postings(new.astype(np.uint32), postings.sizes, postings.values)
    return Postings(new[kept].astype(np.uint32), postings.sizes[kept], postings.values[np.repeat(kept, postings.sizes)])
