"""Open registration: somebody asks for an account, confirms the address by a mail, and an editor decides.

Whoever asks learns nothing about other people's accounts: the password is hashed, and the same is written, whether or
not the address has an account already. Where it has, what was written is taken out again in the same transaction, and
the mail says so to whoever reads that mailbox.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, and_, delete, or_, select
from sqlalchemy.orm import Session

from kb.models import Registration, Role, User
from kb.services import accounts, audit, mail, organisations, passwords
from kb.services.errors import N_, Conflict, Gone, Invalid, NotAllowed, NotFound, Problem
from kb.services.permissions import can
from kb.services.tokens import digest, fresh

CONFIRM_LIFE = timedelta(days=3)
WAITING_LIFE = timedelta(days=180)
"""How long a confirmed registration waits for an editor."""

DECIDED_LIFE = timedelta(days=30)
"""How long it is still known that a link was decided on. Of the person nothing is left by then but the account."""

REASON_LIMIT = 2000

ROLES = (Role.READER, Role.MEMBER)
"""What somebody who registered may become."""


@dataclass(frozen=True)
class Wish:
    """What somebody typed who wants an account. `region` is a code that exists, or None."""

    email: str
    name: str
    organisation: str
    region: str | None
    reason: str
    language: str


def check(wish: Wish) -> Wish:
    """Return a wish as it is kept. Raises Invalid with everything that is wrong in it."""
    problems: list[Problem] = []
    try:
        wish = replace(wish, email=accounts.valid_address(wish.email))
    except Invalid as invalid:
        problems += invalid.problems
    name, organisation, reason = " ".join(wish.name.split()), " ".join(wish.organisation.split()), wish.reason.strip()
    needed = (
        ("name", name, N_("Write your name."), accounts.NAME_LIMIT),
        ("organisation", organisation, N_("Write who you work for, or “none”."), organisations.NAME_LIMIT),
        ("reason", reason, N_("Write in a sentence what you want the account for."), REASON_LIMIT),
    )
    for field, value, missing, limit in needed:
        if not value:
            problems.append(Problem.of(field, missing))
        elif len(value) > limit:
            problems.append(Problem.of(field, N_("Shorten this: the limit is %(limit)d characters."), limit=limit))
    if problems:
        raise Invalid(problems)
    return replace(wish, name=name, organisation=organisation, reason=reason)


def ask(session: Session, wish: Wish, hashed: str, base_url: str) -> None:
    """Keep a checked wish with its hashed password, and mail a link that confirms the address.

    An earlier wish of the same address that nobody confirmed gives way to it.
    """
    user = accounts.find(session, wish.email)
    token, now = fresh(), datetime.now(UTC)
    sweep(session)
    session.execute(delete(Registration).where(Registration.email == wish.email, Registration.confirmed.is_(None)))
    registration = Registration(
        id=uuid.uuid4(), token_hash=digest(token), email=wish.email, name=wish.name, organisation=wish.organisation,
        region_code=wish.region, reason=wish.reason, language=wish.language, password_hash=hashed, created=now,
        expires=now + CONFIRM_LIFE,
    )  # fmt: skip
    session.add(registration)
    session.flush()
    # The same statement either way: where the address is free it finds no row.
    session.execute(delete(Registration).where(Registration.id == (registration.id if user else uuid.uuid4())))
    kind, path = ("registration-known", "sign-in") if user else ("registration-confirm", f"register/{token}")
    mail.tell(session, kind, wish.email, user=user, language=wish.language, url=f"{base_url}/{path}")
    audit.note(session, None, "registration.ask", "registration", registration.id)


def look(session: Session, token: str) -> Registration:
    """Return the registration whose address a link confirms. Raises NotFound, Gone."""
    registration = session.scalar(select(Registration).where(Registration.token_hash == digest(token)))
    if registration is None:
        raise NotFound(
            N_("This link is not known. Perhaps it was not copied whole, a newer one took its place, or it is too old.")
        )
    if registration.confirmed is not None:
        raise Gone(N_("Your address is confirmed already. An editor decides, and you get a mail then."))
    if registration.expires <= datetime.now(UTC):
        raise Gone(N_("This link is too old: it worked for %(days)d days. Register once more."), days=CONFIRM_LIFE.days)
    if accounts.find(session, registration.email) is not None:
        raise Gone(N_("There is an account with your address already: sign in with it."))
    return registration


def prove(session: Session, token: str, password: str) -> None:
    """Ask whoever confirms for the password that they registered with; `session` only reads.

    Somebody else may have registered the same address later, with a password of their own: the mail would look the
    same, and the account would be theirs to open. Raises NotFound, Gone, Invalid.
    """
    if not passwords.verify(look(session, token).password_hash, password):
        text = N_("This is not the password that was chosen with this link. Try the link of the other mail.")
        raise Invalid([Problem.of("password", text)])


def confirm(session: Session, token: str, base_url: str) -> Registration:
    """Confirm an address and tell the editors that somebody waits. Raises NotFound, Gone.

    Call `prove` before.
    """
    registration = look(session, token)
    registration.confirmed = datetime.now(UTC)
    others = (Registration.email == registration.email, Registration.id != registration.id, _undecided())
    session.execute(delete(Registration).where(*others))
    editors = select(User).where(User.role.in_((Role.EDITOR, Role.ADMIN)), User.active, User.deleted.is_(None))
    for editor in session.scalars(editors):
        if not accounts.is_placeholder(editor):
            mail.tell(
                session, "registration-waiting", editor.email, user=editor,
                name=registration.name, url=f"{base_url}/admin/registrations",
            )  # fmt: skip
    audit.note(session, None, "registration.confirm", "registration", registration.id)
    return registration


def waiting(session: Session) -> Sequence[Registration]:
    """Those confirmed and not decided yet, the longest waiting first."""
    return session.scalars(
        select(Registration).where(Registration.confirmed.is_not(None), _undecided()).order_by(Registration.confirmed)
    ).all()


def decide(
    session: Session,
    actor: User,
    registration_id: uuid.UUID,
    accepted: bool,
    *,
    role: Role | str = Role.READER,
    organisation: str = "",
    base_url: str,
) -> User | None:
    """Give somebody who registered an account in a role and an organisation (by name), or refuse it, and tell them.

    What they had typed is removed then. Returns the account. Raises NotAllowed, NotFound, Invalid for another role,
    Conflict where it was decided already or the address has an account by now.
    """
    if not can(actor, "invite"):
        raise NotAllowed(N_("Only editors and administrators decide who gets an account."))
    registration = session.get(Registration, registration_id)
    if registration is None or registration.confirmed is None:
        raise NotFound(N_("This registration is not known."))
    if registration.decided is not None:
        raise Conflict(N_("This registration was decided already."))
    user = _accept(session, actor, registration, role, organisation, base_url) if accepted else None
    if user is None:
        mail.tell(session, "registration-refused", registration.email, language=registration.language)
    registration.accepted, registration.decided, registration.decider_id = accepted, datetime.now(UTC), actor.id
    registration.email = registration.name = registration.organisation = registration.reason = ""
    registration.region_code, registration.password_hash = None, ""
    audit.note(session, actor, "registration.decide", "registration", registration.id, accepted=accepted)
    return user


def sweep(session: Session) -> int:
    """Remove registrations that nobody confirmed or decided in time, and what is left of others; says how many."""
    now = datetime.now(UTC)
    unconfirmed = and_(Registration.confirmed.is_(None), Registration.expires <= now)
    undecided = and_(Registration.decided.is_(None), Registration.confirmed < now - WAITING_LIFE)
    old = or_(unconfirmed, undecided, Registration.decided < now - DECIDED_LIFE)
    removed = session.execute(delete(Registration).where(old))
    return cast(CursorResult[Any], removed).rowcount


def _accept(
    session: Session, actor: User, registration: Registration, role: Role | str, organisation: str, base_url: str
) -> User:
    if role not in ROLES:
        raise Invalid([Problem.of("role", N_("Choose reader or member."))])
    body = organisations.named(session, actor, organisation)
    user = accounts.add_user(
        session, registration.email, role, registration.name, registration.region_code, actor=actor
    )  # fmt: skip
    user.password_hash, user.confirmed = registration.password_hash, registration.confirmed
    user.language, user.organisation_id = registration.language, body.id if body else None
    mail.tell(session, "registration-accepted", user.email, user=user, url=f"{base_url}/sign-in")
    return user


def _undecided() -> Any:
    return Registration.decided.is_(None)
