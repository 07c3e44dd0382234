"""How long things are kept that nobody needs for ever, and removing them when that time is over.

The audit log is not among them: who changed what has to be answered for as long as the base is there, and the database
refuses to change an entry. It names nobody: a person's number leads to a name only while the account exists.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, delete, or_
from sqlalchemy.orm import Session

from kb.models import Base, Invitation, OneTimeLink, UserSession
from kb.services import outbox, registrations

LINKS_KEPT = timedelta(days=30)
"""How long it is known that a one-time link was used, or not in time: whoever opens it again is told so."""

INVITATIONS_KEPT = timedelta(days=90)
"""How long an invitation is known after its time was over, accepted or not."""


@dataclass(frozen=True)
class Swept:
    """How many of each were removed."""

    sessions: int
    links: int
    registrations: int
    invitations: int
    mail: int

    @property
    def total(self) -> int:
        """How many rows in all."""
        return sum(getattr(self, each.name) for each in fields(self))


def sweep(session: Session, now: datetime) -> Swept:
    """Remove what has been kept for long enough."""
    return Swept(
        sessions=_remove(session, UserSession, UserSession.expires <= now),
        links=_remove(
            session, OneTimeLink, or_(OneTimeLink.used < now - LINKS_KEPT, OneTimeLink.expires < now - LINKS_KEPT)
        ),
        registrations=registrations.sweep(session),
        invitations=_remove(session, Invitation, Invitation.expires < now - INVITATIONS_KEPT),
        mail=outbox.sweep(session, now),
    )


def _remove(session: Session, table: type[Base], old: ColumnElement[bool]) -> int:
    return cast(CursorResult[Any], session.execute(delete(table).where(old))).rowcount
