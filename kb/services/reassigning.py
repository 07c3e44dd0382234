"""Many practices at once to another owner, or many reviews to another editor: found, looked at, then done.

What is done is exactly what was looked at: a plan has a stamp, and where anything moved meanwhile it is refused.
"""

from __future__ import annotations

import hashlib
import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, contains_eager, joinedload, selectinload

from kb.models import Organisation, Practice, Record, Role, User
from kb.services import accounts, audit, authors, claims, notices, titles
from kb.services.errors import N_, Conflict, Invalid, Message, NotAllowed, Problem
from kb.services.moderation import editors
from kb.services.permissions import SEEN_BY_EDITORS, WAITING, at_least, can, transition
from kb.services.vocabularies import fold

LISTED = 200
"""Practices that a page lists."""


class Part(StrEnum):
    """What is given to somebody: practices, as their owner, or reviews, as the editor who reads them."""

    OWNER = "owner"
    EDITOR = "editor"


@dataclass(frozen=True)
class Wanted:
    """Which practices to list: parts of the owner's name or address, of the organisation's name, of the title.

    `ownerless`: only those without an owner; `waiting`: only those with a submission that waits for an editor.
    """

    owner: str = ""
    organisation: str = ""
    text: str = ""
    ownerless: bool = False
    waiting: bool = False


@dataclass(frozen=True)
class Item:
    """A practice with the title that editors may read."""

    practice: Practice
    title: str


@dataclass(frozen=True)
class Plan:
    """What would be done: whom it goes to, which practices move, which stay and why."""

    part: Part
    target: User
    moves: tuple[Item, ...]
    stay: tuple[tuple[Item, Message], ...]

    def holder(self, practice: Practice) -> User | None:
        """Who has it now."""
        return practice.owner if self.part == Part.OWNER else practice.editor

    @property
    def stamp(self) -> str:
        """What this plan is known by: another as soon as anything in it is other."""
        said = [self.part.value, str(self.target.id)]
        for item in sorted(self.moves, key=lambda each: str(each.practice.id)):
            holder = self.holder(item.practice)
            said.append(f"{item.practice.id} {holder.id if holder else ''} {item.practice.state}")
        return hashlib.sha256("\n".join(said).encode()).hexdigest()


def find(session: Session, actor: User, wanted: Wanted) -> tuple[list[Item], int]:
    """Practices that fit, by title, at most LISTED of them, and how many there are. Raises NotAllowed.

    Drafts that no editor may read are not among them.
    """
    fitting = [item for item, owner, body in _visible(session, actor) if _fits(item, owner, body, wanted)]
    return fitting[:LISTED], len(fitting)


def plan(session: Session, actor: User, ids: Iterable[uuid.UUID], part: str, to: str) -> Plan:
    """What giving some practices to somebody would do. `to` is an address or a whole name; for reviews an editor's id.

    Raises NotAllowed, Invalid with what is wrong in the form.
    """
    wanted = set(ids)
    items = [item for item, _owner, _body in _visible(session, actor) if item.practice.id in wanted]
    problems = [] if items else [Problem.of("practices", N_("Choose at least one practice."))]
    target: User | None = None
    if part not in tuple(Part):
        problems.append(Problem.of("part", N_("Choose what to give: the practices, or their reviews.")))
    else:
        target = _member(session, to) if part == Part.OWNER else _editor(session, to)
        if target is None:
            text = (
                N_("No member has this address, or just one of this name: write the e-mail address.")
                if part == Part.OWNER
                else N_("Choose an editor.")
            )
            problems.append(Problem.of("to" if part == Part.OWNER else "editor", text))
        elif part == Part.OWNER and target.id == actor.id and any(each.id != actor.id for each in editors(session)):
            problems.append(Problem.of("to", N_("Another editor has to give practices to you.")))
    if problems or target is None:
        raise Invalid(problems)
    judged = [(item, _stays(item.practice, Part(part), target)) for item in items]
    moves = tuple(item for item, why in judged if why is None)
    return Plan(Part(part), target, moves, tuple((item, why) for item, why in judged if why is not None))


