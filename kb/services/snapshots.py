"""The snapshot that the site offers: in a folder that all machines share, made anew at most once a day, by one process.

One that holds something which is not public any more is offered to nobody, however young it is.
"""

from __future__ import annotations

import json
import logging
import threading
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from kb.db import Database
from kb.services import snapshot, vocabularies
from kb.services.exporting import replacing
from kb.services.locks import Locks
from kb.services.progress import Progress, silent
from kb.services.snapshot import Mark, Site
from kb.services.vocabularies import Vocabulary

log = logging.getLogger(__name__)

NAME = "snapshot.zip"
LOCK = "snapshot"

KEPT = timedelta(days=1)
"""How long a snapshot is offered though practices have come in since."""


def to_file(session: Session, vocabulary: Vocabulary, path: Path, site: Site, progress: Progress = silent) -> int:
    """Write a snapshot to a file; returns how many practices it holds. The file is there whole or not at all."""
    with replacing(path) as file:
        return snapshot.write(session, vocabulary, file, site, progress)


def current(database: Database, locks: Locks, folder: Path, site: Site, wait: float) -> Path | None:
    """The snapshot in a folder, made anew where it has to be.

    That takes its time for a large base: after `wait` seconds the one that was there before is good enough, unless it
    holds what is not public any more. None where there is none to offer yet; it is on its way then.
    """
    path = folder / NAME
    with database.read() as session:
        now = snapshot.mark(session)
    if not _fits(path, now):
        maker = threading.Thread(target=_make, args=(database, locks, folder, site), name="snapshot", daemon=True)
        maker.start()
        maker.join(wait)
    held = _held(path)
    return path if held and held[0].went == now.went else None


def _make(database: Database, locks: Locks, folder: Path, site: Site) -> None:
    try:
        with locks.hold(LOCK) as held, database.read() as session:
            if held is None:
                return
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for left in folder.glob(f".{NAME}.*"):  # of a process that was killed in the middle
                left.unlink(missing_ok=True)
            if not _fits(folder / NAME, snapshot.mark(session)):
                to_file(session, vocabularies.load(session), folder / NAME, site)
    except Exception:
        log.exception("the snapshot could not be made")


def _fits(path: Path, now: Mark) -> bool:
    """Whether a snapshot may be offered, and need not be made anew yet."""
    held = _held(path)
    if held is None or held[0].went != now.went:
        return False
    aged = datetime.now(UTC) - held[1]
    return held[0].came == now.came or timedelta() <= aged < KEPT  # less than nothing: the clock was set back


def _held(path: Path) -> tuple[Mark, datetime] | None:
    """What a snapshot was made of, and when; None where there is none that can be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            said = json.loads(archive.comment)
            return Mark(said["came"], said["went"]), datetime.fromisoformat(said["made"])
    except (OSError, zipfile.BadZipFile, ValueError, KeyError, TypeError):
        return None
