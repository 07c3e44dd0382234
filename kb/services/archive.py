"""The file that a backup is: a zip with a manifest, sealed by a checksum over every byte of it.

The archive's comment, its last bytes, is `sha256:` and the checksum of everything before. So no damage goes unseen,
wherever it is, and what is inside is not looked at before the seal holds. The manifest names every member with its size
and checksum; a member that it does not name, or a name that leads elsewhere, is refused.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
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
    """What a backup holds: by which release, of which schema, when, how many rows a table, and every member."""

    release: str
    schema: str
    created: str
    rows: dict[str, int]
    members: dict[str, Member]


# Writing


def write(file: IO[bytes], manifest: Manifest, sources: dict[str, Path], progress: Progress = silent) -> Manifest:
    """Write the sources, by member name, then the manifest; seal the file. Returns the manifest with its members."""
    members = {}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, source in progress(sources.items(), len(sources)):
            if not _NAME.fullmatch(name):
                raise BadBackup(N_("%(name)s cannot be kept in a backup under this name."), name=name)
            members[name] = _put(archive, name, source)
        manifest = Manifest(manifest.release, manifest.schema, manifest.created, manifest.rows, members)
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
    with zipfile.ZipFile(file) as archive:
        try:
            manifest = _manifest(json.loads(archive.read(MANIFEST)))
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise BadBackup(N_("This is not a backup: its manifest cannot be read.")) from error
        _compare(archive.infolist(), manifest)
    return manifest


def unpack(file: IO[bytes], manifest: Manifest, folder: Path, progress: Progress = silent) -> None:
    """Unpack every member into a folder and check it on the way. Raises BadBackup."""
    needed = sum(member.bytes for member in manifest.members.values())
    if shutil.disk_usage(folder).free < needed:
        raise BadBackup(N_("The disk has not enough room: %(needed)d MB are needed."), needed=needed // 10**6 + 1)
    with zipfile.ZipFile(file) as archive:
        for name, member in progress(manifest.members.items(), len(manifest.members)):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            _take(archive, name, member, target)


def _take(archive: zipfile.ZipFile, name: str, member: Member, target: Path) -> None:
    digest = hashlib.sha256()
    try:
        with archive.open(name) as read, target.open("xb") as written:
            while chunk := read.read(_CHUNK):
                digest.update(chunk)
                written.write(chunk)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise BadBackup(N_("The backup is damaged: %(name)s."), name=name) from error
    if digest.hexdigest() != member.sha256:
        raise BadBackup(N_("The backup is damaged: %(name)s."), name=name)


def _check_seal(file: IO[bytes]) -> None:
    file.seek(-_SEAL_LENGTH, 2)
    seal = file.read()
    if not seal.startswith(_SEAL):
        raise BadBackup(N_("This is not a backup, or it is damaged: its seal is missing."))
    if seal != _SEAL + _digest_before_seal(file).encode():
        raise BadBackup(N_("The backup is damaged: its checksum does not match."))


def _manifest(found: Any) -> Manifest:
    if not isinstance(found, dict) or found.get("kind") != KIND:
        raise BadBackup(N_("This is a backup of something else."))
    if found.get("format") != FORMAT:
        raise BadBackup(N_("The backup was made by a later release, %(release)s."), release=found.get("release"))
    members = {name: Member(**member) for name, member in found["members"].items()}
    return Manifest(found["release"], found["schema"], found["created"], found["rows"], members)


def _compare(inside: Iterable[zipfile.ZipInfo], manifest: Manifest) -> None:
    """Raise BadBackup where the members are not exactly those of the manifest, or could land elsewhere."""
    listed = sorted((info.filename, info.file_size) for info in inside if info.filename != MANIFEST)
    if listed != sorted((name, member.bytes) for name, member in manifest.members.items()):
        raise BadBackup(N_("The backup does not hold what its manifest says."))
    for name in manifest.members:
        if not _NAME.fullmatch(name) or not (name in (DATABASE, KEY) or name.startswith(FILES)):
            raise BadBackup(N_("The backup holds a file that does not belong in one: %(name)s."), name=name)
    if DATABASE not in manifest.members:
        raise BadBackup(N_("The backup holds no database."))
