"""Signing in and out, with a password or by a one-time link."""

from __future__ import annotations

from flask import g, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask.wrappers import Response
from flask_login import login_user, logout_user
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from kb.models import LinkPurpose, Role, User
from kb.services import accounts, links, sessions
from kb.services.errors import Gone, NotAllowed, NotFound, ServiceError, TooMany
from kb.services.permissions import at_least
from kb.web import context, private
from kb.web.accounts import BY_LINK, TOKEN, SignedIn, bp, current, sign_in_page
from kb.web.forms.accounts import SignInForm, kept
from kb.web.returning import local_path, restore, restorers, route


@bp.get("/sign-in")
def sign_in() -> ResponseReturnValue:
    """The form to sign in."""
    target = local_path(request.args.get("next"))
    user = current()
    if user is not None:
        return redirect(target or home_of(user))
    return sign_in_page(SignInForm(formdata=None, next=target))


@bp.post("/sign-in")
def enter() -> ResponseReturnValue:
    """Sign someone in, and go on where they wanted to."""
    form = SignInForm()
    if not form.validate():
        return sign_in_page(form, 401)
    email, password = form.email.data or "", form.password.data or ""
    failures, address = private.failures(), request.remote_addr or ""
    try:
        failures.begin(email, address)
        user = accounts.authenticate(context.reading(), email, password)
    except (TooMany, NotAllowed) as refused:
        if isinstance(refused, NotAllowed):
            failures.failed(address)
        return sign_in_page(form, refused=refused)
    failures.succeeded(email)
    with context.writing() as session:
        accounts.renew_hash(session, user, password)
        token = open_here(session, user)
    remember(user, token)
    return _arrive(user, local_path(form.next.data), kept(form.kept.data))


@bp.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End this session, here and in the database."""
    if TOKEN in cookie:
        with context.writing() as session:
            sessions.close_session(session, cookie[TOKEN])
    logout_user()
    cookie.clear()
    return redirect(url_for("pages.home"))


@bp.get("/link/<token>")
def link(token: str) -> ResponseReturnValue:
    """The button of a one-time link. Looking does not use it up: mail programs and chats look at every link."""
    try:
        purpose = links.check_link(context.reading(), token)
    except (NotFound, Gone) as refused:
        return _link_page(refused)
    return _link_page(first=purpose == LinkPurpose.FIRST_ADMIN)


@bp.post("/link/<token>")
def use_link(token: str) -> ResponseReturnValue:
    """Use the link up and sign its person in."""
    try:
        with context.writing() as session:
            user = links.use_link(session, token)
            opened = open_here(session, user)
    except (NotFound, Gone) as refused:
        return _link_page(refused)
    remember(user, opened)
    cookie[BY_LINK] = True
    return redirect(url_for("accounts.password"))


def open_here(session: Session, user: User) -> str:
    """Begin a session in the database; the one that this browser had ends."""
    if TOKEN in cookie:
        sessions.close_session(session, cookie[TOKEN])
    return sessions.open_session(session, user)


def remember(user: User, token: str) -> None:
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
    return redirect(target or home_of(user))


def home_of(user: User) -> str:
    if at_least(user, Role.EDITOR):
        return url_for("moderation.queue")
    return url_for("submissions.mine") if at_least(user, Role.MEMBER) else url_for("pages.home")


def _link_page(refused: ServiceError | None = None, *, first: bool = False) -> Response:
    status = 200 if refused is None else 404 if isinstance(refused, NotFound) else 410
    html = render_template("accounts/link.html", refused=refused, first=first)
    return private.secret_page(html, status)
