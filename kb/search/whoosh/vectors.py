"""The most frequent stems of a document, kept with its id: what it is about, seen from the document.

Postings say in which documents a term stands; a search that learns from the documents it found asks the other way
round. This is kept in the posting of the id because that moves with the document when segments are merged. Compressed:

    a byte n | n × a byte for each of `FIELDS`, how often the stem stands there | the n terms, a space between them
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MOST_STEMS = 255
"""Stems of a document that are kept. With 96 of them feedback did more harm than good among long texts."""

_QUICKLY = 1  # zlib's level; the best one saves a tenth and takes three times as long


class Vector(NamedTuple):
    """Terms of the field `stems`, and a row for each: how often it stands in each of the text fields."""

    terms: list[bytes]
    counts: NDArray[np.uint8]


def packed(stems: Mapping[str, bytes | bytearray]) -> bytes:
    """Return the bytes of the stems that stand most often; of those that do equally often the first ones."""
    kept = sorted(stems.items(), key=lambda item: -sum(item[1]))[:MOST_STEMS]
    counts = b"".join(counts for _, counts in kept)
    return zlib.compress(bytes([len(kept)]) + counts + b" ".join(term.encode() for term, _ in kept), _QUICKLY)


def unpacked(value: bytes, fields: int) -> Vector:
    """Return what `packed` made bytes of. Raises an exception where they are damaged."""
    plain = zlib.decompress(value)
    count = plain[0]
    end = 1 + count * fields
    counts = np.frombuffer(plain, np.uint8, count * fields, 1).reshape(count, fields)
    return Vector(plain[end:].split(b" ") if count else [], counts)
