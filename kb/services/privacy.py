"""What the base holds about people in general, and about one person: their own copy of it, to take away.

Secrets are not in it, only that they are there: a hash says nothing about its person. Addresses of other people are
left out too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from kb.db import Base
from kb.formats.text import iso
from kb.models import (
    Adoption,
    ApiToken,
    AuditEntry,
    Buffer,
    Claim,
    Comment,
    Contact,
    HalfSignIn,
    HarvestSource,
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
    SavedSearch,
    ShortlistEntry,
    StagedImport,
    StoredFile,
    TransferCheck,
    User,
    UserSession,
)
from kb.services import adoptions, audit, consent, practices, reports
from kb.services.errors import Message
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


@dataclass(frozen=True)
class _Own:
    """Rows that are somebody's because a column names them, and what of them goes into the copy."""

    name: str
    whose: InstrumentedAttribute[Any]
    columns: tuple[str, ...]
    order: InstrumentedAttribute[Any] | None = None

    def of(self, session: Session, person: User) -> list[Held]:
        """The rows of `person`, the oldest first where they have a date."""
        mine = person.email if self.whose.key == "email" else person.id
        statement = select(self.whose.class_).where(self.whose == mine).order_by(self.order)
        return [_of(row, *self.columns) for row in session.scalars(statement)]


_OFFER = ("practice_id", "part", "created", "expires", "accepted", "withdrawn")

OWN = (
    _Own("sessions", UserSession.user_id, ("agent", "created", "seen", "expires"), UserSession.created),
    _Own("half_sign_ins", HalfSignIn.user_id, ("created", "expires"), HalfSignIn.created),
    _Own("tokens", ApiToken.user_id, ("name", "scope", "created", "expires", "used", "revoked"), ApiToken.created),
    _Own("saved_searches", SavedSearch.user_id,
         ("name", "query", "frequency", "created", "checked", "told", "stopped"), SavedSearch.created),
    _Own("transfer_checks", TransferCheck.user_id, ("practice_id", "region_code", "answers", "changed"),
         TransferCheck.changed),
    _Own("shortlist", ShortlistEntry.user_id, ("practice_id", "added"), ShortlistEntry.added),
    _Own("staged_imports", StagedImport.user_id, ("filename", "aim", "bytes", "created", "taken"),
         StagedImport.created),
    _Own("harvest_sources", HarvestSource.owner_id, ("url", "created", "ran"), HarvestSource.created),
    _Own("links", OneTimeLink.user_id, ("purpose", "email", "created", "expires", "used"), OneTimeLink.created),
    _Own("recovery_codes", RecoveryCode.user_id, ("used",)),
    _Own("invitations_sent", Invitation.inviter_id, ("role", "created", "expires", "accepted", "withdrawn"),
         Invitation.created),
    _Own("buffers", Buffer.user_id, ("practice_id", "form", "seen", "pairs", "saved"), Buffer.saved),
    _Own("reviews", Review.editor_id,
         ("practice_id", "revision_number", "decision", "message", "checklist", "created"), Review.created),
    _Own("comments", Comment.author_id, ("practice_id", "revision_number", "field", "body", "created"),
         Comment.created),
    _Own("comments_settled", Comment.resolver_id, ("practice_id", "field", "resolved"), Comment.resolved),
    _Own("last_looks", LastLook.user_id, ("practice_id", "revision_number", "looked"), LastLook.looked),
    _Own("reports_closed", Report.closer_id, ("practice_id", "answer", "closed"), Report.closed),
    _Own("claims", Claim.user_id, ("practice_id", "reason", "created", "accepted", "decided", "answer"),
         Claim.created),
    _Own("claims_decided", Claim.decider_id, ("practice_id", "accepted", "decided", "answer"), Claim.decided),
    _Own("adoptions", Adoption.user_id,
         ("practice_id", "region_code", "organisation", "status", "changes", "own_id", "contact_role", "contact_email",
          "contact_name", "contact_consent", "created", "changed", "accepted", "decided", "answer", "withdrawn"),
         Adoption.created),
    _Own("adoptions_decided", Adoption.decider_id, ("practice_id", "region_code", "accepted", "decided", "answer"),
         Adoption.decided),
    _Own("mail_texts", MailText.changer_id, ("kind", "language", "changed"), MailText.changed),
    _Own("stored_files", StoredFile.uploader_id, ("sha256", "media_type", "bytes", "created"), StoredFile.created),
    _Own("practice_authors", PracticeAuthor.user_id, ("practice_id", "added"), PracticeAuthor.added),
    _Own("offers", Offer.email, ("email", *_OFFER), Offer.created),
    _Own("offers_made", Offer.maker_id, _OFFER, Offer.created),
    _Own("preview_links", PreviewLink.maker_id, ("practice_id", "created", "expires", "withdrawn"),
         PreviewLink.created),
)  # fmt: skip
"""What goes into the copy row by row; what needs more thought has a function of its own."""


def copy_for(session: Session, user: User, base_url: str) -> Held:
    """Everything that the base holds about someone, as what JSON can hold; notes in the audit log that it was taken."""
    person = session.get_one(User, user.id)
    held: Held = {
        "site": base_url,
        "account": _account(session, person),
        "invitations": _invitations(session, person),
        "registrations": _registrations(session, person),
        "practices": _practices(session, person),
        "revisions": _revisions(session, person),
        "contacts": [_contact(session, contact, base_url) for contact in consent.contacts_with(session, person.email)],
        "adoption_contacts": _adoption_contacts(session, person),
        "reports": _reports(session, person),
        **{own.name: own.of(session, person) for own in OWN},
        "audit_entries": _entries(session, person),
        "mail": _mail(session, person),
    }
    audit.note(session, person, "user.data", "user", person.id)
    return held


def _practices(session: Session, person: User) -> list[Held]:
    statement = select(Practice).where(Practice.owner_id == person.id).order_by(Practice.created)
    return [_practice(session, practice) for practice in session.scalars(statement)]


def _adoption_contacts(session: Session, person: User) -> list[Held]:
    """Where somebody's address is the contact of a region that takes a practice up."""
    names = ("practice_id", "region_code", "contact_role", "contact_email", "contact_name", "contact_consent")
    named = select(Adoption).where(adoptions.contact_is(person.email)).order_by(Adoption.created)
    return [_of(row, *names) for row in session.scalars(named)]


def _reports(session: Session, person: User) -> list[Held]:
    """What somebody reported, with an account or by leaving their address."""
    names = ("practice_id", "email", "language", "field", "body", "created", "closed", "answer")
    statement = select(Report).where(reports.about(person)).order_by(Report.created)
    return [_of(row, *names) for row in session.scalars(statement)]


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
    record = practice.record
    return {
        **_of(contact, "practice_id", "role", "email", "name", "consent", "given", "withdrawn"),
        "title": record.title if record else None,
        "url": f"{base_url}/practices/{practice.slug}" if record else None,
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


def _of(row: Any, *names: str) -> Held:
    return {name: _value(getattr(row, name)) for name in names}


def _value(value: Any) -> Any:
    """A value as JSON can hold it."""
    if isinstance(value, datetime):
        return iso(value)
    return value if value is None or isinstance(value, bool | int | float | str | list | dict) else str(value)
