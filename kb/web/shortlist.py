"""The shortlist: practices that are kept to be compared, in the account of who is signed in, else in the address."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, flash, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask.wrappers import Response
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.datastructures import MultiDict

from kb.services import choosing as choices
from kb.services import shortlists
from kb.services.choosing import Choice
from kb.services.errors import Conflict, Message
from kb.web import accounts, carrying, choosing, context, languages
from kb.web.carrying import PARAMETER, url
from kb.web.returning import here, local_path

bp = Blueprint("shortlist", __name__)

bp.add_app_template_global(url, "chosen_url")
bp.add_app_template_global(carrying.carried, "carried")
bp.add_app_template_global(carrying.picking, "picking")
bp.add_app_template_global(carrying.kept, "shortlisted")
bp.add_app_template_filter(carrying.along, "along")
bp.add_app_template_global(here, "this_page")


@bp.app_template_global()
def chosen_pairs(slugs: Sequence[str]) -> list[tuple[str, str]]:
    """Practices as parameters of an address, for a form that carries them along."""
    return [(PARAMETER, slug) for slug in slugs]


@bp.get("/shortlist")
def overview() -> ResponseReturnValue:
    """What is chosen, and what can be done with it: compare, make a briefing, take off."""
    return _page()


@bp.post("/account/shortlist")
@accounts.required()
def change() -> ResponseReturnValue:
    """Add practices to the account's shortlist, or take some off (`do=remove`), and go back to where the button was."""
    slugs = [slug for slug in request.form.getlist(PARAMETER) if slug][: choices.LOOKED_UP]
    removing = request.form.get("do") == "remove"
    try:
        with context.writing() as session:
            person = accounts.acting(session)
            done = (shortlists.remove if removing else shortlists.keep)(session, person, slugs)
    except Conflict as refused:
        return _page(slugs, [refused.message], 409)
    flash(_said(done, removing=removing))
    back = local_path(request.form.get("next"))
    beside = len(slugs) == 1 and bool(back or not removing)  # the button stood at the practice, which is there still
    return redirect((back or url("shortlist.overview", [])) + (f"#p-{slugs[0]}" if beside else ""))


def _said(done: int, *, removing: bool) -> str:
    if removing:
        return _("Taken off your shortlist.") if done else _("It was not on your shortlist any more.")
    if not done:
        return _("It is on your shortlist already.")
    return ngettext("Added to your shortlist.", "%(num)d practices were added to your shortlist.", done)


def _restored(fields: MultiDict[str, str]) -> ResponseReturnValue:
    """The choice as an address, for somebody who was signed out when they pressed the button."""
    return redirect(url("shortlist.overview", fields.getlist(PARAMETER)[: choices.LOOKED_UP]))


accounts.restorers["shortlist.change"] = _restored


def _page(more: Sequence[str] = (), problems: Sequence[Message] = (), status: int = 200) -> Response:
    """The page; `more` are slugs beside those of the address, `problems` why they are not kept."""
    session, base_url, user = context.reading(), context.config().base_url, accounts.current()
    named = [*request.args.getlist(PARAMETER), *more]
    kept = choices.choose(session, shortlists.slugs(session, user), base_url) if user else Choice()
    asked = choices.choose(session, named, base_url)
    fresh = [each for each in asked.chosen if each.slug not in kept.slugs]
    html = render_template(
        "choosing/shortlist.html",
        kept=kept,
        fresh=fresh,
        everything=[*kept.chosen, *fresh],
        missing=asked.missing,
        near=choosing.near([*kept.chosen, *fresh]),
        address=context.config().base_url + url("shortlist.overview", asked.slugs),
        sentences=[languages.say(each) for each in problems],
        most=shortlists.MOST,
    )
    return make_response(html, status)
