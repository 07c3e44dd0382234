"""The editors' side: the queue, one review, and its decisions. What an editor typed survives whatever else is done."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from contextlib import suppress

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from kb.models import Form, Practice, Role, User
from kb.services import buffers, checklist, comments, moderation, permissions, practices, reviewing
from kb.services.errors import N_, Conflict, Invalid, Message, NotAllowed, NotFound, Problem
from kb.services.reviewing import Whose
from kb.web import accounts, context, keeping
from kb.web.forms.filling import seen
from kb.web.review_page import page

bp = Blueprint("moderation", __name__)

log = logging.getLogger(__name__)

BUSY = Message(N_("The site is busy and could not keep this. Nothing is decided: try again in a minute."))

Deed = Callable[[Session, User, Practice], object]


@bp.get("/review")
@accounts.required(Role.EDITOR)
def queue() -> ResponseReturnValue:
    """Submissions that wait, the longest waiting first."""
    session = context.reading()
    actor = accounts.acting(session)
    rows = reviewing.queue(session, actor)
    chosen = request.args.get("whose", Whose.ALL)
    whose = Whose(chosen) if chosen in tuple(Whose) else Whose.ALL
    return render_template(
        "moderation/queue.html",
        rows=[row for row in rows if row.is_of(whose, actor)],
        whose=whose,
        counts={each: sum(row.is_of(each, actor) for row in rows) for each in Whose},
    )


@bp.get("/review/<uuid:practice_id>")
@accounts.required(Role.EDITOR)
def review(practice_id: uuid.UUID) -> ResponseReturnValue:
    """One submission: what it says, and what is new in it."""
    html = page(practice_id)
    _note_look(practice_id)
    return html


@bp.post("/review/<uuid:practice_id>")
@keeping.words
@accounts.required(Role.EDITOR)
def decide(practice_id: uuid.UUID) -> ResponseReturnValue:
    """Do what the pressed button says: `take`, `publish`, `settle:<comment>` and so on."""
    verb, _colon, key = request.form.get("do", "").partition(":")
    act = ACTS.get(verb)
    if act is None:
        problem = Problem.of("message", N_("Choose what to do with this submission."))
        return page(practice_id, (problem,), request.form), 422
    try:
        return act(practice_id, key)
    except Invalid as invalid:
        return page(practice_id, invalid.problems, request.form), 422
    except (Conflict, NotAllowed) as refused:
        status = 409 if isinstance(refused, Conflict) else 403
        return page(practice_id, typed=request.form, refused=refused.message), status
    except OperationalError:
        return page(practice_id, typed=request.form, refused=BUSY), 503, {"Retry-After": "60"}
    except NotFound:
        _keep_unseen(practice_id)
        raise


@bp.post("/review/<uuid:practice_id>/notes")
@accounts.required(Role.EDITOR)
def notes(practice_id: uuid.UUID) -> ResponseReturnValue:
    """Keep what an editor has typed so far; the page's script sends it while they write."""
    with context.writing() as session:
        actor = accounts.acting(session)
        _keep_notes(session, actor, _once_seen(session, actor, practice_id))
    return "", 204


# What a button does


def _noted(practice_id: uuid.UUID, deed: Deed | None, said: str = "", anchor: str | None = None) -> ResponseReturnValue:
    """Do something that decides nothing, keep what is typed, and come back."""
    with context.writing() as session:
        actor = accounts.acting(session)
        practice = practices.get(session, actor, practice_id)
        if deed is not None:
            deed(session, actor, practice)
        _keep_notes(session, actor, practice)
    if said:
        flash(said)
    since = request.form.get("since") or None
    return redirect(url_for("moderation.review", practice_id=practice_id, since=since, _anchor=anchor))


