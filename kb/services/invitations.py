"""Invitations: an editor or administrator offers somebody an account; the link in the mail makes it.

Of several invitations of one address the newest counts. A mail program that looks at the link uses nothing up.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session, joinedload

from kb.models import Invitation, Region, Role, User
from kb.services import accounts, audit, mail, organisations, passwords
from kb.services.errors import N_, Conflict, Gone, Invalid, NotAllowed, NotFound, Problem
from kb.services.paging import PER_PAGE, Page, within
from kb.services.permissions import can
from kb.services.tokens import digest, fresh

LIFE = timedelta(days=14)

INVITED_BY_EDITORS = (Role.READER, Role.MEMBER)
"""Roles that an editor may offer; an administrator may offer any."""

STATES = ("open", "expired", "accepted", "withdrawn")
"""Where an invitation can stand."""


@dataclass(frozen=True)
class Offer:
    """What an invitation offers, and to whom. `organisation` is a name, `region` a code, `language` the mail's."""

    email: str
    role: Role | str
    name: str = ""
    organisation: str = ""
    region: str | None = None
    language: str = "en"


def offered_by(actor: User) -> tuple[Role, ...]:
    """The roles that someone may offer, lowest first; none for whoever may not invite."""
    if can(actor, "invite-editors"):
        return tuple(Role)
    return INVITED_BY_EDITORS if can(actor, "invite") else ()


def invite(session: Session, actor: User, offer: Offer, base_url: str) -> str:
    """Mail an invitation and return its address; an earlier one of the same person stops working.

    Raises NotAllowed for a role that is not the actor's to give, Invalid for what cannot be, Conflict where the address
    has an account.
    """
    address, name = _checked(session, offer)
    role = Role(offer.role)
    _refuse_others(actor, role)
    accounts.refuse_taken(session, address)
    organisation = organisations.named(session, actor, offer.organisation)
    invitation = Invitation(
        email=address,
        name=name,
        role=role,
        organisation_id=organisation.id if organisation else None,
        region_code=offer.region,
        language=offer.language,
    )
    return _send(session, actor, invitation, base_url)


def resend(session: Session, actor: User, invitation_id: uuid.UUID, base_url: str) -> str:
    """Mail an invitation again, with a new link for another 14 days; the earlier link stops working.

    Raises NotFound, NotAllowed, Conflict where it was accepted or withdrawn or the address has an account by now.
    """
    old = _open(session, actor, invitation_id)
    accounts.refuse_taken(session, old.email)
    again = Invitation(
        email=old.email,
        name=old.name,
        role=old.role,
        organisation_id=old.organisation_id,
        region_code=old.region_code,
        language=old.language,
    )
    return _send(session, actor, again, base_url)


def withdraw(session: Session, actor: User, invitation_id: uuid.UUID) -> None:
    """Take an invitation back: its link stops working. Raises NotFound, NotAllowed, Conflict where it is not open."""
    invitation = _open(session, actor, invitation_id)
    invitation.withdrawn = datetime.now(UTC)
    audit.note(session, actor, "invitation.withdraw", "invitation", invitation.id)


def state(invitation: Invitation) -> str:
    """Where an invitation stands: one of STATES."""
    if invitation.accepted is not None:
        return "accepted"
    if invitation.withdrawn is not None:
        return "withdrawn"
    return "open" if invitation.expires > datetime.now(UTC) else "expired"


def page(session: Session, actor: User, wanted: str = "", number: int = 1) -> Page[Invitation]:
    """One page of the invitations in a state (of STATES; all for ""), newest first. Raises NotAllowed."""
    if not offered_by(actor):
        raise NotAllowed(N_("Only editors and administrators invite."))
    conditions = _in_state(wanted)
    total = session.scalar(select(func.count()).select_from(Invitation).where(*conditions)) or 0
    number = within(number, total)
    related = (joinedload(Invitation.inviter), joinedload(Invitation.organisation))
    statement = select(Invitation).where(*conditions).options(*related).order_by(Invitation.created.desc())
    shown = session.scalars(statement.offset((number - 1) * PER_PAGE).limit(PER_PAGE)).all()
    return Page(shown, number, total)


def _in_state(wanted: str) -> tuple[ColumnElement[bool], ...]:
    pending = (Invitation.accepted.is_(None), Invitation.withdrawn.is_(None))
    conditions: dict[str, tuple[ColumnElement[bool], ...]] = {
        "open": (*pending, Invitation.expires > datetime.now(UTC)),
        "expired": (*pending, Invitation.expires <= datetime.now(UTC)),
        "accepted": (Invitation.accepted.is_not(None),),
        "withdrawn": (Invitation.accepted.is_(None), Invitation.withdrawn.is_not(None)),
    }
    return conditions.get(wanted, ())


