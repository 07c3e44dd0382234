"""What administrators see first: how many people there are, what waits, what was done last."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kb.models import AuditEntry, User
from kb.services import auditing, invitations, outbox, registrations


@dataclass(frozen=True)
class Overview:
    """Numbers of what there is and what waits, and the last entries of the audit log."""

    people: int
    registrations: int
    invitations: int
    mail: int
    entries: list[AuditEntry]


def overview(session: Session, actor: User) -> Overview:
    """The overview as it stands now. Raises NotAllowed."""
    here = select(func.count()).select_from(User).where(User.deleted.is_(None), User.active)
    return Overview(
        people=session.scalar(here) or 0,
        registrations=len(registrations.waiting(session)),
        invitations=invitations.page(session, actor, "open").total,
        mail=outbox.count_waiting(session),
        entries=auditing.latest(session, actor),
    )
