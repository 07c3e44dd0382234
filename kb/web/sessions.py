"""Where one is signed in, and ending that elsewhere."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from kb.services import sessions as service
from kb.services.errors import NotFound
from kb.web import context, private
from kb.web.accounts import TOKEN, acting, bp, required


@bp.get("/account/sessions")
@required()
def sessions() -> ResponseReturnValue:
    """Every browser that one is signed in on."""
    session = context.reading()
    places = service.sessions_of(session, acting(session), cookie.get(TOKEN))
    return private.page(render_template("accounts/sessions.html", places=places))


@bp.post("/account/sessions")
@required()
def end_session() -> ResponseReturnValue:
    """End one session, named by its key, or all others."""
    key = request.form.get("end", "")
    with context.writing() as session:
        user = acting(session)
        if key == "others":
            service.end_others(session, user, cookie[TOKEN])
            said = _("Wherever else you were signed in, you are signed out.")
        else:
            try:
                service.end(session, user, key)
                said = _("You are signed out there.")
            except NotFound as gone:  # it expired, or was ended in another window: what was wanted is so
                said = gone.message.render(_)
    flash(said)
    return redirect(url_for("accounts.sessions"))
