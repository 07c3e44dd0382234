"""Two to four practices side by side, as a page to print and as a Word file."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask.wrappers import Response
from flask_babel import gettext as _
from slugify import slugify
from werkzeug.http import dump_options_header

from kb.formats import comparison, docx, docx_several
from kb.formats.about import About
from kb.formats.comparison import Column
from kb.services.choosing import COMPARED, FEW, MANY, Choice
from kb.web import choosing
from kb.web.carrying import url
from kb.web.choosing import asked, faults, refused

bp = Blueprint("comparing", __name__)

NAME_LIMIT = 60
"""Characters of the name of a file."""


@bp.get("/compare")
def compare() -> ResponseReturnValue:
    """What each of the chosen practices says, row by row; or what to do where they are not two to four."""
    choice = asked()
    said = faults(choice, COMPARED, "", MANY)
    if said or len(choice.chosen) < COMPARED[0]:
        return refused(choice, said, aim="compare")
    here = url("comparing.compare", choice.slugs)
    if not choice.canonical:
        return redirect(here)
    columns = choosing.columns(choice)
    about = _about(columns, here)
    return render_template(
        "choosing/compare.html",
        choice=choice,
        groups=comparison.groups(columns, about),
        alike=comparison.alike(columns, about),
        everyone=_(comparison.ALL[len(columns)]),
        title=about.title,
        address=about.url,
        today=datetime.now(UTC),
    )


@bp.get("/compare.docx")
def compare_file() -> ResponseReturnValue:
    """The same as a Word file."""
    choice = asked()
    said = faults(choice, COMPARED, FEW, MANY)
    if said or not choice.chosen:
        return refused(choice, said, aim="compare")
    if not choice.canonical:
        return redirect(url("comparing.compare_file", choice.slugs))
    columns = choosing.columns(choice)
    about = _about(columns, url("comparing.compare", choice.slugs))
    return word_file(docx_several.compared(columns, about), _("comparison"), choice)


def _about(columns: list[Column], here: str) -> About:
    """The frame of a comparison, named after its practices."""
    title = _("Comparison: %(titles)s", titles="; ".join(str(each.shown["title"]) for each in columns))
    return choosing.frame(title, here)


def word_file(body: bytes, name: str, choice: Choice) -> Response:
    """A Word file of chosen practices; nothing but 304 where the reader has it already."""
    response = Response(body, content_type=docx.MEDIA_TYPE)
    stem = slugify(" ".join([name, *choice.slugs]), max_length=NAME_LIMIT, word_boundary=True)
    told = {"filename": f"{stem}-{datetime.now(UTC):%Y-%m-%d}.docx"}
    response.headers["Content-Disposition"] = dump_options_header("attachment", told)
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    response.make_conditional(request)
    return response
