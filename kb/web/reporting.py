"""Errors that readers report: the form that anybody may send, and the editors' list of what was reported.

Who is signed out gets no cookie here, so their form bears a token of its own: signed, with its time, for one practice.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask.wrappers import Response
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError, generate_csrf
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.datastructures import MultiDict

from kb.extensions import csrf
from kb.models import Role
from kb.services import reports
from kb.services.errors import N_, Conflict, Invalid, Problem, TooMany
from kb.services.limits import REPORT_LIMIT, Asking
from kb.services.record import DOCUMENT_KEYS
from kb.services.reports import Said
from kb.services.retention import REPORTERS_KEPT
from kb.web import accounts, admin, context, keeping, languages, private
from kb.web.documents import field_name

bp = Blueprint("reporting", __name__)

OPEN_FOR = 24 * 60 * 60
"""Seconds for which a form of someone signed out may stay open."""

NOT_ASKED = ("last_verified", "review_due", "licence", "attribution", "editor_note", "adapted_from", "language")
"""Fields that readers do not report errors in."""

STALE = N_("The form was open for too long and was not sent. Your words are still there: send it once more.")


@bp.get("/practices/<slug>/report")
def form(slug: str) -> ResponseReturnValue:
    """What is wrong, where, and to whom the answer goes."""
    user = accounts.current()
    return _page(slug, MultiDict({"email": user.email} if user else {}))


@bp.post("/practices/<slug>/report")
@keeping.words
@csrf.exempt  # who is signed out has no cookie; _accepted looks at the token instead
def send(slug: str) -> ResponseReturnValue:
    """Keep the report. What a program typed into the field that nobody sees is thrown away without a word."""
    if not _accepted(slug):
        return _page(slug, request.form, [Problem.of("", STALE)], 400)
    typed = Said(*(request.form.get(name, "") for name in ("body", "field", "email")))
    try:
        said = reports.check(typed)
        reports.subject(context.reading(), slug)
        _count().hit("", request.remote_addr or "")
        if not request.form.get("website"):
            with context.writing() as session:
                user = accounts.current()
                actor = accounts.acting(session) if user else None
                reports.make(session, actor, slug, said, languages.chosen())
    except Invalid as invalid:
        return _page(slug, request.form, invalid.problems, 422)
    except TooMany as refused:
        return private.too_many(_page(slug, request.form, [Problem("", refused.message)]), refused)
    practice = reports.subject(context.reading(), slug)
    return private.page(render_template("catalogue/reported.html", practice=practice, said=said))


@bp.get("/review/reports")
@accounts.required(Role.EDITOR)
def overview() -> ResponseReturnValue:
    """Reports that wait for an answer, then those that were closed."""
    return _list()


@bp.post("/review/reports/<uuid:report_id>")
@keeping.words
@accounts.required(Role.EDITOR)
def close(report_id: uuid.UUID) -> ResponseReturnValue:
    """Answer a report and close it, or close it without a word."""
    answer, silently = request.form.get("answer", ""), request.form.get("do") == "close"
    try:
        with context.writing() as session:
            done = reports.close(session, accounts.acting(session), report_id, answer, silently=silently)
            mailed = bool(done.answer and done.email)
    except Invalid as invalid:
        problems = [Problem(f"{each.field}-{report_id}", each.message) for each in invalid.problems]
        return _list(problems, {report_id: answer}), 422
    except Conflict as conflict:
        if answer.strip():  # another editor was faster: there is no form any more to show it in
            raise
        return _list([Problem("closed", conflict.message)]), 409
    flash(_("The report is closed and the answer is on its way.") if mailed else _("The report is closed."))
    return redirect(url_for("reporting.overview"))


keeping.restorer("reporting.close", N_("You are signed in again and your answer is back. It is not sent yet."))


def _page(slug: str, typed: MultiDict[str, str], problems: Sequence[Problem] = (), status: int = 200) -> Response:
    practice = reports.subject(context.reading(), slug)
    said = [(each.field or "body", languages.say(each.message)) for each in problems]
    token = generate_csrf() if accounts.signed_in() else _serializer().dumps(slug)
    fields = [(key, field_name(key)) for key in DOCUMENT_KEYS if key not in NOT_ASKED]
    html = render_template(
        "catalogue/report.html", practice=practice, typed=typed, problems=said, token=token,
        fields_offered=fields, days=REPORTERS_KEPT.days,
        limit=reports.BODY_LIMIT,
    )  # fmt: skip
    return private.page(html, status)


def _list(problems: Sequence[Problem] = (), typed: dict[uuid.UUID, str] | None = None) -> str:
    session = context.reading()
    return render_template(
        "moderation/reports.html",
        reports=reports.open_reports(session),
        page=reports.closed_reports(session, admin.page_number()),
        problems=[(each.field, languages.say(each.message)) for each in problems],
        typed=typed or {},
    )


def _accepted(slug: str) -> bool:
    """Whether a form came from a page of ours: by the token of a reader's form, or by that of a session."""
    if not accounts.signed_in():
        with suppress(BadSignature):
            ours = _serializer().loads(request.form.get("csrf_token", ""), OPEN_FOR) == slug
            return ours and request.headers.get("Sec-Fetch-Site") != "cross-site"
    try:
        csrf.protect()
    except CSRFError:
        return False
    return True


def _serializer() -> Any:
    return URLSafeTimedSerializer(context.config().secret_key, salt="kb.report")


def _count() -> Asking:
    config = context.config()
    return Asking(context.parts().counted, "report", on=config.limits, most=REPORT_LIMIT)
