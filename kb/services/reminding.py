"""Asking people whether a practice is still correct: its owner when a look is due, then the editors.

The owner is asked when it is due and again every 30 days; 60 days after it was due the editors are told, once. Who is
told when depends on the dates alone, so that it does no harm to ask twice a day, nor to forget it for a week.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from kb.models import Practice, User
from kb.services import audit, freshness, notices, titles
from kb.services.permissions import owns

AGAIN = timedelta(days=30)
"""After how long an owner is asked once more."""

ESCALATE = timedelta(days=60)
"""How long after it was due the editors are told."""

APART = 3
"""Up to how many practices an owner gets a mail for each; beyond that one mail names them all."""

NAMED = 30
"""Titles that one mail names."""


@dataclass(frozen=True)
class Reminded:
    """Of how many practices the owners were asked, and of how many the editors were told."""

    owners: int
    editors: int


def remind(session: Session, now: datetime) -> Reminded:
    """Put the reminders that are due into the outbox, in the caller's transaction."""
    asked: dict[User, list[Practice]] = defaultdict(list)
    told: list[Practice] = []
    statement = select(Practice).where(*freshness.due(now)).options(joinedload(Practice.owner))
    alone = statement.order_by(Practice.review_due, Practice.title).with_for_update(of=Practice)  # two runs at once
    for practice in session.scalars(alone):
        owner = practice.owner
        if owner is None or not notices.reachable(owner) or not owns(owner, practice):
            told.append(practice)
        elif _given_up(practice, now):
            told.append(practice)
        elif practice.reminded is None or _days(practice.reminded, now) >= AGAIN:
            asked[owner].append(practice)
    told = [practice for practice in told if practice.escalated is None]
    for owner, practices in asked.items():
        _ask(session, owner, practices, now)
    _tell(session, told, now)
    return Reminded(sum(map(len, asked.values())), len(told))


def _given_up(practice: Practice, now: datetime) -> bool:
    """Whether the owner had their time: it is over, and they were asked at least once, not just now."""
    late = practice.review_due is not None and now.date() - practice.review_due >= ESCALATE
    return practice.escalated is not None or (
        late and practice.reminded is not None and _days(practice.reminded, now) >= AGAIN
    )


def _days(before: datetime, now: datetime) -> timedelta:
    """Whole days between two moments: a run that comes some seconds earlier than that of last month counts too.

    However much later the other is: then the clock was set back, and nobody is to wait until it is there again.
    """
    return abs(now.date() - before.date())


def _ask(session: Session, owner: User, practices: Sequence[Practice], now: datetime) -> None:
    if len(practices) > APART:
        data = {"number": len(practices), "message": _titles(session, practices), "url": "/my/practices"}
        notices.tell_person(session, "practices-review-due", owner, **data)
    for practice in practices:
        if len(practices) <= APART:
            url = f"/my/practices/{practice.id}/still-correct"
            notices.tell_person(session, "practice-review-due", owner, title=titles.public(session, practice), url=url)
        practice.reminded = now
        audit.note(session, None, "practice.remind", "practice", practice.id)


def _tell(session: Session, practices: Sequence[Practice], now: datetime) -> None:
    if not practices:
        return
    number, url = len(practices), "/review/dashboard?list=stale"
    notices.tell_editors(session, "practices-stale", number=number, message=_titles(session, practices), url=url)
    for practice in practices:
        practice.escalated = now
        audit.note(session, None, "practice.escalate", "practice", practice.id)


def _titles(session: Session, practices: Sequence[Practice]) -> str:
    return "\n".join(f"– {titles.public(session, practice)}" for practice in practices[:NAMED])
