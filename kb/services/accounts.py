"""Accounts: who someone is, how they sign in, and the sessions, links and tokens that stand for them.

Secrets are kept hashed: passwords with argon2id, which is slow on purpose; the random tokens of sessions, links and
the API with SHA-256, which is enough for what nobody can guess. Hashing a password takes its time, so it is never done
while a transaction holds the database: `authenticate` wants a session for reading, and whatever here writes a password
hashes it before its first statement, which is when a transaction begins.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import unicodedata
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.orm import Session

from kb.models import ApiToken, LinkPurpose, OneTimeLink, Region, Role, User, UserSession
from kb.services import audit
from kb.services.errors import N_, Conflict, Gone, Invalid, NotAllowed, NotFound, Problem
from kb.services.permissions import at_least
from kb.services.values import is_email

PLACEHOLDER = "administrator@localhost"
"""The address of the first administrator until they give their own. No form accepts it: it has no top-level domain."""

SESSION_LIFE = timedelta(days=14)
LINK_LIFE = timedelta(hours=24)
TOKEN_PREFIX = "kbt_"  # noqa: S105 (what every token of the API begins with, so that a leaked one is recognised)
PASSWORD_LEAST = 10
PASSWORD_MOST = 200
NAME_LIMIT = 200

SIGN_IN_REFUSED = N_("The address and the password do not match. Check both and try again.")
"""Said alike for an unknown address, a wrong password, no password yet and a disabled account."""

hasher = PasswordHasher()
"""argon2id with the library's parameters (RFC 9106, low memory). Raised there, hashes follow as people sign in."""


# Signing in


def authenticate(session: Session, email: str, password: str) -> User:
    """Return the active person with this address and password; `session` only reads.

    Raises NotAllowed with the same sentence, after the same work, whatever was wrong.
    """
    user = _find(session, email)
    matches = _verify(user.password_hash if user and user.password_hash else _nobodys_hash(), password)
    if user is None or user.password_hash is None or not user.active or not matches:
        raise NotAllowed(SIGN_IN_REFUSED)
    return user


def knows_password(user: User, password: str) -> bool:
    """Whether this is the person's password."""
    return user.password_hash is not None and _verify(user.password_hash, password)


def renew_hash(session: Session, user: User, password: str) -> None:
    """Hash a password just verified anew if the parameters have moved. Call it first in its transaction."""
    old = user.password_hash
    if old is None or not hasher.check_needs_rehash(old):
        return
    new = hasher.hash(_secret(password))
    same = (User.id == user.id, User.password_hash == old)  # not over a password that was changed meanwhile
    session.execute(update(User).where(*same).values(password_hash=new))


def open_session(session: Session, user: User) -> str:
    """Begin a session of two weeks and return its token, which is kept nowhere. Raises NotAllowed if disabled."""
    now = _now()
    person = session.get(User, user.id)
    if person is None or not person.active:
        raise NotAllowed(SIGN_IN_REFUSED)
    session.execute(delete(UserSession).where(UserSession.expires <= now))
    token = secrets.token_urlsafe(32)
    session.add(UserSession(token_hash=_digest(token), user_id=user.id, created=now, expires=now + SESSION_LIFE))
    audit.note(session, user, "user.sign-in", "user", user.id)
    return token


def session_user(session: Session, token: str) -> User | None:
    """Whose session this is; None where it ended, expired, or the person was disabled."""
    return session.scalar(
        select(User)
        .join(UserSession, UserSession.user_id == User.id)
        .where(UserSession.token_hash == _digest(token), UserSession.expires > _now(), User.active)
    )


def close_session(session: Session, token: str) -> None:
    """End one session; nothing happens where there is none."""
    ended = session.get(UserSession, _digest(token))
    if ended is not None:
        session.delete(ended)
        audit.note(session, ended.user, "user.sign-out", "user", ended.user_id)


def close_sessions_of(session: Session, user: User, *, keep: str | None = None) -> None:
    """End all of someone's sessions, or all but the one whose token is `keep`."""
    kept = _digest(keep) if keep else ""
    session.execute(delete(UserSession).where(UserSession.user_id == user.id, UserSession.token_hash != kept))


# People


