"""Which mail someone gets: ended by a link in a mail without signing in, chosen on a page of the account."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from kb.extensions import csrf
from kb.services import notices
from kb.services.errors import NotFound
from kb.web import accounts, context, private

bp = Blueprint("notices", __name__)


@bp.get("/unsubscribe/<token>")
def unsubscribe(token: str) -> ResponseReturnValue:
    """The button that ends mail about other people's work. Looking changes nothing: mail programs look at links."""
    try:
        notices.recipient(context.reading(), context.config().secret_key, token)
    except NotFound as refused:
        return private.secret_page(render_template("accounts/unsubscribe.html", refused=refused), 404)
    return private.secret_page(render_template("accounts/unsubscribe.html", done=False))


@bp.post("/unsubscribe/<token>")
@csrf.exempt  # mail programs post here by themselves (RFC 8058), without cookies; the address itself is signed
def end(token: str) -> ResponseReturnValue:
    """End mail about other people's work, at once; twice does no harm."""
    try:
        with context.writing() as session:
            user = notices.recipient(session, context.config().secret_key, token)
            notices.choose(session, user, False)
    except NotFound as refused:
        return private.secret_page(render_template("accounts/unsubscribe.html", refused=refused), 404)
    return private.secret_page(render_template("accounts/unsubscribe.html", done=True))


@bp.get("/account/mail")
@accounts.required()
def choice() -> ResponseReturnValue:
    """What mail one gets."""
    return private.page(render_template("accounts/mail.html", person=accounts.acting(context.reading())))


@bp.post("/account/mail")
@accounts.required()
def choose() -> ResponseReturnValue:
    """Keep what mail one wants."""
    with context.writing() as session:
        notices.choose(session, accounts.acting(session), "notify" in request.form)
    flash(_("Your choice is kept."))
    return redirect(url_for("accounts.account"))
