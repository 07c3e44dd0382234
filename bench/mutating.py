"""Good bytes and texts made bad, in the ways in which transport, malice and hand-made programs make them bad.

Every change is drawn from a `random.Random`, so that a seed gives the same ones again. The tests in tests/fuzz/ draw
from here too.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

HOSTILE = (
    "", " ", "\x00", "a\x00b", "\ud800", "\udfff\ud800", "\ufeff",
    "\u202e", "\u2028", "\r\nSet-Cookie: a=b", "\x1b[31m",
    "%s%(name)s{0}{x}",
    "<script>alert(1)</script>", "\"><i data-fuzz=1>", "'; DROP TABLE users; --", "../../etc/passwd",
    "-1", "0", "1e999", "NaN", "²", "٣", "9" * 30, "9" * 5000, "0x10", "1_000", "+1", "1,5", "null", "true", "[]", "{}",
    "[" * 3000, '{"a":' * 500, "2021-13", "0000", "0000-00-00", "9999-12", "10000-01-01", "javascript:alert(1)",
    "http://[::1", "http://a:99999999/", "//evil.example/", "/\\evil.example", "https://exa\tmple.org/", "a@b", "@",
    "00000000-0000-0000-0000-000000000000", "{00000000000000000000000000000000}", "…...", "1...", "é" * 300,
    "e" + "\u0301" * 300, "x" * 20_001, "word " * 5000, "=cmd|'/c calc'!A1", "\U000e0001", "-",
)  # fmt: skip
"""Texts that stand for a kind of trouble each."""

BYTES = (b"\x00", b"\xff", b"\r\n",
         b"\r\n\r\n", b"\n", b"%00", b"%ff", b"\xc3\x28", b"\xed\xa0\x80", b"\xff\xff\xff\xff",
         b"\x7f\xff\xff\xff", b"PK\x03\x04", b"%PDF", b"\"", b"<", b"{", b"=")  # fmt: skip
"""Bytes that mean something to somebody who reads."""


def mutated(chance: random.Random, data: bytes, others: Sequence[bytes] = (), most: int = 4) -> bytes:
    """Change data in one to `most` ways; a piece of one of `others` may come into it."""
    for _ in range(chance.randint(1, most)):
        data = chance.choice(_WAYS)(chance, data, others)
    return data


def mutated_text(chance: random.Random, text: str, others: Sequence[str] = ()) -> str:
    """Change a text in one to four ways, some of them with a piece of HOSTILE; it may come to hold lone surrogates."""
    for _ in range(chance.randint(1, 4)):
        start, end = _span(chance, len(text))
        put = chance.choice(
            ("", text[start:end] * 2, chance.choice(HOSTILE), chr(chance.randrange(0x110000)),
             chance.choice(others) if others else "", text[start:end].swapcase(), text[start:end][::-1])
        )  # fmt: skip
        text = text[:start] + put + text[end:]
    return text


def _span(chance: random.Random, length: int) -> tuple[int, int]:
    """Where a piece begins and ends; most pieces are short."""
    start = chance.randint(0, length)
    return start, min(length, start + chance.choice((1, 1, 2, 4, 16, 256, length)))


def _flip(chance: random.Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    if not data:
        return b"\x00"
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]


def _cut(chance: random.Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    return data[: chance.randint(0, len(data))]


def _take_out(chance: random.Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    start, end = _span(chance, len(data))
    return data[:start] + data[end:]


def _repeat(chance: random.Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    start, end = _span(chance, len(data))
    times = chance.choice((2, 3, 20))
    return data[:start] + data[start:end] * (times if end - start < 5000 else 2) + data[end:]


def _splice(chance: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    other = chance.choice(others) if others else data
    start, end = _span(chance, len(other))
    at = chance.randint(0, len(data))
    return data[:at] + other[start:end] + data[chance.choice((at, min(len(data), at + end - start))) :]


def _swap(chance: random.Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    first, second, third = sorted(chance.randint(0, len(data)) for _ in range(3))
    return data[:first] + data[second:third] + data[first:second] + data[third:]


def _put(chance: random.Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    at, put = chance.randint(0, len(data)), chance.choice(BYTES)
    return data[:at] + put + data[chance.choice((at, at + len(put))) :]


_WAYS: tuple[Callable[[random.Random, bytes, Sequence[bytes]], bytes], ...] = (
    _flip, _flip, _flip, _cut, _take_out, _repeat, _splice, _swap, _put, _put
)  # fmt: skip