def carry_out(session: Session, actor: User, made: Plan, stamp: str, *, co_authors: bool = False) -> int:
    """Do what a plan says; returns how many practices moved. Each person concerned gets one mail.

    `co_authors`: who had a practice stays as its co-author. Raises Conflict where the plan is not the one that was
    looked at, or nothing would move.
    """
    if stamp != made.stamp:
        raise Conflict(N_("Something changed meanwhile. Nothing is done yet: look at the list again."))
    if not made.moves:
        raise Conflict(N_("None of these practices would move."))
    before: dict[uuid.UUID, list[Item]] = defaultdict(list)
    people: dict[uuid.UUID, User] = {}
    for item in made.moves:
        holder = made.holder(item.practice)
        ids = {"from": str(holder.id) if holder else None, "to": str(made.target.id)}
        if holder is not None:
            people[holder.id] = holder
            before[holder.id].append(item)
        _move(session, actor, made, item.practice, co_authors)
        audit.note(session, actor, "practice.reassign", "practice", item.practice.id, part=made.part.value, **ids)
    kind, url = ("practices-given", "/my/practices") if made.part == Part.OWNER else ("reviews-given", "/review")
    if made.target.id != actor.id:
        notices.tell_person(session, kind, made.target, url=url, **_titles(made.moves))
    for key, items in before.items() if made.part == Part.OWNER else ():
        if key != actor.id:
            notices.tell_person(session, "practices-passed-on", people[key], url="/my/practices", **_titles(items))
    return len(made.moves)


def _visible(session: Session, actor: User) -> list[tuple[Item, User | None, str]]:
    """Every practice that editors may know of, with its owner and organisation, by title. Raises NotAllowed."""
    if not can(actor, "review"):
        raise NotAllowed(N_("Only editors give practices to others."))
    statement = (
        select(Practice, Organisation.name)
        .outerjoin(Record)
        .outerjoin(Organisation, Organisation.id == Practice.organisation_id)
        .where(or_(Record.practice_id.is_not(None), Practice.state.in_(SEEN_BY_EDITORS)))
        .where(Practice.merged_into_id.is_(None))
        .options(joinedload(Practice.owner), joinedload(Practice.editor))
        .options(contains_eager(Practice.record), selectinload(Practice.authors))
    )
    found = []
    for practice, body in session.execute(statement):
        found.append((Item(practice, titles.known(session, actor, practice)), practice.owner, body or ""))
    return sorted(found, key=lambda each: (fold(each[0].title), str(each[0].practice.id)))


def _fits(item: Item, owner: User | None, body: str, wanted: Wanted) -> bool:
    named = fold(f"{owner.name} {owner.email}") if owner is not None and owner.deleted is None else ""
    return (
        fold(wanted.text) in fold(item.title)
        and fold(wanted.organisation) in fold(body)
        and fold(wanted.owner.strip()) in named
        and not (wanted.ownerless and owner is not None)
        and not (wanted.waiting and item.practice.state not in WAITING)
    )


def _member(session: Session, text: str) -> User | None:
    """The member with an address, or the only one with a name."""
    found = accounts.find(session, text)
    if found is None and text.strip():
        everybody = session.scalars(select(User).where(User.active, User.deleted.is_(None), User.role != Role.READER))
        named = [user for user in everybody if fold(user.name) == fold(text.strip())]
        found = named[0] if len(named) == 1 else None
    able = found is not None and found.deleted is None and at_least(found, Role.MEMBER)
    return found if able and found is not None and not accounts.is_placeholder(found) else None


def _editor(session: Session, key: str) -> User | None:
    return next((user for user in editors(session) if str(user.id) == key), None)


def _stays(practice: Practice, part: Part, target: User) -> Message | None:
    """Why a practice would not move, or None."""
    if part == Part.OWNER:
        return Message(N_("It is theirs already.")) if practice.owner_id == target.id else None
    if transition("hand-over", practice) is None:
        return Message(N_("No editor has taken it up."))
    if practice.editor_id == target.id:
        return Message(N_("They review it already."))
    return Message(N_("It is their own submission.")) if practice.owner_id == target.id else None


def _move(session: Session, actor: User, made: Plan, practice: Practice, co_authors: bool) -> None:
    if made.part == Part.EDITOR:
        practice.editor_id = made.target.id
        return
    ownerless = practice.owner_id is None
    authors.hand_out(session, actor, practice, made.target, stays=co_authors)
    if ownerless:
        claims.refuse_others(session, actor, practice, claims.GIVEN)


def _titles(items: Iterable[Item]) -> dict[str, Any]:
    titles = [item.title for item in items]
    return {"number": len(titles), "message": "\n".join(titles)}
