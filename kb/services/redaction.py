"""Taking the text of versions away for good. What is left says that a version was there, and why it is not any more."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import ColumnElement, update
from sqlalchemy.orm import Session

from kb.models import Revision
from kb.services.publishing import now


def empty_revisions(session: Session, practice_id: uuid.UUID, reason: str, *which: ColumnElement[bool]) -> None:
    """Empty the documents of a practice's revisions, all or those that `which` says, and note why beside them.

    What was emptied before keeps its reason. A note of a revision may tell of its text, so it goes too.
    """
    mine = (Revision.practice_id == practice_id, Revision.redacted.is_(None), *which)
    values: dict[str, Any] = {"document": {}, "note": None, "redacted": now(), "redaction": reason}
    session.execute(update(Revision).where(*mine).values(values), execution_options={"synchronize_session": "fetch"})
