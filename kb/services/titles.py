"""What a practice is called. The title that is being written is as private as the rest of the working copy."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.models import Practice, Revision, User
from kb.services.permissions import can
from kb.services.publishing import public_revision


class Title(NamedTuple):
    """What a practice is called, empty where it is called nothing, and the language of that, None where nobody said."""

    text: str
    language: str | None


def known(session: Session, person: User | None, practice: Practice) -> str:
    """What a practice is called for somebody: as readers know it, where the working copy is not theirs to see."""
    return practice.title if can(person, "view", practice) else public(session, practice)


def public(session: Session, practice: Practice) -> str:
    """What a practice is called for readers, now or when it was public last; empty where it never was."""
    return of_public(session, practice).text


def of_public(session: Session, practice: Practice) -> Title:
    """The title that readers know, as `public`."""
    if practice.record is not None:
        return Title(practice.record.title, practice.record.language)
    revision = public_revision(session, practice)
    if revision is None:
        return Title("", None)
    return Title(str(revision.document["title"]), revision.document["language"])


def of_draft(session: Session, practice: Practice) -> Title:
    """The title that is being written."""
    newest = (Revision.practice_id == practice.id, Revision.number == practice.revision_count)
    return Title(practice.title, session.scalar(select(Revision.document["language"].as_string()).where(*newest)))


def of_known(session: Session, person: User | None, practice: Practice) -> Title:
    """The title that somebody may be told, as `known`."""
    return of_draft(session, practice) if can(person, "view", practice) else of_public(session, practice)
