"""What machines that watch over the site ask: does it answer, is it ready, how does it do.

No cache and no cookie comes with these addresses, no limit counts them, and no line in the log tells of them.
"""

from __future__ import annotations

import hmac
import ipaddress

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from kb.formats import prometheus
from kb.services import health, metrics
from kb.services.errors import N_, NotAllowed, NotFound
from kb.web import context

bp = Blueprint("health", __name__)

FORWARDED = ("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Via")
"""Headers that tell of a proxy: what it hands on comes from somewhere else, though the proxy is on this machine."""


@bp.get("/healthz")
def healthz() -> ResponseReturnValue:
    """Whether this process answers."""
    return _uncached(Response("ok\n", content_type="text/plain; charset=utf-8"))


@bp.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Whether this server should get requests, and what is to be looked at; 503 where it should not."""
    parts = context.parts()
    found = health.look(parts.config, parts.database, parts.indexer)
    checks = {check.name: {"state": check.state, "says": check.sentence, **check.figures} for check in found.checks}
    answer = _uncached(jsonify({"state": found.state, "checks": checks}))
    if not found.ready:
        answer.status_code = 503
        answer.headers["Retry-After"] = "10"
    return answer


@bp.get("/metrics")
def measured() -> ResponseReturnValue:
    """Figures for Prometheus, for whoever brings the token, or asks on this machine where no token is set."""
    parts = context.parts()
    _let_in(parts.config.metrics_token)
    found = metrics.families(parts.config, parts.database, parts.indexer, parts.counts)
    return _uncached(Response(prometheus.text(found), content_type=prometheus.MEDIA_TYPE))


def _let_in(token: str) -> None:
    """Raises NotAllowed for a wrong token, NotFound for whoever brings none and may not read without."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if token and scheme.lower() == "bearer":
        if not hmac.compare_digest(given.strip().encode("utf-8", "replace"), token.encode()):
            raise NotAllowed(N_("This needs the token that KB_METRICS_TOKEN names."))
    elif token or not _from_this_machine():
        raise NotFound(N_("There is no page at this address."))


def _from_this_machine() -> bool:
    """Whether a program on this machine asks, and no proxy on it for somebody else."""
    try:
        here = ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False
    return here and not any(name in request.headers for name in FORWARDED)


def _uncached(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    return answer
