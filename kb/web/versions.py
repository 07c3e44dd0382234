"""The public versions of a practice, each at an address of its own."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from kb.services import versions as service
from kb.web import context
from kb.web.catalogue import about, bp


@bp.get("/practices/<slug>/versions")
def versions(slug: str) -> ResponseReturnValue:
    """All versions with their dates, the newest first."""
    record, listed = service.listed(context.reading(), slug)
    return render_template("catalogue/versions.html", record=record, practice=record.practice, versions=listed)


@bp.get("/practices/<slug>/versions/<int:number>")
def version(slug: str, number: int) -> ResponseReturnValue:
    """The whole record as it was in one version."""
    shown, current = service.read(context.reading(), slug, number, context.config().base_url)
    return render_template(
        "catalogue/practice.html",
        adaptations=[],
        similar=[],
        version=number,
        newest=current.practice.version,
        newest_title=current.title,
        old=number != current.practice.version,
        **about(shown),
    )
