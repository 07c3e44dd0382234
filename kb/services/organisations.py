"""Organisations: bodies whose members share their practices."""

from __future__ import annotations

import uuid

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kb.models import Organisation, User
from kb.services import audit
from kb.services.errors import N_, Invalid, Problem

NAME_LIMIT = 200


def named(session: Session, actor: User | None, name: str) -> Organisation | None:
    """Return the organisation of a name, made if there is none yet, however it is spaced and capitalised; None for "".

    Raises Invalid for a name that is too long.
    """
    wanted = checked_name(name)
    if not wanted:
        return None
    found = session.scalar(select(Organisation).where(func.lower(Organisation.name) == func.lower(wanted)).limit(1))
    if found is None:
        found = Organisation(id=uuid.uuid4(), name=wanted)
        session.add(found)
        session.flush()
        audit.note(session, actor, "organisation.add", "organisation", found.id)
    return found


def checked_name(name: str, field: str = "organisation") -> str:
    """Return a name as it is kept, white space single. Raises Invalid, for `field`, for one that is too long."""
    plain = " ".join(name.split())
    if len(plain) > NAME_LIMIT:
        text = N_("Shorten the name: the limit is %(limit)d characters.")
        raise Invalid([Problem.of(field, text, limit=NAME_LIMIT)])
    return plain