def _decided(practice_id: uuid.UUID, deed: Deed) -> Practice:
    """Do what ends a review: answers that were typed are sent with it, and what was typed is kept no longer."""
    with context.writing() as session:
        actor = accounts.acting(session)
        practice = practices.get(session, actor, practice_id)
        comments.answer_each(session, actor, practice, _beside("answer-"))
        deed(session, actor, practice)
        buffers.drop(session, actor, practice, Form.REVIEW)
    return practice


def _take(practice_id: uuid.UUID, _key: str) -> ResponseReturnValue:
    said = _("The submission is yours to review now.")
    return _noted(
        practice_id,
        lambda session, actor, practice: moderation.take(session, actor, practice, _read()),
        said,
    )


def _release(practice_id: uuid.UUID, _key: str) -> ResponseReturnValue:
    said = _("The submission is back in the queue. Your notes are kept for you.")
    return _noted(
        practice_id,
        lambda session, actor, practice: moderation.release(session, actor, practice, _read()),
        said,
    )


def _hand_over(practice_id: uuid.UUID, key: str) -> ResponseReturnValue:
    """Give the review to the editor who was chosen, or to the one whom the button names."""

    def give(session: Session, actor: User, practice: Practice) -> None:
        wanted = _uuid(key or request.form.get("editor", ""))
        editor = session.get(User, wanted) if wanted else None
        if editor is None:
            raise Invalid([Problem.of("editor", N_("Choose an editor."))])
        moderation.hand_over(session, actor, practice, editor, _read())

    said = _("You have this review now.") if key else _("The review is handed over, and the editor is told by mail.")
    return _noted(practice_id, give, said)


def _keep(practice_id: uuid.UUID, _key: str) -> ResponseReturnValue:
    return _noted(practice_id, None, _("Your notes are kept. Nobody but you sees them until you decide."))


def _answer(practice_id: uuid.UUID, key: str) -> ResponseReturnValue:
    text = request.form.get(f"answer-{key}", "")
    said = _("Your answer is there for the author to read.")
    return _noted(
        practice_id,
        lambda session, actor, practice: comments.answer(session, actor, practice, _comment(key), text),
        said,
        f"q-{key}",
    )


def _settle(practice_id: uuid.UUID, key: str) -> ResponseReturnValue:
    said = _("The question is settled.")
    return _noted(
        practice_id, lambda session, actor, practice: comments.settle(session, actor, practice, _comment(key)), said
    )


def _reopen(practice_id: uuid.UUID, key: str) -> ResponseReturnValue:
    said = _("The question is open again.")
    return _noted(
        practice_id,
        lambda session, actor, practice: comments.reopen(session, actor, practice, _comment(key)),
        said,
        f"q-{key}",
    )


def _mend(practice_id: uuid.UUID, key: str) -> ResponseReturnValue:
    _noted(practice_id, None)
    return redirect(url_for("mending.form", practice_id=practice_id, _anchor=key or None))


def _request_changes(practice_id: uuid.UUID, _key: str) -> ResponseReturnValue:
    said, asked, number, ticks = _judged()
    _decided(
        practice_id,
        lambda session, actor, practice: moderation.request_changes(
            session, actor, practice, said, asked, number, ticks
        ),
    )
    flash(_("The author finds your questions with the practice and can submit it again."))
    return redirect(url_for("moderation.queue"))


def _reject(practice_id: uuid.UUID, _key: str) -> ResponseReturnValue:
    said, asked, number, ticks = _judged()
    _decided(
        practice_id,
        lambda session, actor, practice: moderation.reject(session, actor, practice, said, number, asked, ticks),
    )
    flash(_("The submission is turned down, and its author is told why."))
    return redirect(url_for("moderation.queue"))


def _publish(practice_id: uuid.UUID, _key: str) -> ResponseReturnValue:
    words = context.vocabulary()
    said, asked, number, ticks = _judged()
    practice = _decided(
        practice_id,
        lambda session, actor, practice: moderation.publish(
            session, actor, practice, words, said, asked, number, ticks
        ),
    )
    context.parts().indexer.after_commit()
    flash(_("The practice is public."))
    return redirect(url_for("catalogue.practice", slug=practice.slug))


