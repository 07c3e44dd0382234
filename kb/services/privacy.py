"""What the base holds about people in general, and about one person: their own copy of it, to take away.

Secrets are not in it, only that they are there: a hash says nothing about its person. Addresses of other people are
left out too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, or_, select
from sqlalchemy.orm import Session

from kb.db import Base
from kb.models import (
    ApiToken,
    AuditEntry,
    Buffer,
    Claim,
    Comment,
    Contact,
    Invitation,
    LastLook,
    MailMessage,
    MailText,
    Offer,
    OneTimeLink,
    Practice,
    PracticeAuthor,
    PreviewLink,
    RecoveryCode,
    Registration,
    Report,
    Review,
    Revision,
    StoredFile,
    User,
    UserSession,
)
from kb.services import audit, consent, practices, reports
from kb.services.errors import Message
from kb.services.publishing import iso
from kb.services.retention import KEPT

Held = dict[str, Any]


@dataclass(frozen=True)
class Note:
    """What the base holds about people in one table: its name in words, sentences, and how long it is kept."""

    called: str
    says: tuple[str, ...]
    kept: Message


def notes() -> list[Note]:
    """The notes of the models, in the order of KEPT. Sentences are to be translated by who shows them."""
    found = []
    for mapper in Base.registry.mappers:
        table = mapper.local_table
        if isinstance(table, Table) and "privacy" in table.info:
            columns = [column.info["privacy"] for column in table.columns if "privacy" in column.info]
            says = (table.info["privacy"], *columns)
            found.append((list(KEPT).index(table.name), Note(table.info["called"], says, KEPT[table.name])))
    return [note for _, note in sorted(found, key=lambda each: each[0])]


def copy_for(session: Session, user: User, base_url: str) -> Held:
    """Everything that the base holds about someone, as what JSON can hold; notes in the audit log that it was taken."""
    person = session.get_one(User, user.id)
    held: Held = {
        "site": base_url,
        "account": _account(session, person),
        "sessions": [_of(row, "agent", "created", "seen", "expires") for row in _all(session, UserSession, person)],
        "tokens": [_of(row, "created") for row in _all(session, ApiToken, person)],
        "links": [_of(row, "purpose", "email", "created", "expires", "used")
                  for row in _all(session, OneTimeLink, person)],
        "recovery_codes": [_of(row, "used") for row in _all(session, RecoveryCode, person)],
        "invitations": _invitations(session, person),
        "invitations_sent": [_of(row, "role", "created", "expires", "accepted", "withdrawn") for row in session.scalars(
            select(Invitation).where(Invitation.inviter_id == person.id).order_by(Invitation.created))],
        "registrations": _registrations(session, person),
        "practices": [_practice(session, practice) for practice in session.scalars(
            select(Practice).where(Practice.owner_id == person.id).order_by(Practice.created))],
        "revisions": _revisions(session, person),
        "buffers": [_of(row, "practice_id", "form", "seen", "pairs", "saved")
                    for row in _all(session, Buffer, person)],
        "contacts": [_contact(session, contact, base_url) for contact in consent.contacts_with(session, person.email)],
        "reviews": [_of(row, "practice_id", "revision_number", "decision", "message", "checklist", "created")
                    for row in session.scalars(
                        select(Review).where(Review.editor_id == person.id).order_by(Review.created))],
        "comments": [_of(row, "practice_id", "revision_number", "field", "body", "created")
                     for row in session.scalars(
                         select(Comment).where(Comment.author_id == person.id).order_by(Comment.created))],
        "comments_settled": [_of(row, "practice_id", "field", "resolved") for row in session.scalars(
            select(Comment).where(Comment.resolver_id == person.id).order_by(Comment.resolved))],
        "last_looks": [_of(row, "practice_id", "revision_number", "looked") for row in session.scalars(
            select(LastLook).where(LastLook.user_id == person.id).order_by(LastLook.looked))],
        "reports": [_of(row, "practice_id", "email", "language", "field", "body", "created", "closed", "answer")
                    for row in session.scalars(select(Report).where(reports.about(person)).order_by(Report.created))],
        "claims": [_of(row, "practice_id", "reason", "created", "accepted", "decided", "answer")
                   for row in _all(session, Claim, person)],
        "claims_decided": [_of(row, "practice_id", "accepted", "decided", "answer") for row in session.scalars(
            select(Claim).where(Claim.decider_id == person.id).order_by(Claim.decided))],
        "mail_texts": [_of(row, "kind", "language", "changed") for row in session.scalars(
            select(MailText).where(MailText.changer_id == person.id).order_by(MailText.changed))],
        "reports_closed": [_of(row, "practice_id", "answer", "closed") for row in session.scalars(
            select(Report).where(Report.closer_id == person.id).order_by(Report.closed))],
        "stored_files": [_of(row, "sha256", "media_type", "bytes", "created") for row in session.scalars(
            select(StoredFile).where(StoredFile.uploader_id == person.id).order_by(StoredFile.created))],
        "practice_authors": [_of(row, "practice_id", "added") for row in session.scalars(
            select(PracticeAuthor).where(PracticeAuthor.user_id == person.id).order_by(PracticeAuthor.added))],
        "offers": [_of(row, "practice_id", "part", "email", "created", "expires", "accepted", "withdrawn")
                   for row in session.scalars(
                       select(Offer).where(Offer.email == person.email).order_by(Offer.created))],
        "offers_made": [_of(row, "practice_id", "part", "created", "expires", "accepted", "withdrawn")
                        for row in session.scalars(
                            select(Offer).where(Offer.maker_id == person.id).order_by(Offer.created))],
        "preview_links": [_of(row, "practice_id", "created", "expires", "withdrawn") for row in session.scalars(
            select(PreviewLink).where(PreviewLink.maker_id == person.id).order_by(PreviewLink.created))],
        "audit_entries": _entries(session, person),
        "mail": _mail(session, person),
    }  # fmt: skip
    audit.note(session, person, "user.data", "user", person.id)
    return held


def _account(session: Session, person: User) -> Held:
    held = _of(person, "id", "email", "name", "role", "language", "active", "notify", "created", "confirmed")
    return {
        **held,
        "region": person.region_code,
        "organisation": person.organisation.name if person.organisation else None,
        "password_set": person.password_hash is not None,
        "second_factor": person.totp_secret is not None,
    }


def _invitations(session: Session, person: User) -> list[Held]:
    mine = or_(Invitation.email == person.email, Invitation.user_id == person.id)
    return [
        {
            **_of(row, "email", "name", "role", "language", "created", "expires", "accepted", "withdrawn"),
            "organisation": row.organisation.name if row.organisation else None,
            "region": row.region_code,
        }
        for row in session.scalars(select(Invitation).where(mine).order_by(Invitation.created))
    ]


def _registrations(session: Session, person: User) -> list[Held]:
    statement = select(Registration).where(Registration.email == person.email).order_by(Registration.created)
    names = ("email", "name", "organisation", "reason", "language", "created", "confirmed", "accepted", "decided")
    return [{**_of(row, *names), "region": row.region_code} for row in session.scalars(statement)]


def _practice(session: Session, practice: Practice) -> Held:
    contact = practice.contact
    return {
        **_of(practice, "id", "slug", "state", "title", "version", "created", "changed"),
        "public": practice.record is not None,
        "contact": _of(contact, "role", "email", "name", "consent", "given", "withdrawn") if contact else None,
        "working_copy": practices.working_copy(session, practice),
    }


def _revisions(session: Session, person: User) -> list[Held]:
    """Which versions someone saved, submitted or published. Their texts are the practices'."""
    columns = (Revision.practice_id, Revision.number, Revision.kind, Revision.version, Revision.note, Revision.created)
    statement = select(*columns).where(Revision.author_id == person.id).order_by(Revision.created, Revision.number)
    return [{name: _value(value) for name, value in row._mapping.items()} for row in session.execute(statement)]


