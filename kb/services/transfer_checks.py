"""Transfer checks that people keep in their account: one a person, practice and region, shown to nobody else.

What is kept is the code of the answers without its region, which has a column of its own.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from kb.models import Practice, State, TransferCheck, User
from kb.services import titles
from kb.services.errors import N_, Conflict, Invalid, NotFound, Problem
from kb.services.publishing import now
from kb.services.transfer import Check, decode, encode
from kb.services.vocabularies import Vocabulary

MOST = 100
"""Checks that one person keeps."""


@dataclass(frozen=True)
class Kept:
    """One check that somebody keeps. `title` is what readers call the practice now, or called it last.

    `readable`: there is a page of the practice, its own or that of the one it was merged into.
    """

    practice: Practice
    region_code: str
    title: titles.Title
    code: str
    changed: datetime
    readable: bool


def keep(session: Session, user: User, practice: Practice, check: Check, vocabulary: Vocabulary) -> TransferCheck:
    """Keep a check, in place of the one that this person kept of the same practice and region.

    Raises Invalid where it names no region that is known, Conflict where the person keeps too many.
    """
    if check.region not in vocabulary.regions:
        raise Invalid([Problem.of("region", N_("Name your region first: a check is kept for one region."))])
    session.get_one(User, user.id, with_for_update=True)  # two clicks at once keep one check
    held = session.get(TransferCheck, (user.id, practice.id, check.region))
    if held is None:
        if count(session, user) >= MOST:
            text = N_("You keep %(most)d transfer checks already. Delete one that you no longer need.")
            raise Conflict(text, most=MOST)
        held = TransferCheck(user_id=user.id, practice_id=practice.id, region_code=check.region)
        session.add(held)
    held.answers, held.changed = encode(replace(check, region="")), now()
    return held


def count(session: Session, user: User) -> int:
    """How many checks somebody keeps."""
    return session.scalar(select(func.count()).select_from(TransferCheck).where(TransferCheck.user_id == user.id)) or 0


def holds(session: Session, user: User | None, practice: Practice, check: Check) -> bool:
    """Whether somebody keeps just these answers."""
    held = session.get(TransferCheck, (user.id, practice.id, check.region)) if user and check.region else None
    return held is not None and held.answers == encode(replace(check, region=""))


def of(session: Session, user: User) -> list[Kept]:
    """Somebody's checks, the latest first."""
    mine = select(TransferCheck).where(TransferCheck.user_id == user.id).options(joinedload(TransferCheck.practice))
    return [_kept(session, each) for each in session.scalars(mine.order_by(TransferCheck.changed.desc()))]


def remove(session: Session, user: User, practice_id: uuid.UUID, region_code: str) -> None:
    """Delete one of somebody's own checks. Raises NotFound."""
    held = session.get(TransferCheck, (user.id, practice_id, region_code))
    if held is None:
        raise NotFound(N_("There is no such transfer check among yours. Perhaps you deleted it."))
    session.delete(held)


def _kept(session: Session, held: TransferCheck) -> Kept:
    code = encode(replace(decode(held.answers), region=held.region_code))
    practice, title = held.practice, titles.of_public(session, held.practice)
    readable = practice.record is not None or practice.state == State.ARCHIVED or practice.merged_into_id is not None
    return Kept(practice, held.region_code, title, code, held.changed, readable)
