"""A private look at a draft, for whoever has the address: kept by no cache, found by no search engine."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from kb.services import previews
from kb.services.errors import Gone, NotFound
from kb.web import context, private

bp = Blueprint("preview", __name__)


@bp.get("/preview/<token>")
def page(token: str) -> ResponseReturnValue:
    """The working copy of this moment, marked as a draft; without the contact, without links to what others wrote."""
    try:
        link, document = previews.opened(context.reading(), token)
        html, status = render_template("sharing/preview.html", link=link, document=document), 200
    except (NotFound, Gone) as refused:
        html = render_template("sharing/preview_dead.html", refused=refused)
        status = 404 if isinstance(refused, NotFound) else 410
    answer = private.secret_page(html, status)
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer
