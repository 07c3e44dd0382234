"""Files of practices that an editor uploads, looks at, and then takes in or throws away.

The bytes lie in a folder of their own, readable by nobody else, beside what was found out about them; the row says
whose they are. A file is taken at most once: whoever takes it marks the row first, in a transaction of its own.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any, cast

from sqlalchemy import CursorResult, func, select, update
from sqlalchemy.orm import Session

from kb.db import Database
from kb.formats.grid import Fault
from kb.formats.json import NotJson, Row
from kb.models import StagedImport, User
from kb.services import audit, room, tables
from kb.services.errors import N_, Conflict, Invalid, NotAllowed, NotFound, Problem
from kb.services.files import UNFINISHED, spoken
from kb.services.importing import Aim, Importer, Outcome
from kb.services.incoming import Incoming
from kb.services.permissions import can
from kb.services.publishing import now
from kb.services.refusals import Refusal
from kb.services.staging_report import Report, read_report, write_report
from kb.services.tables import Unfit, Wrong

LARGEST = 20 * 1024 * 1024
"""Bytes of a file that is uploaded to be taken in."""

MOST_ROWS = 5_000
"""Practices in one such file: more would hold others up for too long."""

MOST_WAITING = 10
"""Files that one person may have waiting."""

SHOWN = 10
"""Practices of a file that are shown before it is taken in."""

TOO_MANY_ROWS = N_(
    "The file holds more than %(most)d practices. Divide it, or ask whoever runs this site to take it in with the "
    "command “import”."
)
TAKEN = N_("This file was taken in already, perhaps in another window. Nothing was taken twice.")

GRACE = timedelta(hours=1)
"""How long a file may lie there without a row: one that is being uploaded gets its row in a moment."""

_CHUNK = 256 * 1024


def folder(shared_dir: Path) -> Path:
    """Where the files lie."""
    return shared_dir / "imports"


def aims(actor: User | None) -> tuple[Aim, ...]:
    """What somebody may make of a file's practices."""
    may_publish = (Aim.PUBLISHED,) if can(actor, "import-published") else ()
    return (Aim.DRAFT, Aim.SUBMITTED, *may_publish) if can(actor, "import") else ()


