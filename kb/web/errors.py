"""What goes wrong, said in a sentence: a page for people, `application/problem+json` (RFC 9457) under /api/."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urlencode

from flask import Flask, Response, current_app, make_response, redirect, render_template, request, url_for
from flask.globals import request_ctx
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, SecurityError, TooManyRequests

from kb import logs
from kb.db import may_pass
from kb.search.port import IndexLost, SearchUnavailable
from kb.services import catalogue, room
from kb.services.errors import (
    N_,
    Conflict,
    Gone,
    Invalid,
    Moved,
    NotAllowed,
    NotFound,
    Problem,
    ServiceError,
    TooMany,
    Unavailable,
)
from kb.web import context, languages
from kb.web.returning import scripted

log = logging.getLogger(__name__)

STATUS: dict[type[ServiceError], int] = {
    NotFound: 404,
    NotAllowed: 403,
    Conflict: 409,
    Gone: 410,
    TooMany: 429,
    Unavailable: 503,
}
"""The status that answers each refusal of a service; Invalid depends on the method."""


class Words(NamedTuple):
    """What a page says of a status: the heading, a sentence where nobody gave one, and what to do next."""

    title: str
    sentence: str
    next: str


WORDS = {
    400: Words(
        N_("This address or form could not be read"),
        N_("Something in it is not what this site expects."),
        N_("Go back and try again, or begin with a search."),
    ),
    401: Words(N_("Sign in first"), N_("This needs an account."), N_("Sign in, then open the address again.")),
    403: Words(
        N_("You may not do this"),
        N_("Your account does not allow it."),
        N_("If you think it should, write to the editors."),
    ),
    404: Words(
        N_("Page not found"),
        N_("There is no page at this address."),
        N_("Check the address for a slip, or search for what you came for."),
    ),
    405: Words(
        N_("This address does not take that"),
        N_("It was asked for in a way that it does not answer: some addresses only a button may use."),
        N_("Go back to the page before, and use its button."),
    ),
    409: Words(
        N_("Something changed meanwhile"),
        N_("What you wanted to change is not as it was."),
        N_("Go back, load the page again, and look at how it stands now."),
    ),
    410: Words(
        N_("This was taken away"),
        N_("There was a page at this address, and it is no more."),
        N_("Search for what you came for."),
    ),
    413: Words(
        N_("Too much at once"),
        N_("What was sent is larger than this site takes."),
        N_("Go back and send less: your text is still in the page before."),
    ),
    414: Words(
        N_("The address is too long"),
        N_("It holds more than this site reads."),
        N_("Shorten the question or choose fewer filters."),
    ),
    429: Words(
        N_("Too many requests"),
        N_("Too much was asked in a short time."),
        N_("Wait a little, then try again."),
    ),
    500: Words(
        N_("Something broke here"),
        N_("The fault is ours, and it has been noted."),
        N_("Try again in a minute. If it stays, tell the editors the number below."),
    ),
    503: Words(
        N_("The site cannot do this just now"),
        N_("Its database is busy or cannot be written. What was saved before is not lost."),
        N_("Try again in a minute. What you typed is still in the page before."),
    ),
    507: Words(
        N_("The server is full"),
        N_("There is no room for what was sent. Nothing of it was kept."),
        N_("Go back and try again later: your text is still in the page before."),
    ),
}

INDEX_LOST = Words(
    N_("The search is being put in order"),
    N_("Nothing is lost: the index is being built anew from the database."),
    N_("Try again in a minute. A practice's own page can be read meanwhile."),
)

SEARCH_AWAY = Words(
    N_("The search does not answer just now"),
    N_("Nothing is lost, and the rest of the site goes on."),
    N_("Try again in a minute. A practice's own page can be read meanwhile."),
)

LATEST = 10
"""How many of the latest practices stand where the search does not answer."""

STALE_FORM = N_(
    "The form could not be accepted: it was open since before you signed in or out, or your browser keeps no cookies. "
    "Go back, load the page again, and send it once more."
)


def init_app(app: Flask) -> None:
    """Answer every error of an app."""
    app.register_error_handler(ServiceError, _refused)
    app.register_error_handler(Moved, _moved)
    app.register_error_handler(IndexLost, _index_lost)
    app.register_error_handler(SearchUnavailable, _search_away)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(OSError, _no_room)
    app.register_error_handler(Exception, _unexpected)


def problem_json(
    status: int, detail: str, errors: Iterable[Problem] = (), headers: dict[str, str] | None = None, **more: Any
) -> Response:
    """A problem of RFC 9457; `errors` become a list of {field, message}."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **more,
    }
    problems = [{"field": problem.field, "message": problem.message.render(gettext)} for problem in errors]
    if problems:
        body["errors"] = problems
    text = json.dumps(body, ensure_ascii=False) + "\n"
    sent = text.encode("utf-8", "replace")  # JSON may bring half a surrogate pair, which is no text to send back
    return Response(sent, status, {**(headers or {})}, content_type="application/problem+json")


