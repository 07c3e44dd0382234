"""What machines that watch over the site ask: does it answer, is it ready, how does it do.

No cache and no cookie comes with these addresses, no limit counts them, and no line in the log tells of them.
"""

from __future__ import annotations

import hmac
import ipaddress
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from kb.config import Config, host_of
from kb.formats import prometheus
from kb.services import metrics
from kb.services.errors import N_, NotAllowed, NotFound
from kb.services.health import State
from kb.web import context

bp = Blueprint("health", __name__)

FORWARDED = ("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Via")
"""Headers that tell of a proxy: what it hands on comes from somewhere else, though the proxy is on this machine."""


THIS_MACHINE = {"127.0.0.1", "localhost", "[::1]"}


@bp.get("/healthz")
def healthz() -> ResponseReturnValue:
    """Whether this process answers."""
    return _uncached(Response("ok\n", content_type="text/plain; charset=utf-8"))


@bp.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Whether this server should get requests (503 where not), and what is to be looked at; to strangers, its name."""
    parts = context.parts()
    found = parts.watch.look()
    checks: dict[str, dict[str, Any]] = {
        check.name: {"state": check.state, "says": check.sentence, **check.figures} for check in found.checks
    }
    if not _known(parts.config):
        checks = {check.name: {"state": check.state} for check in found.checks if check.state is not State.OK}
    answer = _uncached(jsonify({"state": found.state, "checks": checks}))
    if not found.ready:
        answer.status_code = 503
        answer.headers["Retry-After"] = "10"
    return answer


@bp.get("/metrics")
def measured() -> ResponseReturnValue:
    """Figures for Prometheus, for whoever brings the token, or asks on this machine where no token is set."""
    parts = context.parts()
    _let_in(parts.config)
    found = metrics.families(parts.config, parts.database, parts.indexer, parts.counts)
    return _uncached(Response(prometheus.text(found), content_type=prometheus.MEDIA_TYPE))


def _let_in(config: Config) -> None:
    """Raises NotAllowed for a wrong token, NotFound for whoever brings none and may not read without."""
    if _known(config):
        return
    if config.metrics_token and _token() is not None:
        raise NotAllowed(N_("This needs the token that KB_METRICS_TOKEN names."))
    raise NotFound(N_("There is no page at this address."))


def _known(config: Config) -> bool:
    """Whether who asks brings the token, or, where there is none, is on this machine."""
    if not config.metrics_token:
        return _from_this_machine(config)
    return hmac.compare_digest((_token() or "").encode("utf-8", "replace"), config.metrics_token.encode())


def _token() -> str | None:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else None


def _from_this_machine(config: Config) -> bool:
    """Whether a program on this machine asks, and no proxy on it for somebody else.

    A proxy may name neither itself nor the host that it was asked for. So a site with a public address lets nobody in.
    """
    asked, public = host_of(request.host), host_of(urlsplit(config.base_url).netloc)
    try:
        here = ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False
    named = any(name in request.headers for name in FORWARDED)
    return here and not named and not config.secure and {asked, public} <= THIS_MACHINE


def _uncached(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    return answer
