"""The editors' side: the queue, one review, and its decisions."""

from __future__ import annotations

import uuid

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.exc import OperationalError
from werkzeug.datastructures import MultiDict

from kb.models import Practice, Role
from kb.services import comments, moderation, permissions, practices
from kb.services.errors import N_, Conflict, Invalid, Message, NotAllowed, Problem
from kb.web import accounts, context, languages
from kb.web.forms.filling import seen
from kb.web.forms.practice import control

bp = Blueprint("moderation", __name__)


@bp.get("/review")
@accounts.required(Role.EDITOR)
def queue() -> ResponseReturnValue:
    """Submissions that wait, the longest waiting first."""
    session = context.reading()
    waiting = moderation.queue(session, accounts.acting(session))
    return render_template("moderation/queue.html", practices=waiting)


@bp.get("/review/<uuid:practice_id>")
@accounts.required(Role.EDITOR)
def review(practice_id: uuid.UUID) -> ResponseReturnValue:
    """One submission: what it says, and what it changes."""
    return _page(practice_id)


@bp.post("/review/<uuid:practice_id>")
@accounts.required(Role.EDITOR)
def decide(practice_id: uuid.UUID) -> ResponseReturnValue:
    """Take a submission up, ask for changes, or publish it."""
    decisions = {"take": _take, "request-changes": _request_changes, "publish": _publish}
    act = decisions.get(request.form.get("do", ""))
    if act is None:
        return _page(practice_id, (Problem.of("message", _("Choose what to do with this submission.")),)), 422
    try:
        return act(practice_id)
    except Invalid as invalid:
        return _page(practice_id, invalid.problems), 422
    except Conflict as conflict:
        return _page(practice_id, refused=conflict.message), 409
    except OperationalError:
        busy = Message(N_("The site is busy and could not keep this. Nothing is decided: try again in a minute."))
        return _page(practice_id, refused=busy), 503


def _take(practice_id: uuid.UUID) -> ResponseReturnValue:
    with context.writing() as session:
        actor = accounts.acting(session)
        moderation.take(session, actor, practices.get(session, actor, practice_id), seen(request.form))
    flash(_("The submission is yours to review now."))
    return redirect(url_for("moderation.review", practice_id=practice_id))


def _request_changes(practice_id: uuid.UUID) -> ResponseReturnValue:
    with context.writing() as session:
        actor = accounts.acting(session)
        practice = practices.get(session, actor, practice_id)
        message = request.form.get("message", "")
        moderation.request_changes(session, actor, practice, message, _comments(), seen(request.form))
    flash(_("The author finds your questions with the practice and can submit it again."))
    return redirect(url_for("moderation.queue"))


def _publish(practice_id: uuid.UUID) -> ResponseReturnValue:
    vocabulary = context.vocabulary()
    with context.writing() as session:
        actor = accounts.acting(session)
        practice = practices.get(session, actor, practice_id)
        message = request.form.get("message", "")
        moderation.publish(session, actor, practice, vocabulary, message, _comments(), seen(request.form))
        slug = practice.slug
    context.parts().indexer.after_commit()
    flash(_("The practice is public."))
    return redirect(url_for("catalogue.practice", slug=slug))


def _comments() -> dict[str, str]:
    """What was written beside fields, by field."""
    mark = "comment-"
    return {name.removeprefix(mark): text for name, text in request.form.items() if name.startswith(mark)}


def _restored(pairs: MultiDict[str, str], practice_id: uuid.UUID) -> ResponseReturnValue:
    """The review with the comments that were typed before the session ended; nothing is decided yet."""
    if not permissions.can(accounts.current(), "review"):
        raise NotAllowed(N_("Only editors may do this."))
    flash(_("You are signed in again and your comments are back. Nothing is decided yet."))
    return _page(practice_id, typed=pairs)


accounts.restorers["moderation.decide"] = _restored


def _page(
    practice_id: uuid.UUID,
    problems: tuple[Problem, ...] = (),
    typed: MultiDict[str, str] | None = None,
    refused: Message | None = None,
) -> str:
    session = context.reading()
    actor = accounts.acting(session)
    practice: Practice = practices.get(session, actor, practice_id)
    return render_template(
        "moderation/review.html",
        practice=practice,
        document=practices.working_copy(session, practice),
        changes=moderation.changes(session, practice),
        missing=moderation.missing(session, practice),
        contact=practices.contact_of(practice),
        last=practices.last_review(session, practice),
        asked=comments.threads(session, practice),
        allowed={
            action for action in ("take", "request-changes", "publish") if permissions.can(actor, action, practice)
        },
        typed=request.form if typed is None else typed,
        problems=[(control(problem.field), languages.say(problem.message)) for problem in problems],
        refused=languages.say(refused) if refused else None,
    )
