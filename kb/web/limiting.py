"""How much an address may ask for in a minute: of the API, and of exports, feeds and what harvesters read.

One table says which addresses are counted together. What is answered carries how the address stands.
"""

from __future__ import annotations

from flask import Flask, Response, g, request

from kb.config import Config
from kb.services.errors import N_, TooMany
from kb.services.limits import Requests, Standing

LIMITS = {"api": 600, "exports": 120}
"""Requests a minute of one address (of IPv6: of one network of 64 bits), by what they ask for."""

GROUPS = {
    "api": "api",
    "crawlers": "api",
    "exports": "exports",
    "feeds": "exports",
    "oai": "exports",
    "open_data": "exports",
    "representations": "exports",
}
"""What the addresses of a blueprint are counted as; those that are not here are not counted.

A crawler that is refused robots.txt stays away: who exports much must not bring that about.
"""

OVER = N_("More than %(limit)d requests a minute came from your address. Wait %(seconds)d s and go on.")

API = "/api/v1/"
"""Addresses under this count though there is nothing at them."""


def init_app(app: Flask, config: Config) -> None:
    """Count what is asked of an app, unless KB_LIMITS is off. Call it before anything else answers requests."""
    if not config.limits:
        return
    requests = Requests(config.data_dir / "limits.sqlite")

    def count() -> None:
        group = group_of(request.blueprint, request.path)
        if group is None or request.method == "OPTIONS":
            return
        g.standing = standing = requests.count(group, LIMITS[group], request.remote_addr or "")
        if standing is not None and standing.over:
            raise TooMany(OVER, standing.reset, limit=standing.limit, seconds=standing.reset)

    app.before_request(count)
    app.after_request(_say)


def group_of(blueprint: str | None, path: str) -> str | None:
    """What a request is counted as; None where it is not."""
    return "api" if path.startswith(API) else GROUPS.get(blueprint or "")


def _say(response: Response) -> Response:
    standing: Standing | None = g.get("standing")
    if standing is not None:
        response.headers["RateLimit-Limit"] = str(standing.limit)
        response.headers["RateLimit-Remaining"] = str(standing.left)
        response.headers["RateLimit-Reset"] = str(standing.reset)
    return response
