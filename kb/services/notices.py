"""Who is told what, and which mail somebody wants: what is not about one's own can be ended, with a link or signed in.

The link in a mail is signed, not kept: it works for as long as the account and the secret key do, without signing in.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import uuid
from typing import Any

from itsdangerous import BadSignature, Signer
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from kb.models import MailMessage, Practice, Role, User
from kb.services import accounts, audit, titles
from kb.services.errors import N_, NotFound
from kb.services.mail import KINDS, tell

OPTIONAL = tuple(name for name, kind in KINDS.items() if kind.optional)
"""The kinds of mail that people may ask not to get."""

USER = "kb.unsubscribe"
"""The purpose of a link that ends all such mail of a person."""


def tell_editors(session: Session, kind: str, *, but: User | None = None, **data: Any) -> None:
    """Mail every editor and administrator who wants to know, but the one who did it."""
    statement = select(User).where(User.role.in_((Role.EDITOR, Role.ADMIN))).order_by(User.email)
    for editor in session.scalars(statement):
        if reachable(editor) and (but is None or editor.id != but.id):
            tell(session, kind, editor.email, user=editor, **data)


def tell_owner(session: Session, kind: str, practice: Practice, *, but: User, **data: Any) -> None:
    """Mail whose practice it is and its co-authors, each once, but the one who did it."""
    for person in writers(practice).values():
        if reachable(person) and person.id != but.id:
            tell(session, kind, person.email, user=person, title=titles.known(session, person, practice), **data)


def writers(practice: Practice) -> dict[uuid.UUID, User]:
    """Whose practice it is and its co-authors, each once."""
    people = (practice.owner, *(each.user for each in practice.authors))
    return {person.id: person for person in people if person is not None}


def tell_person(session: Session, kind: str, person: User | None, **data: Any) -> None:
    """Mail one person, if they are here and have an address."""
    if person is not None and reachable(person):
        tell(session, kind, person.email, user=person, **data)


def token(secret_key: str, user_id: uuid.UUID) -> str:
    """What stands in the link with which this person ends such mail."""
    return signed_id(secret_key, USER, user_id)


def recipient(session: Session, secret_key: str, signed: str) -> User:
    """Whose link this is. Raises NotFound for one that is damaged, or whose person has left."""
    user_id = read_id(secret_key, USER, signed)
    user = session.get(User, user_id) if user_id else None
    if user is None or user.deleted is not None:
        raise NotFound(N_("This link is not known. Perhaps it was not copied whole, or the account is deleted."))
    return user


def signed_id(secret_key: str, purpose: str, key: uuid.UUID) -> str:
    """An id as it stands in a link that needs no signing in, for one purpose only."""
    text = base64.urlsafe_b64encode(key.bytes).rstrip(b"=")
    return _signer(secret_key, purpose).sign(text).decode("ascii")


def read_id(secret_key: str, purpose: str, signed: str) -> uuid.UUID | None:
    """The id in a link; None in one that is damaged, or was made for something else."""
    try:
        return uuid.UUID(bytes=base64.urlsafe_b64decode(_signer(secret_key, purpose).unsign(signed) + b"=="))
    except (BadSignature, binascii.Error, ValueError):
        return None


def choose(session: Session, user: User, notify: bool) -> None:
    """Keep whether somebody wants such mail; what waits for somebody who does not is not sent."""
    if not notify:
        waiting = (MailMessage.user_id == user.id, MailMessage.kind.in_(OPTIONAL), MailMessage.sent.is_(None))
        session.execute(delete(MailMessage).where(*waiting))
    if user.notify != notify:
        user.notify = notify
        audit.note(session, user, "user.notify", "user", user.id, on=notify)


def reachable(user: User) -> bool:
    """Whether somebody is here and has an address."""
    return user.active and user.deleted is None and not accounts.is_placeholder(user)


def _signer(secret_key: str, purpose: str) -> Signer:
    return Signer(secret_key, salt=purpose, key_derivation="hmac", digest_method=hashlib.sha256)
