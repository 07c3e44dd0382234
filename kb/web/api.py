"""The JSON API, version 1: what all its answers have in common. Cookies are ignored.

Its views are in api_reading.py, api_vocabularies.py and api_writing.py; openapi.py describes them.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, g, jsonify, request

from kb.services import query
from kb.services.errors import N_, Invalid, Problem

bp = Blueprint("api", __name__, url_prefix="/api/v1")

PREFIX = "/api/v1/"

READING = ("GET", "HEAD")

EXPOSED = ("ETag", "Last-Modified", "Link", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Retry-After",
           "Server-Timing")  # fmt: skip
"""Headers that the scripts of other sites may read."""

ASKED_WITH = ("Accept", "Accept-Language", "If-Modified-Since", "If-None-Match")
"""Headers that the scripts of other sites may send. Authorization is none of them: they may only read."""

FRESH = timedelta(minutes=1)
"""How long ago a change must be for `If-Modified-Since` to be believed: it counts in seconds, and the index follows."""

MAY_BE_EMPTY = ("q", "lang")

NO_PARAMETER = N_("There is no parameter called “%(value)s”.")
NO_VALUE = N_("Give “%(name)s” a value, or leave it out.")


@bp.before_request
def begin() -> None:
    """Note when the answer was begun."""
    g.api_began = time.perf_counter()


@bp.after_request
def finish(response: Response) -> Response:
    """Say how long it took; give what was read a mark, and answer 304 to whoever has it already."""
    if request.method in READING and response.status_code == 200:
        if not response.cache_control.private:
            response.headers.setdefault("Cache-Control", "public, no-cache")  # kept, and asked about each time
            response.add_etag()
        _conditional(response)
    began = g.pop("api_began", None)
    if began is not None:
        response.headers["Server-Timing"] = f"app;dur={(time.perf_counter() - began) * 1000:.1f}"
    return response


@bp.after_app_request
def share(response: Response) -> Response:
    """Let any page read what everybody may read, and say so to a browser that asks first."""
    if not request.path.startswith(PREFIX) or request.method not in (*READING, "OPTIONS"):
        return response
    response.headers["Access-Control-Allow-Origin"] = "*"
    if request.method == "OPTIONS" and response.status_code == 200:
        response.headers["Access-Control-Allow-Methods"] = "GET, HEAD, OPTIONS"
        response.headers["Access-Control-Allow-Headers"] = ", ".join(ASKED_WITH)
        response.headers["Access-Control-Max-Age"] = "86400"
        response.headers["Cache-Control"] = "public, max-age=86400"
    else:
        response.headers["Access-Control-Expose-Headers"] = ", ".join(EXPOSED)
    return response


def answer(body: Any, modified: datetime | None = None) -> Response:
    """A value as JSON, or JSON that was made before, with the moment of its last change where that is known."""
    response = Response(body, mimetype="application/json") if isinstance(body, str) else jsonify(body)
    if modified is not None:
        response.last_modified = modified
    return response


def mine(body: Any, etag: str | None = None) -> Response:
    """A value as JSON for one person alone: no cache keeps it."""
    response = jsonify(body)
    response.headers["Cache-Control"] = "private, no-store"
    if etag is None:
        response.add_etag()
    else:
        response.set_etag(etag)
    return response


def parameters(*own: str) -> tuple[dict[str, list[str]], query.Params]:
    """The parameters that were sent: those of a view's `own`, which may be repeated, and all others.

    Raises Invalid for one without a value; MAY_BE_EMPTY may be.
    """
    given: dict[str, list[str]] = {}
    rest: query.Params = []
    problems = []
    for name, value in request.args.items(multi=True):
        if not value.replace("\x00", " ").strip() and name not in MAY_BE_EMPTY:
            problems.append(Problem.of(name, NO_VALUE, name=name[:80]))
        elif name in own:
            given.setdefault(name, []).append(value)
        else:
            rest.append((name, value))
    if problems:
        raise Invalid(problems)
    return given, rest


def only(*own: str) -> dict[str, list[str]]:
    """The parameters of a view that takes its `own` and `lang`, no others. Raises Invalid."""
    given, rest = parameters(*own)
    problems = [Problem.of(name, NO_PARAMETER, value=name[:80]) for name, _value in rest if name != "lang"]
    if problems:
        raise Invalid(problems)
    return given


def _conditional(response: Response) -> None:
    """Answer 304 where the mark is the one that was sent; by the date alone only where nothing changed just now."""
    environ = request.environ
    modified = response.last_modified
    if "HTTP_IF_NONE_MATCH" not in environ and (modified is None or datetime.now(UTC) - modified < FRESH):
        environ = {name: value for name, value in environ.items() if name != "HTTP_IF_MODIFIED_SINCE"}
    response.make_conditional(environ)
