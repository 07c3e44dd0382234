"""Signing in and out, with a password or by a one-time link."""

from __future__ import annotations

from flask import flash, g, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask.wrappers import Response
from flask_babel import gettext as _
from flask_login import login_user, logout_user
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from kb.models import LinkPurpose, Role, User
from kb.services import accounts, half_sign_ins, links, second_factor, sessions
from kb.services.errors import N_, Gone, Invalid, NotAllowed, NotFound, ServiceError, TooMany
from kb.services.permissions import at_least
from kb.web import context, private
from kb.web.accounts import BY_LINK, TOKEN, SignedIn, bp, current, sign_in_page
from kb.web.forms.accounts import CodeForm, SignInForm, kept
from kb.web.returning import local_path, restore, restorers, route

HALF = "half"
"""In the cookie of whoever gave the right password and has yet to give the code: the token of that step."""

RECOVERED = N_(
    "This recovery code is used up. If your telephone is lost, switch the second factor off under “Your account” and "
    "set it up on another one."
)


@bp.get("/sign-in")
def sign_in() -> ResponseReturnValue:
    """The form to sign in."""
    target = local_path(request.args.get("next"))
    user = current()
    if user is not None:
        return redirect(target or home_of(user))
    return sign_in_page(SignInForm(formdata=None, next=target))


@bp.post("/sign-in")
@private.evened
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
        token = None if user.totp_secret else open_here(session, user)
    if token is None:
        return ask_code(user, local_path(form.next.data), form.kept.data or "")
    remember(user, token)
    return _arrive(user, local_path(form.next.data), kept(form.kept.data))


@bp.get("/sign-in/code")
def sign_in_code() -> ResponseReturnValue:
    """The form for the second step."""
    target = local_path(request.args.get("next"))
    try:
        half_sign_ins.whose(context.reading(), _half())
    except Gone:
        return redirect(url_for("accounts.sign_in", next=target or None))
    return _code_page(CodeForm(formdata=None, next=target))


@bp.post("/sign-in/code")
def enter_code() -> ResponseReturnValue:
    """Sign someone in whose password was right a moment ago."""
    form = CodeForm()
    try:
        user = half_sign_ins.whose(context.reading(), _half())
        with private.counted_codes(user), context.writing() as session:
            half_sign_ins.use_up(session, _half())
            recovered = second_factor.use_code(session, user, form.code.data or "")
            token = open_here(session, user)
    except Gone as over:
        return sign_in_page(SignInForm(), 401, over.message.render(_))
    except (TooMany, Invalid) as refused:
        return _code_page(form, refused)
    remember(user, token)
    if recovered:
        flash(_(RECOVERED))
    return _arrive(user, local_path(form.next.data), kept(form.kept.data))


@bp.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End this session, here and in the database."""
    if TOKEN in cookie or _half():
        with context.writing() as session:
            _end_here(session)
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
    switches_off = links.second_factor_of(context.reading(), token)
    return _link_page(first=purpose == LinkPurpose.FIRST_ADMIN, switches_off=switches_off)


@bp.post("/link/<token>")
def use_link(token: str) -> ResponseReturnValue:
    """Use the link up and sign its person in."""
    try:
        with context.writing() as session:
            had = links.second_factor_of(session, token)
            user = links.use_link(session, token)
            opened = open_here(session, user)
    except (NotFound, Gone) as refused:
        return _link_page(refused)
    remember(user, opened)
    cookie[BY_LINK] = True
    if had:
        flash(_("Your second factor is switched off. You can set it up anew under “Your account”."))
    return redirect(url_for("accounts.password"))


def open_here(session: Session, user: User) -> str:
    """Begin a session in the database; the one that this browser had ends."""
    _end_here(session)
    return sessions.open_session(session, user, request.user_agent.string)


def ask_code(user: User, target: str = "", text: str = "") -> ResponseReturnValue:
    """Go on to the second step. The database says for ten minutes that the first was right; there is no session."""
    with context.writing() as session:
        _end_here(session)
        token = half_sign_ins.begin(session, user)
    cookie.clear()
    g.pop("csrf_token", None)
    cookie[HALF] = token
    if kept(text) is None:
        return redirect(url_for("accounts.sign_in_code", next=target or None))
    return _code_page(CodeForm(formdata=None, next=target, kept=text))


def _half() -> str:
    """The token of the step between password and code that this browser holds; empty where it holds none."""
    held = cookie.get(HALF)
    return held if isinstance(held, str) else ""  # an earlier release kept something else there


def _end_here(session: Session) -> None:
    """End whatever this browser's cookie opens: a session, or what began one."""
    if TOKEN in cookie:
        sessions.close_session(session, cookie[TOKEN])
    half_sign_ins.end(session, _half())


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
    """Where someone's work is: the page to arrive at where no other was asked for."""
    if at_least(user, Role.EDITOR):
        return url_for("moderation.queue")
    return url_for("submissions.mine") if at_least(user, Role.MEMBER) else url_for("pages.home")


def _code_page(form: CodeForm, refused: TooMany | Invalid | None = None) -> Response:
    form.next.data = local_path(form.next.data)
    form.kept.data = form.kept.data if kept(form.kept.data) is not None else ""
    message = refused.problems[0].message if isinstance(refused, Invalid) else refused.message if refused else None
    problems = [("code", message.render(_))] if message else []
    html = render_template("accounts/code.html", form=form, problems=problems)
    answer = private.page(html, 401 if refused else 200)
    return private.too_many(answer, refused) if isinstance(refused, TooMany) else answer


def _link_page(refused: ServiceError | None = None, *, first: bool = False, switches_off: bool = False) -> Response:
    status = 200 if refused is None else 404 if isinstance(refused, NotFound) else 410
    html = render_template("accounts/link.html", refused=refused, first=first, switches_off=switches_off)
    return private.secret_page(html, status)
