"""Installations to back up and restore: what is in them, and backups made or changed by hand."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

from sqlalchemy import select

from kb.db import Database
from kb.models import Record, StoredFile
from kb.services.backup import Home
from kb.services.files import Store
from tests import factories

PHOTO = b"\x89PNG photo" * 1000


def uploaded(home: Home, content: bytes) -> Path:
    """A file in its place and in its table, as an upload leaves it."""
    sha256 = hashlib.sha256(content).hexdigest()
    path = Store(home.files).path(sha256)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    database = Database(f"sqlite:///{home.database}")
    with database.write() as session:
        if session.get(StoredFile, sha256) is None:
            session.add(StoredFile(sha256=sha256, media_type="image/png", bytes=len(content)))
    database.close()
    return path


def titles(home: Home) -> list[str]:
    database = Database(f"sqlite:///{home.database}")
    with database.read() as session:
        found = list(session.scalars(select(Record.title).order_by(Record.title)))
    database.close()
    return found


def publish(home: Home, title: str) -> None:
    database = Database(f"sqlite:///{home.database}")
    with database.write() as session:
        factories.published(session, title=title)
    database.close()


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder but the locks, by path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith((".lock", ".lock.ensure", "-wal", "-shm"))
    }


def sealed(path: Path) -> None:
    """Seal a file made by hand, as the software would."""
    raw = path.read_bytes()[: -len("sha256:") - 64]
    path.write_bytes(raw + b"sha256:" + hashlib.sha256(raw).hexdigest().encode())


def rewritten(source: Path, target: Path, **members: bytes) -> Path:
    """A backup with some members changed or added, sealed anew."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, members.pop(name, None) or old.read(name))
        for name, content in members.items():
            new.writestr(name, content)
        new.comment = b" " * 71
    sealed(target)
    return target
