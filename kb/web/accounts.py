"""Signing in and out, one-time links, one's own account; and who is signed in, for every other room of the web.

Flask-Login's id of a user is the token of a session in the database: whoever is disabled or whose session was ended is
signed out at the next request, whatever the cookie says.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

from flask import Blueprint, Flask, current_app, flash, g, make_response, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask.wrappers import Response
from flask_babel import gettext as _
from flask_login import UserMixin, current_user, login_user, logout_user
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest

from kb.extensions import login_manager
from kb.models import LinkPurpose, Role, User
from kb.services import accounts
from kb.services.errors import N_, Conflict, Gone, Invalid, NotAllowed, NotFound, Problem, ServiceError, TooMany
from kb.services.limits import Failures
from kb.services.permissions import at_least
from kb.web import context, errors
from kb.web.forms.accounts import PasswordForm, SignInForm, keep, kept
from kb.web.returning import here, local_path, restore, restorers, route

bp = Blueprint("accounts", __name__)

P = ParamSpec("P")

TOKEN = "_user_id"  # noqa: S105 (where Flask-Login keeps the id of a user, here the session's token)
BY_LINK = "by_link"
"""In the cookie of whoever came by a one-time link: they may set a password without knowing the present one."""


class SignedIn(UserMixin):
    """Someone signed in, as Flask-Login and the templates see them; `user` is for the services."""

    def __init__(self, user: User, token: str) -> None:
        self.user = user
        self.token = token

    @property
    def id(self) -> uuid.UUID:
        """The person's id."""
        return self.user.id

    @property
    def email(self) -> str:
        """The person's address."""
        return self.user.email

    @property
    def name(self) -> str:
        """The person's name, empty where they gave none."""
        return self.user.name

    @property
    def role(self) -> Role:
        """The person's role."""
        return self.user.role

    def get_id(self) -> str:
        """What the cookie holds."""
        return self.token


def init_app(app: Flask) -> None:
    """Tell Flask-Login who is signed in, and catch forms whose session went."""
    # A session is a row that can be ended; tying it to an address would sign out whoever changes network.
    login_manager.session_protection = None
    login_manager.user_loader(_load)
    login_manager.unauthorized_handler(unauthorized)
    app.register_error_handler(CSRFError, _stale)


def _load(token: str) -> SignedIn | None:
    user = accounts.session_user(context.reading(), token)
    return SignedIn(user, token) if user else None


# For the other rooms


def current() -> User | None:
    """Who is signed in; looked up once a request, and not at all without a session cookie."""
    return current_user.user if current_user.is_authenticated else None


def signed_in() -> bool:
    """Whether someone is signed in. With a broken database, whether the cookie says so: then nothing is cached."""
    try:
        return current() is not None
    except SQLAlchemyError:
        return TOKEN in cookie


def acting(session: Session) -> User:
    """Who is signed in, as a row of this session. Raises NotAllowed where they were shut out a moment ago."""
    user = current()
    person = session.get(User, user.id) if user else None
    if person is None or not person.active:
        raise NotAllowed(N_("You are not signed in."))
    return person


def required(role: Role = Role.READER) -> Callable[[Callable[P, ResponseReturnValue]], Callable[P, Any]]:
    """Let only those see a view who are signed in with this role or a higher one."""

    def wrap(view: Callable[P, ResponseReturnValue]) -> Callable[P, Any]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            user = current()
            if user is None:
                return unauthorized()
            if not at_least(user, role):
                raise NotAllowed(N_("Your account does not open this page."))
            return view(*args, **kwargs)

        return guarded

    return wrap


def unauthorized() -> ResponseReturnValue:
    """Send someone who is signed out to sign in and come back; what they had typed comes along."""
    if request.method in ("GET", "HEAD"):
        return redirect(url_for("accounts.sign_in", next=here()))
    if request.endpoint not in restorers:
        back = here() if route(here(), "GET") else ""
        return _sign_in_page(SignInForm(formdata=None, next=back), 401, _("You were signed out. Sign in to go on."))
    text = keep(request.form)
    notice = (
        _("You were signed out. Your text is kept: sign in and it will be filled in again.")
        if text
        else _("You were signed out, and your text is too long to be kept here. Go back and copy it, then sign in.")
    )
    return _sign_in_page(SignInForm(formdata=None, next=here(), kept=text), 401, notice)


def _stale(_error: CSRFError) -> ResponseReturnValue:
    """A form whose token no longer fits its session, most often because the session went."""
    if request.endpoint == "accounts.enter":
        notice = _("This page was open for too long, or your browser keeps no cookies. Sign in once more.")
        return _sign_in_page(SignInForm(), 400, notice)
    if request.endpoint in restorers:
        return restore(request.endpoint, request.form, request.view_args or {}) if signed_in() else unauthorized()
    if request.endpoint == "accounts.sign_out" and not signed_in():
        return redirect(url_for("pages.home"))
    return current_app.handle_http_exception(BadRequest(_(errors.STALE_FORM)))


# Signing in and out


@bp.get("/sign-in")
def sign_in() -> ResponseReturnValue:
    """The form to sign in."""
    target = local_path(request.args.get("next"))
    user = current()
    if user is not None:
        return redirect(target or _home(user))
    return _sign_in_page(SignInForm(formdata=None, next=target))


