"""For search engines: what there is to look at, in parts, and what they may leave alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape

from flask import Blueprint, Response, stream_with_context, url_for
from flask.typing import ResponseReturnValue

from kb.formats.text import iso
from kb.services import sitemap as service
from kb.services.errors import N_, NotFound
from kb.web import context

bp = Blueprint("crawlers", __name__)

CLOSED = (
    "/practices?", "/practices.", "/practices/*.", "/practices/*/report", "/practices/*/claim", "/map?", "/coverage?",
    "/regions?", "/suggest", "/api/", "/oai", "/snapshot.zip", "/language/", "/sign-in", "/sign-out", "/register",
    "/reset", "/link/", "/invitation/", "/account", "/unsubscribe/", "/submit", "/my/", "/offers/", "/preview/",
    "/review", "/admin",
)  # fmt: skip
"""Behind a form or a session, without an end (every turn of the filters), or made for programs."""

PAGES = ("pages.home", "catalogue.themes", "catalogue.regions", "atlas.map", "atlas.coverage",
         "open_data.data", "exports.codebook", "pages.about", "pages.help", "pages.accessibility",
         "pages.privacy")  # fmt: skip

_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"

Row = tuple[str, datetime | None]
"""An address, and when what is there changed last, where that is known."""


@bp.get("/robots.txt")
def robots() -> ResponseReturnValue:
    """What crawlers may leave alone, and where the rest is listed."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in CLOSED), "", f"Sitemap: {_url('crawlers.sitemap')}"]
    return Response("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


@bp.get("/sitemap.xml")
def sitemap() -> ResponseReturnValue:
    """The parts of the sitemap."""
    practices = (_url("crawlers.practices", number=n + 1) for n in range(service.parts(context.reading())))
    return _listed("sitemapindex", "sitemap", ((url, None) for url in [_url("crawlers.pages"), *practices]))


@bp.get("/sitemap/pages.xml")
def pages() -> ResponseReturnValue:
    """Everything but the practices themselves."""
    return _listed("urlset", "url", ((url, None) for url in _pages()))


@bp.get("/sitemap/practices-<int:number>.xml")
def practices(number: int) -> ResponseReturnValue:
    """The pages of a part of the practices."""
    if not 1 <= number <= service.parts(context.reading()):
        raise NotFound(N_("The sitemap has no such part."))
    rows = service.practices(context.reading(), number)
    return _listed("urlset", "url", ((_url("catalogue.practice", slug=slug), updated) for slug, updated in rows))


def _pages() -> Iterator[str]:
    session, vocabulary = context.reading(), context.vocabulary()
    yield from map(_url, PAGES)
    yield from (_url("catalogue.theme", slug=slug) for slug in vocabulary.themes)
    yield from (_url("catalogue.country", code=code) for code in service.countries(session))
    yield from (_url("catalogue.region", code=code) for code in service.regions(session, vocabulary))


def _listed(kind: str, entry: str, rows: Iterable[Row]) -> Response:
    """A sitemap, or the list of them, sent as it is read."""

    def pieces() -> Iterator[str]:
        yield f'<?xml version="1.0" encoding="UTF-8"?>\n<{kind} xmlns="{_NAMESPACE}">\n'
        for url, changed in rows:
            last = f"<lastmod>{iso(changed)}</lastmod>" if changed else ""
            yield f"<{entry}><loc>{escape(url)}</loc>{last}</{entry}>\n"
        yield f"</{kind}>\n"

    return Response(stream_with_context(pieces()), content_type="application/xml; charset=utf-8")


def _url(endpoint: str, **values: Any) -> str:
    return context.config().base_url + url_for(endpoint, **values)
