"""How much may be asked for in a minute: of the API, of exports and feeds, of what costs or invites to guess.

One table says which addresses are counted together. What is answered carries how the address stands.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask, Response, g, request
from flask import session as cookie
from werkzeug.exceptions import RequestEntityTooLarge, RequestURITooLarge

from kb.config import Config
from kb.services import limits
from kb.services.errors import N_, TooMany
from kb.services.limits import Place, Requests, Standing
from kb.services.tokens import digest
from kb.web.accounts import TOKEN

LIMITS = {
    "api": limits.API_LIMIT.amount,
    "exports": limits.EXPORTS_LIMIT.amount,
    "comparisons": limits.COMPARISONS_LIMIT.amount,
    "suggestions": limits.SUGGESTIONS_LIMIT.amount,
    "links": limits.LINKS_LIMIT.amount,
    "autosave": limits.AUTOSAVE_LIMIT.amount,
}
"""Requests a minute of one address (of IPv6: of one network of 64 bits), by what they ask for."""

GROUPS = {
    "api": "api",
    "crawlers": "api",
    "adoption_exports": "exports",
    "exports": "exports",
    "feeds": "exports",
    "oai": "exports",
    "open_data": "exports",
    "representations": "exports",
    "suggest": "suggestions",
    "atlas.coverage_file": "exports",
    "catalogue.compare_versions": "comparisons",
    "history.compare": "comparisons",
    "comparing.compare_file": "exports",
    "briefing.briefing_file": "exports",
    "autosave.keep": "autosave",
}
"""What an endpoint, or all of a blueprint, is counted as; those that are not here are not counted.

A crawler that is refused robots.txt stays away: who exports much must not bring that about.
"""

FIELDS_LIMIT = 5000
"""Fields of a form, and parameters of an address."""

BY_SESSION = ("autosave",)
"""What is counted for each session: members of one house share an address, and each writes a text of their own."""

OVER = N_("More than %(limit)d requests a minute came from your address. Wait %(seconds)d s and go on.")

API = "/api/v1/"
"""Addresses under this count though there is nothing at them."""


def init_app(app: Flask, config: Config, counted: Place) -> None:
    """Count what is asked of an app, unless KB_LIMITS is off. Call it before anything else answers requests."""
    if not config.limits:
        return
    requests = Requests(counted)

    def count() -> None:
        group = group_of(request.endpoint, request.path, request.view_args)
        if group is None or request.method == "OPTIONS":
            return
        g.standing = standing = requests.count(group, LIMITS[group], _whose(group))
        if standing is not None and standing.over:
            raise TooMany(OVER, standing.reset, limit=standing.limit, seconds=standing.reset)

    app.before_request(count)
    app.after_request(_say)


def few_fields() -> None:
    """Refuse a form or an address of more fields than any has, before they are parted: a million would take seconds."""
    if request.query_string.count(b"&") >= FIELDS_LIMIT:
        raise RequestURITooLarge
    if request.mimetype == "application/x-www-form-urlencoded" and request.get_data().count(b"&") >= FIELDS_LIMIT:
        raise RequestEntityTooLarge


def group_of(endpoint: str | None, path: str, values: Mapping[str, object] | None = None) -> str | None:
    """What a request is counted as, by its endpoint and the values in its address; None where it is not."""
    if path.startswith(API):
        return "api"
    if values and "token" in values:  # whoever guesses
        return "links"
    name = endpoint or ""
    return GROUPS.get(name) or GROUPS.get(name.partition(".")[0])


def _whose(group: str) -> str:
    """Who is counted: the address, or the session by a digest of its token."""
    token = cookie.get(TOKEN) if group in BY_SESSION else None
    return digest(token) if isinstance(token, str) else request.remote_addr or ""


def _say(response: Response) -> Response:
    standing: Standing | None = g.get("standing")
    if standing is not None:
        response.headers["RateLimit-Limit"] = str(standing.limit)
        response.headers["RateLimit-Remaining"] = str(standing.left)
        response.headers["RateLimit-Reset"] = str(standing.reset)
    return response
