"""The file that a backup is: a zip with a manifest, sealed by a checksum over every byte of it.

The archive's comment, its last bytes, is `sha256:` and the checksum of everything before. So no damage goes unseen,
wherever it is, and what is inside is not looked at before the seal holds. The manifest names every member with its size
and checksum; a member that it does not name, or a name that leads elsewhere, is refused.

The seal tells of damage, not of malice: whoever can change a backup can seal it anew. So what it holds is read with as
little trust as a stranger's file.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import re
import shutil
import struct
import zipfile
import zlib
from collections.abc import Container, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any

from kb.services.errors import N_, ServiceError
from kb.services.progress import Progress, silent

FORMAT = 1
"""The layout of the file; a release that changes it counts on."""

KIND = "regional integration practices backup"
MANIFEST = "manifest.json"
DATABASE = "kb.sqlite"
KEY = "secret.key"
FILES = "files/"

_SEAL = b"sha256:"
_SEAL_LENGTH = len(_SEAL) + 64
_CHUNK = 1 << 20
_MANIFEST_LIMIT = 1 << 28
"""Bytes of a manifest: room for a million uploaded files."""

_BROKEN = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError,
    KeyError, ValueError, OverflowError,
)  # fmt: skip
"""What zipfile raises about an archive that is not as it should be."""

_NAME = re.compile(r"(files/)?[A-Za-z0-9_][A-Za-z0-9_.\-]*(/[A-Za-z0-9_][A-Za-z0-9_.\-]*)*")


class BadBackup(ServiceError):
    """A file that is no backup, is damaged, or comes from a later release."""


@dataclass(frozen=True)
class Member:
    """What the manifest says of one file inside."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a backup holds: by which release, of which schema, when, how many rows a table, and every member.

    `lacking` are the uploaded files, by SHA-256, that the database names and the backup does not hold; None where
    the release that made it did not look.
    """

    release: str
    schema: str
    created: str
    rows: dict[str, int]
    members: dict[str, Member]
    lacking: list[str] | None = None


# Writing


def write(file: IO[bytes], manifest: Manifest, sources: dict[str, Path], progress: Progress = silent) -> Manifest:
    """Write the sources, by member name, then the manifest; seal the file. Returns the manifest with its members."""
    members = {}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, source in progress(sources.items(), len(sources)):
            if not _NAME.fullmatch(name):
                raise BadBackup(N_("%(name)s cannot be kept in a backup under this name."), name=name)
            members[name] = _put(archive, name, source)
        manifest = replace(manifest, members=members)
        text = {"kind": KIND, "format": FORMAT, **asdict(manifest)}
        archive.writestr(MANIFEST, json.dumps(text, indent=1, ensure_ascii=False))
        archive.comment = b" " * _SEAL_LENGTH
    digest = _digest_before_seal(file)
    file.seek(-_SEAL_LENGTH, 2)
    file.write(_SEAL + digest.encode())
    return manifest


def _put(archive: zipfile.ZipFile, name: str, source: Path) -> Member:
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as read, archive.open(name, "w", force_zip64=True) as written:
        while chunk := read.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            written.write(chunk)
    return Member(size, digest.hexdigest())


def _digest_before_seal(file: IO[bytes]) -> str:
    file.seek(0, 2)
    left = file.tell() - _SEAL_LENGTH
    file.seek(0)
    digest = hashlib.sha256()
    while left > 0 and (chunk := file.read(min(_CHUNK, left))):
        digest.update(chunk)
        left -= len(chunk)
    return digest.hexdigest()


# Reading


def verify(file: IO[bytes]) -> Manifest:
    """Check the seal and the manifest against what is inside, without unpacking. Raises BadBackup."""
    if file.seek(0, 2) < _SEAL_LENGTH or not zipfile.is_zipfile(file):
        raise BadBackup(N_("This is not a backup, or it was cut off."))
    _check_seal(file)
    with _opened(file) as archive:
        manifest = _manifest(archive)
        _compare(archive.infolist(), manifest)
    return manifest


def unpack(
    file: IO[bytes],
    manifest: Manifest,
    folder: Path,
    progress: Progress = silent,
    wanted: Container[str] | None = None,
) -> None:
    """Read every member and check it; unpack all, or those that are wanted, into a folder. Raises BadBackup."""
    kept = {name for name in manifest.members if wanted is None or name in wanted}
    needed = sum(manifest.members[name].bytes for name in kept)
    if kept and shutil.disk_usage(folder).free < needed:
        raise BadBackup(N_("The disk has not enough room: %(needed)d MB are needed."), needed=needed // 10**6 + 1)
    with _opened(file) as archive:
        for name, member in progress(manifest.members.items(), len(manifest.members)):
            target = folder / name if name in kept else None
            if _taken(archive, name, target) != member:
                raise BadBackup(N_("The backup is damaged: %(name)s."), name=name)


def _taken(archive: zipfile.ZipFile, name: str, target: Path | None) -> Member:
    """Read a member, into a file if there is a target; returns what it was."""
    digest, size = hashlib.sha256(), 0
    with contextlib.ExitStack() as stack:
        written = None
        if target is not None:
            target.parent.mkdir(parents=True, exist_ok=True)
            written = stack.enter_context(target.open("xb"))
        with _damage(name):
            read = stack.enter_context(archive.open(name))
        while chunk := _chunk(read, name):
            digest.update(chunk)
            size += len(chunk)
            if written:
                written.write(chunk)
    return Member(size, digest.hexdigest())


def _chunk(read: IO[bytes], name: str) -> bytes:
    with _damage(name):
        return read.read(_CHUNK)


@contextlib.contextmanager
def _damage(name: str) -> Iterator[None]:
    """Say in a sentence what zipfile says of a member that cannot be read."""
    try:
        yield
    except _BROKEN as error:
        raise BadBackup(N_("The backup is damaged: %(name)s."), name=name) from error
    except OSError as error:
        if error.errno != errno.EINVAL:  # its place is before the beginning of the file
            raise
        raise BadBackup(N_("The backup is damaged: %(name)s."), name=name) from error


@contextlib.contextmanager
def _opened(file: IO[bytes]) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(file)
    except _BROKEN as error:
        raise BadBackup(N_("This is not a backup, or it was cut off.")) from error
    with archive:
        if any(info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for info in archive.infolist()):
            raise BadBackup(N_("This is not a backup, or it was cut off."))  # nobody packs one so
        yield archive


def _check_seal(file: IO[bytes]) -> None:
    file.seek(-_SEAL_LENGTH, 2)
    seal = file.read()
    if not seal.startswith(_SEAL):
        raise BadBackup(N_("This is not a backup, or it is damaged: its seal is missing."))
    if seal != _SEAL + _digest_before_seal(file).encode():
        raise BadBackup(N_("The backup is damaged: its checksum does not match."))


def _manifest(archive: zipfile.ZipFile) -> Manifest:
    try:
        if archive.getinfo(MANIFEST).file_size > _MANIFEST_LIMIT:
            raise ValueError("far too long")
        with _damage(MANIFEST):
            read = archive.read(MANIFEST)
        found = json.loads(read)
    except (*_BROKEN, RecursionError) as error:
        raise BadBackup(N_("This is not a backup: its manifest cannot be read.")) from error
    if not isinstance(found, dict) or found.get("kind") != KIND:
        raise BadBackup(N_("This is a backup of something else."))
    if found.get("format") != FORMAT:
        raise BadBackup(N_("The backup was made by a later release, %(release)s."), release=found.get("release"))
    try:
        return _as_manifest(found)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise BadBackup(N_("This is not a backup: its manifest cannot be read.")) from error


def _as_manifest(found: dict[str, Any]) -> Manifest:
    """Raises some exception where anything is missing or of another kind."""
    members = {name: Member(_number(each["bytes"]), _text(each["sha256"])) for name, each in found["members"].items()}
    rows = {name: _number(count) for name, count in found["rows"].items()}
    lacking = found.get("lacking")
    return Manifest(
        _text(found["release"]), _text(found["schema"]), _text(found["created"]), rows, members,
        None if lacking is None else [_text(each) for each in lacking],
    )  # fmt: skip


def _text(found: Any) -> str:
    if not isinstance(found, str):
        raise TypeError("no text")
    return found


def _number(found: Any) -> int:
    if not isinstance(found, int) or found < 0:
        raise ValueError("no number")
    return found


def _compare(inside: list[zipfile.ZipInfo], manifest: Manifest) -> None:
    """Raise BadBackup where the members are not exactly those of the manifest, or could land elsewhere."""
    listed = sorted((info.filename, info.file_size) for info in inside if info.filename != MANIFEST)
    named = sorted((name, member.bytes) for name, member in manifest.members.items())
    if listed != named or len(inside) != len(named) + 1:
        raise BadBackup(N_("The backup does not hold what its manifest says."))
    for name in manifest.members:
        if not _NAME.fullmatch(name) or not (name in (DATABASE, KEY) or name.startswith(FILES)):
            raise BadBackup(N_("The backup holds a file that does not belong in one: %(name)s."), name=name)
    if DATABASE not in manifest.members:
        raise BadBackup(N_("The backup holds no database."))
