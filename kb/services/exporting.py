"""Taking everything out: all public records into one file, by slug, in the format that its ending says."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from sqlalchemy.orm import Session

from kb.formats import csv, json, xlsx
from kb.formats.about import About
from kb.services import catalogue
from kb.services.progress import Progress, silent
from kb.services.publishing import public_count
from kb.services.record import Document

LINES = (".jsonl", ".ndjson")
"""Endings of a file that holds JSON lines."""

TITLE = "All practices"


def to_file(session: Session, path: Path, base_url: str, progress: Progress = silent) -> int:
    """Write all public records to a file; returns how many. The file is there whole or not at all.

    Its ending says whether it is JSON lines, CSV or XLSX; any other is a JSON array.
    """
    with replacing(path) as binary:
        count = _Count()
        records = progress(count.through(catalogue.every(session, base_url)), public_count(session))
        for piece in _written(path.suffix.lower(), records, base_url):
            binary.write(piece.encode() if isinstance(piece, str) else piece)
    return count.n


def _written(ending: str, records: Iterable[Document], base_url: str) -> Iterator[str] | Iterator[bytes]:
    if ending in LINES:
        return json.lines(records)
    if ending not in (".csv", ".xlsx"):
        return json.array(records)
    about = About(TITLE, base_url, TITLE, f"{base_url}/practices", made=datetime.now(UTC), language="en")
    return csv.many(records, about) if ending == ".csv" else xlsx.many(records, about)


def to_stream(session: Session, stream: IO[bytes], base_url: str) -> int:
    """Write all public records to a stream as a JSON array; returns how many."""
    count = _Count()
    for piece in json.array(count.through(catalogue.every(session, base_url))):
        stream.write(piece.encode())
    return count.n


@contextlib.contextmanager
def replacing(path: Path, mode: int = 0o666) -> Iterator[IO[bytes]]:
    """A new file beside `path` that takes its place, complete and on the disk, when the block ends well.

    Whatever goes wrong, the file that was there stays as it was. Raises OSError.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode), "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Bring a folder's entries to the disk, so that a rename outlives a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class _Count:
    """Counts what passes through."""

    def __init__(self) -> None:
        self.n = 0

    def through(self, documents: Iterable[Document]) -> Iterator[Document]:
        for document in documents:
            self.n += 1
            yield document
