"""The feed of the whole base: what was updated last. A search has a feed of its own, beside its other formats."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Response, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from kb.formats import atom
from kb.formats.about import About, Document
from kb.services import catalogue
from kb.web import context, framing

bp = Blueprint("feeds", __name__)

LATEST = 50
"""Entries of the feed: what was updated last."""


@bp.get("/feed.atom")
def latest() -> ResponseReturnValue:
    """What was published or changed last in the whole base."""
    base_url = context.config().base_url
    documents = catalogue.last_updated(context.reading(), base_url, LATEST)
    text = "".join(atom.many(documents, _about(documents), base_url + url_for("feeds.latest")))
    answer = Response(text, content_type=f"{atom.MEDIA_TYPE}; charset=utf-8")
    answer.add_etag()
    return answer.make_conditional(request)


def _about(documents: list[Document]) -> About:
    """The frame of the feed: it changed when the latest of its practices did."""
    url = context.config().base_url + url_for("catalogue.search", sort="updated")
    made = datetime.fromisoformat(documents[0]["updated"]) if documents else datetime(2026, 1, 1, tzinfo=UTC)
    return framing.frame(gettext("New and updated practices"), url, made)
