"""The outbox as administrators see it: what waits, what failed and why, and what they can do about it.

Texts and the secret links in them are shown to nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, delete, func, or_, select
from sqlalchemy.orm import Session

from kb.models import MailMessage, User
from kb.services import audit
from kb.services.errors import N_, Conflict, NotAllowed, NotFound
from kb.services.mail import KINDS
from kb.services.permissions import can

KEPT = timedelta(days=30)
"""How long the outbox remembers that a mail was sent, or given up."""

SHOWN = 100
"""How many messages of each kind of state a page lists."""

WAITING = (MailMessage.sent.is_(None), MailMessage.failed.is_(None))
GIVEN_UP = (MailMessage.sent.is_(None), MailMessage.failed.is_not(None))
SENT = (MailMessage.sent.is_not(None),)


@dataclass(frozen=True)
class Overview:
    """Messages by state, at most `SHOWN` of each, and how many there are in all."""

    waiting: list[MailMessage]
    failed: list[MailMessage]
    sent: list[MailMessage]
    waiting_total: int
    failed_total: int
    sent_total: int


def overview(session: Session, actor: User) -> Overview:
    """What waits, the next due first; what failed and what was sent, the latest first. Raises NotAllowed."""
    _administering(actor)
    return Overview(
        _listed(session, WAITING, MailMessage.due),
        _listed(session, GIVEN_UP, MailMessage.failed.desc()),
        _listed(session, SENT, MailMessage.sent.desc()),
        count_waiting(session),
        _count(session, GIVEN_UP),
        _count(session, SENT),
    )


def count_waiting(session: Session) -> int:
    """How many messages are to go out still."""
    return _count(session, WAITING)


def can_be_sent(message: MailMessage) -> bool:
    """Whether a message still holds what its text is made of."""
    return set(KINDS[message.kind].needs) <= set(message.data) if message.kind in KINDS else False


def retry(session: Session, actor: User, message_id: int) -> MailMessage:
    """Make a message due now, given up or not. Raises NotAllowed, NotFound, Conflict."""
    message = _unsent(session, actor, message_id)
    if not can_be_sent(message):
        raise Conflict(N_("The text of this mail is deleted: it cannot be sent again."))
    message.due, message.failed = datetime.now(UTC), None
    audit.note(session, actor, "mail.retry", "mail", message.id, about=message.kind)
    return message


def give_up(session: Session, actor: User, message_id: int) -> MailMessage:
    """Stop trying to send a message, and forget its text. Raises NotAllowed, NotFound, Conflict."""
    message = _unsent(session, actor, message_id)
    message.failed, message.data = message.failed or datetime.now(UTC), {}
    audit.note(session, actor, "mail.give-up", "mail", message.id, about=message.kind)
    return message


def sweep(session: Session, now: datetime) -> int:
    """Remove messages that were sent or given up before `KEPT`; returns how many."""
    old = or_(MailMessage.sent < now - KEPT, MailMessage.failed < now - KEPT)
    return cast(CursorResult[Any], session.execute(delete(MailMessage).where(old))).rowcount


def _unsent(session: Session, actor: User, message_id: int) -> MailMessage:
    _administering(actor)
    message = session.get(MailMessage, message_id, with_for_update=True)  # whoever sends it does not wait for us
    if message is None:
        raise NotFound(N_("There is no such mail. What was sent or given up is forgotten after 30 days."))
    if message.sent is not None:
        raise Conflict(N_("This mail was sent meanwhile."))
    if message.claimed is not None and message.claimed > datetime.now(UTC):
        raise Conflict(N_("This mail is being sent at this moment. Look again in a minute."))
    return message


def _administering(actor: User) -> None:
    if not can(actor, "administer"):
        raise NotAllowed(N_("Only administrators see what mail goes out."))


def _listed(session: Session, which: tuple[ColumnElement[bool], ...], order: Any) -> list[MailMessage]:
    return list(session.scalars(select(MailMessage).where(*which).order_by(order, MailMessage.id).limit(SHOWN)))


def _count(session: Session, which: tuple[ColumnElement[bool], ...]) -> int:
    return session.scalar(select(func.count()).select_from(MailMessage).where(*which)) or 0