ACTS: dict[str, Callable[[uuid.UUID, str], ResponseReturnValue]] = {
    "take": _take,
    "release": _release,
    "hand-over": _hand_over,
    "keep": _keep,
    "answer": _answer,
    "settle": _settle,
    "reopen": _reopen,
    "mend": _mend,
    "request-changes": _request_changes,
    "reject": _reject,
    "publish": _publish,
}
"""By the verb of a button, what it does; the second argument is what follows the verb."""


# What was typed


def _read() -> int:
    """The number of the revision that the editor read: 0, which is none, where the form does not say."""
    return seen(request.form) or 0


def _judged() -> tuple[str, dict[str, str], int, dict[str, bool]]:
    """What goes with a decision: the word to the author, comments by field, the revision read, the checklist."""
    ticks = checklist.ticked(request.form.getlist("check"))
    return request.form.get("message", ""), _beside("comment-"), _read(), ticks


def _beside(mark: str) -> dict[str, str]:
    """What was written into boxes whose names begin so, by the rest of the name."""
    return {name.removeprefix(mark): text for name, text in request.form.items() if name.startswith(mark)}


def _keep_notes(session: Session, actor: User, practice: Practice) -> None:
    """Put what is typed in place of what was kept; an answer that is being sent is no note any more."""
    verb, _colon, key = request.form.get("do", "").partition(":")
    sent = f"answer-{key}" if verb == "answer" else ""
    pairs = [(name, text) for name, text in request.form.items(multi=True) if _is_note(name, text) and name != sent]
    if pairs:
        buffers.keep(session, actor, practice, Form.REVIEW, pairs, seen(request.form))
    else:
        buffers.drop(session, actor, practice, Form.REVIEW)


def _keep_unseen(practice_id: uuid.UUID) -> None:
    """Keep what was typed about a submission that its author took back meanwhile: it may be sent in again."""
    if not any(_is_note(name, text) for name, text in request.form.items(multi=True)):
        return
    with suppress(NotFound, OperationalError), context.writing() as session:
        actor = accounts.acting(session)
        _keep_notes(session, actor, _once_seen(session, actor, practice_id))


def _once_seen(session: Session, actor: User, practice_id: uuid.UUID) -> Practice:
    """The practice of a review, though the editor who read it may not see it any more. Raises NotFound."""
    practice = session.get(Practice, practice_id)
    if practice is not None and buffers.can_note(session, actor, practice):
        return practice
    return practices.get(session, actor, practice_id)


def _is_note(name: str, text: str) -> bool:
    return bool(text.strip()) and (name in ("message", "check") or name.startswith(("comment-", "answer-")))


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _comment(text: str) -> uuid.UUID:
    found = _uuid(text)
    if found is None:
        raise NotFound(N_("There is no such comment."))
    return found


def _note_look(practice_id: uuid.UUID) -> None:
    """Note which version the editor has before them; where somebody else is writing it is left for the next time."""
    session = context.reading()
    actor = accounts.acting(session)
    practice = practices.get(session, actor, practice_id)
    if reviewing.looked_at(session, actor, practice):
        return
    number = practice.revision_count
    try:
        with context.parts().database.write_if_free() as writing:
            reviewing.look(writing, actor, practice, number)
    except SQLAlchemyError as error:
        log.info("What an editor looked at could not be noted: %s", error)


def _restored(pairs: MultiDict[str, str], practice_id: uuid.UUID) -> ResponseReturnValue:
    """The review with the comments that were typed before the session ended; nothing is decided yet."""
    if not permissions.can(accounts.current(), "review"):
        raise NotAllowed(N_("Only editors may do this."))
    flash(_("You are signed in again and your comments are back. Nothing is decided yet."))
    return page(practice_id, typed=pairs)


accounts.restorers["moderation.decide"] = _restored
