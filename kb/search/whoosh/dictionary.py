"""Whoosh's term dictionary of a segment, written at once by numpy, in the form that Whoosh's `OrderedHashReader` reads.

    b"HSH3" | byte 1, for CRC-32 | 8 unused bytes | for each term: length of key and value, key, value | 256 tables of
    (hash, where the term is): a term is in the one of its hash's last byte, twice as long as it has terms, from the
    place that the rest of the hash names on, where nothing was yet | for each table where it begins, its length |
    pickled: the numbers of the fields, and how many terms there are | where each of them is | length of these two

All numbers are big-endian. A key is the number of the field, in 2 bytes, and the term.
"""

from __future__ import annotations

import pickle
from itertools import chain
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from whoosh.codec.whoosh3 import W3Codec, W3Segment

from kb.search.whoosh.inverted import Inverted

_HEAD = b"HSH3\x01" + bytes(8)
_TABLES = 256

_LENGTHS = np.dtype(">i4, >i4")
_POINTER = np.dtype(">u4, >i8")
_ENTRY = np.dtype(">i8, >i4")

# What Whoosh keeps of a term, as W3TermInfo writes it: flags, weight, documents, shortest and longest, highest weight,
# first and last document, where the postings begin, how many they are.
_TERM = np.dtype(">u1, >f4, >u4, >u1, >u1, >f4, >u4, >u4, >i8, >i4")


class TermsWriter:
    """Writes the dictionary. A term's postings are a slice of those of its field."""

    def __init__(self, storage: Any, segment: W3Segment) -> None:
        self._file = segment.create_file(storage, W3Codec.TERMS_EXT).raw_file()
        self._file.write(_HEAD)
        self._written = len(_HEAD)
        self._fields: dict[str, int] = {}
        self._hashes: list[NDArray[np.uint32]] = []
        self._places: list[NDArray[np.int64]] = []

    def add(self, name: str, field: Inverted) -> None:
        """Add a field, which was not there yet."""
        prefix = len(self._fields).to_bytes(2, "big")
        self._fields[name] = len(self._fields)
        keys = [prefix + term for term in field.terms]
        starts, counts = field.bounds[:-1], np.diff(field.bounds)
        ends = field.documents[starts], field.documents[field.bounds[1:] - 1]
        sizes = np.fromiter(map(len, keys), np.int64, len(keys))
        heads = _pieces(_LENGTHS, len(keys), sizes, _TERM.itemsize)
        values = _pieces(_TERM, len(keys), 0, counts, counts, 0, 0, 1.0, *ends, starts, counts)
        self._file.write(b"".join(chain.from_iterable(zip(heads, keys, values, strict=True))))
        lengths = sizes + (_LENGTHS.itemsize + _TERM.itemsize)
        self._places.append(self._written + np.cumsum(lengths) - lengths)
        self._hashes.append(np.fromiter(map(crc32, keys), np.uint32, len(keys)))
        self._written += int(lengths.sum())

    def close(self) -> None:
        """Write what finds the terms."""
        places = np.concatenate([np.empty(0, np.int64), *self._places])
        table, lengths = _hash_tables(np.concatenate([np.empty(0, np.uint32), *self._hashes]), places)
        begins = self._written + (np.cumsum(lengths) - lengths) * _POINTER.itemsize
        extras = {"fieldmap": self._fields, "indextype": "q", "indexlen": len(places)}
        last = pickle.dumps(extras, 2) + places.astype(">i8").tobytes()
        with self._file as file:
            file.write(table.tobytes())
            file.write(_rows(_ENTRY, _TABLES, begins, lengths).tobytes())
            file.write(last + len(last).to_bytes(4, "big"))


def _hash_tables(hashes: NDArray[np.uint32], places: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return all tables, one after the other, and the length of each."""
    which = (hashes & np.uint32(_TABLES - 1)).astype(np.int64)
    lengths = 2 * np.bincount(which, minlength=_TABLES)
    home = (hashes >> np.uint32(8)) % np.maximum(lengths, 1)[which]
    order = np.lexsort((home, which))
    which, home = which[order], home[order]
    # Each goes to its home, or after the one before it in the table. Taking what comes before off, that is a maximum.
    before = np.arange(len(order)) - (np.cumsum(lengths // 2) - lengths // 2)[which]
    apart = which << 40  # so that a table's maximum does not run on into the next table
    slots = np.maximum.accumulate(home - before + apart) - apart + before
    begins = np.cumsum(lengths) - lengths
    table = np.zeros(int(lengths.sum()), _POINTER)
    fits = slots < lengths[which]
    table[begins[which[fits]] + slots[fits]] = _rows(
        _POINTER, int(fits.sum()), hashes[order[fits]], places[order[fits]]
    )
    for number in np.flatnonzero(~fits).tolist():  # they go on from the beginning of their table
        slot = begins[which[number]]
        while table[slot][1]:
            slot += 1
        table[slot] = (hashes[order[number]], places[order[number]])
    return table, lengths


def _pieces(kind: np.dtype[Any], count: int, *columns: Any) -> list[bytes]:
    """Return the bytes of each of so many rows."""
    whole, size = _rows(kind, count, *columns).tobytes(), kind.itemsize
    return [whole[start : start + size] for start in range(0, len(whole), size)]


def _rows(kind: np.dtype[Any], count: int, *columns: Any) -> NDArray[Any]:
    found = np.zeros(count, kind)
    for name, column in zip(kind.names or (), columns, strict=True):
        found[name] = column
    return found
