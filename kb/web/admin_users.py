"""People as administrators see them: the list, and one person."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from kb.models import Role
from kb.services import leaving, people
from kb.services.errors import Conflict, Invalid, Problem
from kb.services.people import Wanted
from kb.web import accounts, admin, context, languages
from kb.web.forms.admin import PersonForm

bp = Blueprint("admin_users", __name__)

ACTIVE = {"yes": True, "no": False}


@bp.get("/admin/users")
@accounts.required(Role.ADMIN)
def users() -> ResponseReturnValue:
    """Everybody with an account, or those whom the filters leave."""
    session, args = context.reading(), request.args
    role = args.get("role", "")
    wanted = Wanted(
        text=args.get("q", "").strip()[:200],
        role=Role(role) if role in tuple(Role) else None,
        active=ACTIVE.get(args.get("active", "")),
    )
    found = people.page(session, accounts.acting(session), wanted, admin.page_number())
    seen = people.last_seen(session, found.items)
    given = {name: args[name] for name in ("q", "role", "active") if args.get(name)}
    return render_template("admin/users.html", page=found, seen=seen, given=given, roles=admin.roles())


@bp.get("/admin/users/<uuid:user_id>")
@accounts.required(Role.ADMIN)
def user(user_id: uuid.UUID) -> ResponseReturnValue:
    """One person, with what may be changed."""
    return _page(user_id)


@bp.post("/admin/users/<uuid:user_id>")
@accounts.required(Role.ADMIN)
def change(user_id: uuid.UUID) -> ResponseReturnValue:
    """Change somebody's name, role, organisation and region."""
    form, vocabulary = PersonForm(), context.vocabulary()
    people.get(context.reading(), accounts.acting(context.reading()), user_id)
    try:
        wanted = form.change(vocabulary)
        with context.writing() as session:
            people.change(session, accounts.acting(session), user_id, wanted)
    except Invalid as invalid:
        return _page(user_id, form, invalid.problems), 422
    except Conflict as conflict:
        return _page(user_id, form, [Problem("role", conflict.message)]), 409
    flash(_("The changes are kept."))
    return redirect(url_for("admin_users.user", user_id=user_id))


@bp.post("/admin/users/<uuid:user_id>/access")
@accounts.required(Role.ADMIN)
def access(user_id: uuid.UUID) -> ResponseReturnValue:
    """Disable somebody, enable them again, or sign them out everywhere."""
    deeds = {
        "disable": (people.disable, _("The account is disabled. Its sessions and tokens ended at once.")),
        "enable": (people.enable, _("The account is enabled again.")),
        "end-sessions": (people.end_sessions, _("The person is signed out everywhere.")),
    }
    act, done = deeds.get(request.form.get("do", ""), (people.get, ""))
    try:
        with context.writing() as session:
            act(session, accounts.acting(session), user_id)
    except Conflict as conflict:
        return _page(user_id, refused=languages.say(conflict.message)), 409
    if done:
        flash(done)
    return redirect(url_for("admin_users.user", user_id=user_id))


@bp.post("/admin/users/<uuid:user_id>/delete")
@accounts.required(Role.ADMIN)
def delete(user_id: uuid.UUID) -> ResponseReturnValue:
    """Delete somebody's account for them, once it is confirmed that this is meant."""
    if not request.form.get("sure"):
        return _page(user_id, erasing=_("Tick the box if you mean it: it cannot be undone.")), 422
    try:
        with context.writing() as session:
            leaving.erase(session, accounts.acting(session), user_id)
    except Conflict as conflict:
        return _page(user_id, erasing=languages.say(conflict.message)), 409
    flash(_("The account is deleted. What the person contributed stays, without the name."))
    return redirect(url_for("admin_users.users"))


def _page(
    user_id: uuid.UUID,
    form: PersonForm | None = None,
    problems: Sequence[Problem] = (),
    refused: str = "",
    erasing: str = "",
) -> str:
    session = context.reading()
    actor = accounts.acting(session)
    person = people.get(session, actor, user_id)
    return render_template(
        "admin/user.html",
        person=person,
        form=form or PersonForm.filled(person, context.vocabulary()),
        problems=admin.said(problems),
        refused=refused,
        erasing=erasing,
        oneself=person.id == actor.id,
        roles=admin.roles(),
        seen=people.last_seen(session, [person]).get(person.id),
        browsers=people.sessions_open(session, person),
        **admin.lists(),
    )
