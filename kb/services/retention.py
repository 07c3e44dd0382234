"""How long things are kept that nobody needs for ever, and removing them when that time is over.

The audit log is not among them: who changed what has to be answered for as long as the base is there, and the database
refuses to change an entry. It names nobody: a person's number leads to a name only while the account exists.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, and_, delete, or_, select
from sqlalchemy.orm import Session

from kb.db import Base
from kb.models import (
    Buffer,
    Form,
    HalfSignIn,
    Invitation,
    Offer,
    OneTimeLink,
    Practice,
    PreviewLink,
    StagedImport,
    User,
    UserSession,
)
from kb.services import file_keeping, outbox, registrations, reports, sessions
from kb.services.errors import N_, Message
from kb.services.permissions import can, owns

LINKS_KEPT = timedelta(days=30)
"""How long it is known that a one-time link was used, or not in time: whoever opens it again is told so."""

INVITATIONS_KEPT = timedelta(days=90)
"""How long an invitation is known after its time was over, accepted or not."""

OFFERS_KEPT = timedelta(days=30)
"""How long an offer of a part in a practice is known after its time was over, taken or not."""

BUFFERS_KEPT = timedelta(days=90)
"""How long after it was typed is kept what its person may no longer write."""

REPORTERS_KEPT = timedelta(days=30)
"""How long the address of whoever reported an error is known after the answer."""

STAGED_KEPT = timedelta(days=7)
"""How long a file that was uploaded for an import waits to be taken in, and is known afterwards."""


KEPT = {
    "users": Message(
        N_(
            "Until the account is deleted. Then a row without name and address stays, to which the practices, "
            "reviews and entries of the log refer."
        )
    ),
    "recovery_codes": Message(
        N_("Until new ones are made, the second factor is switched off, or the account is deleted.")
    ),
    "organisations": Message(N_("As long as the base.")),
    "invitations": Message(
        N_("%(days)d days after its time was over, accepted or not."), {"days": INVITATIONS_KEPT.days}
    ),
    "registrations": Message(
        N_(
            "%(confirm)d days where nobody confirms it, %(wait)d days where nobody decides it; of a decided one "
            "%(days)d days."
        ),
        {
            "confirm": registrations.CONFIRM_LIFE.days,
            "wait": registrations.WAITING_LIFE.days,
            "days": registrations.DECIDED_LIFE.days,
        },
    ),
    "user_sessions": Message(
        N_("%(days)d days from signing in, or until its person signs out."), {"days": sessions.SESSION_LIFE.days}
    ),
    "one_time_links": Message(N_("%(days)d days after it was used or too old."), {"days": LINKS_KEPT.days}),
    "half_sign_ins": Message(N_("A day at most.")),
    "api_tokens": Message(N_("Until the account is disabled or deleted.")),
    "saved_searches": Message(N_("Until its person deletes it, or the account is deleted.")),
    "staged_imports": Message(N_("%(days)d days."), {"days": STAGED_KEPT.days}),
    "harvest_sources": Message(N_("As long as the base; of whoever deleted their account, without a name.")),
    "practices": Message(N_("Until the account is deleted; the practice stays.")),
    "revisions": Message(
        N_("As long as the base. An administrator can remove the text of a version; its address then says why.")
    ),
    "contacts": Message(N_("Until it is changed or withdrawn, or the person deletes their account.")),
    "reviews": Message(N_("As long as the base; of whoever deleted their account, as those of “someone who left”.")),
    "practice_authors": Message(N_("Until the part is given up or taken back, or the account is deleted.")),
    "offers": Message(N_("%(days)d days after its time was over, taken or not."), {"days": OFFERS_KEPT.days}),
    "preview_links": Message(N_("%(days)d days after it stopped working."), {"days": LINKS_KEPT.days}),
    "buffers": Message(
        N_(
            "Until it is saved or thrown away, or the account is deleted; %(days)d days where its person may no longer "
            "write the practice."
        ),
        {"days": BUFFERS_KEPT.days},
    ),
    "stored_files": Message(N_("As long as a version shows the file. A file that none shows is removed after a day.")),
    "comments": Message(N_("As long as the base; of whoever deleted their account, as those of “someone who left”.")),
    "last_looks": Message(N_("Until the account is deleted.")),
    "reports": Message(
        N_("The address %(days)d days after the answer, the rest as long as the base."), {"days": REPORTERS_KEPT.days}
    ),
    "claims": Message(N_("As long as the base; of whoever deleted their account, as those of “someone who left”.")),
    "adoptions": Message(N_("As long as the base; without contact and name of whoever deleted their account.")),
    "shortlist_entries": Message(N_("Until its person takes it off, or the account is deleted.")),
    "transfer_checks": Message(N_("Until its person deletes it, or the account is deleted.")),
    "mail_texts": Message(N_("As long as the text.")),
    "audit_entries": Message(N_("As long as the base. The number leads to a name only while the account exists.")),
    "mail_messages": Message(N_("%(days)d days after it was sent or given up."), {"days": outbox.KEPT.days}),
}
"""How long what a table holds about people is kept, by its name. `/privacy` says it beside the models' notes."""


