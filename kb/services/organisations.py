"""Organisations: bodies whose members share their practices."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from kb.models import Invitation, Organisation, OrganisationType, Practice, Region, User
from kb.services import audit
from kb.services.errors import N_, Invalid, NotAllowed, NotFound, Problem
from kb.services.permissions import can
from kb.services.values import is_web_address

NAME_LIMIT = 200


@dataclass(frozen=True)
class Card:
    """What an administrator typed about an organisation. `type` may be empty; `region` is a code, or None."""

    name: str
    type: str = ""
    region: str | None = None
    url: str = ""


@dataclass(frozen=True)
class Counted:
    """An organisation with how many people and practices it has."""

    organisation: Organisation
    people: int
    practices: int


def named(session: Session, actor: User | None, name: str) -> Organisation | None:
    """Return the organisation of a name, made if there is none yet, however it is spaced and capitalised; None for "".

    Its members share drafts, so only an administrator or somebody of it may add people to one that has any; `actor` is
    None for the operator. Raises Invalid for a name that is too long or of such a one.
    """
    wanted = checked_name(name)
    if not wanted:
        return None
    found = session.scalar(select(Organisation).where(func.lower(Organisation.name) == func.lower(wanted)).limit(1))
    if found is None:
        found = Organisation(id=uuid.uuid4(), name=wanted)
        session.add(found)
        session.flush()
        audit.note(session, actor, "organisation.add", "organisation", found.id)
    elif actor is not None and not _may_fill(session, actor, found):
        text = N_("%(name)s has members who share drafts: only an administrator or one of them can add people to it.")
        raise Invalid([Problem.of("organisation", text, name=found.name)])
    return found


def _may_fill(session: Session, actor: User, organisation: Organisation) -> bool:
    if can(actor, "administer") or actor.organisation_id == organisation.id:
        return True
    held = (select(table.id).where(table.organisation_id == organisation.id).limit(1) for table in (User, Practice))
    return all(session.scalar(each) is None for each in held)


def checked_name(name: str, field: str = "organisation") -> str:
    """Return a name as it is kept, white space single. Raises Invalid, for `field`, for one that is too long."""
    plain = " ".join(name.split())
    if len(plain) > NAME_LIMIT:
        text = N_("Shorten the name: the limit is %(limit)d characters.")
        raise Invalid([Problem.of(field, text, limit=NAME_LIMIT)])
    return plain


# Administration


def listed(session: Session, actor: User) -> list[Counted]:
    """All organisations by name, with their numbers. Raises NotAllowed."""
    _administering(actor)
    people = _counts(session, User)
    practices = _counts(session, Practice)
    found = session.scalars(select(Organisation).order_by(func.lower(Organisation.name)))
    return [Counted(each, people.get(each.id, 0), practices.get(each.id, 0)) for each in found]


def names(session: Session) -> list[str]:
    """The names of all organisations, for a list to choose from."""
    return list(session.scalars(select(Organisation.name).order_by(func.lower(Organisation.name))))


def get(session: Session, actor: User, organisation_id: uuid.UUID) -> Organisation:
    """An organisation. Raises NotAllowed, NotFound."""
    _administering(actor)
    found = session.get(Organisation, organisation_id)
    if found is None:
        raise NotFound(N_("There is no such organisation, or it was merged into another."))
    return found


def add(session: Session, actor: User, card: Card) -> Organisation:
    """Add an organisation. Raises NotAllowed, Invalid with everything that is wrong."""
    _administering(actor)
    organisation = Organisation(id=uuid.uuid4())
    _write(organisation, _checked(session, card, organisation.id))
    session.add(organisation)
    audit.note(session, actor, "organisation.add", "organisation", organisation.id)
    return organisation


def change(session: Session, actor: User, organisation_id: uuid.UUID, card: Card) -> Organisation:
    """Change an organisation's name, type, region and address. Raises NotAllowed, NotFound, Invalid."""
    organisation = get(session, actor, organisation_id)
    _write(organisation, _checked(session, card, organisation_id))
    if session.is_modified(organisation):
        audit.note(session, actor, "organisation.change", "organisation", organisation_id)
    return organisation


def merge(session: Session, actor: User, organisation_id: uuid.UUID, into: uuid.UUID | None) -> Organisation:
    """Merge an organisation into another: its people, practices and invitations move. Returns the other.

    Raises NotAllowed, NotFound, Invalid where `into` is no other organisation.
    """
    old = get(session, actor, organisation_id)
    new = session.get(Organisation, into) if into and into != organisation_id else None
    if new is None:
        raise Invalid([Problem.of("into", N_("Choose the organisation that it goes into."))])
    for table in (User, Practice, Invitation):
        same = table.organisation_id == organisation_id
        session.execute(update(table).where(same).values(organisation_id=new.id))
    session.delete(old)
    audit.note(session, actor, "organisation.merge", "organisation", organisation_id, into=str(new.id))
    return new


def _counts(session: Session, table: type[User] | type[Practice]) -> dict[uuid.UUID | None, int]:
    counts = select(table.organisation_id, func.count()).group_by(table.organisation_id)
    if table is User:
        counts = counts.where(User.deleted.is_(None))
    return {key: count for key, count in session.execute(counts)}


def _checked(session: Session, card: Card, key: uuid.UUID) -> Card:
    """A card as it is kept. Raises Invalid."""
    problems: list[Problem] = []
    name, url = " ".join(card.name.split()), card.url.strip()
    try:
        name = checked_name(card.name, "name")
    except Invalid as invalid:
        problems += invalid.problems
    same = (func.lower(Organisation.name) == func.lower(name), Organisation.id != key)
    if not name:
        problems.append(Problem.of("name", N_("Name the organisation.")))
    elif session.scalar(select(Organisation.id).where(*same).limit(1)) is not None:
        problems.append(Problem.of("name", N_("There is an organisation of this name already.")))
    if card.type and card.type not in tuple(OrganisationType):
        problems.append(Problem.of("type", N_("Choose a type, or none.")))
    if card.region is not None and session.get(Region, card.region) is None:
        text = N_("“%(value)s” is not the code of a region.")
        problems.append(Problem.of("region", text, value=card.region[:80]))
    if url and not is_web_address(url):
        problems.append(Problem.of("url", N_("Write a web address that begins with http:// or https://.")))
    if problems:
        raise Invalid(problems)
    return Card(name, card.type, card.region, url)


def _write(organisation: Organisation, card: Card) -> None:
    organisation.name, organisation.region_code = card.name, card.region
    organisation.type = OrganisationType(card.type) if card.type else None
    organisation.url = card.url or None


def _administering(actor: User) -> None:
    if not can(actor, "administer"):
        raise NotAllowed(N_("Only administrators manage organisations."))
