"""Records as a JSON array or as JSON lines: written and read one at a time, however many there are."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from kb.formats.grid import Cell, Fault, Spot

CHUNK = 64 * 1024
"""Bytes read at a time."""

LONGEST = 8 * 1024 * 1024
"""Characters that one record may take: every field of a practice at its cap stays well below."""

_SPACE = " \t\n\r"
_UNDECODED = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True)
class Row:
    """One value that was read. `place` says where it stood; `fault` says why there is no value.

    A row of a table has a `spot`, which says where a field stands (empty: the whole record), and a `cell`, which says
    what stands there; it may have several `faults`, by field. `example` marks one that stands there to show how it is
    done, `stray` one of a list that belongs to no record.
    """

    place: str
    value: Any = None
    fault: str | None = None
    faults: Sequence[tuple[str, Fault]] = ()
    spot: Callable[[str], Spot] | None = None
    cell: Callable[[str], Cell] | None = None
    example: bool = False
    stray: bool = False


class NotJson(Exception):
    """The file holds neither a JSON array nor JSON lines; a sentence."""


# Writing


def array(documents: Iterable[Any]) -> Iterator[str]:
    """The text of a JSON array, one value a line, in pieces."""
    yield "["
    before = "\n"
    for document in documents:
        yield before + dump(document)
        before = ",\n"
    yield "]\n" if before == "\n" else "\n]\n"


def lines(documents: Iterable[Any]) -> Iterator[str]:
    """The text of JSON lines, in pieces."""
    for document in documents:
        yield dump(document) + "\n"


def dump(document: Any) -> str:
    """A value as JSON in one line; ValueError where it holds a number that JSON has not."""
    return json.dumps(document, ensure_ascii=False, allow_nan=False)


# Reading


def read(file: BinaryIO, seen: Callable[[int], None] | None = None) -> Iterator[Row]:
    """Read a JSON array or JSON lines; the first character that is not blank says which of the two.

    A bad line is a row with a fault, and reading goes on; in an array nothing after a fault can be read, so it ends
    there. Memory holds one chunk and one record. `seen` is told how many bytes were read. Raises NotJson.
    """
    text = _Text(file, seen)
    first = text.peek()
    if first == "":
        raise NotJson("The file is empty.")
    if first not in "[{":
        raise NotJson("The file holds neither a JSON array nor JSON lines.")
    yield from _array(text) if first == "[" else _lines(text)


class _Text:
    """The decoded text of a file, from where reading stands; a byte-order mark is left out.

    Bytes that are not UTF-8 become lone surrogates, so that only the record that holds them is refused.
    """

    def __init__(self, file: BinaryIO, seen: Callable[[int], None] | None) -> None:
        self._file = file
        self._seen = seen
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
        self._ended = False
        self.buffer = ""
        self.at = 0

    def more(self, size: int | None = None) -> bool:
        """Read on; False at the end of the file. What was taken leaves the buffer."""
        if self._ended:
            return False
        chunk = self._file.read(size or CHUNK)
        self._ended = not chunk
        self.buffer = self.buffer[self.at :] + self._decoder.decode(chunk, final=self._ended)
        self.at = 0
        if self._seen and chunk:
            self._seen(len(chunk))
        return not self._ended

    def peek(self) -> str:
        """The next character that is not blank, which then stands first; "" at the end of the file."""
        while True:
            while self.at < len(self.buffer):
                if self.buffer[self.at] not in _SPACE:
                    return self.buffer[self.at]
                self.at += 1
            if not self.more():
                return ""

    @property
    def waiting(self) -> int:
        """Characters that were read from the file and not taken yet."""
        return len(self.buffer) - self.at


def _lines(text: _Text) -> Iterator[Row]:
    """Each line's value. Line ends are what JSON says: a line separator inside a string ends nothing."""
    number = 0
    while (line := _line(text)) is not None:
        number += 1
        place = f"line {number}"
        if len(line) > LONGEST:
            yield Row(place, fault=f"The line is longer than {LONGEST} characters. What follows was not read.")
            return
        if not line.strip(_SPACE):
            continue
        try:
            yield _row(place, _decoder.decode(line), line, 0, len(line))
        except (ValueError, RecursionError) as error:
            yield Row(place, fault=f"This is not JSON: {_reason(error)}.")


def _line(text: _Text) -> str | None:
    """The next line without its end, None after the last; more than LONGEST characters where it does not end."""
    looked = 0
    while True:
        end = text.buffer.find("\n", text.at + looked)
        if end >= 0:
            line, text.at = text.buffer[text.at : end], end + 1
            return line
        looked = text.waiting
        if looked > LONGEST or not text.more():
            line, text.at = text.buffer[text.at :], len(text.buffer)
            return line or None


def _array(text: _Text) -> Iterator[Row]:
    """Each element's value, up to the end of the array or the first fault."""
    text.at += 1  # the bracket that `read` saw
    number = 0
    follows = "]" if text.peek() == "]" else ","
    text.at += follows == "]"
    while follows == ",":
        number += 1
        try:
            yield _element(text, f"record {number}")
        except (ValueError, RecursionError) as error:
            yield Row(f"record {number}", fault=f"This is not JSON: {_reason(error)}. What follows was not read.")
            return
        follows = text.peek()
        text.at += 1
    if follows != "]":
        yield Row(f"record {number + 1}", fault="This is not JSON: a comma or the end of the array was expected.")
    elif text.peek():
        yield Row("the end", fault="Something follows the end of the array; it was not read.")


def _element(text: _Text, place: str) -> Row:
    """The value that begins here. What does not parse may only be cut off: twice as much is read, up to LONGEST."""
    size = CHUNK
    while True:
        text.peek()
        try:
            value, end = _decoder.raw_decode(text.buffer, text.at)
        except (ValueError, RecursionError):
            if text.waiting > LONGEST or not text.more(size):
                raise
        else:
            row = _row(place, value, text.buffer, text.at, end)
            taken = end - text.at
            if end + 2 < len(text.buffer) or not text.more(size):  # a number, cut off as in "1e+", may go on
                text.at += taken
                return row
        size *= 2


def _row(place: str, value: Any, text: str, start: int, end: int) -> Row:
    return Row(place, fault="This is not UTF-8 text.") if _UNDECODED.search(text, start, end) else Row(place, value)


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return error.msg[:1].lower() + error.msg[1:]
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


def no_constant(name: str) -> Any:
    """Refuse NaN and Infinity, which Python reads and JSON does not know (`parse_constant` of a decoder)."""
    raise ValueError(f"{name} is not a number in JSON")


_decoder = json.JSONDecoder(parse_constant=no_constant)
