"""Coming in: by an invitation, or by open registration where the site has it."""

from __future__ import annotations

from collections.abc import Sequence

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask.wrappers import Response
from flask_babel import gettext as _

from kb.models import Invitation
from kb.services import invitations, passwords, registrations
from kb.services.errors import N_, Gone, Invalid, NotAllowed, NotFound, Problem, TooMany
from kb.services.registrations import Wish
from kb.web import context, languages, private
from kb.web.accounts import bp, current
from kb.web.forms import options
from kb.web.forms.joining import ConfirmForm, JoinForm, RegistrationForm
from kb.web.signing_in import home_of, open_here, remember

# By invitation


@bp.get("/invitation/<token>")
def invitation(token: str) -> ResponseReturnValue:
    """Who invites to what, and what is asked. Looking does not use it up: mail programs look at every link."""
    return _invitation_page(token, JoinForm(formdata=None))


@bp.post("/invitation/<token>")
def join(token: str) -> ResponseReturnValue:
    """Make the account, sign in, and go to where work begins."""
    form = JoinForm()
    try:
        known = _known_of(invitations.check(context.reading(), token))  # so that argon2 runs for nobody who guesses
        with context.writing() as session:
            user = invitations.accept(
                session, token, form.name.data or "", form.password.data or "", languages.chosen(), known=known
            )
            opened = open_here(session, user)
    except (NotFound, Gone) as refused:
        return private.dead_link(refused)
    except Invalid as invalid:
        return _invitation_page(token, form, invalid.problems)
    remember(user, opened)
    flash(_("Welcome, %(name)s. Your account is ready: from now on you sign in with %(email)s.", name=user.name,
            email=user.email))  # fmt: skip
    return redirect(home_of(user))


def _known_of(found: Invitation) -> tuple[str, ...]:
    """What anybody knows of an invited person and the site: no password may be made of it."""
    organisation = found.organisation.name if found.organisation else ""
    return (found.email, organisation, *context.config().known_words)


def _invitation_page(token: str, form: JoinForm, problems: Sequence[Problem] = ()) -> Response:
    try:
        found = invitations.check(context.reading(), token)
    except (NotFound, Gone) as refused:
        return private.dead_link(refused)
    if not form.is_submitted():
        form.name.data = found.name
    html = render_template(
        "accounts/invitation.html",
        form=form,
        problems=private.said(form, problems),
        invitation=found,
        signed_in_as=current(),
        least=passwords.PASSWORD_LEAST,
    )
    return private.secret_page(html, 422 if problems else 200)


# By registration


@bp.get("/register")
def register() -> ResponseReturnValue:
    """The form, or how else to get an account."""
    user = current()
    if user is not None:
        return redirect(url_for("accounts.account"))
    if not context.config().open_registration:
        return private.page(render_template("accounts/by_invitation.html", controller=context.config().controller))
    return _register_page(RegistrationForm(formdata=None))


@bp.post("/register")
@private.evened
def ask_to_register() -> ResponseReturnValue:
    """Keep the wish and send a mail; the answer is the same whether or not the address has an account."""
    if not context.config().open_registration:
        raise NotAllowed(N_("Accounts are by invitation here."))
    if current() is not None:
        return redirect(url_for("accounts.account"))
    form = RegistrationForm()
    try:
        wish, hashed = _checked(form)
        private.asking("register").hit(wish.email, request.remote_addr or "")
    except Invalid as invalid:
        return _register_page(form, invalid.problems)
    except TooMany as refused:
        return private.too_many(_register_page(form, [Problem("email", refused.message)]), refused)
    with context.writing() as session:
        registrations.ask(session, wish, hashed, context.config().base_url)
    return private.page(render_template("accounts/registered.html", email=wish.email))


@bp.get("/register/<token>")
def registration(token: str) -> ResponseReturnValue:
    """The button that confirms an address. Looking does not use it up."""
    return _confirm_page(token)


@bp.post("/register/<token>")
def confirm_registration(token: str) -> ResponseReturnValue:
    """Confirm the address; an editor decides then."""
    try:
        registrations.prove(context.reading(), token, ConfirmForm().password.data or "")
        with context.writing() as session:
            registrations.confirm(session, token, context.config().base_url)
    except (NotFound, Gone) as refused:
        return private.dead_link(refused)
    except Invalid as invalid:
        return _confirm_page(token, invalid.problems)
    return private.secret_page(render_template("accounts/waiting.html"))


def _confirm_page(token: str, problems: Sequence[Problem] = ()) -> Response:
    form = ConfirmForm(formdata=None)
    try:
        found = registrations.look(context.reading(), token)
    except (NotFound, Gone) as refused:
        return private.dead_link(refused)
    html = render_template(
        "accounts/confirm_registration.html", registration=found, form=form, problems=private.said(form, problems)
    )
    return private.secret_page(html, 422 if problems else 200)


def _checked(form: RegistrationForm) -> tuple[Wish, str]:
    """What was typed, and the hash of the password. Raises Invalid with all that is wrong, TooMany."""
    wish, problems = form.wish(context.vocabulary())
    password = form.password.data or ""
    try:
        wish = registrations.check(wish)
    except Invalid as invalid:
        problems += invalid.problems
    try:
        passwords.check(password, wish.email, wish.name, wish.organisation, *context.config().known_words)
    except Invalid as invalid:
        problems += invalid.problems
    if problems:
        raise Invalid(problems)
    private.asking("register").test(request.remote_addr or "")
    return wish, passwords.rehashed(password)


def _register_page(form: RegistrationForm, problems: Sequence[Problem] = ()) -> Response:
    html = render_template(
        "accounts/register.html",
        form=form,
        problems=private.said(form, problems),
        regions=options.regions(),
        least=passwords.PASSWORD_LEAST,
    )
    return private.page(html, 422 if problems else 200)
