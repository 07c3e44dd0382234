"""One-time links: they sign someone in once, or make the first administrator. Only a digest of each is kept."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.orm import Session

from kb.models import LinkPurpose, OneTimeLink, Role, User
from kb.services import audit, second_factor
from kb.services.accounts import PLACEHOLDER, find, get, withdraw_links
from kb.services.errors import N_, Gone, NotAllowed, NotFound
from kb.services.sessions import close_sessions_of
from kb.services.tokens import digest, fresh

LINK_LIFE = timedelta(hours=24)

SIGNING_IN = (LinkPurpose.FIRST_ADMIN, LinkPurpose.SIGN_IN)
"""What a link under /link/ may be for. Links for other purposes have addresses of their own."""

TOO_OLD = N_("This link is too old: it worked for 24 hours.")


def first_admin_link(session: Session, base_url: str) -> str | None:
    """Return the address that makes the first administrator; one given earlier and not used stops working.

    None where an administrator already can sign in with a password.
    """
    if _administered(session):
        return None
    session.execute(
        delete(OneTimeLink).where(OneTimeLink.purpose == LinkPurpose.FIRST_ADMIN, OneTimeLink.used.is_(None))
    )
    return f"{base_url}/link/{new_link(session, LinkPurpose.FIRST_ADMIN, None)}"


def sign_in_link(session: Session, email: str, base_url: str) -> str:
    """Return an address that signs someone in once; an earlier one stops working. Raises NotFound, NotAllowed."""
    user = get(session, email)
    if not user.active:
        raise NotAllowed(N_("The account of %(email)s is disabled."), email=user.email)
    withdraw_links(session, user)
    return f"{base_url}/link/{new_link(session, LinkPurpose.SIGN_IN, user)}"


def new_link(
    session: Session, purpose: LinkPurpose, user: User | None, *, email: str | None = None, life: timedelta = LINK_LIFE
) -> str:
    """Make a link and return its token. Links of the person made earlier stay as they are."""
    token, now, whose = fresh(), datetime.now(UTC), user.id if user else None
    session.add(
        OneTimeLink(
            token_hash=digest(token), purpose=purpose, user_id=whose, created=now, expires=now + life, email=email
        )
    )
    audit.note(session, None, "link.make", "user", whose or "first-admin", purpose=purpose.value)
    return token


def check_link(session: Session, token: str, *purposes: LinkPurpose) -> LinkPurpose:
    """Return what a link is for: one of `purposes`, or signing in where none is named.

    Raises NotFound or Gone, with a sentence, where it does not work (any more) or is for something else.
    """
    link = session.get(OneTimeLink, digest(token))
    if link is None or link.purpose not in (purposes or SIGNING_IN):
        raise NotFound(N_("This link is not known. Perhaps it was not copied whole, or a newer one took its place."))
    if link.used is not None:
        raise Gone(N_("This link was used already: it works once."))
    if link.expires <= datetime.now(UTC):
        raise Gone(N_("This link is too old: it worked for an hour.") if link.purpose == LinkPurpose.RESET else TOO_OLD)
    if link.purpose == LinkPurpose.FIRST_ADMIN and _administered(session):
        raise Gone(N_("There is an administrator by now, so this link no longer makes one."))
    return link.purpose


def claim(session: Session, token: str, *purposes: LinkPurpose) -> OneTimeLink:
    """Use a link up and return it; of two requests at once, one gets through. Raises as `check_link` does."""
    check_link(session, token, *purposes)
    unused = (OneTimeLink.token_hash == digest(token), OneTimeLink.used.is_(None))
    claimed = session.execute(update(OneTimeLink).where(*unused).values(used=datetime.now(UTC)))
    if cast(CursorResult[Any], claimed).rowcount != 1:
        raise Gone(N_("This link was used already: it works once."))
    return session.get_one(OneTimeLink, digest(token))


def second_factor_of(session: Session, token: str) -> bool:
    """Whether using a link switches a second factor off."""
    link = session.get(OneTimeLink, digest(token))
    user = session.get(User, link.user_id) if link is not None and link.user_id is not None else None
    return user is not None and user.totp_secret is not None


def use_link(session: Session, token: str) -> User:
    """Use up a link that signs in and return its person.

    The first administrator's link makes that account, or takes up the one made before. Such links come from the
    operator's shell only, as the way back for who lost everything: so they switch the second factor off. Raises
    NotFound, Gone.
    """
    link = claim(session, token)
    first = link.purpose == LinkPurpose.FIRST_ADMIN
    user = _first_administrator(session) if first else session.get_one(User, link.user_id)
    second_factor.switch_off(session, user)
    session.refresh(user, ["totp_secret", "totp_used"])
    audit.note(session, user, "link.use", "user", user.id, purpose=link.purpose.value)
    return user


def _administered(session: Session) -> bool:
    able = (User.role == Role.ADMIN, User.active, User.password_hash.is_not(None))
    return session.scalar(select(User.id).where(*able).limit(1)) is not None


def _first_administrator(session: Session) -> User:
    """The account with the placeholder address, made if need be, and open only to who holds the link."""
    user = find(session, PLACEHOLDER)
    if user is None:
        user = User(id=uuid.uuid4(), email=PLACEHOLDER, name="", role=Role.ADMIN, active=True)
        session.add(user)
        session.flush()
        audit.note(session, None, "user.add", "user", user.id, role=Role.ADMIN.value)
    user.role, user.active, user.password_hash = Role.ADMIN, True, None
    close_sessions_of(session, user)
    return user
