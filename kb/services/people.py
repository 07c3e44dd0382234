"""People as administrators see them: found, given another role, organisation or region, shut out and let in again."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from kb.models import AuditEntry, Region, Role, User, UserSession
from kb.services import accounts, audit, organisations
from kb.services.errors import N_, Conflict, Invalid, NotAllowed, NotFound, Problem
from kb.services.paging import PER_PAGE, Page, within
from kb.services.permissions import can
from kb.services.sessions import close_sessions_of
from kb.services.vocabularies import fold


@dataclass(frozen=True)
class Wanted:
    """Whom to list: part of a name or address, a role, and whether they may sign in; None does not ask."""

    text: str = ""
    role: Role | None = None
    active: bool | None = None


@dataclass(frozen=True)
class Change:
    """What an administrator typed about somebody. `organisation` is a name, `region` a code that exists, or None."""

    name: str
    role: Role | str
    organisation: str
    region: str | None


def page(session: Session, actor: User, wanted: Wanted, number: int = 1) -> Page[User]:
    """People by name, those without one by address. Raises NotAllowed."""
    _administering(actor)
    statement = select(User.id, User.name, User.email).where(User.deleted.is_(None))
    if wanted.role is not None:
        statement = statement.where(User.role == wanted.role)
    if wanted.active is not None:
        statement = statement.where(User.active == wanted.active)
    text = fold(wanted.text)
    found = [
        (fold(name or email), key)
        for key, name, email in session.execute(statement)
        if text in fold(name) or text in fold(email)
    ]
    found.sort()
    number = within(number, len(found))
    shown = [key for _, key in found[(number - 1) * PER_PAGE : number * PER_PAGE]]
    related = select(User).where(User.id.in_(shown)).options(joinedload(User.organisation))
    people = {person.id: person for person in session.scalars(related)}
    return Page([people[key] for key in shown], number, len(found))


def last_seen(session: Session, people: Iterable[User]) -> Mapping[uuid.UUID, datetime]:
    """When people were last here: the last hour of a session of theirs, or the last thing they did."""
    ids = [person.id for person in people]
    moments = func.max(func.coalesce(UserSession.seen, UserSession.created))
    visits = select(UserSession.user_id, moments).where(UserSession.user_id.in_(ids)).group_by(UserSession.user_id)
    deeds = select(AuditEntry.user_id, func.max(AuditEntry.created)).where(AuditEntry.user_id.in_(ids))
    seen: dict[uuid.UUID, datetime] = {}
    for statement in (visits, deeds.group_by(AuditEntry.user_id)):
        for key, moment in session.execute(statement):
            if key is not None:
                seen[key] = max(moment, seen.get(key, moment))
    return seen


def sessions_open(session: Session, person: User) -> int:
    """On how many browsers somebody is signed in."""
    now = func.count()
    return session.scalar(select(now).select_from(UserSession).where(UserSession.user_id == person.id)) or 0


def get(session: Session, actor: User, user_id: uuid.UUID) -> User:
    """Somebody with an account. Raises NotAllowed, NotFound for whoever left too."""
    _administering(actor)
    person = session.get(User, user_id)
    if person is None or person.deleted is not None:
        raise NotFound(N_("There is no such person, or they left."))
    return person


def change(session: Session, actor: User, user_id: uuid.UUID, wanted: Change) -> User:
    """Change somebody's name, role, organisation and region.

    Raises NotAllowed, NotFound, Invalid with all that is wrong, Conflict where one would lose one's own role.
    """
    person = get(session, actor, user_id)
    name, role = _checked(session, wanted)
    if role != Role.ADMIN:
        _refuse_oneself(actor, person, N_("You cannot take your own role away: ask another administrator."))
    if role != person.role:
        accounts.set_role(session, person.email, role, actor=actor)
    organisation = organisations.named(session, actor, wanted.organisation)
    after = {
        "name": name,
        "organisation_id": organisation.id if organisation else None,
        "region_code": wanted.region,
    }
    changed = [key for key, value in after.items() if getattr(person, key) != value]
    for key in changed:
        setattr(person, key, after[key])
    if changed:
        audit.note(session, actor, "user.change", "user", person.id, changed=changed)
    return person


def disable(session: Session, actor: User, user_id: uuid.UUID) -> User:
    """Shut somebody out at once. Raises NotAllowed, NotFound, Conflict for oneself."""
    person = get(session, actor, user_id)
    _refuse_oneself(actor, person, N_("You cannot disable yourself: ask another administrator."))
    return accounts.disable(session, person.email, actor=actor) if person.active else person


def enable(session: Session, actor: User, user_id: uuid.UUID) -> User:
    """Let somebody sign in again who was shut out. Raises NotAllowed, NotFound."""
    person = get(session, actor, user_id)
    if not person.active:
        person.active = True
        audit.note(session, actor, "user.enable", "user", person.id)
    return person


def end_sessions(session: Session, actor: User, user_id: uuid.UUID) -> User:
    """Sign somebody out wherever they are signed in. Raises NotAllowed, NotFound."""
    person = get(session, actor, user_id)
    close_sessions_of(session, person)
    audit.note(session, actor, "user.end-sessions", "user", person.id)
    return person


def _checked(session: Session, wanted: Change) -> tuple[str, Role]:
    problems: list[Problem] = []
    name = " ".join(wanted.name.split())
    if len(name) > accounts.NAME_LIMIT:
        text = N_("Shorten the name: the limit is %(limit)d characters.")
        problems.append(Problem.of("name", text, limit=accounts.NAME_LIMIT))
    if wanted.role not in tuple(Role):
        problems.append(Problem.of("role", N_("Choose a role.")))
    if wanted.region is not None and session.get(Region, wanted.region) is None:
        text = N_("“%(value)s” is not the code of a region.")
        problems.append(Problem.of("region", text, value=wanted.region[:80]))
    try:
        organisations.checked_name(wanted.organisation)
    except Invalid as invalid:
        problems += invalid.problems
    if problems:
        raise Invalid(problems)
    return name, Role(wanted.role)


def _refuse_oneself(actor: User, person: User, sentence: str) -> None:
    """Raise Conflict where it is oneself. Whoever acts stays an administrator, so the last one is never lost."""
    if person.id == actor.id:
        raise Conflict(sentence)


def _administering(actor: User) -> None:
    if not can(actor, "administer"):
        raise NotAllowed(N_("Only administrators manage accounts."))
