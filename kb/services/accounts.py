"""Accounts: who has one, in which role, with which address and password.

Secrets are kept hashed: passwords with argon2id (passwords.py), random tokens of sessions, links and the API with
SHA-256 (tokens.py). Hashing a password takes its time, so it is never done while a transaction holds the database:
`authenticate` wants a session for reading, and whatever here writes a password hashes it before its first statement,
which is when a transaction begins.
"""

from __future__ import annotations

import uuid

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from kb.models import ApiToken, OneTimeLink, Region, Role, User
from kb.services import audit, mail, passwords, tokens
from kb.services.errors import N_, Conflict, Invalid, NotAllowed, NotFound, Problem
from kb.services.sessions import SIGN_IN_REFUSED, close_sessions_of
from kb.services.values import is_email

PLACEHOLDER = "administrator@localhost"
"""The address of the first administrator until they give their own. No form accepts it: it has no top-level domain."""

NAME_LIMIT = 200


# Signing in


def authenticate(session: Session, email: str, password: str) -> User:
    """Return the active person with this address and password; `session` only reads.

    Raises NotAllowed with the same sentence, after the same work, whatever was wrong.
    """
    user = find(session, email)
    known = user.password_hash if user else None
    matches = passwords.verify(known or passwords.nobodys_hash(), password)
    if user is None or known is None or not user.active or not matches:
        raise NotAllowed(SIGN_IN_REFUSED)
    return user


def knows_password(user: User, password: str) -> bool:
    """Whether this is the person's password."""
    return user.password_hash is not None and passwords.verify(user.password_hash, password)


def renew_hash(session: Session, user: User, password: str) -> None:
    """Hash a password just verified anew if the parameters have moved. Call it first in its transaction."""
    old = user.password_hash
    if old is None or not passwords.outdated(old):
        return
    new = passwords.rehashed(password)
    same = (User.id == user.id, User.password_hash == old)  # not over a password that was changed meanwhile
    session.execute(update(User).where(*same).values(password_hash=new))


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
    known: tuple[str, ...] = (),
) -> User:
    """Make an active account. With a password, call it first in its transaction; `known` is what it may not be.

    Raises Invalid for an address, name, region or password that cannot be, Conflict where the address has an account.
    """
    hashed = None if password is None else passwords.hashed(password, email, name, *known)
    address = valid_address(email)
    if len(name) > NAME_LIMIT:
        text = N_("Shorten the name: the limit is %(limit)d characters.")
        raise Invalid([Problem.of("name", text, limit=NAME_LIMIT)])
    refuse_unknown_region(session, region)
    refuse_taken(session, address)
    user = User(id=uuid.uuid4(), email=address, name=name, role=Role(role), region_code=region, password_hash=hashed,
                active=True)  # fmt: skip
    session.add(user)
    session.flush()
    audit.note(session, actor, "user.add", "user", user.id, role=user.role.value)
    return user


def set_role(session: Session, email: str, role: Role | str, *, actor: User | None = None) -> User:
    """Give someone another role. Raises NotFound."""
    user = get(session, email)
    before, user.role = user.role, Role(role)
    audit.note(session, actor, "user.role", "user", user.id, before=before.value, after=user.role.value)
    return user


def disable(session: Session, email: str, *, actor: User | None = None) -> User:
    """Shut someone out: sessions and open links end at once, tokens stop. What they wrote stays. Raises NotFound."""
    user = get(session, email)
    user.active = False
    close_sessions_of(session, user)
    withdraw_links(session, user)
    session.execute(delete(ApiToken).where(ApiToken.user_id == user.id))
    audit.note(session, actor, "user.disable", "user", user.id)
    return user


def set_password(
    session: Session, user: User, password: str, *, keep: str | None = None, known: tuple[str, ...] = ()
) -> None:
    """Give someone a new password and end their sessions, all but the one whose token is `keep`, and open links.

    Call it first in its transaction. `known` is what anybody knows of the site. Raises Invalid for one that is too
    short, too long, or easy to guess.
    """
    put_password(session, user, passwords.hashed(password, user.email, user.name, *known), keep=keep)


def put_password(session: Session, user: User, hashed: str, *, keep: str | None = None) -> None:
    """Do what `set_password` does, with a password that was hashed before the transaction began to read."""
    person = session.get_one(User, user.id)
    person.password_hash = hashed
    close_sessions_of(session, user, keep=keep)
    withdraw_links(session, user)
    audit.note(session, user, "user.password", "user", user.id)
    if not is_placeholder(person):
        mail.tell(session, "password-changed", person.email, user=person)


def set_profile(session: Session, user: User, name: str, language: str, region: str | None) -> None:
    """Give someone another name, their mail another language, and another region by its code, or none.

    Raises Invalid for a name that is too long, or a region that there is not.
    """
    person, tidy = session.get_one(User, user.id), " ".join(name.split())
    if len(tidy) > NAME_LIMIT:
        text = N_("Shorten the name: the limit is %(limit)d characters.")
        raise Invalid([Problem.of("name", text, limit=NAME_LIMIT)])
    refuse_unknown_region(session, region)
    person.name, person.language, person.region_code = tidy, language, region
    audit.note(session, user, "user.profile", "user", user.id)


def refuse_unknown_region(session: Session, code: str | None) -> None:
    """Raise Invalid for what is not the code of a region."""
    if code is not None and session.get(Region, code) is None:
        raise Invalid([Problem.of("region", N_("“%(value)s” is not the code of a region."), value=code[:80])])


def set_address(session: Session, user: User, email: str) -> None:
    """Give someone another address. Raises Invalid, Conflict where it is another's."""
    address = valid_address(email)
    person = session.get_one(User, user.id)
    if address == person.email:
        return
    refuse_taken(session, address)
    person.email = address
    audit.note(session, user, "user.address", "user", user.id)


def is_placeholder(user: User) -> bool:
    """Whether someone is the first administrator before they gave an address."""
    return user.email == PLACEHOLDER


# Finding someone, and what an address may be


def find(session: Session, email: str) -> User | None:
    """Who has this address, however it was typed; None where nobody does."""
    address = email.strip().lower()
    return session.scalar(select(User).where(User.email == address)) if address.isprintable() else None


def get(session: Session, email: str) -> User:
    """Who has this address. Raises NotFound."""
    user = find(session, email)
    if user is None:
        raise NotFound(N_("Nobody has an account with the address %(email)s."), email=email[:254])
    return user


def valid_address(email: str) -> str:
    """Return an address as it is kept. Raises Invalid for what is none."""
    address = email.strip().lower()
    if not is_email(address) or not address.isprintable():
        raise Invalid([Problem.of("email", N_("Write an e-mail address such as name@example.org."))])
    return address


def refuse_taken(session: Session, address: str) -> None:
    """Raise Conflict where the address is somebody's."""
    if find(session, address) is not None:
        raise Conflict(N_("There is an account with the address %(email)s already."), email=address)


def withdraw_links(session: Session, user: User) -> None:
    """Stop someone's open links, of whatever purpose."""
    session.execute(delete(OneTimeLink).where(OneTimeLink.user_id == user.id, OneTimeLink.used.is_(None)))


# Tokens of the API


def new_token(session: Session, email: str) -> str:
    """Make a token that submits in the name of who has this address and return it; it cannot be shown again.

    Raises NotFound, NotAllowed for whoever may not submit, Conflict for whoever has too many.
    """
    return tokens.make(session, get(session, email))
