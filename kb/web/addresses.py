"""Addresses that a page has again and again: what `url_for` makes of them, worked out once a process."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from flask import has_request_context, request, url_for

_SLUG = re.compile(r"[a-z0-9-]+")
_ANY = "any-practice"  # a slug in whose place others stand


def address(endpoint: str, **values: Any) -> str:
    """What `url_for` makes of an endpoint and values of which there are few."""
    if not has_request_context():  # in a mail, say, where addresses are whole
        return url_for(endpoint, **values)
    return _made(request.script_root, endpoint, **values)


def practice_url(slug: str) -> str:
    """The address of a practice's page."""
    if not _SLUG.fullmatch(slug):  # it may have to be quoted
        return url_for("catalogue.practice", slug=slug)
    return address("catalogue.practice", slug=_ANY).replace(_ANY, slug)


@lru_cache(maxsize=256)
def _made(_root: str, endpoint: str, **values: Any) -> str:
    return url_for(endpoint, **values)
