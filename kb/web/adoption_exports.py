"""The adoption trail for programs: of one practice in the API, the whole of it as a table and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from kb.formats import adoptions as rows
from kb.formats import csv, json
from kb.formats.text import iso
from kb.services import adoption_trail, versions
from kb.services.adoption_trail import Named, Taken
from kb.services.errors import N_, NotFound
from kb.services.vocabularies import Vocabulary
from kb.web import api, context, streaming

bp = Blueprint("adoption_exports", __name__)

MEDIA_TYPES = {"csv": csv.MEDIA_TYPE, "json": "application/json"}


@bp.get("/adoptions.<suffix>")
def export(suffix: str) -> ResponseReturnValue:
    """Who took which practice up: all that readers see of it, without contacts."""
    if suffix not in MEDIA_TYPES:
        raise NotFound(N_("Adoptions are not there in this format."))
    session = context.parts().database.reading_session()  # its own: the request's is closed before the file is sent
    items = _every(session, context.vocabulary(), context.config().base_url)
    pieces = json.array(items) if suffix == "json" else csv.rows(tuple(rows.COLUMNS), map(rows.row, items))
    response = Response(stream_with_context(pieces), content_type=MEDIA_TYPES[suffix])
    day = datetime.now(UTC).date().isoformat()
    response.headers["Content-Disposition"] = f"attachment; filename=adoptions-{day}.{suffix}"
    response.headers["Cache-Control"] = "no-cache"
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Access-Control-Allow-Origin"] = "*"
    return streaming.bounded(response)


@api.bp.get("/practices/<slug>/adoptions", endpoint="adoptions")
def of_practice(slug: str) -> ResponseReturnValue:
    """Who took one practice up, those furthest on first."""
    api.only()
    online = versions.online(context.reading(), slug, context.config().base_url)
    taken = adoption_trail.taken_up(context.reading(), online.practice)
    original = Named(slug, online.title, online.document["language"])
    items = [item(original, each, context.vocabulary(), context.config().base_url) for each in taken]
    body = {"slug": slug, "title": online.title, "regions": adoption_trail.regions(taken), "total": len(items),
            "items": items}  # fmt: skip
    return api.answer(body)


def item(original: Named, taken: Taken, vocabulary: Vocabulary, base_url: str) -> dict[str, Any]:
    """A region of the trail as JSON holds it."""
    own, address = taken.own, base_url + url_for("catalogue.practice", slug=original.slug)
    region = vocabulary.regions.get(taken.region or "")
    return {
        "id": str(taken.id) if taken.id else None,
        "practice": original.slug,
        "region": {"code": taken.region, "name": region.name_latin if region else None} if taken.region else None,
        "country": taken.country,
        "status": taken.status,
        "counted": taken.counted,
        "organisation": taken.organisation or None,
        "changes": taken.changes or None,
        "own": {"slug": own.slug, "title": own.title, "language": own.language} if own else None,
        "said": iso(taken.said) if taken.said else None,
        "confirmed": iso(taken.confirmed) if taken.confirmed else None,
        "changed_since": taken.told_anew,
        "url": f"{address}/adoptions",
    }


def _every(session: Session, vocabulary: Vocabulary, base_url: str) -> Iterator[dict[str, Any]]:
    """The whole trail; the session is given back after the last of it."""
    with session:
        for original, taken in adoption_trail.every(session):
            yield item(original, taken, vocabulary, base_url)
