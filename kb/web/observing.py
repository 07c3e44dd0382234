"""Each request has a number, a line in the log, and a place in the counts; nobody can tell from them who asked what.

The number is a proxy's (`X-Request-ID`) where KB_TRUSTED_PROXIES says that there is one, else made here. It goes back
in the same header, but not where a cache would keep it and show it to others: on a 304 and on what is `public`.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast
from urllib.parse import parse_qsl

from flask import Flask, g, has_request_context, request
from flask.wrappers import Response

from kb import logs
from kb.config import Config
from kb.services.counting import Counts

log = logging.getLogger(__name__)

Headers = list[tuple[str, str]]
Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]

KEY = "kb.seen"
"""Where the environment of a request keeps what is to be logged of it."""

NUMBER = re.compile(r"[A-Za-z0-9._-]{8,64}")
"""How a proxy's number has to look; nginx's `$request_id` has 32 hexadecimal digits, a UUID 36 characters."""

QUIET = ("health",)
"""Rooms that machines ask every few seconds: their lines are there for whoever looks for `debug`."""

GUESSES = ("accounts.enter", "accounts.enter_code")
"""Where a 401 is a failed sign-in."""

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@dataclass
class Seen:
    """What is logged and counted of one request. `rule` is the pattern of its address, `person` a kind of person."""

    number: str
    method: str
    asked: logs.Asked
    began: float = field(default_factory=time.perf_counter)
    begun: float = 0.0
    status: int = 0
    size: int = 0
    rule: str = "-"
    room: str = "none"
    endpoint: str = ""
    person: str = "reader"
    values: tuple[str, ...] = ()
    over: bool = False


class BrokenOff(Exception):
    """An answer that ended before its end. Why, was logged; whoever serves need only close the connection."""


def init_app(app: Flask, config: Config, counts: Counts) -> None:
    """Observe an app. Call it first, but after whatever else wraps `app.wsgi_app`."""
    app.before_request(_note_rule)
    app.after_request(_note_person)
    app.wsgi_app = _Observer(app.wsgi_app, config, counts)  # type: ignore[method-assign]


def act_as(role: str) -> None:
    """Say as what kind of person a request acts that no session speaks for: one with a token."""
    g.acts_as = role


def _note_rule() -> None:
    seen: Seen | None = request.environ.get(KEY)
    if seen is not None and request.url_rule is not None:
        seen.rule, seen.endpoint = request.url_rule.rule, str(request.endpoint)
        seen.room = request.blueprint or "static"
        seen.values = tuple(str(value) for value in (request.view_args or {}).values())


def _note_person(response: Response) -> Response:
    """Nobody is looked up for the log: who was not asked for is a reader."""
    seen: Seen | None = request.environ.get(KEY)
    if seen is not None:
        user = getattr(g.get("_login_user"), "user", None)
        seen.person = str(g.get("acts_as") or (vars(user).get("role") if user else "") or "reader")
    return response


class _Observer:
    """The outermost layer of the app: what it answers is what goes out."""

    def __init__(self, app: Wsgi, config: Config, counts: Counts) -> None:
        self._app = app
        self._trusting = config.trusted_proxies > 0
        self._slow_ms = config.slow_ms
        self._counts = counts

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        number = self._number(environ)
        asked = logs.Asked(number, partial(_brought, environ))
        seen = environ[KEY] = Seen(number, environ["REQUEST_METHOD"], asked)
        logs.begin(asked)

        def start(status: str, headers: Headers, *more: Any) -> Any:
            seen.status, seen.begun = int(status[:3]), time.perf_counter()
            return start_response(status, _numbered(seen, headers), *more)

        try:
            answer = self._app(environ, start)
        except BaseException:
            self._finish(seen)
            raise
        wrapper = environ.get("wsgi.file_wrapper")
        if isinstance(wrapper, type) and isinstance(answer, wrapper):  # sent by the server itself, as it is
            self._finish(seen)
            return answer
        return _Answer(answer, seen, self._finish)

    def _number(self, environ: Mapping[str, Any]) -> str:
        given = environ.get("HTTP_X_REQUEST_ID", "") if self._trusting else ""
        return given if NUMBER.fullmatch(given) else secrets.token_hex(6)

    def _finish(self, seen: Seen) -> None:
        """Write the line and count, once."""
        if seen.over:
            return
        seen.over = True
        now = time.perf_counter()
        ms, first = (now - seen.began) * 1000, ((seen.begun or now) - seen.began) * 1000
        slow = bool(self._slow_ms) and first >= self._slow_ms
        level = logging.WARNING if slow else logging.DEBUG if seen.room in QUIET else logging.INFO
        line = {"method": seen.method, "path": seen.rule, "status": seen.status, "ms": round(ms, 1)}
        logs.begin(seen.asked)
        log.log(level, "slow request" if slow else "request", extra={**line, "bytes": seen.size, "person": seen.person})
        logs.end()
        self._count(seen, ms / 1000)

    def _count(self, seen: Seen, seconds: float) -> None:
        method = seen.method if seen.method in METHODS else "other"
        self._counts.add("requests", room=seen.room, method=method, status=f"{seen.status // 100}xx")
        self._counts.observe("request_seconds", seconds, room=seen.room)
        if seen.status == 429:
            self._counts.add("limited", room=seen.room)
        if seen.status in (0, 500):
            self._counts.add("faults", room=seen.room)
        if seen.status == 401 and seen.endpoint in GUESSES:
            self._counts.add("sign_in_failures")


class _Answer:
    """An answer on its way: its bytes are counted, its end is noted, and a fault in the middle is logged here.

    The server would log it with the whole address.
    """

    def __init__(self, pieces: Iterable[bytes], seen: Seen, finish: Callable[[Seen], None]) -> None:
        self._pieces = pieces
        self._seen = seen
        self._finish = finish

    def __iter__(self) -> Iterator[bytes]:
        try:
            for piece in self._pieces:
                self._seen.size += len(piece)
                yield piece
        except Exception as error:
            log.error("an answer broke off", exc_info=error)
            raise BrokenOff("an answer broke off") from None
        self._finish(self._seen)

    def close(self) -> None:
        """End the answer, read or not."""
        try:
            close = getattr(self._pieces, "close", None)
            if close is not None:
                close()
        finally:
            self._finish(self._seen)


def _numbered(seen: Seen, headers: Headers) -> Headers:
    kept = any(name.lower() == "cache-control" and "public" in value for name, value in headers)
    return headers if kept or seen.status == 304 else [*headers, ("X-Request-ID", seen.number)]


def _brought(environ: Mapping[str, Any]) -> Iterator[str]:
    """What a request brought along: words of its address, its headers, and, where it was read, its body."""
    for _name, value in parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True):
        yield value
    seen: Seen = environ[KEY]
    yield from seen.values if seen.rule != "-" else environ.get("PATH_INFO", "").split("/")
    for name in ("HTTP_COOKIE", "HTTP_AUTHORIZATION", "HTTP_X_FORWARDED_FOR", "REMOTE_ADDR", "HTTP_REFERER"):
        yield from re.split(r"[;,= ]+", environ.get(name, ""))
    if has_request_context():
        yield from _body()


def _body() -> Iterator[str]:
    """Fields and JSON of a body that was read before. Nothing is read for the log."""
    held = vars(cast(Any, request)._get_current_object())
    if "form" in held:
        yield from (value for _name, value in held["form"].items(multi=True))
    if request.is_json and held.get("_cached_data"):
        try:
            yield from _strings(json.loads(held["_cached_data"]))
        except ValueError:
            return


def _strings(value: Any) -> Iterator[str]:
    """The texts in a value of JSON. What is nested deeper than Python can follow was refused before."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)
