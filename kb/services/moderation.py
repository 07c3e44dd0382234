"""The editors' side of the workflow: taking a submission up, asking for changes, turning it down, publishing."""

from __future__ import annotations

import uuid

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kb.models import Decision, Practice, Review, Revision, RevisionKind, Role, State, User
from kb.services import audit, authors, comments, mending, notices
from kb.services.checking import check
from kb.services.errors import N_, Conflict, Invalid, NotAllowed, Problem
from kb.services.permissions import WAITING, Transition, can, transition, writes
from kb.services.practices import unmoved, working_copy
from kb.services.publishing import publish as make_public
from kb.services.publishing import return_to_public
from kb.services.record import RECOMMENDED, tidy
from kb.services.redaction import empty_practice
from kb.services.vocabularies import Vocabulary

ANOTHER = N_("Another editor has to put this online again: it is your own practice.")


def waiting(session: Session) -> int:
    """How many submissions wait for an editor."""
    return session.scalar(select(func.count()).select_from(Practice).where(Practice.state.in_(WAITING))) or 0


def take(session: Session, actor: User, practice: Practice, seen: int | None = None) -> None:
    """Begin a review: the practice is this editor's from now on. Raises NotAllowed, Conflict.

    Here and below `seen` is the number of the revision that the editor read; None does not ask.
    """
    step = _step(actor, practice, "take", seen)
    practice.state = step.target
    practice.editor_id = actor.id
    audit.note(session, actor, "practice.take", "practice", practice.id)


def release(session: Session, actor: User, practice: Practice, seen: int | None = None) -> None:
    """Put a review back into the queue, whoever had it. Raises NotAllowed, Conflict."""
    step = _step(actor, practice, "release", seen)
    practice.state = step.target
    practice.editor_id = None
    audit.note(session, actor, "practice.release", "practice", practice.id)


def hand_over(session: Session, actor: User, practice: Practice, editor: User, seen: int | None = None) -> None:
    """Give a review to another editor, who is told, or take it over from one.

    Raises NotAllowed, Conflict, or Invalid where `editor` is no editor, or has it already.
    """
    step = _step(actor, practice, "hand-over", seen)
    if not can(editor, "review") or editor.id == practice.editor_id:
        raise Invalid([Problem.of("editor", N_("Choose an editor who does not have this review yet."))])
    ids = {"from": str(practice.editor_id) if practice.editor_id else None, "to": str(editor.id)}
    practice.state = step.target
    practice.editor_id = editor.id
    audit.note(session, actor, "practice.hand-over", "practice", practice.id, **ids)
    data = {"title": practice.title, "url": f"/review/{practice.id}"}
    if editor.id != actor.id:
        notices.tell_person(session, "practice-handed-over", editor, **data)


def editors(session: Session) -> list[User]:
    """Whoever may review, by name: the people to whom a review can be given."""
    statement = select(User).where(User.role.in_((Role.EDITOR, Role.ADMIN)), User.active, User.deleted.is_(None))
    return list(session.scalars(statement.order_by(User.name, User.email)))


def reject(
    session: Session,
    actor: User,
    practice: Practice,
    message: str,
    seen: int | None = None,
    asked: dict[str, str] | None = None,
    checklist: dict[str, bool] | None = None,
) -> Review:
    """Turn a submission down for good. Of an update the public version stays, and is the working copy again.

    Nothing that was written is lost: it stays in the revisions. But what was never public and has nobody any more who
    could go on with it is emptied. Raises NotAllowed, Conflict, Invalid without a reason.
    """
    step = _step(actor, practice, "reject", seen)
    if not message.strip():
        raise Invalid([Problem.of("message", N_("Say why it is turned down: the author reads it."))])
    review = _review(session, actor, practice, Decision.REJECTED, message, asked, checklist)
    practice.state = step.target
    practice.editor_id = None
    if step.target == State.PUBLISHED:
        return_to_public(session, practice)
    elif practice.version == 0 and practice.owner_id is None and not authors.shared(session, practice, but=actor):
        empty_practice(session, practice)
    audit.note(session, actor, "practice.reject", "practice", practice.id, update=step.target == State.PUBLISHED)
    data = {"url": f"/my/practices/{practice.id}/edit", "message": review.message}
    notices.tell_owner(session, "practice-rejected", practice, but=actor, **data)
    return review


