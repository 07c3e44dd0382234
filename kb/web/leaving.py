"""Deleting one's own account."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask.wrappers import Response
from flask_babel import gettext as _

from kb.models import User
from kb.services import leaving, second_factor
from kb.services.errors import Conflict, Invalid, Problem, ServiceError, TooMany
from kb.web import context, private
from kb.web.account import check_current
from kb.web.accounts import acting, bp, required
from kb.web.forms.accounts import ProveForm


@bp.get("/account/delete")
@required()
def delete() -> ResponseReturnValue:
    """What stays and what goes, and the form that deletes the account."""
    return _page(acting(context.reading()))


@bp.post("/account/delete")
@required()
def leave() -> ResponseReturnValue:
    """Delete the account; from the next request on nobody is signed in with it."""
    user, form = acting(context.reading()), ProveForm()
    try:
        leaving.refuse_last(context.reading(), user)
        if user.password_hash is not None:
            check_current(user, form.current.data or "")
        if user.totp_secret is None:
            _leave(user)
        else:
            with private.counted_codes(user):
                _leave(user, form.code.data or "")
    except (Invalid, TooMany, Conflict) as refused:
        return _page(user, form, refused)
    cookie.clear()
    flash(_("Your account is deleted. What you contributed stays, without your name."))
    return redirect(url_for("pages.home"))


def _leave(user: User, code: str | None = None) -> None:
    with context.writing() as session:
        if code is not None:
            second_factor.use_code(session, user, code)
        leaving.leave(session, user, actor=user)


def _page(user: User, form: ProveForm | None = None, refused: ServiceError | None = None) -> Response:
    form = form or ProveForm(formdata=None)
    if user.password_hash is None:
        del form.current
    if user.totp_secret is None:
        del form.code
    try:
        leaving.refuse_last(context.reading(), user)
        last = ""
    except Conflict as conflict:
        last, refused = conflict.message.render(_), refused and conflict
    html = render_template("accounts/delete.html", form=form, last=last, problems=_problems(form, refused))
    if isinstance(refused, TooMany):
        return private.too_many(private.page(html), refused)
    return private.page(html, 200 if refused is None else 409 if isinstance(refused, Conflict) else 422)


def _problems(form: ProveForm, refused: ServiceError | None) -> list[tuple[str, str]]:
    """What is wrong, as pairs of the control's id and a sentence. Too many guesses are said at the first control."""
    if refused is None or isinstance(refused, Conflict):
        return []
    first = "current" if "current" in form else "code"
    problems = refused.problems if isinstance(refused, Invalid) else (Problem(first, refused.message),)
    return private.said(form, problems)
