"""A member's side: the form, drafts that always save, submission, and one's own practices."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from kb.models import Practice, Review, Role, User
from kb.services import permissions, practices, record
from kb.services.errors import Invalid, NotFound, Problem
from kb.web import accounts, context, documents, languages
from kb.web.forms import options
from kb.web.forms import practice as forms
from kb.web.forms.practice import PracticeForm

bp = Blueprint("submissions", __name__)
documents.register(bp)


@bp.get("/submit")
@accounts.required(Role.MEMBER)
def new() -> ResponseReturnValue:
    """An empty form."""
    return _page(forms.filled(record.empty(), {"consent": False}, context.vocabulary()))


@bp.post("/submit")
@accounts.required(Role.MEMBER)
def create() -> ResponseReturnValue:
    """Keep a first draft, and submit it if that was asked."""
    form = forms.posted(request.form)
    if _rearranged():
        return _page(form)
    vocabulary = context.vocabulary()
    try:
        with context.writing() as session:
            actor = accounts.acting(session)
            practice = practices.start(
                session, actor, forms.document_of(form, record.empty(), vocabulary), forms.contact_of(form)
            )
    except Invalid as invalid:
        return _page(form, problems=invalid.problems), 422
    return _after_saving(form, practice.id)


@bp.get("/my/practices")
@accounts.required(Role.READER)
def mine() -> ResponseReturnValue:
    """One's own practices, with where each stands."""
    actor = accounts.acting(context.reading())
    return render_template(
        "submissions/mine.html",
        practices=practices.of(context.reading(), actor),
        can_write=permissions.can(actor, "write"),
    )


@bp.get("/my/practices/<uuid:practice_id>/edit")
@accounts.required(Role.READER)
def edit(practice_id: uuid.UUID) -> ResponseReturnValue:
    """The form with the working copy in it, or its text alone where it cannot be changed now."""
    session, actor, practice = _own(practice_id)
    document = practices.working_copy(session, practice)
    if not permissions.can(actor, "edit", practice):
        return render_template(
            "submissions/waiting.html",
            practice=practice,
            document=document,
            can_withdraw=permissions.can(actor, "withdraw", practice),
        )
    return _page(forms.filled(document, practices.contact_of(practice), context.vocabulary()), practice)


@bp.post("/my/practices/<uuid:practice_id>/edit")
@accounts.required(Role.READER)
def update(practice_id: uuid.UUID) -> ResponseReturnValue:
    """Keep the draft, and submit it if that was asked."""
    form = forms.posted(request.form)
    if _rearranged():
        return _page(form, _own(practice_id)[2])
    vocabulary = context.vocabulary()
    try:
        with context.writing() as session:
            actor = accounts.acting(session)
            practice = practices.get(session, actor, practice_id)
            document = forms.document_of(form, practices.working_copy(session, practice), vocabulary)
            practices.save(session, actor, practice, document, forms.contact_of(form))
    except Invalid as invalid:
        return _page(form, _own(practice_id)[2], invalid.problems), 422
    return _after_saving(form, practice_id)


@bp.post("/my/practices/<uuid:practice_id>/withdraw")
@accounts.required(Role.READER)
def withdraw(practice_id: uuid.UUID) -> ResponseReturnValue:
    """Take a submission back to go on writing."""
    with context.writing() as session:
        actor = accounts.acting(session)
        practices.withdraw(session, actor, practices.get(session, actor, practice_id))
    flash(_("The practice is a draft again. Send it when it is ready."))
    return redirect(url_for("submissions.edit", practice_id=practice_id))


def _after_saving(form: PracticeForm, practice_id: uuid.UUID) -> ResponseReturnValue:
    """Go on after a draft was kept: back to it, or on to the editors."""
    if request.form.get("do") != "submit":
        flash(_("The draft is saved. You can close this page and come back."))
        return redirect(url_for("submissions.edit", practice_id=practice_id))
    vocabulary = context.vocabulary()
    try:
        with context.writing() as session:
            actor = accounts.acting(session)
            practices.submit(session, actor, practices.get(session, actor, practice_id), vocabulary)
    except Invalid as invalid:
        return _page(form, _own(practice_id)[2], invalid.problems), 422
    flash(_("The practice is with the editors now. You will find their answer on this page."))
    return redirect(url_for("submissions.mine"))


def _rearranged() -> bool:
    """Whether an entry was to be added or taken away: the page comes back with it, and nothing is saved yet."""
    return "add" in request.form or "remove" in request.form


def _own(practice_id: uuid.UUID) -> tuple[Session, User, Practice]:
    session = context.reading()
    actor = accounts.acting(session)
    return session, actor, practices.get(session, actor, practice_id)


def _page(form: PracticeForm, practice: Practice | None = None, problems: tuple[Problem, ...] = ()) -> str:
    review: Review | None = practices.last_review(context.reading(), practice) if practice else None
    wrong = [(forms.control(problem.field), languages.say(problem.message)) for problem in problems]
    return render_template(
        "submissions/form.html",
        form=form,
        practice=practice,
        review=review,
        sections=forms.SECTIONS,
        progress=forms.progress(form, problems),
        hints=forms.HINTS,
        needed=forms.NEEDED,
        options=options.all_lists(),
        control=forms.control,
        errors=dict(reversed(wrong)),
        problems=wrong,
    )


def _restored(pairs: MultiDict[str, str], practice_id: uuid.UUID | None = None) -> ResponseReturnValue:
    """The form with text that was typed before the session ended; nothing of it is saved yet."""
    practice = None
    if practice_id is not None:
        try:
            practice = _own(practice_id)[2]
        except NotFound:
            practice = None  # someone else's practice: the text is still given back, as a new draft
    flash(_("You are signed in again and your text is back. It is not saved yet: save it now."))
    return _page(forms.posted(pairs), practice)


def _restored_new(pairs: MultiDict[str, str], **_values: Any) -> ResponseReturnValue:
    return _restored(pairs)


accounts.restorers["submissions.create"] = _restored_new
accounts.restorers["submissions.update"] = _restored
