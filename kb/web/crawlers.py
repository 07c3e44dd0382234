"""Files that are looked for under fixed names: what there is for search engines to look at, in parts, and what they may
leave alone; and, for whoever finds a hole in the site, whom to tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from flask import Blueprint, Response, stream_with_context, url_for
from flask.typing import ResponseReturnValue

from kb.formats.text import iso
from kb.services import sitemap as service
from kb.services.errors import N_, NotFound
from kb.web import context, responsible

bp = Blueprint("crawlers", __name__)

CLOSED = (
    "/practices?", "/practices.", "/practices/*.", "/practices/*/report", "/practices/*/claim",
    "/practices/*/contact", "/practices/*/transfer-check?", "/map?", "/coverage?",
    "/coverage.", "/regions?", "/regions/like-mine?",
    "/suggest", "/api/", "/oai", "/snapshot.zip", "/language/", "/sign-in", "/sign-out",
    "/register", "/reset", "/link/", "/invitation/", "/account", "/unsubscribe/", "/submit", "/my/", "/offers/",
    "/preview/", "/review", "/admin", "/compare", "/briefing", "/shortlist", "/*?p=", "/*&p=",
)  # fmt: skip
"""Behind a form or a session, without an end (every turn of the filters), or made for programs."""

PAGES = ("pages.home", "catalogue.themes", "catalogue.regions", "atlas.map", "atlas.coverage",
         "open_data.data", "exports.codebook", "pages.about", "pages.help", "pages.accessibility",
         "pages.privacy")  # fmt: skip

SECURITY_LASTS = timedelta(days=180)
"""For how long what security.txt says may be relied on, from the day on which it is read (RFC 9116 advises under a
year)."""

POLICY = """\
Whoever finds a way to do on this site what should not be possible is thanked for saying so.

Tell: {contact}
Say where it is, what you did step by step, and what came of it, and write to nobody else about it until it is mended.

Please try things out on an installation of your own, not on this one: the software is free and starts with one command.
Leave the data of others alone, keep none of it, and do nothing that slows the site down or floods people with mail.

Who runs this site answers you. A hole in the software itself is passed on to its maintainers; the file SECURITY.md that
comes with it says what they do then, and by when.
"""
"""What whoever looks for holes may do: in English, as those who look for this file read it everywhere."""

_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"

Row = tuple[str, datetime | None]
"""An address, and when what is there changed last, where that is known."""


@bp.get("/robots.txt")
def robots() -> ResponseReturnValue:
    """What crawlers may leave alone, and where the rest is listed."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in CLOSED), "", f"Sitemap: {_url('crawlers.sitemap')}"]
    return Response("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


@bp.get("/.well-known/security.txt")
def security() -> ResponseReturnValue:
    """Whom to tell of a hole in the site, as RFC 9116 has it."""
    until = (datetime.now(UTC) + SECURITY_LASTS).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = [
        f"Contact: {_contact()}",
        f"Expires: {iso(until)}",
        f"Preferred-Languages: {', '.join(dict.fromkeys((context.config().languages[0], 'en')))}",
        f"Canonical: {_url('crawlers.security')}",
        f"Policy: {_url('crawlers.security_policy')}",
    ]
    return Response("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


@bp.get("/security-policy.txt")
def security_policy() -> ResponseReturnValue:
    """What whoever looks for holes may do here, and what they may expect."""
    return Response(POLICY.format(contact=_contact()), content_type="text/plain; charset=utf-8")


def _contact() -> str:
    """Where to write: the address of mail that KB_CONTROLLER names, or the page that says who answers for the site."""
    email = responsible.email(context.config())
    return f"mailto:{quote(email, safe='@')}" if email else _url("pages.about")


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
