"""What whoever follows a list has to know before it is read: whether anything in it changed."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.models import Record

BATCH = 500


@dataclass(frozen=True)
class Standing:
    """How some practices stand: when the newest was `updated` and `written` here last, and a mark of all of them."""

    updated: datetime
    written: datetime
    mark: str


def standing(session: Session, ids: Sequence[str]) -> Standing | None:
    """How the public practices among some ids stand; None where there is none. The mark changes with their order."""
    digest, updated, written = hashlib.sha256(" ".join(ids).encode()), [], []
    for start in range(0, len(ids), BATCH):
        batch = list(map(uuid.UUID, ids[start : start + BATCH]))
        rows = select(Record.practice_id, Record.updated, Record.datestamp).where(Record.practice_id.in_(batch))
        for practice_id, changed, stamped in session.execute(rows.order_by(Record.practice_id)):
            digest.update(f" {practice_id} {changed} {stamped}".encode())
            updated.append(changed)
            written.append(max(changed, stamped))
    return Standing(max(updated), max(written), digest.hexdigest()[:32]) if updated else None
