"""How postings lie on disk. The postings of a term are one run of bytes that numpy reads as it is.

Whoosh's own blocks are pickled tuples; reading and writing those is most of its time. Its term dictionary, stored
fields, segments and deletions are used as they come.

    uint32 n | n × uint32 document, ascending | n × uint16 size of the value | the values, one after the other
"""

from __future__ import annotations

from array import array
from itertools import pairwise
from pathlib import Path
from secrets import token_hex
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from whoosh.codec import base
from whoosh.codec.whoosh3 import W3Codec, W3Segment, W3TermInfo
from whoosh.filedb.filestore import FileStorage
from whoosh.matching import ListMatcher

_NUMBER = np.dtype("<u4")
_SIZE = np.dtype("<u2")


class Postings(NamedTuple):
    """The postings of a term in a segment: the documents, ascending, and the bytes that each has."""

    documents: NDArray[np.uint32]
    sizes: NDArray[np.uint16]
    values: NDArray[np.uint8]

    @property
    def offsets(self) -> NDArray[np.int64]:
        """Where the value of each document begins, and after them where the last one ends."""
        return np.concatenate(([0], np.cumsum(self.sizes, dtype=np.int64)))


class Gathered:
    """The postings of a term while documents are being added."""

    __slots__ = ("documents", "sizes", "values")

    def __init__(self) -> None:
        self.documents = array("I")
        self.sizes = array("H")
        self.values = bytearray()

    def add(self, document: int, value: bytes) -> None:
        """Add the posting of the next document."""
        self.documents.append(document)
        self.sizes.append(len(value))
        self.values += value

    def extend(self, postings: Postings) -> None:
        """Add postings of later documents."""
        self.documents.frombytes(postings.documents.astype(np.uintc).tobytes())
        self.sizes.frombytes(postings.sizes.astype(np.ushort).tobytes())
        self.values += postings.values.tobytes()


class Files(FileStorage):  # type: ignore[misc]
    """The files of an index, to be closed together, also where Whoosh gave up half-way through opening."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self._opened: list[Any] = []

    def open_file(self, name: str, **kwargs: Any) -> Any:
        file = super().open_file(name, **kwargs)
        self._opened.append(file.raw_file())
        return file

    def close(self) -> None:
        for file in self._opened:
            file.close()


class Codec(W3Codec):  # type: ignore[misc]
    """Whoosh's codec with other postings, and without statistics of field lengths, which the records have."""

    length_stats = False

    def new_segment(self, storage: Any, indexname: str) -> W3Segment:
        # Readers know a segment by its name for ever, so it must not depend on how somebody seeded `random`.
        return W3Segment(self, indexname, segid=token_hex(8))

    def postings_writer(self, dbfile: Any, byteids: bool = False) -> PostingsWriter:
        return PostingsWriter(dbfile)

    def postings_reader(
        self, dbfile: Any, terminfo: Any, format_: Any, term: Any = None, scorer: Any = None
    ) -> ListMatcher:
        postings = read_postings(dbfile, terminfo)
        documents, values = postings.documents.tolist(), postings.values.tobytes()
        pieces = [values[start:end] for start, end in pairwise(postings.offsets.tolist())]
        weights = [1.0] * len(pieces)
        return ListMatcher(documents, weights, pieces, format_, scorer=scorer, term=term, terminfo=terminfo)


class PostingsWriter(base.PostingsWriter):  # type: ignore[misc]
    """Writes the postings of one term after the other. Whoosh calls `start_postings` and `finish_postings`."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._info: Any = None

    def start_postings(self, format_: Any, terminfo: Any) -> None:
        self._info = terminfo

    def write(self, gathered: Gathered) -> None:
        """Write all the postings of the term."""
        start = self._file.tell()
        count = len(gathered.documents)
        self._file.write(np.array([count], _NUMBER).tobytes())
        self._file.write(np.frombuffer(gathered.documents, np.uintc).astype(_NUMBER, copy=False).tobytes())
        self._file.write(np.frombuffer(gathered.sizes, np.ushort).astype(_SIZE, copy=False).tobytes())
        self._file.write(bytes(gathered.values))
        info = self._info
        info._df, info._weight, info._maxweight = count, float(count), 1.0
        info._minid, info._maxid = gathered.documents[0], gathered.documents[-1]
        info.set_extent(start, self._file.tell() - start)

    def finish_postings(self) -> Any:
        return self._info


def read_postings(file: Any, info: W3TermInfo) -> Postings:
    """Read the postings that the term dictionary points to. Raises ValueError where bytes are missing."""
    offset, (length,) = info.extent()  # Whoosh reads the length as a tuple of one
    data = file.get(offset, length)
    count = int(np.frombuffer(data, _NUMBER, 1)[0])
    documents = np.frombuffer(data, _NUMBER, count, 4)
    sizes = np.frombuffer(data, _SIZE, count, 4 + 4 * count)
    values = np.frombuffer(data, np.uint8, offset=4 + 6 * count)
    if len(values) != int(sizes.sum(dtype=np.int64)):
        raise ValueError("postings are cut short")
    return Postings(documents, sizes, values)
