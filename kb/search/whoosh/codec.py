"""How a segment lies on disk: Whoosh's dictionary and stored fields, and beside them the arrays that searches read.

Whoosh's own blocks of postings are pickled tuples; reading and writing those is most of its time. Here the postings of
a field are the arrays of `inverted`, and what Whoosh's dictionary has of a term is which slice of them is its own.
"""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from secrets import token_hex
from typing import Any

import numpy as np
from whoosh.codec.whoosh3 import W3Codec, W3Segment, W3TermInfo, W3TermsReader
from whoosh.filedb.filestore import FileStorage
from whoosh.matching import ListMatcher

from kb.search.whoosh import arrays
from kb.search.whoosh.inverted import Field

INVERTED = ("id", "stems", "words")
"""The fields that have terms, in the order of Whoosh's dictionary."""

EXTENSION = ".arrays"
"""How the name of the file of a segment's arrays ends; it begins with the name of the segment."""


class Files(FileStorage):  # type: ignore[misc]
    """The files of an index, to be closed together, also where Whoosh gave up half-way through opening."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self._opened: list[Any] = []

    def open_file(self, name: str, **kwargs: Any) -> Any:
        file = super().open_file(name, **kwargs)
        self._opened.append(file.raw_file())
        return file

    def create_file(self, name: str, **kwargs: Any) -> Any:
        file = super().create_file(name, **kwargs)
        self._opened.append(file.raw_file())
        return file

    def close(self) -> None:
        for file in self._opened:
            with suppress(OSError):  # whoever wrote a file has closed it, but where there was no room for it
                file.close()


class Codec(W3Codec):  # type: ignore[misc]
    """Whoosh's codec with other postings, and without statistics of field lengths, which the records have."""

    length_stats = False

    def new_segment(self, storage: Any, indexname: str) -> W3Segment:
        # Readers know a segment by its name for ever, so it must not depend on how somebody seeded `random`.
        return W3Segment(self, indexname, segid=token_hex(8))

    def terms_reader(self, storage: Any, segment: W3Segment) -> W3TermsReader:
        name = segment.make_filename(self.TERMS_EXT)
        file = storage.open_file(name)
        return W3TermsReader(self, file, storage.file_length(name), _Postings(storage, segment))

    def postings_reader(
        self, dbfile: _Postings, terminfo: W3TermInfo, format_: Any, term: tuple[str, bytes], scorer: Any = None
    ) -> ListMatcher:
        """Return a matcher of a term's documents; the value of each is its counts and positions, 4 bytes each."""
        documents, values = dbfile.read(*term)
        weights = [1.0] * len(documents)
        return ListMatcher(documents, weights, values, format_, scorer=scorer, term=term, terminfo=terminfo)


class _Postings:
    """The postings of a segment, for Whoosh, in the place of the file in which it would have them."""

    def __init__(self, storage: Files, segment: W3Segment) -> None:
        found = arrays.read(arrays_path(storage, segment))
        self._fields = {name: Field(found, name, segment.doc_count_all()) for name in INVERTED}

    def read(self, name: str, term: bytes) -> tuple[list[int], list[bytes]]:
        """Return the documents of a term and the value of each."""
        field = self._fields[name]
        (place,) = field.places([term])
        counts = field.counts(place)
        values = [row.tobytes() for row in counts]
        positions = field.positions(place)
        if len(positions):
            ends = np.cumsum(counts.sum(axis=1, dtype=np.intp)).tolist()
            runs = (positions[start:end] for start, end in pairwise([0, *ends]))
            values = [value + run.astype("<u4").tobytes() for value, run in zip(values, runs, strict=True)]
        return field.documents(place).tolist(), values

    def close(self) -> None:
        """Let go of the arrays."""
        self._fields = {}


def arrays_path(storage: Files, segment: W3Segment) -> Path:
    """Return where the arrays of a segment are."""
    return Path(storage.folder, segment.make_filename(EXTENSION))
