"""Comments on the fields of a submission: what an editor asks, what is answered, and what is settled.

A question belongs to one field and stays open until an editor settles it. Answers hang on their question.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, joinedload

from kb.models import Comment, Practice, Review, User
from kb.services import audit, notices
from kb.services.errors import N_, Invalid, NotAllowed, NotFound, Problem
from kb.services.permissions import WAITING, can
from kb.services.publishing import now
from kb.services.record import DOCUMENT_KEYS, tidy

LIMIT = 5_000
"""Characters of one comment."""


@dataclass(frozen=True)
class Thread:
    """A question about a field, and the answers to it, the oldest first."""

    question: Comment
    answers: tuple[Comment, ...] = ()

    @property
    def open(self) -> bool:
        """Whether something is left to do."""
        return self.question.resolved is None


def threads(session: Session, practice: Practice) -> dict[str, list[Thread]]:
    """Everything that was asked about a practice, by field in the order of the record, the oldest first."""
    statement = select(Comment).where(Comment.practice_id == practice.id).options(joinedload(Comment.author))
    found = list(session.scalars(statement.order_by(Comment.created, Comment.id)))
    answers: dict[uuid.UUID, list[Comment]] = {}
    for each in found:
        if each.parent_id is not None:
            answers.setdefault(each.parent_id, []).append(each)
    by_field: dict[str, list[Thread]] = {}
    for each in sorted((each for each in found if each.parent_id is None), key=_place):
        by_field.setdefault(each.field, []).append(Thread(each, tuple(answers.get(each.id, ()))))
    return by_field


def still_open(asked: Mapping[str, list[Thread]]) -> dict[str, list[Thread]]:
    """Only the threads of `threads` in which something is left to do."""
    kept = {field: [thread for thread in each if thread.open] for field, each in asked.items()}
    return {field: each for field, each in kept.items() if each}


def open_counts(session: Session, practices: Iterable[uuid.UUID]) -> dict[uuid.UUID, int]:
    """How many questions are open on each of these practices; those without any are left out."""
    statement = (
        select(Comment.practice_id, func.count())
        .where(Comment.practice_id.in_(list(practices)), Comment.parent_id.is_(None), Comment.resolved.is_(None))
        .group_by(Comment.practice_id)
    )
    return {practice_id: count for practice_id, count in session.execute(statement)}


def worded(texts: Mapping[str, str] | None) -> dict[str, str]:
    """Those of some texts by field that say something about a field of the record. Raises Invalid for one too long."""
    said = {field: tidy(text) for field, text in (texts or {}).items() if field in DOCUMENT_KEYS}
    kept = {field: text for field, text in said.items() if text}
    long = [field for field, text in kept.items() if len(text) > LIMIT]
    if long:
        raise Invalid([_too_long(f"comment-{field}") for field in long])
    return kept


def ask(session: Session, actor: User, practice: Practice, texts: Mapping[str, str], review: Review) -> list[Comment]:
    """Keep what an editor wrote beside fields, with the decision that it belongs to. Raises Invalid."""
    asked = [
        Comment(
            id=uuid.uuid4(),
            practice_id=practice.id,
            review_id=review.id,
            revision_number=practice.revision_count,
            field=field,
            body=text,
            author_id=actor.id,
        )
        for field, text in worded(texts).items()
    ]
    session.add_all(asked)
    return asked


def answer(session: Session, actor: User, practice: Practice, comment_id: uuid.UUID, text: str) -> Comment:
    """Answer a question, as its author or as an editor; an author who has the practice in hand is told by mail.

    Raises NotAllowed, NotFound, Invalid without a word.
    """
    question = _question(session, actor, practice, comment_id)
    body = tidy(text)
    if body is None:
        raise Invalid([Problem.of(f"answer-{comment_id}", N_("Write your answer."))])
    if len(body) > LIMIT:
        raise Invalid([_too_long(f"answer-{comment_id}")])
    given = Comment(
        id=uuid.uuid4(),
        practice_id=practice.id,
        parent_id=question.id,
        revision_number=practice.revision_count,
        field=question.field,
        body=body,
        author_id=actor.id,
    )
    session.add(given)
    audit.note(session, actor, "comment.answer", "practice", practice.id, field=question.field)
    if can(actor, "review") and practice.state not in WAITING:  # the author may be writing just now
        data = {"url": f"/my/practices/{practice.id}/edit", "message": body}
        notices.tell_owner(session, "practice-answered", practice, but=actor, **data)
    return given


def answer_each(session: Session, actor: User, practice: Practice, texts: Mapping[str, str]) -> None:
    """Keep the answers that came with the practice's form, by the question's id; blank ones and strangers' are none.

    One that this person gave before, by a first click on the button, is kept once. Raises NotAllowed, Invalid.
    """
    known = {str(thread.question.id): thread for each in threads(session, practice).values() for thread in each}
    for key, text in texts.items():
        given = {(each.author_id, each.body) for each in known[key].answers} if key in known else set()
        if key in known and (body := tidy(text)) and (actor.id, body) not in given:
            answer(session, actor, practice, known[key].question.id, text)


def settle(session: Session, actor: User, practice: Practice, comment_id: uuid.UUID) -> None:
    """Say that nothing is left to do about a question; twice does no harm. Raises NotAllowed, NotFound."""
    question = _question(session, actor, practice, comment_id, editing=True)
    if question.resolved is None:
        question.resolved, question.resolver_id = now(), actor.id
        audit.note(session, actor, "comment.settle", "practice", practice.id, field=question.field)


def reopen(session: Session, actor: User, practice: Practice, comment_id: uuid.UUID) -> None:
    """Say that something is left to do after all; twice does no harm. Raises NotAllowed, NotFound."""
    question = _question(session, actor, practice, comment_id, editing=True)
    if question.resolved is not None:
        question.resolved = question.resolver_id = None
        audit.note(session, actor, "comment.reopen", "practice", practice.id, field=question.field)


def settle_all(session: Session, actor: User, practice: Practice) -> None:
    """Settle what is open, because the practice is published: its audit entry says it. Permission is the caller's."""
    left = (Comment.practice_id == practice.id, Comment.parent_id.is_(None), Comment.resolved.is_(None))
    session.execute(update(Comment).where(*left).values(resolved=now(), resolver_id=actor.id))


def _question(
    session: Session, actor: User, practice: Practice, comment_id: uuid.UUID, *, editing: bool = False
) -> Comment:
    """A question on this practice that someone may answer or, `editing`, settle."""
    if not can(actor, "comment", practice) or (editing and not can(actor, "review")):
        raise NotAllowed(N_("You cannot do this with the comments on this practice now."))
    found = session.get(Comment, comment_id)
    if found is None or found.practice_id != practice.id or found.parent_id is not None:
        raise NotFound(N_("There is no such comment."))
    return found


def _place(comment: Comment) -> int:
    return DOCUMENT_KEYS.index(comment.field) if comment.field in DOCUMENT_KEYS else len(DOCUMENT_KEYS)


def _too_long(field: str) -> Problem:
    return Problem.of(field, N_("Shorten this comment: the limit is %(limit)d characters."), limit=LIMIT)
