"""The audit log: filtered, page by page, and as a table to take away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from kb.formats import csv
from kb.models import Role, User
from kb.services import auditing
from kb.services.auditing import Filter
from kb.services.errors import Invalid
from kb.web import accounts, admin, context
from kb.web.deeds import deed

bp = Blueprint("admin_audit", __name__)

FIELDS = ("person", "action", "kind", "object", "since", "until")
"""What entries can be filtered by, as the address says it."""


@bp.get("/admin/audit")
@accounts.required(Role.ADMIN)
def log() -> ResponseReturnValue:
    """Entries, the newest first, those that the filters leave."""
    session, given = context.reading(), _given()
    actor = accounts.acting(session)
    problems = []
    try:
        wanted = auditing.parse(session, given)
    except Invalid as invalid:
        wanted, problems = Filter(), admin.said(invalid.problems)
    found = auditing.page(session, actor, wanted, admin.page_number())
    actions, kinds = auditing.choices(session)
    return render_template(
        "admin/audit.html",
        page=found,
        names=auditing.names(session, found.items),
        given=given,
        problems=problems,
        actions=sorted(((code, deed(code)) for code in actions), key=lambda each: each[1]),
        kinds=[(code, deed(code)) for code in kinds],
    ), 422 if problems else 200


@bp.get("/admin/audit.csv")
@accounts.required(Role.ADMIN)
def export() -> ResponseReturnValue:
    """Everything that the filters leave, streamed as a table."""
    session = context.reading()
    wanted, actor = auditing.parse(session, _given()), accounts.acting(session)
    headers = {"Content-Disposition": 'attachment; filename="audit.csv"'}
    return Response(_rows(actor, wanted), content_type="text/csv; charset=utf-8", headers=headers)


def _rows(actor: User, wanted: Filter) -> Iterator[str]:
    """The lines of the table; the words are chosen now, the entries are read while the table is on its way."""
    left, software = _("someone who left"), _("the software")
    database = context.parts().database

    def lines() -> Iterator[str]:
        with database.read() as session:
            yield from csv.rows(auditing.COLUMNS, auditing.rows(session, actor, wanted, left, software))

    return lines()


def _given() -> Mapping[str, str]:
    return {name: request.args[name].strip() for name in FIELDS if request.args.get(name, "").strip()}
