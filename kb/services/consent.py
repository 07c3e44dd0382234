"""Consent of the person named as a practice's contact: when it was given, and how it is taken back.

The name is shown only with consent. Taking it back removes name and address; that it happened, and when, stays.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kb.models import Contact, Practice, User
from kb.services import audit
from kb.services.errors import N_, NotFound
from kb.services.permissions import can
from kb.services.publishing import now


@dataclass(frozen=True)
class Naming:
    """A practice whose contact someone is. Title, its language and slug are None where it is not public."""

    practice_id: uuid.UUID
    title: str | None
    language: str | None
    slug: str | None
    name: str
    given: datetime | None


def date_change(contact: Contact, before: tuple[str, str, bool]) -> None:
    """Note on a contact just changed when consent came or went; `before` is name, address and consent until now.

    Another name with consent is another person's, or the same person's to another name: given anew.
    """
    if contact.consent and before != (contact.name, contact.email, True):
        contact.given, contact.withdrawn = now(), None
    elif before[2] and not contact.consent:
        contact.withdrawn = now()


def contacts_with(session: Session, email: str) -> list[Contact]:
    """The contacts that name an address, however it was typed there."""
    named = func.lower(func.trim(Contact.email)) == email
    return list(session.scalars(select(Contact).where(named).order_by(Contact.practice_id)))


def namings(session: Session, user: User) -> list[Naming]:
    """Where someone's address is the contact's, in their own practices and others'."""
    found = []
    for contact in contacts_with(session, user.email):
        practice = session.get_one(Practice, contact.practice_id)
        told = practice.record
        title, language, slug = (told.title, told.language, practice.slug) if told else (None, None, None)
        given = contact.given if contact.consent else None
        found.append(Naming(practice.id, title, language, slug, contact.name, given))
    return found


def withdraw(session: Session, actor: User, practice_id: uuid.UUID) -> Practice:
    """Take consent back for the person whom a contact names: name and address go, the role stays.

    That person may do it, whoever may read the practice's working copy, and editors where the practice is public.
    Raises NotFound for anybody else.
    """
    practice = session.get(Practice, practice_id)
    contact = practice.contact if practice else None
    if practice is None or contact is None or not _may(actor, practice, contact):
        raise NotFound(N_("There is no such contact, or it is not yours."))
    contact.name = contact.email = ""
    contact.consent = False
    contact.withdrawn = now()
    audit.note(session, actor, "contact.withdraw", "practice", practice.id)
    return practice


def _may(actor: User, practice: Practice, contact: Contact) -> bool:
    oneself = contact.email.strip().lower() == actor.email
    return oneself or can(actor, "view", practice) or (can(actor, "review") and practice.record is not None)