def _refused(error: ServiceError) -> ResponseReturnValue:
    """Something that a service would not do."""
    context.release()
    if isinstance(error, Invalid):
        status = 400 if request.method in ("GET", "HEAD") else 422
        sentences = [problem.message.render(gettext) for problem in error.problems]
        return _answer(status, " ".join(sentences), sentences=sentences, problems=error.problems)
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 400)
    after = {503: 60, 429: getattr(error, "retry_after", 0)}
    headers = {"Retry-After": str(after[status])} if status in after else {}
    return _answer(status, error.message.render(gettext), headers=headers)


def _moved(error: Moved) -> ResponseReturnValue:
    """A practice that is part of another: the same page of that one. A version of the old one is none of the new."""
    values = {**(request.view_args or {}), "slug": error.slug}
    endpoint = str(request.endpoint)
    if set(values) != {"slug"}:
        endpoint = "api.practice" if request.path.startswith("/api/") else "catalogue.practice"
        values = {"slug": error.slug}
    if endpoint == "catalogue.practice":
        values["p"] = request.args.getlist("p")  # a visitor's shortlist goes along
    # a form that was sent is sent there whole: 301 would make it a mere look
    return redirect(url_for(endpoint, **values), 301 if request.method in ("GET", "HEAD") else 308)


def _http(error: HTTPException) -> ResponseReturnValue:
    """Something that Flask or an extension would not do; redirects and the like go through as they are."""
    if error.code is None or error.code < 400:
        return error
    context.release()
    if isinstance(error, SecurityError):
        return _answer(400, gettext("This site does not answer to that host name."))
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "WWW-Authenticate")}
    if isinstance(error, TooManyRequests) and error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    said = type(error).description != error.description and error.code < 500
    return _answer(error.code, gettext(str(error.description)) if said else None, headers=headers)


def _index_lost(error: IndexLost) -> ResponseReturnValue:
    """The index is missing or damaged while the site runs: it is built anew behind the reader's back."""
    log.warning("the search index could not be read: %s", error)
    context.parts().indexer.report_lost()
    return _answer(503, None, headers={"Retry-After": "30"}, words=INDEX_LOST)


def _search_away(error: SearchUnavailable) -> ResponseReturnValue:
    """The search engine does not answer: what was published last is listed from the database in its place."""
    log.warning("the search engine does not answer: %s", error)
    latest = catalogue.newest(context.reading(), context.config().base_url, LATEST)
    return _answer(503, None, headers={"Retry-After": "30"}, words=SEARCH_AWAY, latest=latest)


def cannot_now(error: OperationalError | OSError) -> ResponseReturnValue:
    """A database that is locked, full or read-only, a folder that is read-only: not our fault, and it will pass."""
    if isinstance(error, OperationalError) and not may_pass(error):
        return _unexpected(error)
    context.release()
    return _answer(503, None, headers={"Retry-After": "60"})


def _no_room(error: OSError) -> ResponseReturnValue:
    """A disk that is full or read-only is said; any other fault of the machine is one of ours."""
    if error.errno in room.READ_ONLY:
        log.error("the disk cannot be written: %s", error)
        return cannot_now(error)
    if error.errno not in room.FULL:
        return _unexpected(error)
    log.error("the disk is full: %s", error)
    context.release()
    return _answer(507, None)


def _unexpected(error: Exception) -> ResponseReturnValue:
    """A fault of ours: logged with its traceback under the number of the request, which the page shows."""
    rule = request.url_rule.rule if request.url_rule else "-"
    log.error("fault", extra={"method": request.method, "path": rule}, exc_info=error)
    context.release()
    return _answer(500, None)


def _answer(
    status: int,
    detail: str | None,
    *,
    sentences: Iterable[str] = (),
    problems: Iterable[Problem] = (),
    headers: dict[str, str] | None = None,
    words: Words | None = None,
    latest: Sequence[Mapping[str, Any]] = (),
) -> Response:
    words = words or WORDS.get(status, WORDS[400 if status < 500 else 500])
    detail = detail or gettext(words.sentence)
    number = logs.request_number() if status >= 500 else ""
    if request.path.startswith("/api/") or request.endpoint in scripted:
        more = {"instance": f"urn:fault:{number}"} if number else {}
        return problem_json(status, detail, problems, headers, **more)
    html = _page(
        title=gettext(words.title),
        sentences=list(sentences) or [detail],
        next_step=gettext(words.next),
        status=status,
        latest=latest,
        number=number,
        question=request.args.get("q", "")[:1000],
        rest=_rest({problem.field for problem in problems}),
        alike_to=request.args.get("region_like", "")[:100]
        if "region_like" in {each.field for each in problems}
        else "",
    )
    return make_response(html, status, {**(headers or {}), "Cache-Control": "no-store"})


def _rest(wrong: set[str]) -> str | None:
    """The address asked for without the parameters that are wrong, where something is left of it."""
    kept = [(name, value) for name, value in request.args.items(multi=True) if name not in wrong and value]
    return f"{request.path}?{urlencode(kept)}" if wrong & set(request.args) and kept else None


def _page(**values: Any) -> str:
    """The page of an error; a bare one where what the full layout asks for is broken too."""
    if request_ctx.url_adapter is not None:  # None where the host is not ours: then no address can be made
        try:
            return render_template("errors/error.html", **values)
        except Exception:
            log.exception("the layout of the error page is broken too")
    template = current_app.jinja_env.get_template("errors/bare.html")
    return template.render(page_language=languages.chosen(), site_name=context.config().site_name, **values)
