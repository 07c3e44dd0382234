"""What a practice is called. The title that is being written is as private as the rest of the working copy."""

from __future__ import annotations

from sqlalchemy.orm import Session

from kb.models import Practice, User
from kb.services.permissions import can
from kb.services.publishing import public_revision


def known(session: Session, person: User | None, practice: Practice) -> str:
    """What a practice is called for somebody: as readers know it, where the working copy is not theirs to see."""
    return practice.title if can(person, "view", practice) else public(session, practice)


def public(session: Session, practice: Practice) -> str:
    """What a practice is called for readers, now or when it was public last; empty where it never was."""
    if practice.record is not None:
        return practice.record.title
    revision = public_revision(session, practice)
    return "" if revision is None else str(revision.document["title"])
