"""Whether a public practice is still as its page says: when somebody last looked, when the next look is due.

That is no part of a version: whoever says "still correct" changes no word. A practice of which nobody ever said so, as
those compiled from public sources, has neither date and is never overdue.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, object_session

from kb.models import Practice, Record, User
from kb.services import audit, datestamps
from kb.services.errors import N_, NotAllowed, NotFound
from kb.services.permissions import WAITING, can

MONTHS = 18
"""Months after which somebody should look at a practice again."""


@dataclass(frozen=True)
class Dates:
    """When a practice was last verified, and when the next look is due."""

    last_verified: date | None
    review_due: date | None

    @classmethod
    def from_today(cls, today: date) -> Dates:
        """The dates of a practice that somebody verified today."""
        return cls(today, review_after(today))


def review_after(day: date) -> date:
    """The day on which a look is due after one on `day`."""
    months = day.month - 1 + MONTHS
    year, month = day.year + months // 12, months % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def put(practice: Practice, dates: Dates) -> None:
    """Give a practice other dates; who was told that a look was due is forgotten with the former ones."""
    practice.last_verified, practice.review_due = dates.last_verified, dates.review_due
    practice.reminded = practice.escalated = None
    session = object_session(practice)
    if practice.record is not None:
        mirror(practice.record, practice)
        if session is not None:
            datestamps.stamp(session, practice)


def written(dates: Practice | Record) -> dict[str, str | None]:
    """Both dates as the record writes them."""
    last, due = dates.last_verified, dates.review_due
    return {"last_verified": last.isoformat() if last else None, "review_due": due.isoformat() if due else None}


def mirror(record: Record, practice: Practice) -> None:
    """Let the public record say what the practice says."""
    record.last_verified, record.review_due = practice.last_verified, practice.review_due


def verifiable(session: Session, actor: User | None, practice_id: object) -> Practice:
    """A public practice of which this person may say that it is still correct. Raises NotFound."""
    practice = session.get(Practice, practice_id)
    if practice is None or not may_verify(actor, practice):
        raise NotFound(N_("There is no such practice, or it is not yours."))
    return practice


def may_verify(actor: User | None, practice: Practice) -> bool:
    """Whether somebody may say that a practice is still correct: it is public, and theirs or they are an editor."""
    return practice.record is not None and can(actor, "verify", practice)


def still_correct(session: Session, actor: User, practice: Practice, today: date) -> None:
    """Note that somebody has looked and found nothing to change. Raises NotAllowed."""
    if not may_verify(actor, practice):
        raise NotAllowed(N_("Only its authors and editors can say that a public practice is still correct."))
    dates = Dates.from_today(today)
    if Dates(practice.last_verified, practice.review_due) == dates:
        return  # the button was pressed twice
    put(practice, dates)
    audit.note(session, actor, "practice.verify", "practice", practice.id)


def overdue(today: date) -> ColumnElement[bool]:
    """Which practices are due for a look."""
    return Practice.review_due <= today


def due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Of which public practices somebody is to be asked; those that wait for an editor have a look coming."""
    public = Practice.id.in_(select(Record.practice_id))
    return overdue(now.date()), Practice.state.not_in(WAITING), public