def _contact(session: Session, contact: Contact, base_url: str) -> Held:
    """A contact with someone's address. What is not public of another's practice stays with its author."""
    practice = session.get_one(Practice, contact.practice_id)
    public = practice.record is not None
    return {
        **_of(contact, "practice_id", "role", "email", "name", "consent", "given", "withdrawn"),
        "title": practice.title if public else None,
        "url": f"{base_url}/practices/{practice.slug}" if public else None,
    }


def _entries(session: Session, person: User) -> list[Held]:
    """What someone did, and what was done to their account: by whom is left out."""
    about = and_(AuditEntry.object_kind == "user", AuditEntry.object_id == str(person.id))
    statement = select(AuditEntry).where(or_(AuditEntry.user_id == person.id, about)).order_by(AuditEntry.id)
    return [
        {**_of(row, "created", "action", "object_kind", "object_id", "detail"), "yours": row.user_id == person.id}
        for row in session.scalars(statement)
    ]


def _mail(session: Session, person: User) -> list[Held]:
    """Mail to someone that is remembered. What its text is made of may be a secret link, so it is left out."""
    statement = select(MailMessage).where(mail_of(person)).order_by(MailMessage.id)
    names = ("message_id", "kind", "address", "language", "created", "attempts", "sent", "failed", "error")
    return [_of(row, *names) for row in session.scalars(statement)]


def mail_of(person: User) -> ColumnElement[bool]:
    """Which messages are to someone: in their account's name, or to their address."""
    return or_(MailMessage.user_id == person.id, MailMessage.address == person.email)


def _all(session: Session, table: type[Any], person: User) -> list[Any]:
    """The rows of a table that belong to someone, the oldest first where they have a date."""
    statement = select(table).where(table.user_id == person.id)
    return list(session.scalars(statement.order_by(table.created) if hasattr(table, "created") else statement))


def _of(row: Any, *names: str) -> Held:
    return {name: _value(getattr(row, name)) for name in names}


def _value(value: Any) -> Any:
    """A value as JSON can hold it."""
    if isinstance(value, datetime):
        return iso(value)
    return value if value is None or isinstance(value, bool | int | float | str | list | dict) else str(value)
