"""A member's side: the form, drafts that always save, submission, and one's own practices."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from kb.models import Practice, Review, Role, User
from kb.services import comments, links_named, permissions, practices, record
from kb.services.errors import N_, Conflict, Invalid, Message, NotAllowed, NotFound, Problem
from kb.web import accounts, context, documents, languages
from kb.web.forms import filling, options
from kb.web.forms import practice as forms
from kb.web.forms.practice import PracticeForm

bp = Blueprint("submissions", __name__)
documents.register(bp)


@bp.get("/submit")
@accounts.required(Role.MEMBER)
def new() -> ResponseReturnValue:
    """An empty form."""
    return _page(filling.filled(record.empty(), {"consent": False}, context.vocabulary(), languages.chosen()))


@bp.post("/submit")
@accounts.required(Role.MEMBER)
def create() -> ResponseReturnValue:
    """Keep a first draft, and submit it if that was asked."""
    form = filling.posted(request.form)
    if _rearranged():
        return _page(form)

    def keep(session: Session) -> uuid.UUID:
        actor = accounts.acting(session)
        document = filling.document_of(form, record.empty(), vocabulary)
        return practices.start(session, actor, document, filling.contact_of(form)).id

    vocabulary = context.vocabulary()
    return _keeping(form, None, keep)


@bp.get("/my/practices")
@accounts.required(Role.READER)
def mine() -> ResponseReturnValue:
    """One's own practices and those of one's organisation, with where each stands."""
    actor = accounts.acting(context.reading())
    held = practices.of(context.reading(), actor)
    return render_template(
        "submissions/mine.html",
        practices=held,
        broken=links_named.broken_in(context.reading(), [practice.id for practice in held if practice.record]),
        today=datetime.now(UTC).date(),
        can_write=permissions.can(actor, "write"),
        organisation=actor.organisation,
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
    return _page(
        filling.filled(document, practices.contact_of(practice), context.vocabulary(), languages.chosen()), practice
    )


@bp.post("/my/practices/<uuid:practice_id>/edit")
@accounts.required(Role.READER)
def update(practice_id: uuid.UUID) -> ResponseReturnValue:
    """Keep the draft, and submit it if that was asked."""
    form = filling.posted(request.form)
    if _rearranged():
        return _page(form, _own(practice_id)[2], seen=filling.seen(request.form))

    def keep(session: Session) -> uuid.UUID:
        actor = accounts.acting(session)
        practice = practices.get(session, actor, practice_id)
        document = filling.document_of(form, practices.working_copy(session, practice), vocabulary)
        practices.save(session, actor, practice, document, filling.contact_of(form), filling.seen(request.form))
        comments.answer_each(session, actor, practice, form.answers)
        return practice_id

    vocabulary = context.vocabulary()
    return _keeping(form, practice_id, keep)


@bp.post("/my/practices/<uuid:practice_id>/withdraw")
@accounts.required(Role.READER)
def withdraw(practice_id: uuid.UUID) -> ResponseReturnValue:
    """Take a submission back to go on writing."""
    with context.writing() as session:
        actor = accounts.acting(session)
        practices.withdraw(session, actor, practices.get(session, actor, practice_id))
    flash(_("The practice is a draft again. Submit it when it is ready."))
    return redirect(url_for("submissions.edit", practice_id=practice_id))


def _keeping(
    form: PracticeForm, practice_id: uuid.UUID | None, keep: Callable[[Session], uuid.UUID]
) -> ResponseReturnValue:
    """Keep what was typed; where that cannot be, give the form back with every word of it and say why."""
    try:
        with context.writing() as session:
            kept = keep(session)
    except Invalid as invalid:
        return _page(form, _known(practice_id), invalid.problems, seen=filling.seen(request.form)), 422
    except (Conflict, NotAllowed) as refused:
        return _page(form, _known(practice_id), refused=refused.message), 409
    except OperationalError:
        busy = Message(N_("The site is busy and could not save this. Nothing of it is lost: try again in a minute."))
        return _page(form, _known(practice_id), refused=busy), 503
    if request.form.get("do") == "submit":
        return _submit(kept)
    flash(_("The draft is saved. You can close this page and come back."))
    return redirect(url_for("submissions.edit", practice_id=kept))


def _submit(practice_id: uuid.UUID) -> ResponseReturnValue:
    """Send a draft that was just kept to the editors, or show what is to be mended in it."""
    vocabulary = context.vocabulary()
    try:
        with context.writing() as session:
            actor = accounts.acting(session)
            practices.submit(session, actor, practices.get(session, actor, practice_id), vocabulary)
    except Invalid as invalid:  # the form as it was kept: blank entries are gone, so that each problem finds its entry
        session, _actor, practice = _own(practice_id)
        document, contact = practices.working_copy(session, practice), practices.contact_of(practice)
        return _page(filling.filled(document, contact, vocabulary, languages.chosen()), practice, invalid.problems), 422
    except OperationalError:
        flash(_("The draft is saved, but the site is too busy to submit it. Try again in a minute."))
        return redirect(url_for("submissions.edit", practice_id=practice_id))
    flash(_("The practice is with the editors now. You will find their answer on this page."))
    return redirect(url_for("submissions.mine"))


def _rearranged() -> bool:
    """Whether an entry was to be added or taken away: the page comes back with it, and nothing is saved yet."""
    if "add" in request.form:
        flash(_("There is room for one more entry. Nothing is saved yet."))
    elif "remove" in request.form:
        flash(_("The entry is gone from the form. Nothing is saved yet."))
    return "add" in request.form or "remove" in request.form


def _known(practice_id: uuid.UUID | None) -> Practice | None:
    return _own(practice_id)[2] if practice_id else None


def _own(practice_id: uuid.UUID) -> tuple[Session, User, Practice]:
    session = context.reading()
    actor = accounts.acting(session)
    return session, actor, practices.get(session, actor, practice_id)


def _page(
    form: PracticeForm,
    practice: Practice | None = None,
    problems: tuple[Problem, ...] = (),
    refused: Message | None = None,
    seen: int | None = None,
) -> str:
    """The form. `seen` is the revision that its text began from, where that is not the newest one."""
    review: Review | None = practices.last_review(context.reading(), practice) if practice else None
    problems = forms.in_order(problems)
    wrong = [(forms.control(problem.field), languages.say(problem.message)) for problem in problems]
    return render_template(
        "submissions/form.html",
        form=form,
        practice=practice,
        seen=seen if seen is not None or practice is None else practice.revision_count,
        review=review,
        notes=comments.still_open(comments.threads(context.reading(), practice)) if practice else {},
        sections=forms.SECTIONS,
        progress=forms.progress(form, problems),
        hints=forms.HINTS,
        needed=forms.NEEDED,
        options=options.all_lists(),
        control=forms.control,
        errors=dict(reversed(wrong)),
        problems=wrong,
        refused=languages.say(refused) if refused else None,
        limits=forms.counts(form),
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
    return _page(filling.posted(pairs), practice, seen=filling.seen(pairs))


def _restored_new(pairs: MultiDict[str, str], **_values: Any) -> ResponseReturnValue:
    return _restored(pairs)


accounts.restorers["submissions.create"] = _restored_new
accounts.restorers["submissions.update"] = _restored
