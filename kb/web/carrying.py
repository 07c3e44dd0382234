"""A visitor's choice of practices, in addresses: `?p=` beside whatever else an address asks for. No cookie, no script.

A list that was opened with a choice keeps it in its own links: filters, pages, orders, the search box.
"""

from __future__ import annotations

from flask import request

from kb.web import accounts

PARAMETER = "p"
"""What names a chosen practice in an address, by its slug."""

MOST = 10
"""Practices that a visitor may choose: as many as a briefing takes. An address with more keeps them all."""


def carried() -> list[tuple[str, str]]:
    """The choice of who is signed out, as parameters of a further address; nothing is looked up.

    Who is signed in keeps theirs in the account.
    """
    if PARAMETER not in request.args or accounts.signed_in():
        return []
    return [(PARAMETER, slug) for slug in dict.fromkeys(request.args.getlist(PARAMETER)) if slug]
