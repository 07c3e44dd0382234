"""Taking in a file of practices in the browser: a template, an upload, a look at what would become of it, a button."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from kb.formats import csv, template
from kb.models import Role
from kb.services import staging
from kb.services.errors import N_, Invalid, Problem, Unavailable
from kb.services.importing import Aim
from kb.services.limits import UPLOAD_LIMIT, Asking
from kb.services.staging_report import Said
from kb.services.tables import NEEDED
from kb.web import accounts, admin, context, languages
from kb.web.forms import options

bp = Blueprint("importing", __name__)

AIMS = {
    Aim.DRAFT: N_("Drafts of mine, to go on writing"),
    Aim.SUBMITTED: N_("Submissions, for an editor to review"),
    Aim.PUBLISHED: N_("Published practices, as they were exported elsewhere"),
}
"""What a file's practices can become, in words."""

MOST_LISTED = 200
"""Refusals that a page lists; the table to download has them all."""

REFUSED = ("sheet", "row", "column", "cell", "practice", "held", "reason")
"""The columns of that table."""

LISTS = {
    "language": "language", "country": "country", "region_code": "regions", "level": "level",
    "authority_role": "authority_role", "lead_organisation_type": "organisation_type", "status": "status",
    "evidence": "evidence", "themes": "themes", "target_groups": "target_groups", "licence": "licence",
    "translations.language": "language", "other_regions.country": "country", "other_regions.code": "regions",
    "partners.type": "organisation_type", "funding.source": "funding",
}  # fmt: skip
"""The columns of the template that offer a list, and which of the form's lists that is."""


@bp.get("/import/template.<suffix>")
@accounts.required(Role.MEMBER)
def empty(suffix: str) -> ResponseReturnValue:
    """A table to fill in, with its columns explained."""
    if suffix == "csv":
        return _download(template.as_csv(), csv.MEDIA_TYPE, "template.csv")
    if suffix != "xlsx":
        abort(404)
    held = options.all_lists()
    book = template.as_xlsx({column: held[name] for column, name in LISTS.items()}, NEEDED, _)
    return _download(book, template.MEDIA_TYPE, "template.xlsx")


@bp.get("/admin/import")
@accounts.required(Role.EDITOR)
def overview() -> ResponseReturnValue:
    """The form that takes a file, and the files that wait."""
    return _form()


@bp.post("/admin/import")
@accounts.required(Role.EDITOR)
def upload() -> ResponseReturnValue:
    """Take a file to look at; nothing of it is taken in yet."""
    session = context.reading()
    actor = accounts.acting(session)
    sent, aim = request.files.get("file"), _aim()
    if sent is None or not sent.filename:
        return _form([Problem.of("file", N_("Choose a file."))]), 422
    if aim not in staging.aims(actor):
        return _form([Problem.of("aim", N_("Choose what the practices become."))]), 422
    _count().hit("", str(actor.id))
    context.release()
    try:
        with staging.received(_folder(), sent.stream) as draft, context.writing() as session:
            kept = staging.stage(session, accounts.acting(session), _folder(), draft, sent.filename, aim)
    except Invalid as invalid:
        return _form(invalid.problems), 422
    except Unavailable as full:
        return _form([Problem("file", full.message)]), 503
    staging.look(context.parts().database, _folder(), kept, actor)
    return redirect(url_for("importing.preview", staged_id=kept.id))


@bp.get("/admin/import/<uuid:staged_id>")
@accounts.required(Role.EDITOR)
def preview(staged_id: uuid.UUID) -> ResponseReturnValue:
    """What would become of a file, or what did."""
    session = context.reading()
    staged = staging.get(session, accounts.acting(session), staged_id)
    report = staging.report(_folder(), staged)
    return render_template(
        "admin/import_file.html", staged=staged, report=report, aim=_(AIMS[Aim(staged.aim)]), most=MOST_LISTED
    )


@bp.post("/admin/import/<uuid:staged_id>")
@accounts.required(Role.EDITOR)
def decide(staged_id: uuid.UUID) -> ResponseReturnValue:
    """Take a file in, or throw it away."""
    session = context.reading()
    actor = accounts.acting(session)
    staged = staging.get(session, actor, staged_id)
    if request.form.get("do") == "drop":
        with context.writing() as session:
            staging.drop(session, accounts.acting(session), _folder(), staged_id)
        flash(_("The file is thrown away. Nothing more is taken of it."))
        return redirect(url_for("importing.overview"))
    if request.form.get("do") != "take":
        abort(400)
    context.release()
    database, whole = context.parts().database, bool(request.form.get("whole"))
    done = staging.take(database, _folder(), staged, actor, all_or_nothing=whole).outcome
    if done.added:
        flash(ngettext("%(num)d practice is taken in.", "%(num)d practices are taken in.", done.added))
    return redirect(url_for("importing.preview", staged_id=staged_id))


@bp.get("/admin/import/<uuid:staged_id>/refused.csv")
@accounts.required(Role.EDITOR)
def refused(staged_id: uuid.UUID) -> ResponseReturnValue:
    """Everything that was refused, as a table: the sheet, the row, the column, the reason."""
    session = context.reading()
    report = staging.report(_folder(), staging.get(session, accounts.acting(session), staged_id))
    said = report.refused if report else []
    rows = [
        (each.sheet, each.row or each.place, each.column, each.cell, each.title, each.held, languages.say(each.message))
        for each in said
    ]
    return _download("".join(csv.rows(REFUSED, rows)), csv.MEDIA_TYPE, "refused.csv")


@bp.app_template_global()
def refusals(listed: list[Said]) -> Iterator[tuple[Said, str]]:
    """Each refusal with its reason in the page's language."""
    return ((each, languages.say(each.message)) for each in listed)


def _form(problems: list[Problem] | tuple[Problem, ...] = ()) -> str:
    session = context.reading()
    actor = accounts.acting(session)
    return render_template(
        "admin/import.html",
        aims=[(aim.value, _(AIMS[aim])) for aim in staging.aims(actor)],
        chosen=request.form.get("aim", Aim.DRAFT.value),
        uploaded=staging.mine(session, actor),
        words={aim.value: _(text) for aim, text in AIMS.items()},
        problems=admin.said(problems),
        limit=staging.LARGEST // 1024**2,
        rows=staging.MOST_ROWS,
    )


def _aim() -> Aim | None:
    try:
        return Aim(request.form.get("aim", ""))
    except ValueError:
        return None


def _folder() -> Path:
    return staging.folder(context.config().shared_dir)


def _count() -> Asking:
    config = context.config()
    return Asking(context.parts().counted, "import", on=config.limits, most=UPLOAD_LIMIT)


def _download(content: str | bytes, media_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Robots-Tag": "noindex"}
    return Response(content, content_type=media_type, headers=headers)