def add_user(
    session: Session,
    email: str,
    role: Role | str,
    name: str = "",
    region: str | None = None,
    password: str | None = None,
    *,
    actor: User | None = None,
) -> User:
    """Make an active account. With a password, call it first in its transaction.

    Raises Invalid for an address, name, region or password that cannot be, Conflict where the address has an account.
    """
    hashed = None if password is None else _hashed(password)
    address = _valid_address(email)
    if len(name) > NAME_LIMIT:
        text = N_("Shorten the name: the limit is %(limit)d characters.")
        raise Invalid([Problem.of("name", text, limit=NAME_LIMIT)])
    if region is not None and session.get(Region, region) is None:
        raise Invalid([Problem.of("region", N_("“%(value)s” is not the code of a region."), value=region[:80])])
    _refuse_taken(session, address)
    user = User(id=uuid.uuid4(), email=address, name=name, role=Role(role), region_code=region, password_hash=hashed,
                active=True)  # fmt: skip
    session.add(user)
    session.flush()
    audit.note(session, actor, "user.add", "user", user.id, role=user.role.value)
    return user


def set_role(session: Session, email: str, role: Role | str, *, actor: User | None = None) -> User:
    """Give someone another role. Raises NotFound."""
    user = _get(session, email)
    before, user.role = user.role, Role(role)
    audit.note(session, actor, "user.role", "user", user.id, before=before.value, after=user.role.value)
    return user


def disable(session: Session, email: str, *, actor: User | None = None) -> User:
    """Shut someone out: sessions and open links end at once, tokens stop. What they wrote stays. Raises NotFound."""
    user = _get(session, email)
    user.active = False
    close_sessions_of(session, user)
    _withdraw_links(session, user)
    session.execute(delete(ApiToken).where(ApiToken.user_id == user.id))
    audit.note(session, actor, "user.disable", "user", user.id)
    return user


def set_password(session: Session, user: User, password: str, *, keep: str | None = None) -> None:
    """Give someone a new password and end their sessions, all but the one whose token is `keep`, and open links.

    Call it first in its transaction. Raises Invalid for one that is too short or too long.
    """
    hashed = _hashed(password)
    session.get_one(User, user.id).password_hash = hashed
    close_sessions_of(session, user, keep=keep)
    _withdraw_links(session, user)
    audit.note(session, user, "user.password", "user", user.id)


def set_address(session: Session, user: User, email: str) -> None:
    """Give someone another address. Raises Invalid, Conflict where it is another's."""
    address = _valid_address(email)
    person = session.get_one(User, user.id)
    if address == person.email:
        return
    _refuse_taken(session, address)
    person.email = address
    audit.note(session, user, "user.address", "user", user.id)


def is_placeholder(user: User) -> bool:
    """Whether someone is the first administrator before they gave an address."""
    return user.email == PLACEHOLDER


# One-time links


def first_admin_link(session: Session, base_url: str) -> str | None:
    """Return the address that makes the first administrator; one given earlier and not used stops working.

    None where an administrator already can sign in with a password.
    """
    if _administered(session):
        return None
    session.execute(
        delete(OneTimeLink).where(OneTimeLink.purpose == LinkPurpose.FIRST_ADMIN, OneTimeLink.used.is_(None))
    )
    return _new_link(session, LinkPurpose.FIRST_ADMIN, None, base_url)


def sign_in_link(session: Session, email: str, base_url: str) -> str:
    """Return an address that signs someone in once; an earlier one stops working. Raises NotFound, NotAllowed."""
    user = _get(session, email)
    if not user.active:
        raise NotAllowed(N_("The account of %(email)s is disabled."), email=user.email)
    _withdraw_links(session, user)
    return _new_link(session, LinkPurpose.SIGN_IN, user, base_url)


def check_link(session: Session, token: str) -> LinkPurpose:
    """Return what a link is for. Raises NotFound or Gone, with a sentence, where it does not work (any more)."""
    link = session.get(OneTimeLink, _digest(token))
    if link is None:
        raise NotFound(N_("This link is not known. Perhaps it was not copied whole, or a newer one took its place."))
    if link.used is not None:
        raise Gone(N_("This link was used already: it works once."))
    if link.expires <= _now():
        raise Gone(N_("This link is too old: it worked for 24 hours."))
    if link.purpose == LinkPurpose.FIRST_ADMIN and _administered(session):
        raise Gone(N_("There is an administrator by now, so this link no longer makes one."))
    return link.purpose


def use_link(session: Session, token: str) -> User:
    """Use a link up and return the person it signs in; of two requests at once, one gets through.

    The first administrator's link makes that account, or takes up the one made before. Raises NotFound, Gone.
    """
    check_link(session, token)
    unused = (OneTimeLink.token_hash == _digest(token), OneTimeLink.used.is_(None))
    claimed = session.execute(update(OneTimeLink).where(*unused).values(used=_now()))
    if cast(CursorResult[Any], claimed).rowcount != 1:
        raise Gone(N_("This link was used already: it works once."))
    link = session.get_one(OneTimeLink, _digest(token))
    user = _first_administrator(session) if link.user_id is None else session.get_one(User, link.user_id)
    audit.note(session, user, "link.use", "user", user.id, purpose=link.purpose.value)
    return user


