"""A private look at a draft, for whoever has the address: kept by no cache, found by no search engine."""

from __future__ import annotations

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from kb.services import drafted, previews
from kb.services.errors import Gone, NotFound
from kb.web import catalogue, context, private

bp = Blueprint("preview", __name__)


@bp.get("/preview/<token>")
def page(token: str) -> ResponseReturnValue:
    """The working copy of this moment as readers would see it, marked as a draft, without the contact."""
    try:
        html, status = _draft(token), 200
    except (NotFound, Gone) as refused:
        html = render_template("sharing/preview_dead.html", refused=refused)
        status = 404 if isinstance(refused, NotFound) else 410
    answer = private.secret_page(html, status)
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer


def _draft(token: str) -> str:
    link, document = previews.opened(context.reading(), token)
    shown = drafted.as_record(link.practice, document, context.vocabulary(), context.config().base_url)
    return render_template(
        "sharing/preview.html",
        link=link,
        files_base=url_for("preview.page", token=token),
        preview=True,
        similar=[],
        **{**catalogue.about(shown), "contact": None},
    )
