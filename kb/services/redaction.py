"""Taking the text of versions away for good. What is left says that a version was there, and why it is not any more."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from kb.models import Comment, Harvested, MailMessage, Practice, Review, Revision, User
from kb.services import audit, buffers, previews, references
from kb.services.errors import N_, Conflict, Invalid, NotAllowed, NotFound, Problem
from kb.services.file_keeping import forget_unnamed
from kb.services.permissions import can, transition
from kb.services.publishing import now, unpublish

REASON_LIMIT = 500

NEVER_SENT = N_("Its author left before it was published.")
"""Why the text of a draft is gone."""


def empty_revisions(session: Session, practice_id: uuid.UUID, reason: str, *which: ColumnElement[bool]) -> None:
    """Empty the documents of a practice's revisions, all or those that `which` says, and note why beside them.

    What was emptied before keeps its reason. A note of a revision may tell of its text, so it goes too, and so do the
    files that nothing names any more.
    """
    mine = (Revision.practice_id == practice_id, Revision.redacted.is_(None), *which)
    values: dict[str, Any] = {"document": {}, "fingerprint": None, "note": None, "redacted": now(), "redaction": reason}
    session.execute(update(Revision).where(*mine).values(values), execution_options={"synchronize_session": "fetch"})
    forget_unnamed(session, practice_id)


def empty_practice(session: Session, practice: Practice) -> None:
    """Empty a practice that was never public and whose author left, with its contact and what was typed about it."""
    empty_revisions(session, practice.id, NEVER_SENT)
    buffers.drop_all(session, practice.id)
    _forget_waiting(session, practice)
    practice.title, practice.contact = "", None
    practice.changed = now()


def redact(session: Session, actor: User, practice_id: uuid.UUID, version: int | None, reason: str) -> Practice:
    """Take the text of a public version away for good, and of the drafts that led to it; readers see the reason.

    What the editors and the author wrote to each other about these texts goes too, in mail that is kept as well.

    Where it is the newest version the practice goes offline, with whatever was written since and with its contact.
    Raises NotAllowed, NotFound, Invalid without a version or a reason, Conflict for a version redacted before.
    """
    if not can(actor, "administer"):
        raise NotAllowed(N_("Only administrators remove the text of a version."))
    practice = session.get(Practice, practice_id)
    if practice is None or practice.version == 0:
        raise NotFound(N_("There is no such practice, or it was never public."))
    reason = " ".join(reason.split())
    revision = _checked(session, practice, version, reason)
    before = select(func.max(Revision.number)).where(
        Revision.practice_id == practice.id, Revision.version.is_not(None), Revision.number < revision.number
    )
    newest = revision.version == practice.version
    first, last = (session.scalar(before) or 0) + 1, practice.revision_count if newest else revision.number
    titles = _titles(session, practice, first, last)
    empty_revisions(session, practice.id, reason, Revision.number.between(first, last))
    _empty_answers(session, practice, first, last)
    if newest:
        _take_offline(session, practice)
    previews.end_all(session, actor, practice)
    _empty_mail(session, practice, titles - {practice.title})
    audit.note(session, actor, "practice.redact", "practice", practice.id, version=version, offline=newest)
    return practice


def _checked(session: Session, practice: Practice, version: int | None, reason: str) -> Revision:
    problems = []
    found = select(Revision).where(Revision.practice_id == practice.id, Revision.version == version)
    revision = None if version is None else session.scalar(found)
    if revision is None:
        problems.append(Problem.of("version", N_("Choose a version.")))
    if not reason:
        problems.append(Problem.of("reason", N_("Say why, in a sentence that readers will see.")))
    elif len(reason) > REASON_LIMIT:
        text = N_("Shorten the reason: the limit is %(limit)d characters.")
        problems.append(Problem.of("reason", text, limit=REASON_LIMIT))
    if problems or revision is None:
        raise Invalid(problems)
    if revision.redacted is not None:
        raise Conflict(N_("The text of this version was removed already."))
    return revision


def _titles(session: Session, practice: Practice, first: int, last: int) -> set[str]:
    """What a practice was called in some of its revisions."""
    which = (Revision.practice_id == practice.id, Revision.number.between(first, last))
    return {
        str(each["title"]) for each in session.scalars(select(Revision.document).where(*which)) if each.get("title")
    }


def _empty_answers(session: Session, practice: Practice, first: int, last: int) -> None:
    """Empty the comments and the editors' messages about some revisions; nothing is left to do about them."""

    def about(number: InstrumentedAttribute[int]) -> ColumnElement[bool]:
        return number.between(first, last)

    questions = select(Comment.id).where(Comment.practice_id == practice.id, about(Comment.revision_number))
    # An answer that was given later may repeat the words of its question.
    theirs = or_(about(Comment.revision_number), Comment.parent_id.in_(list(session.scalars(questions))))
    fetch = {"synchronize_session": "fetch"}
    comments = update(Comment).where(and_(Comment.practice_id == practice.id, theirs))
    values: dict[str, Any] = {"body": "", "resolved": func.coalesce(Comment.resolved, now())}
    session.execute(comments.values(values), execution_options=fetch)
    reviews = update(Review).where(Review.practice_id == practice.id, about(Review.revision_number))
    session.execute(reviews.values(message=""), execution_options=fetch)


def _empty_mail(session: Session, practice: Practice, titles: set[str]) -> None:
    """Forget the text of mail that was not sent, where it holds a message about a practice or a title that is gone.

    It is given up with that: nothing can be sent without its text.
    """
    for mail in session.scalars(select(MailMessage).where(MailMessage.sent.is_(None)).with_for_update()):
        lines = {line.strip(" –") for text in mail.data.values() for line in str(text).splitlines()}
        url = str(mail.data.get("url", ""))
        ours = str(practice.id) in url or url == f"/practices/{practice.slug}"
        if lines & titles or (ours and "message" in mail.data):
            mail.data, mail.failed = {}, mail.failed or now()


def _take_offline(session: Session, practice: Practice) -> None:
    if practice.record is not None:
        unpublish(session, practice)
    buffers.drop_all(session, practice.id)
    _forget_waiting(session, practice)
    step = transition("redact", practice)
    if step is not None:
        practice.state = step.target
    practice.title, practice.contact, practice.editor_id = "", None, None
    practice.changed = now()
    references.settle(session, practice)


def _forget_waiting(session: Session, practice: Practice) -> None:
    """Remove the text of another installation that waits to be looked at: it says much the same."""
    session.execute(update(Harvested).where(Harvested.practice_id == practice.id).values(waiting=None))