def request_changes(
    session: Session,
    actor: User,
    practice: Practice,
    message: str,
    asked: dict[str, str] | None = None,
    seen: int | None = None,
    checklist: dict[str, bool] | None = None,
) -> Review:
    """Give a submission back to its author with what is to be changed. Raises Invalid without a word of why.

    Here and below `asked` is what was written beside fields, and `checklist` which of its items the editor ticked.
    """
    step = _step(actor, practice, "request-changes", seen)
    asked = comments.worded(asked)
    if not message.strip() and not asked:
        raise Invalid([Problem.of("message", N_("Say what should be changed, here or beside a field."))])
    practice.state = step.target
    review = _review(session, actor, practice, Decision.CHANGES_REQUESTED, message, asked, checklist)
    audit.note(session, actor, "practice.request-changes", "practice", practice.id)
    data = {"url": f"/my/practices/{practice.id}/edit", "message": review.message}
    notices.tell_owner(session, "practice-changes-requested", practice, but=actor, **data)
    return review


def publish(
    session: Session,
    actor: User,
    practice: Practice,
    vocabulary: Vocabulary,
    message: str = "",
    asked: dict[str, str] | None = None,
    seen: int | None = None,
    checklist: dict[str, bool] | None = None,
) -> Revision:
    """Make a submission public. What was asked before is settled by it; what comes with it is for the next update.

    Raises NotAllowed, Conflict, or Invalid where the record no longer holds.
    """
    _step(actor, practice, "publish", seen)
    if own(session, actor, practice):
        raise NotAllowed(
            N_("Another editor has to publish this: it is your own submission, or you changed much in it.")
        )
    document = check(working_copy(session, practice), vocabulary)
    revision = make_public(session, practice, document, author_id=actor.id)
    practice.editor_id = None
    comments.settle_all(session, actor, practice)
    _review(session, actor, practice, Decision.PUBLISHED, message, asked, checklist)
    audit.note(session, actor, "practice.publish", "practice", practice.id, version=practice.version)
    notices.tell_owner(session, "practice-published", practice, but=actor, url=f"/practices/{practice.slug}")
    return revision


def own(session: Session, actor: User, practice: Practice) -> bool:
    """Whether another editor has to decide that readers see this: it is this editor's own, and there is another."""
    return _wrote(session, actor, practice) and _other_editors(session, actor)


def missing(session: Session, practice: Practice) -> list[str]:
    """The recommended fields that the working copy leaves empty."""
    document = working_copy(session, practice)
    return [key for key in RECOMMENDED if document[key] in (None, [])]


def _step(actor: User, practice: Practice, action: str, seen: int | None) -> Transition:
    """The transition, or why there is none: not this person's to make, or someone was faster."""
    if not can(actor, "review"):
        raise NotAllowed(N_("Only editors may do this."))
    step = transition(action, practice)
    if step is None or not can(actor, action, practice):
        raise Conflict(N_("This submission has moved on: someone decided on it, or its author took it back."))
    unmoved(practice, seen)
    return step


def _review(
    session: Session,
    actor: User,
    practice: Practice,
    decision: Decision,
    message: str,
    asked: dict[str, str] | None = None,
    checklist: dict[str, bool] | None = None,
) -> Review:
    """Keep what an editor decided, with the questions and the checklist that belong to it."""
    review = Review(
        id=uuid.uuid4(),
        practice_id=practice.id,
        revision_number=practice.revision_count,
        editor_id=actor.id,
        decision=decision,
        message=tidy(message) or "",
        checklist=checklist or {},
    )
    session.add(review)
    session.flush()
    comments.ask(session, actor, practice, asked or {}, review)
    return review


def _wrote(session: Session, actor: User, practice: Practice) -> bool:
    """Whether a submission is someone's own, or one in which they wrote since it was last published.

    Mends are no writing while they are small.
    """
    if practice.owner_id == actor.id or writes(actor, practice):
        return True
    public = select(func.max(Revision.number)).where(
        Revision.practice_id == practice.id, Revision.kind == RevisionKind.PUBLISHED
    )
    since = session.scalar(public) or 0
    wrote = (Revision.author_id == actor.id, Revision.mended.is_(False), Revision.number > since)
    theirs = select(Revision.id).where(Revision.practice_id == practice.id, *wrote)
    return session.scalar(theirs.limit(1)) is not None or mending.wrote(session, actor, practice, since)


def _other_editors(session: Session, actor: User) -> bool:
    statement = select(User.id).where(User.role.in_((Role.EDITOR, Role.ADMIN)), User.active, User.id != actor.id)
    return session.scalar(statement.limit(1)) is not None
