"""Keeping the files folder and the database in step: what nothing names goes, what should be there is looked for.

Rows go first, in a transaction; a file goes once it has no row. An upload puts its file in place anew before its row,
even where the same file is there, so that a file without a row that was made just now is one that is about to get it.
"""

from __future__ import annotations

import hashlib
import os
import re
import uuid
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, Text, delete, exists, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.orm import Session

from kb.config import SHARED
from kb.db import Database
from kb.models import Buffer, Practice, PracticeFile, Record, Revision, StoredFile
from kb.services.files import UNFINISHED, Store
from kb.services.progress import Progress, silent
from kb.services.shown_files import KEYS

GRACE = timedelta(days=1)
"""How long a file is kept that nothing names (yet)."""

_PLACE = re.compile(r"([0-9a-f]{2})/([0-9a-f]{62})")


def forget_unnamed(session: Session, practice_id: uuid.UUID) -> None:
    """Part a practice from the files that no version or draft of it names any more: their texts were emptied."""
    session.flush()
    mine = (PracticeFile.practice_id == practice_id, ~_named_by_its_practice())
    session.execute(delete(PracticeFile).where(*mine), execution_options={"synchronize_session": "fetch"})


def sweep(session: Session, now: datetime) -> int:
    """Forget files that no version, no draft and no text being written names, once they are a day old; returns how
    many. Their bytes stay until `sweep_folder`, which comes after the commit."""
    before = now - GRACE
    unnamed = (PracticeFile.added < before, ~_named_by_its_practice(), ~_being_written())
    session.execute(delete(PracticeFile).where(*unnamed))
    kept = exists().where(PracticeFile.sha256 == StoredFile.sha256)
    lone = session.scalars(select(StoredFile.sha256).where(StoredFile.created < before, ~kept)).all()
    gone = [sha256 for sha256 in lone if not _named_anywhere(session, sha256)]
    done = cast(CursorResult[Any], session.execute(delete(StoredFile).where(StoredFile.sha256.in_(gone))))
    return done.rowcount


def sweep_folder(database: Database, folder: Path, now: datetime) -> int:
    """Remove the bytes of files that have no row, and what an upload that was killed left; returns how many."""
    paths = list(_paths(folder))
    with database.read() as session:
        known = set(session.scalars(select(StoredFile.sha256)))
    count = 0
    for path in paths:
        sha256 = _sha256_of(folder, path)
        unfinished = path.name.startswith(UNFINISHED)
        if (unfinished or (sha256 and sha256 not in known)) and _old(path, now):
            count += _unlink(path, now)
    return count


def faults(database: Database, folder: Path, progress: Progress = silent) -> Iterator[str]:
    """What is wrong with the files, a sentence each; nothing where all is well."""
    for path in sorted(_strays(database, folder)):
        yield f"The file {path.relative_to(folder)} of the files folder is in no table. Run sweep."
    with database.read() as session:
        rows = session.scalars(select(StoredFile)).all()
        yield from _dangling(session, {row.sha256 for row in rows})
    store = Store(folder)
    for row in progress(rows, len(rows)):
        if (fault := _damage(store.path(row.sha256), row)) is not None:
            yield fault


def _damage(path: Path, row: StoredFile) -> str | None:
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return f"The file {row.sha256} is not in the files folder. Restore it from a backup."
    except OSError as error:
        return f"The file {row.sha256} cannot be read: {error.strerror}."
    if found != row.sha256:
        return f"The file {row.sha256} was changed or damaged. Restore it from a backup."
    return None


def _dangling(session: Session, known: set[str]) -> Iterator[str]:
    """Public practices that name a file that there is not."""
    columns = select(Practice.slug, Record.images, Record.attachments).join(Record, Record.practice_id == Practice.id)
    for slug, *lists in session.execute(columns):
        for key, entries in zip(KEYS.values(), lists, strict=True):
            for entry in entries:
                if entry["sha256"] and entry["sha256"] not in known:
                    yield f"{slug} names the file {entry['sha256']} under {key}, which is in no table."


def _strays(database: Database, folder: Path) -> set[Path]:
    """Files of the folder that no row knows, but for what uploads are bringing or were when they were killed.

    Those the sweep takes away by itself, once they are old enough.
    """
    paths = [path for path in _paths(folder) if not path.name.startswith(UNFINISHED)]
    with database.read() as session:
        known = set(session.scalars(select(StoredFile.sha256)))
    names = {path: _sha256_of(folder, path) for path in paths}
    now = datetime.now(UTC)
    return {path for path, name in names.items() if name not in known and (name is None or _old(path, now))}


def _paths(folder: Path) -> Iterator[Path]:
    """All files but those of SHARED, which have keepers of their own."""
    for each in folder.glob("*"):
        if each.name != SHARED:
            yield from (path for path in (each, *each.rglob("*")) if path.is_file())


def _sha256_of(folder: Path, path: Path) -> str | None:
    found = _PLACE.fullmatch(path.relative_to(folder).as_posix())
    return found[1] + found[2] if found else None


def _old(path: Path, now: datetime) -> bool:
    with suppress(FileNotFoundError):
        return path.stat().st_mtime < (now - GRACE).timestamp()
    return False


def _old_indeed(path: Path, now: datetime) -> bool:
    """The same of the file as its server has it: only opening asks that, a network file system may remember another."""
    with path.open("rb") as file:
        return os.fstat(file.fileno()).st_mtime < (now - GRACE).timestamp()


def _unlink(path: Path, now: datetime) -> bool:
    """Remove a file, but give it back where an upload put it in place this very moment."""
    aside = path.with_name(f"{UNFINISHED}gone-{path.name}")
    try:
        path.rename(aside)
    except FileNotFoundError:
        return False
    if not _old_indeed(aside, now):
        aside.rename(path)
        return False
    aside.unlink()
    return True


def _named_by_its_practice() -> ColumnElement[bool]:
    """For a row of practice_files: whether a version or draft of its practice names the file."""
    of_it = Revision.practice_id == PracticeFile.practice_id
    return exists().where(of_it, sql_cast(Revision.document, Text).contains(PracticeFile.sha256))


def _being_written() -> ColumnElement[bool]:
    of_it = Buffer.practice_id == PracticeFile.practice_id
    return exists().where(of_it, sql_cast(Buffer.pairs, Text).contains(PracticeFile.sha256))


def _named_anywhere(session: Session, sha256: str) -> bool:
    """Whether any version or draft of any practice names a file."""
    naming = select(Revision.id).where(sql_cast(Revision.document, Text).contains(sha256)).limit(1)
    return session.scalar(naming) is not None
