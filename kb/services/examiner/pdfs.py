"""PDF files: whole, readable without a password, and with nothing in them that acts by itself."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, NameObject

from .refusing import Refused

MEDIA_TYPE = "application/pdf"

MOST_OBJECTS = 200_000

ACTIVE = {
    "/JavaScript": "pdf-script", "/XFA": "pdf-script", "/Launch": "pdf-launch",
    "/EmbeddedFile": "pdf-files", "/EmbeddedFiles": "pdf-files", "/RichMedia": "pdf-files",
}  # fmt: skip
"""Names of PDF for what runs a script, starts a program or carries another file."""

# Long enough never to turn up by chance among the bytes of a picture.
_WRITTEN = re.compile(rb"/(JavaScript|Launch|EmbeddedFiles?|RichMedia)(?![A-Za-z0-9])")
_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")


def check(source: Path) -> str:
    """The media type of a PDF file that may be kept. Raises Refused."""
    data = source.read_bytes()
    if re.match(rb"%PDF-[12]\.[0-9]", data) is None:
        raise Refused("no-document")
    if b"%%EOF" not in data[-1024:] or b"startxref" not in data[-2048:]:
        raise Refused("damaged-document")
    if zipfile.is_zipfile(source):
        raise Refused("two-kinds")
    names = _ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), data)
    if found := _WRITTEN.search(names):
        raise Refused(ACTIVE[f"/{found[1].decode()}"])
    del data, names
    try:
        _read(source)
    except (Refused, MemoryError):
        raise
    except Exception as error:  # whatever the reader says of a damaged file
        raise Refused("damaged-document") from error
    return MEDIA_TYPE


def _read(source: Path) -> None:
    reader = PdfReader(source, strict=False)
    if reader.is_encrypted:
        raise Refused("password")
    if len(reader.pages) < 1:
        raise Refused("damaged-document")
    for held in _objects(reader):
        for part in _parts(held):
            _refuse_active(part)


def _refuse_active(part: DictionaryObject) -> None:
    for word in (*part, *(value for value in part.values() if isinstance(value, NameObject))):
        if word in ACTIVE:
            raise Refused(ACTIVE[word])
    if "/JS" in part and "/S" in part:  # a film's action may hold a script too
        raise Refused("pdf-script")


def _objects(reader: PdfReader) -> Iterator[Any]:
    """The trailer and every object that the file's tables name."""
    yield reader.trailer
    numbers = {number for table in reader.xref.values() for number in table} | set(reader.xref_objStm)
    if len(numbers) > MOST_OBJECTS:
        raise Refused("too-much")
    for number in sorted(numbers):
        yield _object(reader, number)


def _object(reader: PdfReader, number: int) -> Any:
    generations = [generation for generation, table in reader.xref.items() if number in table]
    return reader.get_object(IndirectObject(number, max(generations, default=0), reader))


def _parts(held: Any) -> Iterator[DictionaryObject]:
    """The groups of names in an object; what it refers to is an object of its own."""
    waiting = [held]
    while waiting:
        part = waiting.pop()
        if isinstance(part, DictionaryObject):
            yield part
            waiting += part.values()
        elif isinstance(part, ArrayObject):
            waiting += part
