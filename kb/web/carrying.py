"""A visitor's shortlist, in addresses: `?p=` beside whatever else an address asks for. No cookie, no script.

A page that was opened with a shortlist keeps it in its own links: titles, filters, pages, orders, the search box. The
account holds that of who is signed in, and addresses stay as they are.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from flask import g, request
from sqlalchemy.exc import SQLAlchemyError

from kb.services import choosing, shortlists
from kb.web import accounts, context, labels, languages
from kb.web.addresses import address

log = logging.getLogger(__name__)

PARAMETER = "p"
"""What names a chosen practice in an address, by its slug."""

MOST = 10
"""Practices that a visitor may choose: as many as a briefing takes. An address with more keeps them all."""


def carried() -> list[tuple[str, str]]:
    """The shortlist of who is signed out, as parameters of a further address; nothing is looked up.

    What can be no slug is left out, and so is what comes after as many as a page looks up: each link repeats the rest.
    """
    if PARAMETER not in request.args or accounts.signed_in():
        return []
    named = dict.fromkeys(request.args.getlist(PARAMETER))
    return [(PARAMETER, slug) for slug in choosing.plausible(named)[: choosing.LOOKED_UP]]


def along(url: str) -> str:
    """An address of this site with the shortlist of who is signed out, where there is one: it has it too then."""
    kept = labels.encode(carried())
    if not kept:
        return url
    page, mark, place = url.partition("#")
    return f"{page}{'&' if '?' in page else '?'}{kept}{mark}{place}"


def url(endpoint: str, slugs: Iterable[str], *more: tuple[str, str]) -> str:
    """The address of a page of chosen practices; the language that the address asks for stays in it."""
    params = [*((PARAMETER, slug) for slug in slugs), *((name, value) for name, value in more if value)]
    if "lang" in request.args:
        params.append(("lang", languages.chosen()))
    return address(endpoint) + (f"?{labels.encode(params)}" if params else "")


@dataclass(frozen=True)
class Picking:
    """The shortlist of whoever reads. `account`: it is kept in the account, so that a button adds to it."""

    account: bool
    slugs: tuple[str, ...]

    @cached_property
    def _open(self) -> str:
        """The address of this page, to be gone on with."""
        kept = labels.encode([pair for pair in request.args.items(multi=True) if pair[0] != PARAMETER])
        return f"{request.script_root}{request.path}?{kept}" + ("&" if kept else "")

    def more(self, slug: str) -> str:
        """The address of this page with one practice more on the shortlist, at that practice."""
        return self._open + labels.encode([(PARAMETER, each) for each in (*self.slugs, slug)]) + f"#p-{slug}"

    def less(self, slug: str) -> str:
        """The address of this page with one practice less on the shortlist, at that practice."""
        left = labels.encode([(PARAMETER, each) for each in self.slugs if each != slug])
        return (self._open + left).rstrip("?&") + f"#p-{slug}"

    @property
    def full(self) -> bool:
        """Whether the address holds as many as it may; an account says so itself."""
        return not self.account and len(self.slugs) >= MOST

    @property
    def shortlist(self) -> str:
        """The address of the page with all that is chosen."""
        return url("shortlist.overview", () if self.account else self.slugs)


def picking() -> Picking:
    """The shortlist of whoever reads: one query for who is signed in, none for others; looked up once a request."""
    held: Picking | None = g.get("picking")
    if held is None:
        user = accounts.current()
        slugs = shortlists.slugs(context.reading(), user) if user else [slug for _name, slug in carried()]
        g.picking = held = Picking(user is not None, tuple(slugs))
    return held


def kept() -> Picking | None:
    """The shortlist for the head of every page; None where nothing is on it.

    Where the database cannot be asked there is none either: the page that says so has this head too.
    """
    try:
        held = picking()
    except SQLAlchemyError:
        log.exception("what is on the shortlist could not be told; the page goes out without")
        return None
    return held if held.slugs else None
