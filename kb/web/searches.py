"""Searches that somebody keeps: kept from the page of results, listed in the account, stopped by a link in a mail."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask.wrappers import Response
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from kb.extensions import csrf
from kb.models import Frequency, SavedSearch
from kb.services import catalogue, query, searches
from kb.services.errors import N_, Invalid, Message, NotFound, Problem
from kb.services.query import CatalogueQuery
from kb.web import accounts, context, labels, languages, private, results, templating

bp = Blueprint("searches", __name__)

QUERY_LIMIT = 10_000
"""Characters of a query that is kept."""


@dataclass(frozen=True)
class Kept:
    """A search as its person sees it: how many practices it finds now, or why it cannot be read any more."""

    search: SavedSearch
    words: str = ""
    url: str = ""
    total: int = 0
    faults: Sequence[Message] = ()


# Keeping one


@bp.app_template_global()
def kept_search(asked: CatalogueQuery) -> SavedSearch | None:
    """The search that whoever reads keeps of a query, if they do."""
    user = accounts.current()
    return searches.held(context.reading(), user, asked) if user else None


bp.add_app_template_global(searches.canonical, "canonical_query")


@bp.post("/account/searches")
@accounts.required()
def keep() -> ResponseReturnValue:
    """Keep a search, under a name made of its words, with the rhythm chosen; the page it leads to can change both."""
    asked, often = _asked(request.form), request.form.get("frequency", Frequency.WEEKLY)
    found = catalogue.matching_ids(context.engine(), context.vocabulary(), asked)
    with context.writing() as session:
        person = accounts.acting(session)
        search, new = searches.keep(session, person, asked, in_words(asked), found)
        if new:
            searches.change(session, person, search.id, search.name, often)
        said = KEPT[search.frequency] if new else N_("You keep this search already.")
    flash(_(said))
    return redirect(url_for("searches.overview", _anchor=f"s-{search.id}"))


KEPT = {
    Frequency.DAILY: N_("The search is kept. Once a day you get a mail if there is anything new."),
    Frequency.WEEKLY: N_("The search is kept. Once a week you get a mail if there is anything new."),
}


def _asked(fields: MultiDict[str, str]) -> CatalogueQuery:
    text = fields.get("query", "")
    if len(text) > QUERY_LIMIT:
        raise Invalid([Problem.of("query", N_("This search is too long to be kept. Choose fewer filters."))])
    return query.parse(parse_qsl(text), context.vocabulary()).query


def _restored(fields: MultiDict[str, str]) -> ResponseReturnValue:
    """The page of results again, for somebody who was signed out when they pressed the button there."""
    return redirect(templating.query_url(_asked(fields)))


accounts.restorers["searches.keep"] = _restored


def in_words(asked: CatalogueQuery) -> str:
    """A query as a name: the question, then the filters. Bare, for mails put a name into quotation marks."""
    parts = [asked.q] if asked.q else []
    return ", ".join([*parts, *(chip.value for chip in results.chips(asked))]) or _("All practices")


# One's own


@bp.get("/account/searches")
@accounts.required()
def overview() -> ResponseReturnValue:
    """One's searches, and what each finds now."""
    return _list()


@bp.post("/account/searches/<uuid:search_id>")
@accounts.required()
def change(search_id: uuid.UUID) -> ResponseReturnValue:
    """Give a search another name, or its mail another rhythm."""
    name, frequency = (request.form.get(field, "") for field in ("name", "frequency"))
    try:
        with context.writing() as session:
            searches.change(session, accounts.acting(session), search_id, name, frequency)
    except Invalid as invalid:
        return _list(search_id, invalid.problems)
    flash(_("Saved."))
    return redirect(url_for("searches.overview", _anchor=f"s-{search_id}"))


@bp.post("/account/searches/<uuid:search_id>/<step>")
@accounts.required()
def step(search_id: uuid.UUID, step: str) -> ResponseReturnValue:
    """Stop a search's mail, let it go on, or delete the search."""
    if step not in DONE:
        raise NotFound(N_("Nothing of that name can be done with a search."))
    found = _found_now(search_id) if step == "resume" else ()
    with context.writing() as session:
        user = accounts.acting(session)
        if step == "stop":
            searches.stop(session, searches.get(session, user, search_id))
        elif step == "resume":
            searches.go_on(session, user, search_id, found)
        else:
            searches.remove(session, user, search_id)
    flash(_(DONE[step]))
    return redirect(url_for("searches.overview"))


DONE = {
    "stop": N_("You get no more mail about this search."),
    "resume": N_("From now on you get mail about what is new in this search."),
    "delete": N_("The search is deleted."),
}


def _found_now(search_id: uuid.UUID) -> Sequence[str]:
    """The ids of what one of one's own searches finds. Raises NotFound, Invalid."""
    session, vocabulary = context.reading(), context.vocabulary()
    search = searches.get(session, accounts.acting(session), search_id)
    return catalogue.matching_ids(context.engine(), vocabulary, searches.read(search.query, vocabulary))


def _list(wrong: uuid.UUID | None = None, problems: Sequence[Problem] = ()) -> Response:
    """The page of all; `wrong` is the search whose form has to be corrected."""
    session = context.reading()
    person = accounts.acting(session)
    html = render_template(
        "accounts/searches.html",
        person=person,
        kept=[_kept(search) for search in searches.of(session, person)],
        frequencies=[(value.value, _(text)) for value, text in labels.FREQUENCY.items()],
        wrong=wrong,
        typed=request.form,
        problems=[(f"{each.field}-{wrong}", languages.say(each.message)) for each in problems],
    )
    return private.page(html, 422 if problems else 200)


def _kept(search: SavedSearch) -> Kept:
    try:
        asked = searches.read(search.query, context.vocabulary())
    except Invalid as invalid:
        return Kept(search, faults=[problem.message for problem in invalid.problems])
    return Kept(search, in_words(asked), templating.query_url(asked), results.total(asked))


# The link in a mail


@bp.get("/unsubscribe/search/<token>")
def look(token: str) -> ResponseReturnValue:
    """The button that stops one search. Looking changes nothing: mail programs look at links."""
    return _stopping(context.reading(), token)


@bp.post("/unsubscribe/search/<token>")
@csrf.exempt  # mail programs post here by themselves (RFC 8058), without cookies; the address itself is signed
def end(token: str) -> ResponseReturnValue:
    """Stop one search's mail, at once; twice does no harm."""
    with context.writing() as session:
        return _stopping(session, token, stop=True)


def _stopping(session: Session, token: str, *, stop: bool = False) -> Response:
    said: dict[str, Any] = {"done": stop}
    try:
        search = searches.by_link(session, context.config().secret_key, token)
        said["name"] = search.name
        if stop:
            searches.stop(session, search)
    except NotFound as refused:
        return private.secret_page(render_template("accounts/stop_search.html", refused=refused), 404)
    return private.secret_page(render_template("accounts/stop_search.html", **said))
