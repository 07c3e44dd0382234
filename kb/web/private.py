"""Pages that no cache may keep, and the count of guesses: what the rooms of accounts have in common."""

from __future__ import annotations

from flask import make_response
from flask.wrappers import Response

from kb.services.limits import Failures
from kb.web import context


def page(html: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A page that no cache may keep, though nobody is signed in yet."""
    return make_response(html, status, {"Cache-Control": "private, no-store", **(headers or {})})


def secret_page(html: str, status: int = 200) -> Response:
    """A page whose address is a secret: no cache keeps it, and no link tells it on."""
    return page(html, status, {"Referrer-Policy": "no-referrer"})


def failures() -> Failures:
    """The count of failed sign-ins, shared by the workers."""
    config = context.config()
    return Failures(config.data_dir / "limits.sqlite", on=config.limits)
