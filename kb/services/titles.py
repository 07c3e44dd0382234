"""What a practice is called. The title that is being written is as private as the rest of the working copy."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import and_, select
from sqlalchemy.orm import Session, selectinload

from kb.models import Practice, Record, Revision, User
from kb.services.permissions import can
from kb.services.publishing import public_revision

OF_LISTED = selectinload(Practice.record).load_only(Record.title, Record.language)
"""What a list of practices reads at once, so that each title costs no statement, and no whole record."""


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


def of_known_all(session: Session, person: User | None, practices: Collection[Practice]) -> dict[uuid.UUID, Title]:
    """The titles of some practices, by their ids, as `of_known`, in a few statements however many there are."""
    ids = [each.id for each in practices]
    if not ids:
        return {}
    listed = select(Practice).where(Practice.id.in_(ids)).options(OF_LISTED, selectinload(Practice.authors))
    session.scalars(listed).all()
    theirs = [each.id for each in practices if can(person, "view", each)]
    draft = select(Practice.id, Practice.title, Revision.document["language"].as_string()).join(
        Revision, and_(Revision.practice_id == Practice.id, Revision.number == Practice.revision_count)
    )
    found = {
        key: Title(text, language) for key, text, language in session.execute(draft.where(Practice.id.in_(theirs)))
    }
    return {each.id: found.get(each.id) or of_known(session, person, each) for each in practices}