def check(session: Session, token: str) -> Invitation:
    """Return the invitation of a link. Raises NotFound, or Gone with a sentence where it does not work any more."""
    invitation = session.scalar(select(Invitation).where(Invitation.token_hash == digest(token)))
    if invitation is None:
        raise NotFound(N_("This invitation is not known. Perhaps its address was not copied whole."))
    if invitation.accepted is not None:
        raise Gone(N_("This invitation was used already: sign in with your address and the password you chose."))
    if accounts.find(session, invitation.email) is not None:
        raise Gone(N_("There is an account with your address already: sign in with it."))
    if invitation.withdrawn is not None:
        raise Gone(N_("This invitation was taken back, or a newer one took its place. Look for a later mail."))
    if invitation.expires <= datetime.now(UTC):
        raise Gone(N_("This invitation is too old: it worked for %(days)d days."), days=LIFE.days)
    if invitation.inviter is not None and invitation.role not in offered_by(invitation.inviter):
        raise Gone(N_("Whoever sent this invitation can invite nobody any more."))
    return invitation


def accept(
    session: Session, token: str, name: str, password: str, language: str, *, known: tuple[str, ...] = ()
) -> User:
    """Make the account that an invitation offers and return it. Call it first in its transaction.

    `known` is what the password may not be made of, beside the name. Raises NotFound, Gone, Invalid for a name or
    password that cannot be.
    """
    problems = _name_problems(name)
    try:
        hashed = passwords.hashed(password, name, *known)
    except Invalid as invalid:
        raise Invalid(problems + list(invalid.problems)) from None
    if problems:
        raise Invalid(problems)
    invitation = check(session, token)
    user = accounts.add_user(
        session, invitation.email, invitation.role, " ".join(name.split()), invitation.region_code,
        actor=invitation.inviter,
    )  # fmt: skip
    user.password_hash, user.language, user.organisation_id = hashed, language, invitation.organisation_id
    user.confirmed = invitation.accepted = datetime.now(UTC)
    invitation.user_id = user.id
    audit.note(session, user, "invitation.accept", "invitation", invitation.id)
    return user


def _checked(session: Session, offer: Offer) -> tuple[str, str]:
    """The address and name as they are kept. Raises Invalid with everything that is wrong."""
    problems: list[Problem] = []
    address, name = "", " ".join(offer.name.split())
    try:
        address = accounts.valid_address(offer.email)
    except Invalid as invalid:
        problems += invalid.problems
    if name:
        problems += _name_problems(name)
    try:
        organisations.checked_name(offer.organisation)
    except Invalid as invalid:
        problems += invalid.problems
    if offer.region is not None and session.get(Region, offer.region) is None:
        problems.append(Problem.of("region", N_("“%(value)s” is not the code of a region."), value=offer.region[:80]))
    if offer.role not in tuple(Role):
        problems.append(Problem.of("role", N_("Choose a role.")))
    if problems:
        raise Invalid(problems)
    return address, name


def _name_problems(name: str) -> list[Problem]:
    if not name.strip():
        return [Problem.of("name", N_("Write your name."))]
    if len(name) > accounts.NAME_LIMIT:
        text = N_("Shorten the name: the limit is %(limit)d characters.")
        return [Problem.of("name", text, limit=accounts.NAME_LIMIT)]
    return []


def _refuse_others(actor: User, role: Role) -> None:
    if not can(actor, "invite"):
        raise NotAllowed(N_("Only editors and administrators invite."))
    if role not in offered_by(actor):
        raise NotAllowed(N_("Only an administrator makes editors and administrators."))


def _open(session: Session, actor: User, invitation_id: uuid.UUID) -> Invitation:
    invitation = session.get(Invitation, invitation_id)
    if invitation is None:
        raise NotFound(N_("This invitation is not known."))
    _refuse_others(actor, invitation.role)
    if invitation.accepted is not None:
        raise Conflict(N_("The invitation was accepted already."))
    if invitation.withdrawn is not None:
        raise Conflict(N_("The invitation was taken back already, or sent anew."))
    return invitation


def _send(session: Session, actor: User, invitation: Invitation, base_url: str) -> str:
    """Put a new invitation in the place of earlier ones, and its mail into the outbox."""
    token, now = fresh(), datetime.now(UTC)
    session.execute(
        update(Invitation)
        .where(Invitation.email == invitation.email, Invitation.accepted.is_(None), Invitation.withdrawn.is_(None))
        .values(withdrawn=now)
    )
    invitation.id, invitation.token_hash, invitation.inviter_id = uuid.uuid4(), digest(token), actor.id
    invitation.created, invitation.expires = now, now + LIFE
    session.add(invitation)
    url = f"{base_url}/invitation/{token}"
    mail.tell(
        session, "invitation", invitation.email, language=invitation.language,
        url=url, inviter=actor.name or actor.email, role=invitation.role.value, days=LIFE.days,
    )  # fmt: skip
    audit.note(session, actor, "invitation.send", "invitation", invitation.id, role=invitation.role.value)
    return url
