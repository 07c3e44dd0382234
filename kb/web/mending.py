"""An editor mends a typo in a submission: a form with its texts as they stand, and a note to the author."""

from __future__ import annotations

import uuid

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.exc import OperationalError
from werkzeug.datastructures import MultiDict

from kb.models import Role
from kb.services import mending, permissions, practices
from kb.services.errors import N_, Conflict, Invalid, Message, NotAllowed, Problem
from kb.services.record import LONG_TEXTS
from kb.web import accounts, context, documents, languages, moderation
from kb.web.forms.filling import seen

bp = Blueprint("mending", __name__)

PARTS = {
    "name": N_("Name"),
    "title": N_("Title"),
    "summary": N_("Summary"),
    "url": N_("Web address"),
    "baseline": N_("Before"),
    "value": N_("Value"),
    "unit": N_("Unit"),
    "note": N_("Note"),
    "alt": N_("What the picture shows"),
    "credit": N_("Credit"),
}
"""What the parts of an entry are called."""


@bp.get("/review/<uuid:practice_id>/mend")
@accounts.required(Role.EDITOR)
def form(practice_id: uuid.UUID) -> ResponseReturnValue:
    """The texts of a submission, to be mended."""
    return _page(practice_id)


@bp.post("/review/<uuid:practice_id>/mend")
@accounts.required(Role.EDITOR)
def mend(practice_id: uuid.UUID) -> ResponseReturnValue:
    """Keep mended texts, and tell the author."""
    words = context.vocabulary()
    note = request.form.get("note", "")
    try:
        with context.writing() as session:
            actor = accounts.acting(session)
            practice = practices.get(session, actor, practice_id)
            mending.mend(session, actor, practice, words, request.form, note, seen(request.form))
    except Invalid as invalid:
        return _page(practice_id, request.form, invalid.problems), 422
    except Conflict as conflict:
        return _page(practice_id, request.form, refused=conflict.message), 409
    except OperationalError:
        return _page(practice_id, request.form, refused=moderation.BUSY), 503
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
    wrong = [(problem.field.replace(".", "-"), languages.say(problem.message)) for problem in problems]
    return render_template(
        "moderation/mend.html",
        practice=practice,
        language=document["language"],
        texts=mending.texts(document),
        typed=typed or {},
        name=_name,
        is_long=_is_long,
        allowed=permissions.can(actor, "mend", practice),
        problems=wrong,
        errors=dict(reversed(wrong)),
        refused=languages.say(refused) if refused else None,
    )


def _name(path: str) -> str:
    """What the text at a path is called: "Summary", "Sources 1: Title"."""
    key, *rest = path.split(".")
    if not rest:
        return documents.field_name(key)
    number = f" {int(rest[0]) + 1}" if rest[0].isdecimal() else ""
    return f"{documents.field_name(key)}{number}: {_(PARTS[rest[-1]])}"


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
