"""Giving many practices or reviews to somebody: the list to choose from, the look before it is done, and doing it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import ngettext
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from kb.models import Role, User
from kb.services import moderation, reassigning
from kb.services.errors import Conflict, Invalid, Message, Problem
from kb.services.reassigning import Part, Plan, Wanted
from kb.web import accounts, context, languages

bp = Blueprint("reassigning", __name__)


@bp.get("/review/reassign")
@accounts.required(Role.EDITOR)
def form() -> ResponseReturnValue:
    """Practices that fit, to be ticked, and whom to give them to."""
    return _list(request.args)


@bp.post("/review/reassign")
@accounts.required(Role.EDITOR)
def reassign() -> ResponseReturnValue:
    """Show what would be done; do it once that was looked at."""
    given = request.form
    if given.get("do") == "back":
        return _list(given)
    co_authors = "co_authors" in given
    try:
        if given.get("do") != "carry-out":
            session = context.reading()
            return _look(_plan(session, accounts.acting(session)), co_authors)
        with context.writing() as session:
            actor = accounts.acting(session)
            made = _plan(session, actor)
            count = reassigning.carry_out(session, actor, made, given.get("stamp", ""), co_authors=co_authors)
    except Invalid as invalid:
        return _list(given, invalid.problems), 422
    except Conflict as conflict:
        session = context.reading()
        return _look(_plan(session, accounts.acting(session)), co_authors, conflict.message), 409
    flash(ngettext("%(num)d practice was reassigned.", "%(num)d practices were reassigned.", count))
    return redirect(url_for("reassigning.form"))


def _restored(pairs: MultiDict[str, str]) -> ResponseReturnValue:
    """The list with what was ticked and typed before the session ended."""
    return _list(pairs)


accounts.restorers["reassigning.reassign"] = _restored


def _plan(session: Session, actor: User) -> Plan:
    part = request.form.get("part", "")
    to = request.form.get("editor" if part == Part.EDITOR else "to", "")
    return reassigning.plan(session, actor, _chosen(request.form), part, to)


def _chosen(pairs: MultiDict[str, str]) -> list[uuid.UUID]:
    """The practices that are ticked: all that were listed, where that is ticked."""
    names = pairs.getlist("listed") if "all" in pairs else pairs.getlist("practice")
    found = []
    for text in names:
        try:
            found.append(uuid.UUID(text))
        except ValueError:
            continue
    return found


def _wanted(pairs: MultiDict[str, str]) -> Wanted:
    owner, organisation, text = (pairs.get(name, "")[:200] for name in ("owner", "organisation", "q"))
    return Wanted(owner, organisation, text, "ownerless" in pairs, "waiting" in pairs)


def _list(pairs: MultiDict[str, str], problems: Sequence[Problem] = ()) -> str:
    session = context.reading()
    wanted = _wanted(pairs)
    items, total = reassigning.find(session, accounts.acting(session), wanted)
    return render_template(
        "moderation/reassign.html",
        wanted=wanted,
        narrowed=wanted != Wanted(),
        items=items,
        total=total,
        chosen={str(key) for key in _chosen(pairs)},
        typed=pairs,
        editors=[(str(each.id), each.name or each.email) for each in moderation.editors(session)],
        problems=[(each.field, languages.say(each.message)) for each in problems],
    )


def _look(plan: Plan, co_authors: bool, refused: Message | None = None) -> str:
    return render_template(
        "moderation/reassign_look.html",
        plan=plan,
        typed=request.form,
        wanted=_wanted(request.form),
        chosen=_chosen(request.form),
        co_authors=co_authors,
        refused=languages.say(refused) if refused else "",
    )
