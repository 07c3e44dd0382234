"""The second factor: setting it up, its recovery codes, switching it off."""

from __future__ import annotations

from collections.abc import Sequence

import segno
from flask import flash, redirect, render_template, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask.wrappers import Response
from flask_babel import gettext as _
from markupsafe import Markup

from kb.models import User
from kb.services import second_factor as service
from kb.services.errors import Conflict, Invalid, NotAllowed, Problem, ServiceError, TooMany
from kb.web import context, private
from kb.web.account import check_current
from kb.web.accounts import BY_LINK, acting, bp, required
from kb.web.forms.accounts import ProveForm

PENDING = "totp"
"""In the cookie while a second factor is being set up: the secret that is shown, until a code of it came."""

DOTS = 5
"""Pixels of a dot of the QR code."""


@bp.get("/account/second-factor")
@required()
def second_factor() -> ResponseReturnValue:
    """The second factor as it stands, or what it takes to set it up."""
    return _page(acting(context.reading()))


@bp.post("/account/second-factor")
@required()
def set_up_second_factor() -> ResponseReturnValue:
    """Switch the second factor on, once its first code came, and show the recovery codes."""
    user, secret = acting(context.reading()), cookie.get(PENDING)
    form = ProveForm()
    if not secret:
        return redirect(url_for("accounts.second_factor"))
    try:
        if _asks_password(user):
            check_current(user, form.current.data or "")
        with private.counted_codes(user), context.writing() as session:
            codes = service.switch_on(session, user, secret, form.code.data or "")
    except (Invalid, TooMany) as refused:
        return _page(user, form, refused)
    except Conflict as conflict:
        flash(conflict.message.render(_))
        return redirect(url_for("accounts.second_factor"))
    cookie.pop(PENDING, None)
    return _codes_page(codes, _("The second factor is on"))


@bp.get("/account/second-factor/codes")
@required()
def recovery_codes() -> ResponseReturnValue:
    """The form that asks for a code before new recovery codes are made."""
    return _prove_page("codes", acting(context.reading()))


@bp.post("/account/second-factor/codes")
@required()
def renew_recovery_codes() -> ResponseReturnValue:
    """Make new recovery codes and show them once."""
    user, form = acting(context.reading()), ProveForm()
    try:
        with private.counted_codes(user), context.writing() as session:
            service.use_code(session, user, form.code.data or "")
            codes = service.renew_codes(session, user)
    except (Invalid, TooMany) as refused:
        return _prove_page("codes", user, form, refused)
    return _codes_page(codes, _("New recovery codes"))


@bp.get("/account/second-factor/off")
@required()
def second_factor_off() -> ResponseReturnValue:
    """The form that asks for password and code before the second factor goes."""
    return _prove_page("off", acting(context.reading()))


@bp.post("/account/second-factor/off")
@required()
def switch_second_factor_off() -> ResponseReturnValue:
    """Switch the second factor off."""
    user, form = acting(context.reading()), ProveForm()
    required_here = context.config().second_factor_required
    try:
        if _asks_password(user):
            check_current(user, form.current.data or "")
        with private.counted_codes(user), context.writing() as session:
            service.use_code(session, user, form.code.data or "")
            service.switch_off(session, user, required=required_here)
    except (Invalid, TooMany) as refused:
        return _prove_page("off", user, form, refused)
    flash(_("The second factor is switched off."))
    return redirect(url_for("accounts.account"))


# Pages


def _page(user: User, form: ProveForm | None = None, refused: ServiceError | None = None) -> Response:
    if user.totp_secret:
        left, needed = service.codes_left(context.reading(), user), _needed(user)
        return private.page(render_template("accounts/second_factor.html", left=left, needed=needed))
    secret = cookie.setdefault(PENDING, service.new_secret())
    config = context.config()
    code = segno.make(service.uri(secret, user.email, config.site_name), micro=False)
    picture = code.svg_inline(scale=DOTS, border=4, dark="#000", light="#fff", omitsize=False)
    html = render_template(
        "accounts/second_factor_setup.html",
        form=form or ProveForm(formdata=None),
        problems=_problems(refused),
        secret=" ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        picture=Markup(picture),  # noqa: S704 (drawn by segno: no text of anybody's is in it)
        needed=service.missing(user, config.second_factor_required),
        asks_password=_asks_password(user),
    )
    return _answer(html, refused)


def _prove_page(
    what: str, user: User, form: ProveForm | None = None, refused: ServiceError | None = None
) -> ResponseReturnValue:
    """The form that asks for a code and, before the second factor goes, for the password."""
    if not user.totp_secret:
        return redirect(url_for("accounts.second_factor"))
    if what == "off" and _needed(user):
        raise NotAllowed(service.NEEDED_ALWAYS)
    form = form or ProveForm(formdata=None)
    if what != "off" or not _asks_password(user):
        del form.current
    html = render_template("accounts/second_factor_prove.html", what=what, form=form, problems=_problems(refused))
    return _answer(html, refused)


def _codes_page(codes: Sequence[str], heading: str) -> Response:
    return private.page(render_template("accounts/recovery_codes.html", codes=codes, heading=heading))


def _asks_password(user: User) -> bool:
    return user.password_hash is not None and not cookie.get(BY_LINK)


def _needed(user: User) -> bool:
    return service.needs(user, context.config().second_factor_required)


def _problems(refused: ServiceError | None) -> list[tuple[str, str]]:
    """What is wrong, as pairs of the control's id and a sentence."""
    if refused is None:
        return []
    problems = refused.problems if isinstance(refused, Invalid) else (Problem("code", refused.message),)
    return [(problem.field, problem.message.render(_)) for problem in problems]


def _answer(html: str, refused: ServiceError | None) -> Response:
    answer = private.page(html, 422 if refused else 200)
    return private.too_many(answer, refused) if isinstance(refused, TooMany) else answer
