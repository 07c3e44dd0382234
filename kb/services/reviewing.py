"""What an editor sees of the work: the queue, and what is new to them in a submission that they have read before."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from kb.models import Decision, LastLook, Practice, Review, Revision, RevisionKind, State, User
from kb.services import comments
from kb.services.errors import N_, NotAllowed
from kb.services.merged_terms import of_today, term_successors
from kb.services.permissions import can
from kb.services.practices import last_review
from kb.services.publishing import now
from kb.services.record import Document

# The queue


class Whose(StrEnum):
    """Which submissions an editor wants to see."""

    ALL = "all"
    MINE = "mine"
    NOBODY = "unassigned"
    ASKED = "with-author"


@dataclass(frozen=True)
class Submission:
    """A row of the queue: since when it waits, the language of its title, how many questions are open.

    `asked` is the editor whose questions its author answered with it, None where nobody asked any.
    """

    practice: Practice
    since: datetime
    language: str | None
    questions: int
    asked: User | None

    def is_of(self, whose: Whose, editor: User) -> bool:
        """Whether it belongs to what this editor wants to see."""
        if (self.practice.state == State.CHANGES_REQUESTED) != (whose == Whose.ASKED):
            return False
        if whose == Whose.MINE:
            return editor.id == (self.practice.editor_id or (self.asked.id if self.asked else None))
        return whose != Whose.NOBODY or self.practice.editor_id is None


def queue(session: Session, actor: User) -> list[Submission]:
    """Submissions that wait for an editor or were given back to their author, the longest waiting first.

    Raises NotAllowed.
    """
    if not can(actor, "review"):
        raise NotAllowed(N_("Only editors see the review queue."))
    states = (State.SUBMITTED, State.IN_REVIEW, State.CHANGES_REQUESTED)
    statement = select(Practice).where(Practice.state.in_(states))
    found = list(session.scalars(statement.options(joinedload(Practice.owner), joinedload(Practice.editor))))
    sent = _submitted(session, found)
    spoken = languages_of(session, found)
    open_ones = comments.open_counts(session, (practice.id for practice in found))
    askers = _askers(session, found)
    rows = [
        Submission(
            each,
            since=sent.get(each.id, each.changed),
            language=spoken.get(each.id),
            questions=open_ones.get(each.id, 0),
            asked=askers.get(each.id),
        )
        for each in found
    ]
    return sorted(rows, key=lambda row: (row.since, row.practice.id))


def _askers(session: Session, practices: Iterable[Practice]) -> dict[uuid.UUID, User]:
    """Of each whose last answer was to ask for changes, the editor who asked."""
    statement = (
        select(Review)
        .where(Review.practice_id.in_([each.id for each in practices]))
        .order_by(Review.created)
        .options(joinedload(Review.editor))
    )
    latest = {review.practice_id: review for review in session.scalars(statement)}
    return {
        practice_id: review.editor
        for practice_id, review in latest.items()
        if review.decision == Decision.CHANGES_REQUESTED
    }


def languages_of(session: Session, practices: Iterable[Practice]) -> dict[uuid.UUID, str | None]:
    """The languages in which the working copies of some practices, and so their titles, are written."""
    statement = (
        select(Revision.practice_id, Revision.document["language"].as_string())
        .join(Practice, Practice.id == Revision.practice_id)
        .where(Practice.id.in_([each.id for each in practices]), Revision.number == Practice.revision_count)
    )
    return {practice_id: language for practice_id, language in session.execute(statement)}


def submitted_on(session: Session, practice: Practice) -> datetime | None:
    """When a practice was submitted last, None where it never was."""
    return _submitted(session, [practice]).get(practice.id)


def _submitted(session: Session, practices: Iterable[Practice]) -> dict[uuid.UUID, datetime]:
    """When each was submitted last."""
    statement = (
        select(Revision.practice_id, func.max(Revision.created))
        .where(Revision.practice_id.in_([each.id for each in practices]), Revision.kind == RevisionKind.SUBMITTED)
        .group_by(Revision.practice_id)
    )
    return {practice_id: moment for practice_id, moment in session.execute(statement)}


# What is new


class Since(StrEnum):
    """What a submission is compared with."""

    LOOK = "look"
    QUESTIONS = "questions"
    PUBLIC = "public"
    WHOLE = "whole"


@dataclass(frozen=True)
class Base:
    """A revision that a submission can be compared with; of WHOLE there is none, and everything is shown."""

    since: Since
    document: Document | None = None
    created: datetime | None = None


def bases(session: Session, actor: User, practice: Practice) -> list[Base]:
    """What a submission can be compared with, the most telling to this editor first, the whole record last.

    Of two that are the same revision only the first is there, and none whose text was taken away.
    """
    numbers = {
        Since.LOOK: _seen_before(session, actor, practice),
        Since.QUESTIONS: _asked_about(session, practice),
        Since.PUBLIC: _public(session, practice),
    }
    found: dict[int, Base] = {}
    successors = term_successors(session)
    for since, number in numbers.items():
        if number is None or number in found or number >= practice.revision_count:
            continue
        of_it = (Revision.practice_id == practice.id, Revision.number == number, Revision.redacted.is_(None))
        revision = session.scalar(select(Revision).where(*of_it))
        if revision is not None:
            document = of_today(revision.document, successors)
            found[number] = Base(since, document, revision.created)
    return [*found.values(), Base(Since.WHOLE)]


def look(session: Session, actor: User, practice: Practice, number: int) -> None:
    """Note that an editor has a revision before them. What is new stays the same until there is a newer one."""
    seen = session.get(LastLook, (practice.id, actor.id))
    if seen is None:
        session.add(LastLook(practice_id=practice.id, user_id=actor.id, revision_number=number, looked=now()))
    elif number > seen.revision_number:
        seen.before, seen.revision_number, seen.looked = seen.revision_number, number, now()


def looked_at(session: Session, actor: User, practice: Practice) -> bool:
    """Whether it is noted already that an editor has the newest revision before them."""
    seen = session.get(LastLook, (practice.id, actor.id))
    return seen is not None and seen.revision_number >= practice.revision_count


def wrote(session: Session, actor: User, practice: Practice) -> None:
    """Note that the newest revision is an editor's own, made from the one before: it is not new to them."""
    seen = session.get(LastLook, (practice.id, actor.id))
    if seen is not None and seen.revision_number == practice.revision_count - 1:
        seen.revision_number, seen.looked = practice.revision_count, now()


def _seen_before(session: Session, actor: User, practice: Practice) -> int | None:
    seen = session.get(LastLook, (practice.id, actor.id))
    if seen is None:
        return None
    return seen.revision_number if seen.revision_number < practice.revision_count else seen.before


def _asked_about(session: Session, practice: Practice) -> int | None:
    review = last_review(session, practice)
    return review.revision_number if review and review.decision == Decision.CHANGES_REQUESTED else None


def _public(session: Session, practice: Practice) -> int | None:
    """The revision that readers see."""
    if practice.record is None:
        return None
    of_it: Any = (Revision.practice_id == practice.id, Revision.version == practice.version)
    return session.scalar(select(Revision.number).where(*of_it))
