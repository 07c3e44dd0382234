"""One's tokens of the API: which there are, making one, revoking one."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask.wrappers import Response
from flask_babel import gettext as _

from kb.models import Role, Scope, User
from kb.services import tokens as service
from kb.services.errors import N_, Conflict, Invalid, NotFound, Problem, ServiceError, TooMany
from kb.web import context, private
from kb.web.account import check_current
from kb.web.accounts import BY_LINK, acting, bp, required
from kb.web.forms.accounts import TokenForm

SCOPES = (
    (Scope.DRAFT.value, N_("Save drafts: you send them to the editors yourself")),
    (Scope.SUBMIT.value, N_("Save drafts and send them to the editors")),
)

LIVES = (("30", N_("30 days")), ("90", N_("90 days")), ("365", N_("A year")), ("none", N_("Until you revoke it")))
"""How long a token may hold, in days."""


@bp.get("/account/tokens")
@required(Role.MEMBER)
def tokens() -> ResponseReturnValue:
    """One's tokens, and the form for another one."""
    return _page(acting(context.reading()), TokenForm(formdata=None, scope=Scope.DRAFT.value, days="90"))


@bp.post("/account/tokens")
@required(Role.MEMBER)
def change_tokens() -> ResponseReturnValue:
    """Revoke the token that is named; otherwise make one and show it, this once."""
    if key := request.form.get("revoke", ""):
        return _revoke(key)
    user, form = acting(context.reading()), TokenForm()
    days = form.days.data or ""
    try:
        if _asks_password(user):
            check_current(user, form.current.data or "")
        with context.writing() as session:
            made = service.make(
                session, user, form.name.data or "", form.scope.data or "",
                int(days) if days.isascii() and days.isdigit() else None if days == "none" else 0, actor=user,
            )  # fmt: skip
    except (Invalid, Conflict, TooMany) as refused:
        return _page(user, form, refused)
    return private.page(render_template("accounts/token.html", token=made, scope=form.scope.data))


def _revoke(key: str) -> ResponseReturnValue:
    with context.writing() as session:
        try:
            service.revoke(session, acting(session), key)
            said = _("The token is revoked. Whatever used it gets no answer any more.")
        except NotFound as gone:  # revoked in another window: what was wanted is so
            said = gone.message.render(_)
    flash(said)
    return redirect(url_for("accounts.tokens"))


def _page(user: User, form: TokenForm, refused: ServiceError | None = None) -> Response:
    held = service.of(context.reading(), user)
    if not _asks_password(user):
        del form.current
    html = render_template(
        "accounts/tokens.html",
        form=form,
        tokens=[(each, service.expired(each)) for each in held],
        problems=_problems(refused),
        scopes=[(value, _(text)) for value, text in SCOPES],
        lives=[(value, _(text)) for value, text in LIVES],
    )
    answer = private.page(html, 422 if refused else 200)
    return private.too_many(answer, refused) if isinstance(refused, TooMany) else answer


def _asks_password(user: User) -> bool:
    return user.password_hash is not None and not cookie.get(BY_LINK)


def _problems(refused: ServiceError | None) -> list[tuple[str, str]]:
    """What is wrong, as pairs of the control's id and a sentence."""
    if refused is None:
        return []
    field = "current" if isinstance(refused, TooMany) else "name"
    problems = refused.problems if isinstance(refused, Invalid) else (Problem(field, refused.message),)
    return [(problem.field, problem.message.render(_)) for problem in problems]
