"""Copying the uploaded files that a base names into another folder, each checked by what it holds; and what waits."""

from __future__ import annotations

import hashlib
import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select

from kb.db import Database
from kb.models import StoredFile
from kb.services.errors import Conflict
from kb.services.exporting import replacing
from kb.services.files import UNFINISHED, Store
from kb.services.progress import Progress, silent


@dataclass
class Copied:
    """How many files were copied, how many were there already, and which, by SHA-256, are missing or damaged here."""

    copied: int = 0
    held: int = 0
    lacking: list[str] = field(default_factory=list)


def copy(database: Database, source: Path, target: Path, progress: Progress = silent) -> Copied:
    """Copy the files of a base to another folder; those that are there whole are left as they are.

    Raises Conflict where it is the same folder, OSError.
    """
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    if source.exists() and source.samefile(target):
        raise Conflict("The files are in %(folder)s already.", folder=target)
    with database.read() as session:
        named = session.scalars(select(StoredFile.sha256).order_by(StoredFile.sha256)).all()
    done = Copied()
    for sha256 in progress(named, len(named)):
        here, there = Store(source).path(sha256), Store(target).path(sha256)
        if _sha256(there) == sha256:
            done.held += 1
        elif _sha256(here) != sha256:
            done.lacking.append(sha256)
        else:
            there.parent.mkdir(mode=0o700, exist_ok=True)
            with here.open("rb") as read, replacing(there, mode=0o600) as written:
                shutil.copyfileobj(read, written)
            done.copied += 1
    return done


def take_along(source: Path, target: Path) -> None:
    """Copy the files that wait to be taken in to the folder in which they are looked for from now on."""
    if source.is_dir() and source != target:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copytree(source, target, ignore=shutil.ignore_patterns(f"{UNFINISHED}*"), dirs_exist_ok=True)


def _sha256(path: Path) -> str | None:
    """What a file holds; None where it cannot be read."""
    with suppress(OSError), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
    return None
