"""Named arrays in one file, mapped into memory: read without copies, shared by all processes, only what is touched.

    the arrays, each from a multiple of 64 bytes on | header: JSON {name: [dtype, shape, offset, CRC-32]} | offset of
    the header, its length, its CRC-32, the last 8 bytes `kbarrays`: little-endian, 8 + 4 + 4 + 8 bytes

What is not such a file, is cut short, or has a damaged header is noticed when it is opened; so is an array that would
not fit into the file. A byte changed inside an array is noticed by `Arrays.check` only: to read a gigabyte takes longer
than all else. Whoever reads a place from an array has to expect that there is none. A file that is cut short while it
is mapped ends the process that reads what is missing (SIGBUS): whoever replaces a file has to write another one.
"""

from __future__ import annotations

import json
import mmap
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Any, overload
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from kb.search.port import IndexLost

Array = NDArray[Any]

_ALIGNMENT = 64
_TAIL = struct.Struct("<QII8s")
_MAGIC = b"kbarrays"


def write(path: Path, arrays: Iterable[tuple[str, Array]]) -> None:
    """Write arrays of numbers into a new file, one after the other as they come."""
    header: dict[str, tuple[str, tuple[int, ...], int, int]] = {}
    with path.open("wb") as file:
        for name, array in arrays:
            little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
            file.write(bytes(-file.tell() % _ALIGNMENT))
            content = little.reshape(-1).view(np.uint8).data
            header[name] = (little.dtype.str, array.shape, file.tell(), crc32(content))
            file.write(content)
        start = file.tell()
        written = json.dumps(header).encode()
        file.write(written + _TAIL.pack(start, len(written), crc32(written), _MAGIC))


class Arrays(dict[str, Array]):
    """The arrays of a file, by name: views of it that cannot be written to."""

    def __init__(self, content: mmap.mmap) -> None:
        """Raise an exception of some kind where the file is damaged."""
        super().__init__()
        self._sums: dict[str, int] = {}
        start, length, checksum, magic = _TAIL.unpack_from(content, len(content) - _TAIL.size)
        written = content[start : start + length]
        if magic != _MAGIC or start + length + _TAIL.size != len(content) or crc32(written) != checksum:
            raise IndexLost("its header is not what was written")
        for name, (kind, shape, offset, self._sums[name]) in json.loads(written).items():
            dtype, size = np.dtype(kind), prod(shape)
            if dtype.kind not in "uifb" or min(shape, default=0) < 0 or offset + size * dtype.itemsize > start:
                raise IndexLost(f"there is no room for {name}")
            flat = np.frombuffer(content, dtype, size, offset) if size else np.empty(0, dtype)
            self[name] = flat.reshape(shape)

    def check(self) -> None:
        """Read it all. Raises IndexLost where a byte is not what was written."""
        for name, array in self.items():
            if crc32(array.reshape(-1).view(np.uint8).data) != self._sums[name]:
                raise IndexLost(f"{name} is damaged")


def read(path: Path) -> Arrays:
    """Return the arrays of a file, which is closed with the last of them.

    They stay what they are when the file is removed or replaced. Raises IndexLost where the file is damaged, OSError
    where there is none.
    """
    with path.open("rb") as file:
        try:
            return Arrays(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except (IndexLost, LookupError, TypeError, ValueError, struct.error) as error:  # an empty file: ValueError
            raise IndexLost(f"{path} is damaged: {error}") from error


class Texts(Sequence[str]):
    """A list of texts as two arrays: UTF-8, and where each begins, with the end of the last. Decoded when asked for."""

    __slots__ = ("_bytes", "_starts")

    def __init__(self, utf8: NDArray[np.uint8], starts: NDArray[np.int64]) -> None:
        self._bytes, self._starts = utf8, starts

    @classmethod
    def read(cls, arrays: Mapping[str, Array], name: str) -> Texts:
        """Return the texts that `of` made arrays of. Raises IndexLost where there are none of that name."""
        try:
            return cls(arrays[name], arrays[f"{name}.starts"])
        except KeyError as error:
            raise IndexLost(f"there are no {name}") from error

    @staticmethod
    def of(name: str, texts: Iterable[str | bytes]) -> Iterator[tuple[str, Array]]:
        """Yield the arrays that hold texts, named for `write`."""
        encoded = [each if isinstance(each, bytes) else encode(each) for each in texts]
        yield name, np.frombuffer(b"".join(encoded), np.uint8)
        yield f"{name}.starts", np.cumsum([0, *map(len, encoded)], dtype=np.int64)

    def __len__(self) -> int:
        return len(self._starts) - 1

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        return self.encoded(place).decode("utf-8", "surrogatepass")

    def __iter__(self) -> Iterator[str]:
        return (each.decode("utf-8", "surrogatepass") for each in self.all_encoded())

    def encoded(self, place: int) -> bytes:
        """Return a text in UTF-8. Raises IndexError where there is none, IndexLost where it is damaged."""
        if not 0 <= place < len(self):
            raise IndexError(place)
        start, end = self._starts[place : place + 2].tolist()
        if not 0 <= start <= end <= len(self._bytes):
            raise IndexLost("the texts of a segment are damaged")
        return self._bytes[start:end].tobytes()

    def many(self, places: NDArray[np.integer[Any]]) -> list[str]:
        """Return the texts at some places. Raises IndexLost where they are damaged."""
        starts, ends = self._starts[places].tolist(), self._starts[places + 1].tolist()
        held = self._bytes.data
        try:
            return [str(held[start:end], "utf-8", "surrogatepass") for start, end in zip(starts, ends, strict=True)]
        except UnicodeDecodeError as error:
            raise IndexLost("the texts of a segment are damaged") from error

    def all_encoded(self) -> list[bytes]:
        """Return all texts in UTF-8."""
        whole = self._bytes.tobytes()
        return [whole[start:end] for start, end in pairwise(self._starts.tolist())]


def encode(text: str) -> bytes:
    """Return a text in UTF-8; half a surrogate pair, which UTF-8 has no bytes for, comes back as it was."""
    return text.encode("utf-8", "surrogatepass")
