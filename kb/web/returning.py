"""Coming back after signing in: to the page that was asked for, or to a form with what had been typed into it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from flask import current_app, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException

NEXT_LIMIT = 2000
"""Characters of an address to come back to."""

restorers: dict[str, Callable[..., ResponseReturnValue]] = {}
"""By endpoint of a POST: what shows that form again, filled with given fields and nothing saved, to someone who was
signed out when they sent it. It is called with a MultiDict of the fields and, by name, the values of the address."""

scripted: dict[str, Callable[[], ResponseReturnValue]] = {}
"""By endpoint of what only scripts ask for: the answer to one whose token is of an earlier session of somebody who is
signed in. Whatever goes wrong there is said as JSON."""


def restore(endpoint: str, fields: MultiDict[str, str], values: dict[str, Any]) -> ResponseReturnValue:
    """Show a form again with what had been typed into it."""
    typed = MultiDict((name, value) for name, value in fields.items(multi=True) if name != "csrf_token")
    return restorers[endpoint](typed, **values)


def here() -> str:
    """The address asked for, on this site."""
    query = quote(request.query_string, safe="%&=+/?:@!$'()*,;[]~")
    return quote(request.path) + (f"?{query}" if query else "")


def local_path(text: str | None) -> str:
    """An address on this site as it may follow a sign-in; empty for anything that might lead elsewhere.

    Browsers read `\\` as `/` and drop tabs and line ends, so `/\\evil` and `/<tab>/evil` are other sites' addresses.
    """
    if not text or len(text) > NEXT_LIMIT or not text.startswith("/") or text.startswith("//"):
        return ""
    return "" if "\\" in text or " " in text or not text.isprintable() else text


def route(path: str, method: str) -> tuple[str, dict[str, Any]] | None:
    """Which view answers an address of this site, and with which values; None where none does."""
    adapter = current_app.create_url_adapter(request)
    if adapter is None:
        return None
    try:
        endpoint, values = adapter.match(unquote(urlsplit(path).path), method=method)
    except (HTTPException, ValueError):
        return None
    return str(endpoint), dict(values)