@bp.post("/sign-in")
def enter() -> ResponseReturnValue:
    """Sign someone in, and go on where they wanted to."""
    form = SignInForm()
    if not form.validate():
        return _sign_in_page(form, 401)
    email, password = form.email.data or "", form.password.data or ""
    failures, address = _failures(), request.remote_addr or ""
    try:
        failures.begin(email, address)
        user = accounts.authenticate(context.reading(), email, password)
    except (TooMany, NotAllowed) as refused:
        if isinstance(refused, NotAllowed):
            failures.failed(address)
        return _sign_in_page(form, refused=refused)
    failures.succeeded(email)
    with context.writing() as session:
        accounts.renew_hash(session, user, password)
        token = _open(session, user)
    _remember(user, token)
    return _arrive(user, local_path(form.next.data), kept(form.kept.data))


@bp.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End this session, here and in the database."""
    if TOKEN in cookie:
        with context.writing() as session:
            accounts.close_session(session, cookie[TOKEN])
    logout_user()
    cookie.clear()
    return redirect(url_for("pages.home"))


@bp.get("/link/<token>")
def link(token: str) -> ResponseReturnValue:
    """The button of a one-time link. Looking does not use it up: mail programs and chats look at every link."""
    try:
        purpose = accounts.check_link(context.reading(), token)
    except (NotFound, Gone) as refused:
        return _link_page(refused)
    return _link_page(first=purpose == LinkPurpose.FIRST_ADMIN)


@bp.post("/link/<token>")
def use_link(token: str) -> ResponseReturnValue:
    """Use the link up and sign its person in."""
    try:
        with context.writing() as session:
            user = accounts.use_link(session, token)
            opened = _open(session, user)
    except (NotFound, Gone) as refused:
        return _link_page(refused)
    _remember(user, opened)
    cookie[BY_LINK] = True
    return redirect(url_for("accounts.password"))


def _open(session: Session, user: User) -> str:
    """Begin a session in the database; the one that this browser had ends."""
    if TOKEN in cookie:
        accounts.close_session(session, cookie[TOKEN])
    return accounts.open_session(session, user)


def _remember(user: User, token: str) -> None:
    """Put a session into the cookie, from which whatever was there before goes: nobody can have planted it."""
    cookie.clear()
    cookie.permanent = True
    g.pop("csrf_token", None)  # Flask-WTF's own memory of the token that just went
    login_user(SignedIn(user, token))


def _arrive(user: User, target: str, fields: MultiDict[str, str] | None) -> ResponseReturnValue:
    """Where to go after signing in: the form whose text was kept, the page that was asked for, or home."""
    if fields is not None:
        found = route(target, "POST")
        if found and found[0] in restorers:
            return restore(found[0], fields, found[1])
    return redirect(target or _home(user))


def _home(user: User) -> str:
    if at_least(user, Role.EDITOR):
        return url_for("moderation.queue")
    return url_for("submissions.mine") if at_least(user, Role.MEMBER) else url_for("pages.home")


# One's own account


@bp.get("/account")
@required()
def account() -> ResponseReturnValue:
    """Who one is here."""
    return render_template("accounts/account.html", person=current())


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
            _check_current(user, form.current.data or "")
        _change(user, form)
    except TooMany as refused:
        page = _password_page(form, [Problem("current", refused.message)], 429)
        page.headers["Retry-After"] = str(refused.retry_after)
        return page
    except Invalid as invalid:
        return _password_page(form, invalid.problems, 422)
    cookie.pop(BY_LINK, None)
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


def _check_current(user: User, password: str) -> None:
    """Ask for the present password, as carefully as at sign-in. Raises Invalid, TooMany."""
    failures, address = _failures(), request.remote_addr or ""
    failures.begin(user.email, address)
    if not accounts.knows_password(user, password):
        failures.failed(address)
        raise Invalid([Problem.of("current", N_("This is not your present password."))])
    failures.succeeded(user.email)


def _change(user: User, form: PasswordForm) -> None:
    """Set the password and, for the first administrator, the address: both or neither. Raises Invalid with all."""
    problems: list[Problem] = []
    with context.writing() as session:
        try:
            accounts.set_password(session, user, form.password.data or "", keep=cookie.get(TOKEN))
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


# Pages and addresses


def _sign_in_page(
    form: SignInForm, status: int = 200, notice: str = "", refused: ServiceError | None = None
) -> Response:
    """The page to sign in, with what was typed but the password, and with the text that is kept."""
    form.next.data = local_path(form.next.data)
    form.kept.data = form.kept.data if kept(form.kept.data) is not None else ""
    problems = [(field.id, field.errors[0]) for field in form if field.errors]
    headers = {}
    if refused is not None:
        problems = [("email", refused.message.render(_))]
        status = 401
    if isinstance(refused, TooMany):
        status = 429
        headers = {"Retry-After": str(refused.retry_after)}
    html = render_template("accounts/sign_in.html", form=form, problems=problems, notice=notice)
    return _private(html, status, headers)


def _link_page(refused: ServiceError | None = None, *, first: bool = False) -> Response:
    status = 200 if refused is None else 404 if isinstance(refused, NotFound) else 410
    html = render_template("accounts/link.html", refused=refused, first=first)
    return _private(html, status, {"Referrer-Policy": "no-referrer"})  # the address is the secret


def _password_page(form: PasswordForm, problems: Any = (), status: int = 200) -> Response:
    sentences = {problem.field: problem.message.render(_) for problem in problems}
    said = [(field.id, sentences[field.id]) for field in form if field.id in sentences]
    html = render_template("accounts/password.html", form=form, problems=said, least=accounts.PASSWORD_LEAST)
    return _private(html, status)


def _private(html: str, status: int, headers: dict[str, str] | None = None) -> Response:
    """A page that no cache may keep, though nobody is signed in yet."""
    return make_response(html, status, {"Cache-Control": "private, no-store", **(headers or {})})


def _failures() -> Failures:
    config = context.config()
    return Failures(config.data_dir / "limits.sqlite", on=config.limits)
