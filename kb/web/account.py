"""One's own account: who one is here, and one's password."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask.wrappers import Response
from flask_babel import gettext as _

from kb.models import User
from kb.services import (
    accounts,
    adoptions,
    consent,
    passwords,
    searches,
    second_factor,
    sessions,
    transfer_checks,
)
from kb.services.errors import N_, Conflict, Invalid, Problem, TooMany
from kb.web import context, languages, private
from kb.web.accounts import BY_LINK, acting, bp, required
from kb.web.forms.accounts import PasswordForm, ProfileForm
from kb.web.forms.joining import region_code
from kb.web.signing_in import remember


@bp.get("/account")
@required()
def account() -> ResponseReturnValue:
    """Who one is here."""
    person = acting(context.reading())
    region = context.vocabulary().region_title(person.region_code, languages.chosen())
    form = ProfileForm(formdata=None, name=person.name, language=person.language, region=region)
    return _account_page(form, person)


@bp.post("/account")
@required()
def change_account() -> ResponseReturnValue:
    """Give oneself another name, one's mail another language, and say which region one is from."""
    form = ProfileForm()
    offered = dict(languages.offered())
    language = form.language.data if form.language.data in offered else languages.chosen()
    try:
        typed = form.region.data
        region = region_code(typed or "", context.vocabulary())
        with context.writing() as session:
            person = acting(session)
            kept = person.region_code if typed is None else region
            accounts.set_profile(session, person, form.name.data or "", language, kept)
    except Invalid as invalid:
        return _account_page(form, acting(context.reading()), invalid.problems)
    flash(_("Saved."))
    return redirect(url_for("accounts.account"))


def _account_page(form: ProfileForm, person: User, problems: Sequence[Problem] = ()) -> Response:
    session, required_here = context.reading(), context.config().second_factor_required
    html = render_template(
        "accounts/account.html",
        form=form,
        person=person,
        languages=languages.offered(),
        problems=private.said(form, problems),
        namings=consent.namings(session, person),
        adoption_namings=adoptions.naming(session, person),
        sessions=len(sessions.sessions_of(session, person, None)),
        searches=searches.count(session, person),
        checks=transfer_checks.count(session, person),
        codes_left=second_factor.codes_left(session, person),
        needed=second_factor.needs(person, required_here),
    )
    return private.page(html, 422 if problems else 200)


@bp.get("/account/password")
@required()
def password() -> ResponseReturnValue:
    """The form for a new password."""
    return _password_page(_password_form(acting(context.reading())))


@bp.post("/account/password")
@required()
def change_password() -> ResponseReturnValue:
    """Set a new password; other sessions end."""
    user = acting(context.reading())
    form = _password_form(user)
    try:
        if "current" in form:
            check_current(user, form.current.data or "")
        opened = _change(user, form)
    except TooMany as refused:
        page = _password_page(form, [Problem("current", refused.message)], 429)
        page.headers["Retry-After"] = str(refused.retry_after)
        return page
    except Invalid as invalid:
        return _password_page(form, invalid.problems, 422)
    remember(user, opened)  # what was a copy of the cookie opens nothing now
    flash(_("Your password is set. Wherever else you were signed in, you are signed out."))
    return redirect(url_for("accounts.account"))


def _password_form(user: User) -> PasswordForm:
    """The form with the fields that this person needs."""
    form = PasswordForm()
    if not accounts.is_placeholder(user):
        del form.email
    if user.password_hash is None or cookie.get(BY_LINK):
        del form.current
    return form


def check_current(user: User, password: str) -> None:
    """Ask for the present password, as carefully as at sign-in. Raises Invalid, TooMany."""
    failures, address = private.failures(), request.remote_addr or ""
    failures.begin(user.email, address)
    if not accounts.knows_password(user, password):
        failures.failed(address)
        raise Invalid([Problem.of("current", N_("This is not your present password."))])
    failures.succeeded(user.email)


def _change(user: User, form: PasswordForm) -> str:
    """Set the password and, for the first administrator, the address: both or neither. Raises Invalid with all.

    Every session of the person ends; returns the token of a new one.
    """
    problems: list[Problem] = []
    with context.writing() as session:
        try:
            accounts.set_password(session, user, form.password.data or "", known=context.config().known_words)
        except Invalid as invalid:
            problems += invalid.problems
        try:
            if "email" in form:
                accounts.set_address(session, user, form.email.data or "")
        except Invalid as invalid:
            problems += invalid.problems
        except Conflict as conflict:
            problems.append(Problem("email", conflict.message))
        if problems:
            raise Invalid(problems)
        return sessions.open_session(session, session.get_one(User, user.id), request.user_agent.string)


def _password_page(form: PasswordForm, problems: Any = (), status: int = 200) -> Response:
    sentences = {problem.field: problem.message.render(_) for problem in problems}
    said = [(field.id, sentences[field.id]) for field in form if field.id in sentences]
    html = render_template("accounts/password.html", form=form, problems=said, least=passwords.PASSWORD_LEAST)
    return private.page(html, status)
