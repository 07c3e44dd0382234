"""A forgotten password, and a change of address: both by a link in a mail.

Whoever asks learns nothing about other people's accounts: the same is written for every address, and taken out again in
the same transaction where nobody is to get a mail. So the answer, and the work behind it, are the same.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from kb.models import ApiToken, LinkPurpose, MailMessage, OneTimeLink, User
from kb.services import accounts, audit, links, mail, passwords
from kb.services.errors import N_, Gone, Invalid, Problem
from kb.services.tokens import digest, fresh

RESET_LIFE = timedelta(hours=1)
ADDRESS_LIFE = timedelta(hours=24)
REMEMBERED = timedelta(days=1)
"""How long a link that ran out is still known, so that its page can say so."""


# A forgotten password


def ask_reset(session: Session, email: str, base_url: str, language: str = "en") -> None:
    """Mail a link for a new password to whoever has this address; says nothing where nobody does.

    A disabled account, a deleted one and the first administrator without an address get no mail either. Raises Invalid
    for what is no address.
    """
    to = accounts.valid_address(email)
    user = accounts.find(session, to)
    reached = user if user is not None and _reachable(user) else None
    _mail_link(session, LinkPurpose.RESET, reached, to, base_url, language)
    audit.note(session, None, "reset.ask", "user", reached.id if reached else "nobody")


def check_reset(session: Session, token: str) -> User:
    """Return whose password a link sets. Raises NotFound, Gone."""
    links.check_link(session, token, LinkPurpose.RESET)
    user = session.get(User, session.get_one(OneTimeLink, digest(token)).user_id)
    if user is None or not _reachable(user):
        raise Gone(N_("This account is closed."))
    return user


def reset(session: Session, token: str, password: str, *, known: tuple[str, ...] = ()) -> User:
    """Set a new password by a link: every session and open link of the person ends. Returns whose it is.

    Call it first in its transaction. `known` is what the password may not be made of. Raises NotFound, Gone, Invalid
    for a password that cannot be.
    """
    hashed = passwords.hashed(password, *known)
    user = check_reset(session, token)
    links.claim(session, token, LinkPurpose.RESET)
    accounts.put_password(session, user, hashed)
    user.confirmed = user.confirmed or datetime.now(UTC)
    # Whoever resets a password may fear that somebody knows it: what was made with it ends too.
    session.execute(delete(ApiToken).where(ApiToken.user_id == user.id))
    return user


# Another address


def ask_address(session: Session, user: User, email: str, base_url: str) -> None:
    """Mail a link to a new address that makes it the person's; a link asked for earlier stops working.

    Whether the address is somebody else's is not told: then that person gets no link. Raises Invalid.
    """
    address = accounts.valid_address(email)
    if address == user.email:
        raise Invalid([Problem.of("email", N_("This is your address already."))])
    taken = accounts.find(session, address) is not None
    earlier = (OneTimeLink.user_id == user.id, OneTimeLink.purpose == LinkPurpose.ADDRESS, OneTimeLink.used.is_(None))
    session.execute(delete(OneTimeLink).where(*earlier))
    _mail_link(session, LinkPurpose.ADDRESS, None if taken else user, address, base_url, user.language)
    audit.note(session, user, "address.ask", "user", user.id)


def check_address(session: Session, token: str) -> str:
    """Return the address that a link confirms. Raises NotFound, Gone."""
    links.check_link(session, token, LinkPurpose.ADDRESS)
    link = session.get_one(OneTimeLink, digest(token))
    user = session.get(User, link.user_id)
    if user is None or link.email is None or not user.active or user.deleted is not None:
        raise Gone(N_("This account is closed."))
    if accounts.find(session, link.email) is not None:
        raise Gone(N_("This address has an account of its own by now."))
    return link.email


def confirm_address(session: Session, token: str) -> User:
    """Give someone the address that a link confirms, and tell the old one. Raises NotFound, Gone."""
    address = check_address(session, token)
    user = session.get_one(User, links.claim(session, token, LinkPurpose.ADDRESS).user_id)
    old = None if accounts.is_placeholder(user) else user.email
    accounts.set_address(session, user, address)
    user.confirmed = datetime.now(UTC)
    accounts.withdraw_links(session, user)  # those mailed to the old address
    if old is not None:
        mail.tell(session, "address-changed", old, user=user, address=address)
    return user


# The links of both


def _reachable(user: User) -> bool:
    """Whether someone gets mail: they are here, and have an address."""
    return user.active and user.deleted is None and not accounts.is_placeholder(user)


def _mail_link(
    session: Session, purpose: LinkPurpose, user: User | None, address: str, base_url: str, language: str
) -> None:
    """Mail a link to an address. Without a user the same is written, and taken out again."""
    token, now = fresh(), datetime.now(UTC)
    path, kind, life = (
        ("reset", "reset", RESET_LIFE)
        if purpose == LinkPurpose.RESET
        else ("account/address", "address-confirm", ADDRESS_LIFE)
    )
    ours = OneTimeLink.purpose.in_((LinkPurpose.RESET, LinkPurpose.ADDRESS))
    session.execute(delete(OneTimeLink).where(ours, OneTimeLink.expires < now - REMEMBERED))
    link = OneTimeLink(
        token_hash=digest(token), purpose=purpose, user_id=user.id if user else None, created=now, expires=now + life,
        email=address if purpose == LinkPurpose.ADDRESS else None,
    )  # fmt: skip
    session.add(link)
    message = mail.tell(session, kind, address, user=user, language=language, url=f"{base_url}/{path}/{token}")
    session.flush()
    gone = uuid.uuid4().hex  # names nothing: where somebody is to get the mail the same statements find no row
    mailed = gone if user or message is None else message.message_id
    session.execute(delete(MailMessage).where(MailMessage.message_id == mailed))
    session.execute(delete(OneTimeLink).where(OneTimeLink.token_hash == (gone if user else digest(token))))
