"""Practices from other installations: the editors' list, and one of which a new text waits or which is gone there."""

from __future__ import annotations

import uuid

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from kb.models import Role
from kb.services import harvest_notices, harvested
from kb.services.errors import N_
from kb.services.permissions import can
from kb.web import accounts, context
from kb.web.admin import page_number
from kb.web.forms import filling

bp = Blueprint("harvesting", __name__)

SAID = {
    "take": N_("The text from there is the draft now. What stood here before is in the history."),
    "leave": N_("The text here stays. The next version from there will be shown again."),
    "keep": N_("The practice stays here. Nobody will ask again."),
}
"""What is said once a button was pressed."""


@bp.get("/admin/harvest")
@accounts.required(Role.EDITOR)
def overview() -> ResponseReturnValue:
    """The installations, what somebody has to decide, and what was taken over."""
    session = context.reading()
    actor = accounts.acting(session)
    notices = harvest_notices.open_notices(session, actor, page_number() if request.args.get("list") == "open" else 1)
    taken = harvest_notices.taken(session, actor, page_number() if request.args.get("list") != "open" else 1)
    sources = harvest_notices.sources(session, actor)
    return render_template("admin/harvest.html", sources=sources, notices=notices, taken=taken)


@bp.get("/my/practices/<uuid:practice_id>/harvest")
@accounts.required(Role.READER)
def practice(practice_id: uuid.UUID) -> ResponseReturnValue:
    """What is new there, beside what stands here, and what can be done about it."""
    session = context.reading()
    held = harvested.of(session, accounts.acting(session), practice_id)
    differences, language = harvested.compare(session, held)
    return render_template(
        "submissions/harvested.html",
        practice=held.practice,
        held=held,
        differences=differences,
        language=language,
        may_take=harvested.may_take(held),
    )


@bp.post("/my/practices/<uuid:practice_id>/harvest")
@accounts.required(Role.READER)
def decide(practice_id: uuid.UUID) -> ResponseReturnValue:
    """Take the text from there over, leave it, or keep what is gone there."""
    deed = request.form.get("do", "")
    with context.writing() as session:
        actor = accounts.acting(session)
        held = harvested.of(session, actor, practice_id)
        if deed == "take":
            harvested.take_over(session, actor, held, filling.seen(request.form))
        elif deed == "leave":
            harvested.leave(session, actor, held)
        elif deed == "keep":
            harvested.stay(session, actor, held)
        else:
            abort(400)
    flash(_(SAID[deed]))
    return redirect(url_for("harvesting.overview" if can(accounts.current(), "review") else "submissions.mine"))
