"""A practice's life beside the review: each step has a page that says what it means, and the button that does it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from kb.models import Practice, Role, State
from kb.services import lifecycle, practices
from kb.services.errors import N_, Conflict, Invalid, NotFound, Problem
from kb.services.permissions import at_least
from kb.web import accounts, context, keeping
from kb.web.forms.filling import seen

bp = Blueprint("lifecycle", __name__)


@bp.app_template_global()
def offline_since(practice: Practice) -> datetime | None:
    """When an editor took a practice offline that is offline now."""
    return lifecycle.offline_since(context.reading(), practice)


NOT_NOW = N_("This cannot be done with the practice as it stands now.")


@dataclass(frozen=True)
class Words:
    """What a step is called where it is offered, what its page and its button say, and what is said when it is done.

    `reason` is what is asked for the reason, where one is asked; the step itself knows whether it is needed.
    """

    link: str
    meaning: str
    button: str
    done: str
    reason: str = ""


WORDS = {
    "abandon": Words(
        N_("Put this away"),
        N_("It waits for nobody any more. Nothing of it is lost: you find it at the end of your practices, and can "
           "take it up again at any time."),
        N_("Put it away"),
        N_("It is put away. You find it at the end of this page."),
    ),
    "discard-update": Words(
        N_("Give this update up"),
        N_("The form holds the public version again, and readers notice nothing. What you wrote since stays in the "
           "history."),
        N_("Give the update up"),
        N_("The update is given up. The public version stays as it is."),
    ),
    "resume": Words(
        N_("Take it up again"),
        N_("It becomes a draft again, with the text that it has now. Submit it when it is ready."),
        N_("Take it up again"),
        N_("It is a draft again. Submit it when it is ready."),
    ),
    "archive": Words(
        N_("Put it into the archive"),
        N_("For a practice that nobody keeps up to date any more. Its page and its versions stay at their addresses "
           "and say so; search, lists and exports leave it out. You can take it out again."),
        N_("Put it into the archive"),
        N_("The practice is in the archive."),
        N_("Its owner gets your reason by mail."),
    ),
    "restore": Words(
        N_("Take it out of the archive"),
        N_("Search, lists and exports have it again, in the same version."),
        N_("Take it out of the archive"),
        N_("The practice is public again."),
    ),
    "unpublish": Words(
        N_("Take it offline"),
        N_("At once, with all its versions: its pages say that there is nothing, and search, lists and exports leave "
           "it out. No text is lost, and you can put it online again."),
        N_("Take it offline"),
        N_("The practice is offline."),
        N_("Its owner gets your reason by mail."),
    ),
    "republish": Words(
        N_("Put it online again"),
        N_("As it was, in the same version and at the same address."),
        N_("Put it online again"),
        N_("The practice is public again."),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Step:
    """A step that somebody can make with a practice: its name, its address, what the link to it says."""

    name: str
    url: str
    link: str


@bp.get("/my/practices/<uuid:practice_id>/step/<step>")
@accounts.required(Role.READER)
def own(practice_id: uuid.UUID, step: str) -> ResponseReturnValue:
    """What a step of the owner means."""
    return _asked(lifecycle.OWNERS, practice_id, step)


@bp.post("/my/practices/<uuid:practice_id>/step/<step>")
@keeping.words
@accounts.required(Role.READER)
def make_own(practice_id: uuid.UUID, step: str) -> ResponseReturnValue:
    """Make a step of the owner."""
    return _made(lifecycle.OWNERS, practice_id, step)


@bp.get("/review/<uuid:practice_id>/step/<step>")
@accounts.required(Role.EDITOR)
def editing(practice_id: uuid.UUID, step: str) -> ResponseReturnValue:
    """What a step of an editor means, and why it is made."""
    return _asked(lifecycle.EDITORS, practice_id, step)


@bp.post("/review/<uuid:practice_id>/step/<step>")
@keeping.words
@accounts.required(Role.EDITOR)
def make_editing(practice_id: uuid.UUID, step: str) -> ResponseReturnValue:
    """Make a step of an editor."""
    return _made(lifecycle.EDITORS, practice_id, step)


@bp.get("/review/offline")
@accounts.required(Role.EDITOR)
def offline() -> ResponseReturnValue:
    """What was public and is not: archived, or taken offline."""
    session = context.reading()
    found = lifecycle.offline(session, accounts.acting(session))
    return render_template("moderation/offline.html", found=found)


def _asked(known: Iterable[str], practice_id: uuid.UUID, step: str) -> ResponseReturnValue:
    session = context.reading()
    actor = accounts.acting(session)
    practice = lifecycle.get(session, actor, practice_id, _known(known, step))
    if step not in lifecycle.possible(session, actor, practice):
        return _page(practice_id, step, refused=gettext(NOT_NOW)), 409
    return _page(practice_id, step)


def _made(known: Iterable[str], practice_id: uuid.UUID, step: str) -> ResponseReturnValue:
    reason = request.form.get("reason", "")
    act = lifecycle.STEPS[_known(known, step)]
    try:
        with context.writing() as session:
            actor = accounts.acting(session)
            practice = lifecycle.get(session, actor, practice_id, step)
            practices.unmoved(practice, seen(request.form) or 0)
            act(session, actor, practice, reason)
            slug = practice.slug
    except Invalid as invalid:
        return _page(practice_id, step, reason, invalid.problems), 422
    except Conflict as conflict:
        return _page(practice_id, step, reason, refused=conflict.message.render(gettext)), 409
    context.parts().indexer.after_commit()
    flash(gettext(WORDS[step].done))
    return redirect(_after(step, practice_id, slug))


for _endpoint in ("lifecycle.make_own", "lifecycle.make_editing"):
    keeping.restorer(_endpoint, N_("You are signed in again and your reason is back. Nothing is done yet."))


def _after(step: str, practice_id: uuid.UUID, slug: str | None) -> str:
    """Where to go when a step is made."""
    if step == "resume":
        return url_for("submissions.edit", practice_id=practice_id)
    if step in lifecycle.OWNERS:
        return url_for("submissions.mine")
    return url_for("lifecycle.offline") if step == "unpublish" else url_for("catalogue.practice", slug=slug)


def _known(known: Iterable[str], step: str) -> str:
    if step not in known:
        raise NotFound(N_("There is no page at this address."))
    return step


def _page(
    practice_id: uuid.UUID, step: str, reason: str = "", problems: Iterable[Problem] = (), refused: str = ""
) -> str:
    session = context.reading()
    actor = accounts.acting(session)
    practice = lifecycle.get(session, actor, practice_id, step)
    return render_template(
        "submissions/lifecycle.html",
        practice=practice,
        step=step,
        words=WORDS[step],
        needed=step == "unpublish",
        reason=reason,
        problems=[(problem.field, problem.message.render(gettext)) for problem in problems],
        refused=refused,
        others=steps(practice) if refused else [],
        back=_back(practice, step),
    )


def _back(practice: Practice, step: str) -> str:
    """The page from which somebody comes to a step."""
    if step in lifecycle.OWNERS:
        return url_for("submissions.edit", practice_id=practice.id)
    shown = practice.record is not None or practice.state == State.ARCHIVED
    return url_for("catalogue.practice", slug=practice.slug) if shown else url_for("lifecycle.offline")


# For the pages on which steps are offered


@bp.app_template_global()
def archived_on(practice: Practice | str) -> datetime | None:
    """When a practice, or the one of this id, came into the archive."""
    held = _held(practice)
    return lifecycle.archived_on(context.reading(), held) if held else None


@bp.app_template_global()
def steps(practice: Practice | str | None, only: str = "") -> list[Step]:
    """The steps that whoever is signed in can make with a practice, or with the one of this id.

    `only` takes those of the "owner" or of the "editor".
    """
    person = accounts.current()
    if person is None or practice is None or (only == "editor" and not at_least(person, Role.EDITOR)):
        return []
    session, held = context.reading(), _held(practice)
    if held is None:
        return []
    names = {"owner": lifecycle.OWNERS, "editor": lifecycle.EDITORS}.get(only, tuple(lifecycle.STEPS))
    found = [name for name in lifecycle.possible(session, accounts.acting(session), held) if name in names]
    return [Step(name, _url(held, name), gettext(WORDS[name].link)) for name in found]


def _held(practice: Practice | str) -> Practice | None:
    return practice if isinstance(practice, Practice) else context.reading().get(Practice, uuid.UUID(practice))


def _url(practice: Practice, step: str) -> str:
    endpoint = "lifecycle.own" if step in lifecycle.OWNERS else "lifecycle.editing"
    return url_for(endpoint, practice_id=practice.id, step=step)