@dataclass(frozen=True)
class Swept:
    """How many of each were removed."""

    sessions: int
    half_sign_ins: int
    links: int
    registrations: int
    invitations: int
    offers: int
    previews: int
    mail: int
    files: int
    reporters: int
    buffers: int
    imports: int

    @property
    def total(self) -> int:
        """How many rows in all."""
        return sum(getattr(self, each.name) for each in fields(self))


def sweep(session: Session, now: datetime) -> Swept:
    """Remove what has been kept for long enough."""
    return Swept(
        sessions=_remove(session, UserSession, UserSession.expires <= now),
        half_sign_ins=_remove(session, HalfSignIn, HalfSignIn.expires <= now),
        links=_remove(
            session, OneTimeLink, or_(OneTimeLink.used < now - LINKS_KEPT, OneTimeLink.expires < now - LINKS_KEPT)
        ),
        registrations=registrations.sweep(session),
        invitations=_remove(session, Invitation, Invitation.expires < now - INVITATIONS_KEPT),
        offers=_remove(session, Offer, Offer.expires < now - OFFERS_KEPT),
        previews=_remove(
            session,
            PreviewLink,
            or_(PreviewLink.withdrawn < now - LINKS_KEPT, PreviewLink.expires < now - LINKS_KEPT),
        ),
        mail=outbox.sweep(session, now),
        files=file_keeping.sweep(session, now),
        reporters=reports.forget_reporters(session, now - REPORTERS_KEPT),
        buffers=_sweep_buffers(session, now - BUFFERS_KEPT),
        imports=_remove(session, StagedImport, StagedImport.created < now - STAGED_KEPT),
    )


def _sweep_buffers(session: Session, before: datetime) -> int:
    """Remove what was typed long ago by people who may write it no longer; says how much."""
    old = session.execute(select(Buffer.practice_id, Buffer.user_id, Buffer.form).where(Buffer.saved < before))
    gone = [key for key in old if not _may_write(session, *key)]
    return sum(
        _remove(session, Buffer, and_(Buffer.practice_id == practice, Buffer.user_id == user, Buffer.form == form))
        for practice, user, form in gone
    )


def _may_write(session: Session, practice_id: uuid.UUID, user_id: uuid.UUID, form: Form) -> bool:
    user, practice = session.get_one(User, user_id), session.get_one(Practice, practice_id)
    if form == Form.REVIEW:
        return can(user, "review")
    return owns(user, practice) or can(user, "edit", practice)


def _remove(session: Session, table: type[Base], old: ColumnElement[bool]) -> int:
    return cast(CursorResult[Any], session.execute(delete(table).where(old))).rowcount
