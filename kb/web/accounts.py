"""Who is signed in, for every other room of the web, and what happens to whoever is not (any more).

The views of the blueprint are in signing_in.py and account.py.

Flask-Login's id of a user is the token of a session in the database: whoever is disabled or whose session was ended is
signed out at the next request, whatever the cookie says.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

from flask import Blueprint, Flask, current_app, g, make_response, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask.wrappers import Response
from flask_babel import gettext as _
from flask_login import UserMixin, current_user
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from werkzeug.exceptions import BadRequest, HTTPException

from kb.extensions import login_manager
from kb.models import Role, User
from kb.services import second_factor, sessions
from kb.services.errors import N_, NotAllowed, ServiceError, TooMany
from kb.services.permissions import at_least
from kb.web import context, errors, private
from kb.web.forms.accounts import SignInForm, keep, kept
from kb.web.returning import here, local_path, restore, restorers, route, scripted

bp = Blueprint("accounts", __name__)

P = ParamSpec("P")

log = logging.getLogger(__name__)

TOKEN = "_user_id"  # noqa: S105 (where Flask-Login keeps the id of a user, here the session's token)
WITHOUT_SECOND_FACTOR = (
    "accounts.second_factor", "accounts.set_up_second_factor", "accounts.password", "accounts.change_password",
    "accounts.sign_out", "static", "bootstrap.static",
)  # fmt: skip
"""What is open to someone who has to set up a second factor first."""

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
    app.before_request(_second_factor_first)
    app.after_request(_touch)


def _load(token: str) -> SignedIn | None:
    user, stale = sessions.found(context.reading(), token)
    if stale:
        g.seen_earlier = token
    return SignedIn(user, token) if user else None


def _second_factor_first() -> ResponseReturnValue | None:
    """Where the site asks for a second factor, whoever needs one and has none can do nothing but set it up."""
    required = context.config().second_factor_required
    if not required or TOKEN not in cookie or request.endpoint in WITHOUT_SECOND_FACTOR:
        return None
    if not second_factor.missing(current(), required):
        return None
    if request.method in ("GET", "HEAD"):
        return redirect(url_for("accounts.second_factor"))
    raise NotAllowed(second_factor.NEEDED)


def _touch(response: Response) -> Response:
    """Note that a session was seen, once an hour. A database that is busy or read-only keeps nobody from reading."""
    token = g.pop("seen_earlier", None)
    if token is not None:
        try:
            with context.parts().database.write_if_free() as session:
                sessions.touch(session, token)
        except SQLAlchemyError as error:
            log.info("When a session was last seen could not be noted: %s", error)
    return response


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
    if request.endpoint in scripted:
        return errors.problem_json(401, _("Your session ended."))
    if request.endpoint not in restorers:
        back = here() if route(here(), "GET") else ""
        return sign_in_page(SignInForm(formdata=None, next=back), 401, _("You were signed out. Sign in to go on."))
    text = keep(request.form)
    notice = (
        _("You were signed out. Your text is kept: sign in and it will be filled in again.")
        if text
        else _("You were signed out, and your text is too long to be kept here. Go back and copy it, then sign in.")
    )
    return sign_in_page(SignInForm(formdata=None, next=here(), kept=text), 401, notice)


def _stale(_error: CSRFError) -> ResponseReturnValue:
    """A form whose token no longer fits its session, most often because the session went."""
    if request.endpoint in ("accounts.enter", "accounts.enter_code"):
        notice = _("This page was open for too long, or your browser keeps no cookies. Sign in once more.")
        return sign_in_page(SignInForm(), 400, notice)
    if request.endpoint in scripted:
        return scripted[request.endpoint]() if signed_in() else unauthorized()
    if request.endpoint in restorers:
        return _restored() if signed_in() else unauthorized()
    if request.endpoint == "accounts.sign_out" and not signed_in():
        return redirect(url_for("pages.home"))
    return current_app.handle_http_exception(BadRequest(_(errors.STALE_FORM)))


def _restored() -> ResponseReturnValue:
    """The form again with what was typed into it, refused all the same; or why whoever sent it may not see it."""
    try:
        answer = make_response(restore(str(request.endpoint), request.form, request.view_args or {}))
    except (ServiceError, HTTPException) as refused:
        return current_app.handle_user_exception(refused)
    answer.status_code = 400 if answer.status_code == 200 else answer.status_code
    return answer


# The page to sign in


def sign_in_page(
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
    return private.page(html, status, headers)
