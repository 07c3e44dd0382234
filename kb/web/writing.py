"""Help while writing: what is missing, what the text suggests, whether it is there already, how it would look."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from kb.models import Practice, Role, User
from kb.services import drafted, duplicates, hints, permissions, practices, record
from kb.services.checking import check, check_contact
from kb.services.duplicates import Candidate
from kb.services.errors import Conflict, Invalid, Problem
from kb.services.hints import Hints
from kb.services.query import CHOICES
from kb.services.vocabularies import countries
from kb.web import accounts, catalogue, context, freshness, languages, private
from kb.web.forms import filling, progress
from kb.web.forms.examples import EXAMPLES
from kb.web.forms.practice import PracticeForm

bp = Blueprint("writing", __name__)


# On the form

GIVEN = {"theme": "themes", "target_group": "target_groups", "country": "country", "evidence": "evidence"}
"""Parameters by which a link chooses something in the empty form, and the fields that they fill."""


def begun_with(given: Mapping[str, str]) -> record.Document:
    """An empty document with what a link chose in it; what nobody knows is not chosen."""
    vocabulary, document = context.vocabulary(), record.empty()
    known = {"theme": vocabulary.themes, "target_group": vocabulary.target_groups, "country": countries(),
             "evidence": CHOICES["evidence"]}  # fmt: skip
    for name, field in GIVEN.items():
        if (value := given.get(name)) in known[name]:
            document[field] = [value] if field in record.TERMS else value
    return document


def helping(form: PracticeForm, practice: Practice | None, problems: tuple[Problem, ...]) -> dict[str, Any]:
    """What the page of the form shows beside the fields: examples, progress, suggestions."""
    return {
        "examples": EXAMPLES,
        "progress": progress.of(form, problems),
        "all_needed": progress.ASKED,
        "recommended": progress.TOLD,
        "control_names": progress.CONTROLS,
        "suggested": _suggested(form, practice),
        "dead": freshness.dead(practice),
    }


def chose() -> bool:
    """Whether one of the suggestions was pressed: the form comes back with it, and nothing is saved yet."""
    if request.form.get("suggest"):
        flash(_("It is chosen now. Nothing is saved yet."))
    return "suggest" in request.form


def _suggested(form: PracticeForm, practice: Practice | None) -> Hints:
    vocabulary = context.vocabulary()
    try:
        document = filling.document_of(form, record.empty(), vocabulary)
    except Invalid:  # too long to be kept: the form says so already
        return Hints()
    but = practice.id if practice else None
    return hints.suggest(context.reading(), context.engine(), vocabulary, document, but)


# How readers would see it


@bp.get("/my/practices/<uuid:practice_id>/preview")
@accounts.required(Role.READER)
def preview(practice_id: uuid.UUID) -> ResponseReturnValue:
    """The page of a practice as it would be if the working copy were published."""
    session, actor, practice = _readable(practice_id)
    config = context.config()
    shown = drafted.as_record(
        practice, practices.working_copy(session, practice), context.vocabulary(), config.base_url
    )
    html = render_template(
        "submissions/preview.html",
        practice=practice,
        can_edit=permissions.can(actor, "edit", practice),
        preview=True,
        similar=[],
        **{**catalogue.about(shown), "contact": drafted.contact(practice, actor)},
    )
    return private.page(html)


# Whether it is there already


def question(practice_id: uuid.UUID, seen: int) -> ResponseReturnValue | None:
    """Where to ask whether a draft is one of the practices that resemble it; None where there is nothing to ask.

    `seen` is the revision that was to be submitted. It is asked once, before the first submission, and only of a draft
    in which nothing is to be mended.
    """
    session, actor, practice = _readable(practice_id)
    if not permissions.can(actor, "submit", practice) or duplicates.was_asked(session, practice):
        return None
    try:
        check(practices.working_copy(session, practice), context.vocabulary())
        check_contact(practices.contact_of(practice))
    except Invalid:
        return None
    alike = _alike(session, actor, practice)
    return redirect(url_for("writing.resembles", practice_id=practice_id, seen=seen)) if alike else None


@bp.get("/my/practices/<uuid:practice_id>/duplicates")
@accounts.required(Role.READER)
def resembles(practice_id: uuid.UUID) -> ResponseReturnValue:
    """The practices that a draft may be the same as, each with why, and what to do about it."""
    session, actor, practice = _readable(practice_id)
    return private.page(
        render_template(
            "submissions/duplicates.html",
            practice=practice,
            seen=filling.seen(request.args) or practice.revision_count,
            candidates=_alike(session, actor, practice),
            can_submit=permissions.can(actor, "submit", practice),
        )
    )


@bp.post("/my/practices/<uuid:practice_id>/duplicates")
@accounts.required(Role.READER)
def submit_anyway(practice_id: uuid.UUID) -> ResponseReturnValue:
    """Submit a draft that is none of those that resemble it."""
    seen, vocabulary = filling.seen(request.form) or 0, context.vocabulary()
    try:
        with context.writing() as session:
            actor = accounts.acting(session)
            practice = practices.get(session, actor, practice_id)
            if not _is_with_editors(practice, seen):  # a second click says again that it is
                practices.submit(session, actor, practice, vocabulary, seen)
    except Conflict as moved:
        flash(languages.say(moved.message))
        return redirect(url_for("submissions.edit", practice_id=practice_id))
    except Invalid as invalid:  # changed in another window since it was asked about
        for problem in invalid.problems:
            flash(languages.say(problem.message))
        return redirect(url_for("submissions.edit", practice_id=practice_id))
    flash(_("The practice is with the editors now. You will find their answer on this page."))
    return redirect(url_for("submissions.mine"))


def _is_with_editors(practice: Practice, seen: int) -> bool:
    """Whether this very revision was submitted already: that made the next one."""
    return practice.state in permissions.WAITING and practice.revision_count == seen + 1


def _alike(session: Session, actor: User, practice: Practice) -> list[Candidate]:
    document = practices.working_copy(session, practice)
    return duplicates.of(session, context.engine(), document, actor, practice.id)


def _readable(practice_id: uuid.UUID) -> tuple[Session, User, Practice]:
    session = context.reading()
    actor = accounts.acting(session)
    return session, actor, practices.get(session, actor, practice_id)