# Tokens of the API


def new_token(session: Session, email: str) -> str:
    """Make a token that submits in someone's name and return it; it cannot be shown again.

    Raises NotFound, NotAllowed for whoever may not submit.
    """
    user = _get(session, email)
    if not at_least(user, Role.MEMBER):
        raise NotAllowed(N_("Only active members, editors and administrators can have a token."))
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    session.add(ApiToken(token_hash=_digest(token), user_id=user.id))
    audit.note(session, None, "token.make", "user", user.id)
    return token


def token_user(session: Session, token: str) -> User | None:
    """Whose token this is; None where it is not known or the person was disabled."""
    return session.scalar(
        select(User)
        .join(ApiToken, ApiToken.user_id == User.id)
        .where(ApiToken.token_hash == _digest(token), User.active)
    )


def _now() -> datetime:
    return datetime.now(UTC)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _secret(password: str) -> bytes:
    """What is hashed: composed, so that é typed on any keyboard is the same é."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def _hashed(password: str) -> str:
    if len(password) < PASSWORD_LEAST:
        text = N_("Choose a longer password: at least %(limit)d characters.")
        raise Invalid([Problem.of("password", text, limit=PASSWORD_LEAST)])
    if len(password) > PASSWORD_MOST:
        text = N_("Choose a shorter password: at most %(limit)d characters.")
        raise Invalid([Problem.of("password", text, limit=PASSWORD_MOST)])
    return hasher.hash(_secret(password))


def _verify(password_hash: str, password: str) -> bool:
    try:
        return hasher.verify(password_hash, _secret(password))
    except (VerificationError, InvalidHashError):
        return False


def _nobodys_hash() -> str:
    """A hash that no password has and that takes as long to verify as a real one."""
    salt, digest = (
        base64.b64encode(secrets.token_bytes(length)).rstrip(b"=").decode()
        for length in (hasher.salt_len, hasher.hash_len)
    )
    return f"$argon2id$v=19$m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}${salt}${digest}"


def _find(session: Session, email: str) -> User | None:
    address = email.strip().lower()
    return session.scalar(select(User).where(User.email == address)) if address.isprintable() else None


def _get(session: Session, email: str) -> User:
    user = _find(session, email)
    if user is None:
        raise NotFound(N_("Nobody has an account with the address %(email)s."), email=email[:254])
    return user


def _valid_address(email: str) -> str:
    address = email.strip().lower()
    if not is_email(address) or not address.isprintable():
        raise Invalid([Problem.of("email", N_("Write an e-mail address such as name@example.org."))])
    return address


def _refuse_taken(session: Session, address: str) -> None:
    if _find(session, address) is not None:
        raise Conflict(N_("There is an account with the address %(email)s already."), email=address)


def _administered(session: Session) -> bool:
    able = (User.role == Role.ADMIN, User.active, User.password_hash.is_not(None))
    return session.scalar(select(User.id).where(*able).limit(1)) is not None


def _first_administrator(session: Session) -> User:
    """The account with the placeholder address, made if need be, and open only to who holds the link."""
    user = _find(session, PLACEHOLDER)
    if user is None:
        user = User(id=uuid.uuid4(), email=PLACEHOLDER, name="", role=Role.ADMIN, active=True)
        session.add(user)
        session.flush()
        audit.note(session, None, "user.add", "user", user.id, role=Role.ADMIN.value)
    user.role, user.active, user.password_hash = Role.ADMIN, True, None
    close_sessions_of(session, user)
    return user


def _new_link(session: Session, purpose: LinkPurpose, user: User | None, base_url: str) -> str:
    token, now, whose = secrets.token_urlsafe(32), _now(), user.id if user else None
    link = OneTimeLink(
        token_hash=_digest(token), purpose=purpose, user_id=whose, created=now, expires=now + LINK_LIFE
    )  # fmt: skip
    session.add(link)
    audit.note(session, None, "link.make", "user", whose or "first-admin", purpose=purpose.value)
    return f"{base_url}/link/{token}"


def _withdraw_links(session: Session, user: User) -> None:
    session.execute(delete(OneTimeLink).where(OneTimeLink.user_id == user.id, OneTimeLink.used.is_(None)))
