"""Pages and files sent compressed, and files of a known content kept by browsers for a year.

What only one person may read is sent as it is. Whoever sees how long an encrypted answer is, and can have words of
their own put into it, can guess the secrets beside them (the BREACH attack), and the tokens of forms are signed but
not masked: the random part of one is the same in every page of a session. So no page of somebody who is signed in,
none with a form's token, and none that is not to be stored is compressed; what readers and crawlers get is.
"""

from __future__ import annotations

import gzip
from functools import lru_cache

from flask import Flask, g, request
from flask.wrappers import Response

from kb.web import accounts, templating

LEAST = 500
"""Bytes from which compressing is worth it."""

LEVEL = 6

TYPES = ("text/", "application/json", "application/problem+json", "application/xml", "application/atom+xml",
         "application/rss+xml", "application/ld+json", "image/svg+xml")  # fmt: skip

FILES = ("static", "bootstrap.static")
"""Endpoints whose answers are the same for everybody."""


def init_app(app: Flask) -> None:
    """Compress what an app answers. Of functions that follow an answer, the first registered is the last to run."""
    app.after_request(_packed)


def _packed(response: Response) -> Response:
    static = request.endpoint in FILES
    if static:
        response.headers["Cache-Control"] = _keeping()
    if response.status_code != 200 or response.mimetype is None or not response.mimetype.startswith(TYPES):
        return response
    if response.is_streamed and not static:
        return response
    if not static and _secret(response):
        return response
    response.vary.add("Accept-Encoding")
    if not request.accept_encodings.quality("gzip") or "Content-Encoding" in response.headers:
        return response
    response.direct_passthrough = False
    plain = response.get_data()
    if len(plain) < LEAST:
        return response
    response.set_data(_kept(plain) if static else _gzipped(plain))
    response.headers["Content-Encoding"] = "gzip"
    response.headers.pop("Accept-Ranges", None)
    tag, _weak = response.get_etag()
    if tag:
        response.set_etag(tag, weak=True)  # the same text in other bytes
    return response


def _keeping() -> str:
    """A year for an address that names the content it has; a file asked for in any other way is looked for anew."""
    known = templating.content_hash(request.endpoint or "", str((request.view_args or {}).get("filename", "")))
    return "public, max-age=31536000, immutable" if known and request.args.get("v") == known else "no-cache"


def _secret(response: Response) -> bool:
    """Whether an answer holds something that only its reader may know."""
    return bool(response.cache_control.no_store or response.cache_control.private or "csrf_token" in g
                or accounts.signed_in())  # fmt: skip


def _gzipped(plain: bytes) -> bytes:
    return gzip.compress(plain, LEVEL, mtime=0)


_kept = lru_cache(maxsize=64)(_gzipped)
"""Files, of which there are few."""
