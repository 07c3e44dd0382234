"""Writing to the owner of a practice: a form for whoever is signed in, a mail that shows no address unasked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask.wrappers import Response
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from kb.services import catalogue, contacting, versions
from kb.services.contacting import Letter
from kb.services.errors import N_, Conflict, Invalid, Problem, TooMany
from kb.services.limits import CONTACT_LIMIT, Asking
from kb.services.versions import Online
from kb.web import accounts, context, keeping, languages, private

bp = Blueprint("contacting", __name__)

OWNER = N_("The owner gets an e-mail; you do not see the address.")
OWNER_BESIDE = N_("The owner gets an e-mail. The address of the contact is on the page of the practice.")
CONTACT = N_("The contact gets an e-mail, at the address on the page of the practice.")
CONTACT_UNSEEN = N_("The contact gets an e-mail; you do not see the address.")


@bp.get("/practices/<slug>/contact")
@accounts.required()
def form(slug: str) -> ResponseReturnValue:
    """What to write, and what the owner is told of whoever writes."""
    return _page(slug, {})


@bp.post("/practices/<slug>/contact")
@keeping.words
@accounts.required()
def send(slug: str) -> ResponseReturnValue:
    """Send it. Whatever refuses it, every word comes back."""
    letter = Letter(request.form.get("topic", ""), request.form.get("message", ""), bool(request.form.get("tell")))
    try:
        with context.writing() as session:
            practice = _online(slug, session).practice
            contacting.send(session, accounts.acting(session), practice, letter, _count())
    except Invalid as invalid:
        return _page(slug, request.form, invalid.problems, 422)
    except Conflict as conflict:
        return _page(slug, request.form, [Problem("", conflict.message)], 409)
    except TooMany as refused:
        return private.too_many(_page(slug, request.form, [Problem("", refused.message)]), refused)
    flash(_("Your message is on its way to the owner."))
    return redirect(url_for("catalogue.practice", slug=slug))


def _restored(pairs: MultiDict[str, str], slug: str) -> ResponseReturnValue:
    """The form with what was typed before the session ended; nothing of it is sent yet."""
    return _page(slug, pairs)


accounts.restorers["contacting.send"] = _restored


def _online(slug: str, session: Session | None = None) -> Online:
    return versions.online(session or context.reading(), slug, context.config().base_url)


def _page(slug: str, typed: Mapping[str, str], problems: Sequence[Problem] = (), status: int = 200) -> Response:
    online = _online(slug)
    html = render_template(
        "catalogue/contact.html",
        record=online.document,
        archived=online.archived,
        ownerless=online.practice.owner_id is None,
        nobody=_nobody(online),
        typed=typed,
        topic_limit=contacting.TOPIC_LIMIT,
        message_limit=contacting.MESSAGE_LIMIT,
        most=CONTACT_LIMIT.amount,
        told=_told(online),
        problems=[(each.field or "message", languages.say(each.message)) for each in problems],
    )
    return private.page(html, status)


def _told(online: Online) -> str:
    """Who gets the message, and whether this person sees an address: members see the contact's on the practice."""
    session = context.reading()
    user, slug = accounts.acting(session), online.practice.slug
    shown = slug and catalogue.contact(session, user, slug)
    if contacting.owned(online.practice):
        return _(OWNER_BESIDE if shown else OWNER)
    return _(CONTACT if shown else CONTACT_UNSEEN)


def _nobody(online: Online) -> str:
    """Why nobody would get a message; empty where somebody would."""
    try:
        contacting.recipients(online.practice, accounts.acting(context.reading()))
    except Conflict as conflict:
        return languages.say(conflict.message)
    return ""


def _count() -> Asking:
    config = context.config()
    return Asking(context.parts().counted, "contact", on=config.limits, most=CONTACT_LIMIT)
