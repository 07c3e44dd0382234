"""The editors' dashboard: how much waits, and one list of it at a time."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from kb.models import Role
from kb.services import dashboard
from kb.services.dashboard import Listed
from kb.web import accounts, context

bp = Blueprint("dashboard", __name__)


@bp.get("/review/dashboard")
@accounts.required(Role.EDITOR)
def overview() -> ResponseReturnValue:
    """The figures, and the list that was chosen."""
    session, now = context.reading(), datetime.now(UTC)
    actor = accounts.acting(session)
    chosen = request.args.get("list", "")
    listed = Listed(chosen) if chosen in tuple(Listed) else Listed.QUEUE
    number = request.args.get("page", 1, type=int)
    return render_template(
        "moderation/dashboard.html",
        listed=listed,
        counts=dashboard.counts(session, actor, now),
        page=dashboard.page(session, actor, listed, number, now),
        complete=dashboard.COMPLETE,
    )


@bp.get("/admin/freshness")
@accounts.required(Role.EDITOR)
def freshness() -> ResponseReturnValue:
    """Leads to what is due for a look."""
    return redirect(url_for("dashboard.overview", list=Listed.STALE))
