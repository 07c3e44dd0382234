"""Uploaded files on the disk: taken in, looked into, kept once under the SHA-256 of what they hold.

Nothing here knows practices. A file is first written beside its place under a name that begins with a dot, and takes
its place in one rename; whatever goes wrong before, nothing of it stays.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from sqlalchemy.orm import Session

from kb.models import StoredFile, User
from kb.services import room
from kb.services.errors import N_, Invalid, Problem
from kb.services.examining import look_into
from kb.services.exporting import sync_folder
from kb.services.record import tidy
from kb.services.scanning import scan
from kb.services.values import FILE_LIMIT

Kind = Literal["image", "attachment"]

EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "application/pdf": "pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.oasis.opendocument.text": "odt",
}
"""How the address of a file of each type ends."""

ADDRESS = re.compile(rf"/files/([0-9a-f]{{64}})\.({'|'.join(EXTENSIONS.values())})")

NAME_LIMIT = 100
"""Characters of a file's name that are said back."""

UNFINISHED = "."
"""How the names of files begin that are not in their place yet."""

_CHUNK = 256 * 1024


@dataclass(frozen=True)
class Store:
    """Where files are kept, and the virus scanner's command, if there is one."""

    folder: Path
    scanner: tuple[str, ...] = ()

    def path(self, sha256: str) -> Path:
        """Where a file is, or would be."""
        return self.folder / sha256[:2] / sha256[2:]


@dataclass(frozen=True)
class Taken:
    """A file that may be kept, not in its place yet. `name` is what its uploader calls it."""

    draft: Path
    name: str
    sha256: str
    media_type: str
    bytes: int
    width: int | None
    height: int | None

    @property
    def address(self) -> str:
        """Where the file will be read."""
        return address(self.sha256, self.media_type)


def address(sha256: str, media_type: str) -> str:
    """The address of a file on this site."""
    return f"/files/{sha256}.{EXTENSIONS[media_type]}"


@contextlib.contextmanager
def receive(store: Store, stream: IO[bytes], filename: str, kind: Kind) -> Iterator[Taken]:
    """Take a file in and look into it; inside the block it can be given its place, after it nothing else is left.

    Call it while no transaction is open: it takes seconds. Raises Invalid with a sentence on `file`, or Unavailable
    where the disk is full or the virus scanner does not answer.
    """
    name = spoken(filename)
    with _scratch(store.folder) as (draft, written):
        with room.needed():
            _copy(stream, draft, name)
        scan(store.scanner, draft, name)
        found = look_into(draft, written, kind, name)
        kept = written if kind == "image" else draft
        size = kept.stat().st_size
        if size > FILE_LIMIT:
            raise _too_large(name)
        sha256 = _sha256(kept)
        yield Taken(kept, name, sha256, found.media_type, size, found.width, found.height)


def place(session: Session, store: Store, taken: Taken, uploader: User) -> StoredFile:
    """Give a file its place, on the disk for good, and then its row. Raises Unavailable for a full disk."""
    path = store.path(taken.sha256)
    with room.needed():
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with taken.draft.open("rb") as file:
            os.fsync(file.fileno())
        taken.draft.chmod(0o600)
        taken.draft.replace(path)  # also over the same file: it is new now, and the sweep leaves it alone
        sync_folder(path.parent)
        sync_folder(store.folder)
    held = session.get(StoredFile, taken.sha256)
    if held is None:
        held = StoredFile(
            sha256=taken.sha256, media_type=taken.media_type, bytes=taken.bytes, width=taken.width,
            height=taken.height, uploader_id=uploader.id,
        )  # fmt: skip
        session.add(held)
        session.flush()
    return held


def spoken(filename: str) -> str:
    """The name of a file without folders, fit to be said back and to be a title."""
    last = re.split(r"[/\\]", filename)[-1]
    return " ".join((tidy(last[-400:]) or "").split())[-NAME_LIMIT:] or "?"


def _copy(stream: IO[bytes], draft: Path, name: str) -> None:
    """Write what comes, and no more than a file may have. Raises Invalid."""
    total = 0
    with draft.open("wb") as file:
        while piece := stream.read(_CHUNK):
            total += len(piece)
            if total > FILE_LIMIT:
                raise _too_large(name)
            file.write(piece)
    if total == 0:
        raise Invalid([Problem.of("file", N_("“%(name)s” is empty. Choose another file."), name=name)])


def _too_large(name: str) -> Invalid:
    text = N_("“%(name)s” is too large: the limit is %(limit)d MB. Make it smaller, then choose it again.")
    return Invalid([Problem.of("file", text, name=name, limit=FILE_LIMIT // 1024**2)])


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def _scratch(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Two names for unfinished files, readable by nobody else; what bears them is removed at the end."""
    word = f"{UNFINISHED}upload-{secrets.token_hex(8)}"
    names = folder / word, folder / f"{word}-new"
    try:
        with room.needed():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name in names:
                os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        yield names
    finally:
        for name in names:
            name.unlink(missing_ok=True)
