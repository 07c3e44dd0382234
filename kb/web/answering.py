"""An author answers the editors' questions while the practice is with them; otherwise the answers go with the form."""

from __future__ import annotations

import uuid

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from kb.models import Role
from kb.services import comments, permissions, practices
from kb.services.errors import Invalid, Problem
from kb.web import accounts, context, keeping, languages
from kb.web.forms import filling

bp = Blueprint("answering", __name__)


@bp.get("/my/practices/<uuid:practice_id>/questions")
@accounts.required(Role.READER)
def questions(practice_id: uuid.UUID) -> ResponseReturnValue:
    """The editors' open questions, and room for answers."""
    return _page(practice_id, {})


@bp.post("/my/practices/<uuid:practice_id>/questions")
@keeping.words
@accounts.required(Role.READER)
def answer(practice_id: uuid.UUID) -> ResponseReturnValue:
    """Send what was typed as answers."""
    typed = filling.answers(request.form)
    try:
        with context.writing() as session:
            actor = accounts.acting(session)
            comments.answer_each(session, actor, practices.get(session, actor, practice_id), typed)
    except Invalid as invalid:
        return _page(practice_id, typed, invalid.problems), 422
    flash(_("Your answers are there for the editors to read."))
    return redirect(url_for("answering.questions", practice_id=practice_id))


def _page(practice_id: uuid.UUID, typed: dict[str, str], problems: tuple[Problem, ...] = ()) -> str:
    session = context.reading()
    actor = accounts.acting(session)
    practice = practices.get(session, actor, practice_id)
    return render_template(
        "submissions/questions.html",
        practice=practice,
        review=practices.last_review(session, practice),
        document=practices.working_copy(session, practice),
        notes=comments.still_open(comments.threads(session, practice)),
        can_answer=permissions.can(actor, "comment", practice),
        answers={"answers": typed},
        problems=[(problem.field, languages.say(problem.message)) for problem in problems],
    )


def _restored(pairs: MultiDict[str, str], practice_id: uuid.UUID) -> ResponseReturnValue:
    """The answers that were typed before the session ended; nothing of them is sent yet."""
    flash(_("You are signed in again and your answers are back. They are not sent yet."))
    return _page(practice_id, filling.answers(pairs))


accounts.restorers["answering.answer"] = _restored
