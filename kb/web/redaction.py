"""Removing the text of a public version for good: the administrators' form."""

from __future__ import annotations

import uuid

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from kb.models import Practice, Role
from kb.services import redaction, versions
from kb.services.errors import N_, Conflict, Invalid, NotFound, Problem
from kb.web import accounts, admin, context, templating

bp = Blueprint("redaction", __name__)


@bp.get("/admin/practices/<uuid:practice_id>/redact")
@accounts.required(Role.ADMIN)
def form(practice_id: uuid.UUID) -> ResponseReturnValue:
    """What is removed and what it means, and the form that does it."""
    return _page(practice_id, request.args.get("version", ""))


@bp.post("/admin/practices/<uuid:practice_id>/redact")
@accounts.required(Role.ADMIN)
def redact(practice_id: uuid.UUID) -> ResponseReturnValue:
    """Remove the text of a version."""
    version, reason = request.form.get("version", ""), request.form.get("reason", "")
    number = int(version) if version.isascii() and version.isdigit() and len(version) < 8 else None
    try:
        with context.writing() as session:
            practice = redaction.redact(session, accounts.acting(session), practice_id, number, reason)
            slug, public = practice.slug, practice.record is not None
    except Invalid as invalid:
        return _page(practice_id, version, reason, invalid.problems), 422
    except Conflict as conflict:
        return _page(practice_id, version, reason, [Problem("version", conflict.message)]), 409
    context.parts().indexer.after_commit()
    flash(_("The text of version %(n)d is removed.", n=number))
    return redirect(url_for("catalogue.versions", slug=slug) if public else url_for("admin.overview"))


def _page(
    practice_id: uuid.UUID, version: str, reason: str = "", problems: tuple[Problem, ...] | list[Problem] = ()
) -> str:
    session = context.reading()
    practice = session.get(Practice, practice_id)
    if practice is None or practice.version == 0:
        raise NotFound(N_("There is no such practice, or it was never public."))
    left = [each for each in versions.of(session, practice) if each.redaction is None]
    return render_template(
        "admin/redact.html",
        practice=practice,
        choices=[
            (str(each.number), _("Version %(n)d of %(when)s", n=each.number, when=templating.day(each.created)))
            for each in left
        ],
        version=version,
        reason=reason,
        problems=admin.said(problems),
    )
