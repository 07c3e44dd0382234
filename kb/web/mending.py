"""An editor mends a typo in a submission: a form with its texts as they stand, and a note to the author."""

from __future__ import annotations

import uuid

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from kb.models import Practice, Role
from kb.services import mending, permissions, practices, reconciling
from kb.services.errors import N_, Conflict, Invalid, Message, NotAllowed, Problem
from kb.services.record import LONG_TEXTS, Document
from kb.web import accounts, context, documents, keeping, languages, moderation
from kb.web.forms.filling import seen

bp = Blueprint("mending", __name__)


@bp.get("/review/<uuid:practice_id>/mend")
@accounts.required(Role.EDITOR)
def form(practice_id: uuid.UUID) -> ResponseReturnValue:
    """The texts of a submission, to be mended."""
    return _page(practice_id)


@bp.post("/review/<uuid:practice_id>/mend")
@keeping.words
@accounts.required(Role.EDITOR)
def mend(practice_id: uuid.UUID) -> ResponseReturnValue:
    """Keep mended texts, and tell the author."""
    words = context.vocabulary()
    note = request.form.get("note", "")
    try:
        with context.writing() as session:
            actor = accounts.acting(session)
            practice = practices.get(session, actor, practice_id)
            mending.mend(session, actor, practice, words, request.form, note, seen(request.form) or 0)
    except Invalid as invalid:
        return _page(practice_id, request.form, invalid.problems), 422
    except Conflict as conflict:
        return _page(practice_id, request.form, refused=conflict.message), 409
    except OperationalError:
        return _page(practice_id, request.form, refused=moderation.BUSY), 503, {"Retry-After": "60"}
    flash(_("The text is mended, and its author is told."))
    return redirect(url_for("moderation.review", practice_id=practice_id))


def _page(
    practice_id: uuid.UUID,
    typed: MultiDict[str, str] | None = None,
    problems: tuple[Problem, ...] = (),
    refused: Message | None = None,
) -> str:
    session = context.reading()
    actor = accounts.acting(session)
    practice = practices.get(session, actor, practice_id)
    document = practices.working_copy(session, practice)
    began = _began(session, practice, typed)
    now = mending.texts(document)
    wrong = [(problem.field.replace(".", "-"), languages.say(problem.message)) for problem in problems]
    return render_template(
        "moderation/mend.html",
        practice=practice,
        language=document["language"],
        texts=now,
        before=mending.texts(began) if began else {},
        typed=mending.onto(began, document, typed) if began and typed else typed or {},
        note=typed.get("note", "") if typed else "",
        words=keeping.typed(typed.items(multi=True)) if typed else [],
        name=documents.path_name,
        is_long=_is_long,
        allowed=permissions.can(actor, "mend", practice),
        problems=wrong,
        errors=dict(reversed(wrong)),
        refused=languages.say(refused) if refused else None,
    )


def _began(session: Session, practice: Practice, typed: MultiDict[str, str] | None) -> Document | None:
    """The text that an editor began from, where it is not the present one; None where it is, or is not known."""
    number = seen(typed) if typed else None
    revision = reconciling.revision(session, practice, number)
    return revision.document if revision and number != practice.revision_count else None


def _is_long(path: str) -> bool:
    """Whether the text at a path may have several lines."""
    return ".".join(part for part in path.split(".") if not part.isdecimal()) in LONG_TEXTS


def _restored(pairs: MultiDict[str, str], practice_id: uuid.UUID) -> ResponseReturnValue:
    """The form with the texts that were typed before the session ended; nothing is mended yet."""
    if not permissions.can(accounts.current(), "review"):
        raise NotAllowed(N_("Only editors may do this."))
    flash(_("You are signed in again and your text is back. Nothing is mended yet."))
    return _page(practice_id, typed=pairs)


accounts.restorers["mending.mend"] = _restored
