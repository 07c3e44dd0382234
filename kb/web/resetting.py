"""A forgotten password, and another address: both by a link in a mail."""

from __future__ import annotations

from collections.abc import Sequence

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask.wrappers import Response
from flask_babel import gettext as _
from flask_wtf import FlaskForm

from kb.services import accounts, passwords, resets
from kb.services.errors import Gone, Invalid, NotFound, Problem, TooMany
from kb.web import context, languages, private
from kb.web.account import check_current
from kb.web.accounts import acting, bp, current, required
from kb.web.forms.joining import AddressForm, NewPasswordForm, ResetForm
from kb.web.signing_in import ask_code, home_of, open_here, remember

# A forgotten password


@bp.get("/reset")
def reset() -> ResponseReturnValue:
    """The form that asks for the address."""
    user = current()
    return _reset_page(ResetForm(formdata=None, email=user.email if user else ""))


@bp.post("/reset")
@private.evened
def ask_reset() -> ResponseReturnValue:
    """Send a link to whoever has this address; the answer is the same whether or not anybody does."""
    form = ResetForm()
    try:
        email = accounts.valid_address(form.email.data or "")
    except Invalid as invalid:
        return _reset_page(form, invalid.problems)
    try:
        private.asking("reset").hit(email, request.remote_addr or "")
    except TooMany:
        pass  # without telling: the mails sent before still work
    else:
        with context.writing() as session:
            resets.ask_reset(session, email, context.config().base_url, languages.chosen())
    return private.page(render_template("accounts/reset_sent.html", email=email))


@bp.get("/reset/<token>")
def new_password(token: str) -> ResponseReturnValue:
    """The form for a new password. Looking does not use the link up."""
    return _new_password_page(token, NewPasswordForm(formdata=None))


@bp.post("/reset/<token>")
def set_new_password(token: str) -> ResponseReturnValue:
    """Set the password, end every session, and sign in."""
    form = NewPasswordForm()
    try:
        person = resets.check_reset(context.reading(), token)  # so that argon2 runs for nobody who guesses
        known = (person.email, person.name, *context.config().known_words)
        with context.writing() as session:
            user = resets.reset(session, token, form.password.data or "", known=known)
            opened = None if user.totp_secret else open_here(session, user)
    except (NotFound, Gone) as refused:
        return private.dead_link(refused, again=url_for("accounts.reset"))
    except Invalid as invalid:
        return _new_password_page(token, form, invalid.problems)
    if opened is None:
        return ask_code(user)
    remember(user, opened)
    flash(_("Your new password is set. Wherever else you were signed in, you are signed out."))
    return redirect(home_of(user))


def _reset_page(form: ResetForm, problems: Sequence[Problem] = ()) -> Response:
    html = render_template("accounts/reset.html", form=form, problems=private.said(form, problems))
    return private.page(html, 422 if problems else 200)


def _new_password_page(token: str, form: NewPasswordForm, problems: Sequence[Problem] = ()) -> Response:
    try:
        user = resets.check_reset(context.reading(), token)
    except (NotFound, Gone) as refused:
        return private.dead_link(refused, again=url_for("accounts.reset"))
    html = render_template(
        "accounts/new_password.html",
        form=form,
        problems=private.said(form, problems),
        email=user.email,
        least=passwords.PASSWORD_LEAST,
    )
    return private.secret_page(html, 422 if problems else 200)


# Another address


@bp.get("/account/address")
@required()
def address() -> ResponseReturnValue:
    """The form for another address."""
    return _address_page(AddressForm(formdata=None))


@bp.post("/account/address")
@required()
@private.evened
def ask_address() -> ResponseReturnValue:
    """Send a link to the new address; the answer is the same whether or not it is somebody else's."""
    form, person = AddressForm(), acting(context.reading())
    try:
        email = accounts.valid_address(form.email.data or "")
        check_current(person, form.current.data or "")
        private.asking("address").hit(str(person.id), request.remote_addr or "")
        with context.writing() as session:
            resets.ask_address(session, acting(session), email, context.config().base_url)
    except Invalid as invalid:
        return _address_page(form, invalid.problems)
    except TooMany as refused:
        return private.too_many(_address_page(form, [Problem("current", refused.message)]), refused)
    return private.page(render_template("accounts/address_sent.html", email=email))


@bp.get("/account/address/<token>")
def address_link(token: str) -> ResponseReturnValue:
    """The button that confirms an address. Looking does not use it up."""
    try:
        email = resets.check_address(context.reading(), token)
    except (NotFound, Gone) as refused:
        return private.dead_link(refused)
    return private.secret_page(render_template("accounts/confirm_address.html", email=email))


@bp.post("/account/address/<token>")
def confirm_address(token: str) -> ResponseReturnValue:
    """Give the person this address, and tell the old one. The link is enough: it may open in another browser."""
    try:
        with context.writing() as session:
            user = resets.confirm_address(session, token)
    except (NotFound, Gone) as refused:
        return private.dead_link(refused)
    flash(_("Your address is %(email)s now: sign in with it from now on.", email=user.email))
    return redirect(url_for("accounts.account"))


def _address_page(form: FlaskForm, problems: Sequence[Problem] = ()) -> Response:
    html = render_template(
        "accounts/address.html", form=form, problems=private.said(form, problems), person=acting(context.reading())
    )
    return private.page(html, 422 if problems else 200)