@contextlib.contextmanager
def received(place: Path, stream: IO[bytes]) -> Iterator[Path]:
    """Write what was sent to the disk, under a name of its own that is gone after the block unless it took its place.

    The stream is read to its end and closed. Raises Invalid where it is empty or too large, Unavailable for a full
    disk.
    """
    draft = place / f"{UNFINISHED}upload-{secrets.token_hex(8)}"
    try:
        with room.needed():
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                total = 0
                while piece := stream.read(_CHUNK):
                    total += len(piece)
                    if total > LARGEST:
                        text = N_("The file is too large: the limit is %(limit)d MB.")
                        raise Invalid([Problem.of("file", text, limit=LARGEST // 1024**2)])
                    file.write(piece)
            if not total:
                raise Invalid([Problem.of("file", N_("The file is empty."))])
            yield draft
    finally:
        stream.close()
        draft.unlink(missing_ok=True)


def stage(session: Session, actor: User, place: Path, draft: Path, filename: str, aim: Aim) -> StagedImport:
    """Keep a file that was received. Raises NotAllowed, Conflict where too many wait."""
    if aim not in aims(actor):
        raise NotAllowed(N_("You may not take practices in that way."))
    mine = (StagedImport.user_id == actor.id, StagedImport.taken.is_(None))
    if (session.scalar(select(func.count()).select_from(StagedImport).where(*mine)) or 0) >= MOST_WAITING:
        raise Conflict(N_("%(most)d files of yours wait already. Take one in or throw one away first."),
                       most=MOST_WAITING)  # fmt: skip
    staged = StagedImport(
        id=uuid.uuid4(), user_id=actor.id, filename=spoken(filename), aim=aim.value, bytes=draft.stat().st_size
    )
    session.add(staged)
    session.flush()
    audit.note(session, actor, "import.upload", "import", staged.id, aim=aim.value)
    draft.replace(place / str(staged.id))
    return staged


def get(session: Session, actor: User, staged_id: uuid.UUID) -> StagedImport:
    """One of a person's own files. Raises NotAllowed, NotFound."""
    if not can(actor, "import"):
        raise NotAllowed(N_("Only editors take in files of practices."))
    staged = session.get(StagedImport, staged_id)
    if staged is None or staged.user_id != actor.id:
        raise NotFound(N_("There is no such file, or its time was over."))
    return staged


def mine(session: Session, actor: User) -> list[StagedImport]:
    """A person's files, the newest first. Raises NotAllowed."""
    if not can(actor, "import"):
        raise NotAllowed(N_("Only editors take in files of practices."))
    own = select(StagedImport).where(StagedImport.user_id == actor.id).order_by(StagedImport.created.desc())
    return list(session.scalars(own))


def look(database: Database, place: Path, staged: StagedImport, actor: User) -> Report:
    """Find out what would become of a file, and keep that beside it. Call it while no transaction is open."""
    report = _run(database, place, staged, actor, dry_run=True, all_or_nothing=False)
    write_report(_path(place, staged.id, ".json"), report)
    return report


def report(place: Path, staged: StagedImport) -> Report | None:
    """What is known of a file: what would become of it or, once it is taken, what did; None where that was lost."""
    ending = ".taken.json" if staged.taken else ".json"
    return read_report(_path(place, staged.id, ending))


def take(database: Database, place: Path, staged: StagedImport, actor: User, *, all_or_nothing: bool) -> Report:
    """Take a file in, once. Raises Conflict where it was taken already, NotAllowed, NotFound for a lost file.

    Call it while no transaction is open. Whatever happens on the way, the file is not taken a second time.
    """
    if Aim(staged.aim) not in aims(actor):
        raise NotAllowed(N_("You may not take practices in that way."))
    if not _path(place, staged.id).exists():
        # Somebody may have taken it since the row was read.
        with database.read() as session:
            taken = session.scalar(select(StagedImport.taken).where(StagedImport.id == staged.id))
        raise Conflict(TAKEN) if taken else NotFound(N_("There is no such file, or its time was over."))
    known = report(place, staged)
    if known is None or not known.outcome.added:
        raise Conflict(N_("Nothing of this file can be taken in."))
    with database.write() as session:
        mark = update(StagedImport).where(StagedImport.id == staged.id, StagedImport.taken.is_(None))
        if cast(CursorResult[Any], session.execute(mark.values(taken=now()))).rowcount != 1:
            raise Conflict(TAKEN)
    made = _run(database, place, staged, actor, dry_run=False, all_or_nothing=all_or_nothing)
    write_report(_path(place, staged.id, ".taken.json"), made)
    with database.write() as session:
        counts = {"taken": made.outcome.added, "refused": made.outcome.refused}
        audit.note(session, session.get(User, actor.id), "import.take", "import", staged.id, aim=staged.aim, **counts)
    _path(place, staged.id).unlink(missing_ok=True)
    return made


def drop(session: Session, actor: User, place: Path, staged_id: uuid.UUID) -> None:
    """Throw a file away; what was taken of it stays. Raises NotAllowed, NotFound."""
    session.delete(get(session, actor, staged_id))
    session.flush()
    for ending in ("", ".json", ".taken.json"):
        _path(place, staged_id, ending).unlink(missing_ok=True)


def sweep_folder(database: Database, shared_dir: Path, before: datetime) -> int:
    """Remove files that have no row: its time was over, or its person's account was deleted; returns how many.

    What was written after `before` stays: its row may be on the way.
    """
    try:
        paths = [path for path in folder(shared_dir).iterdir() if path.stat().st_mtime < before.timestamp()]
    except FileNotFoundError:
        return 0
    with database.read() as session:
        known = {str(key) for key in session.scalars(select(StagedImport.id))}
    strays = [path for path in paths if path.name.partition(".")[0] not in known]
    for path in strays:
        path.unlink(missing_ok=True)
    return len(strays)


def _run(
    database: Database, place: Path, staged: StagedImport, actor: User, *, dry_run: bool, all_or_nothing: bool
) -> Report:
    aim = Aim(staged.aim)
    refused: list[Refusal] = []
    doubles: list[Refusal] = []
    first: list[Incoming] = []

    def show(record: Incoming) -> None:
        if len(first) < SHOWN:
            first.append(record)

    owner = None if aim is Aim.PUBLISHED else actor.email
    importer = Importer(database, aim, owner, refused.append, actor=actor.id, show=show, double=doubles.append)
    try:
        outcome = importer.run(
            lambda: _rows(_path(place, staged.id), staged.filename, aim), dry_run=dry_run, all_or_nothing=all_or_nothing
        )
    except NotJson as error:
        refused.append(Refusal.of_file(Wrong(Fault("%(fault)s", {"fault": str(error)}))))
        outcome = Outcome(unfit=True)
    return Report.of(outcome, first, refused, doubles)


def _rows(path: Path, name: str, aim: Aim) -> Iterator[Row]:
    """The rows of a file. Raises Unfit after MOST_ROWS, so that whoever looks at the file learns it; and NotJson."""
    with path.open("rb") as file:
        for n, row in enumerate(tables.read(file, name, aim.needed)):
            if n >= MOST_ROWS:
                raise Unfit([Wrong(Fault(TOO_MANY_ROWS, {"most": MOST_ROWS}))])
            yield row


def _path(place: Path, staged_id: uuid.UUID, ending: str = "") -> Path:
    return place / f"{staged_id}{ending}"
