"""A member's side: the form, drafts that always save, submission, and one's own practices."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from kb.models import Buffer, Form, Practice, Role, State, User
from kb.services import buffers, comments, harvest_notices, links_named, permissions, practices, record, reviewing
from kb.services.checking import check
from kb.services.errors import N_, Conflict, Invalid, Message, NotAllowed, NotFound, Problem
from kb.services.vocabularies import Vocabulary
from kb.web import accounts, adopting, autosave, conflicts, context, documents, keeping, languages, writing
from kb.web.forms import filling, options
from kb.web.forms import practice as forms
from kb.web.forms.practice import PracticeForm

bp = Blueprint("submissions", __name__)
documents.register(bp)


@bp.get("/submit")
@accounts.required(Role.MEMBER)
def new() -> ResponseReturnValue:
    """An empty form, or one in which a link chose a theme, say."""
    return _page(_filled(writing.begun_with(request.args), {"consent": False}))


@bp.post("/submit")
@keeping.words
@accounts.required(Role.MEMBER)
def create() -> ResponseReturnValue:
    """Keep a first draft, and submit it if that was asked."""
    draft = _draft(request.form)
    session = context.reading()
    if practices.begun(session, accounts.acting(session), draft):  # a second click, the back button, another window
        return update(draft)
    form = filling.posted(request.form)
    if _rearranged():
        return _page(form)

    def keep(session: Session) -> Practice:
        actor = accounts.acting(session)
        if begun := practices.begun(session, actor, draft):  # a moment ago
            return _save(session, actor, begun, form, vocabulary)
        document = filling.document_of(form, record.empty(), vocabulary)
        return practices.start(session, actor, document, filling.contact_of(form), practice_id=draft)

    vocabulary = context.vocabulary()
    return _keeping(form, draft, keep)


@bp.get("/my/practices")
@accounts.required(Role.READER)
def mine() -> ResponseReturnValue:
    """One's own practices and those of one's organisation, with where each stands."""
    actor = accounts.acting(context.reading())
    held = practices.of(context.reading(), actor)
    held.sort(key=lambda practice: practice.state != State.CHANGES_REQUESTED)
    answerable = [practice.id for practice in held if permissions.can(actor, "comment", practice)]
    return render_template(
        "submissions/mine.html",
        practices=held,
        spoken=reviewing.languages_of(context.reading(), held),
        broken=links_named.broken_in(context.reading(), [practice.id for practice in held if practice.record]),
        news=harvest_notices.about(context.reading(), held),
        questions=comments.open_counts(context.reading(), answerable),
        today=datetime.now(UTC).date(),
        can_write=permissions.can(actor, "write"),
        organisation=actor.organisation,
        **adopting.of_person(actor),
    )


@bp.get("/my/practices/<uuid:practice_id>/edit")
@accounts.required(Role.READER)
def edit(practice_id: uuid.UUID) -> ResponseReturnValue:
    """The form with what was typed last, or with the working copy; its text alone where it cannot be changed now."""
    session, actor, practice = _own(practice_id)
    document = practices.working_copy(session, practice)
    if not permissions.can(actor, "edit", practice):
        return render_template(
            "submissions/waiting.html",
            practice=practice,
            document=document,
            can_withdraw=permissions.can(actor, "withdraw", practice),
            review=practices.last_review(session, practice),
            questions=comments.open_counts(session, [practice.id]).get(practice.id),
            unsaved=keeping.kept(buffers.of(session, actor, practice, Form.PRACTICE)),
        )
    if typed := buffers.of(session, actor, practice, Form.PRACTICE):
        with suppress(Invalid):  # fields that no form of ours sends
            return _page(filling.posted(_typed(typed)), practice, typed=typed)
    return _page(_filled(document, practices.contact_of(practice)), practice)


@bp.post("/my/practices/<uuid:practice_id>/edit")
@keeping.words
@accounts.required(Role.READER)
def update(practice_id: uuid.UUID) -> ResponseReturnValue:
    """Keep the draft, and submit it if that was asked."""
    form = filling.posted(request.form)
    if _rearranged():
        return _page(form, _own(practice_id)[2])

    def keep(session: Session) -> Practice:
        actor = accounts.acting(session)
        return _save(session, actor, practices.get(session, actor, practice_id), form, vocabulary)

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


def _save(session: Session, actor: User, practice: Practice, form: PracticeForm, vocabulary: Vocabulary) -> Practice:
    """Keep what the form says. Submitting has to say which text it began from."""
    began = filling.began(request.form)
    if began is None and request.form.get("do") == "submit":
        began = 0
    document = filling.document_of(form, practices.working_copy(session, practice), vocabulary)
    contact, contact_seen = filling.contact_of(form), filling.contact_seen(request.form)
    practices.save(session, actor, practice, document, contact, began, contact_seen)
    buffers.drop(session, actor, practice, Form.PRACTICE, filling.window(request.form))
    comments.answer_each(session, actor, practice, form.answers)
    return practice


def _keeping(form: PracticeForm, practice_id: uuid.UUID, keep: Callable[[Session], Practice]) -> ResponseReturnValue:
    """Keep what was typed; where that cannot be, give it back with every word of it and say why."""
    try:
        kept, number = _kept(keep)
    except Invalid as invalid:
        return _page(form, _known(practice_id), invalid.problems), 422
    except (Conflict, NotAllowed) as refused:
        return _late(form, practice_id, refused)
    except OperationalError:
        busy = Message(N_("The site is busy and could not save this. Nothing of it is lost: try again in a minute."))
        return _page(form, _known(practice_id), refused=busy), 503, {"Retry-After": "60"}
    do = request.form.get("do", "")
    if do == "submit":
        return writing.question(kept, number) or _submit(kept, number)
    if do not in _PAGES:
        flash(_("The draft is saved. You can close this page and come back."))
    page = _PAGES.get(do, "submissions.edit")
    return redirect(url_for(page, practice_id=kept, saved=filling.copy_name(request.form)))


_PAGES = {"preview": "writing.preview", "files": "files.page"}
"""Where one goes after saving, by the button that was pressed; otherwise back to the form."""


def _kept(keep: Callable[[Session], Practice]) -> tuple[uuid.UUID, int]:
    """Which practice was kept, and the number of the revision that says what the form said."""
    try:
        with context.writing() as session:
            practice = keep(session)
            return practice.id, practice.revision_count
    except IntegrityError:  # the same form began the practice a moment ago, in another worker
        with context.writing() as session:
            practice = keep(session)
            return practice.id, practice.revision_count


def _late(form: PracticeForm, practice_id: uuid.UUID, refused: Conflict | NotAllowed) -> ResponseReturnValue:
    """The practice moved on meanwhile: what was typed is kept beside it, and shown."""
    if _is_sent(form, _known(practice_id)):
        return _sent()
    autosave.keep_words(practice_id, request.form)
    practice = _known(practice_id)
    if practice is not None and isinstance(refused, Conflict):
        return conflicts.page(practice, form, request.form), 409
    return _page(form, practice, refused=refused.message), 409


def _is_sent(form: PracticeForm, practice: Practice | None) -> bool:
    """Whether this very text is with the editors already: the button was pressed twice."""
    if practice is None or practice.state not in permissions.WAITING or request.form.get("do") != "submit":
        return False
    vocabulary = context.vocabulary()
    kept = practices.working_copy(context.reading(), practice)
    try:
        return check(filling.document_of(form, kept, vocabulary), vocabulary) == kept
    except Invalid:
        return False


def _sent() -> ResponseReturnValue:
    flash(_("The practice is with the editors now. You will find their answer on this page."))
    return redirect(url_for("submissions.mine", saved=filling.copy_name(request.form)))


def _submit(practice_id: uuid.UUID, seen: int) -> ResponseReturnValue:
    """Send a draft that was just kept to the editors, or show what is to be mended in it."""
    vocabulary = context.vocabulary()
    try:
        with context.writing() as session:
            actor = accounts.acting(session)
            practices.submit(session, actor, practices.get(session, actor, practice_id), vocabulary, seen)
    except Conflict as moved:
        flash(f"{_('The draft is saved, and not submitted.')} {languages.say(moved.message)}")
        return redirect(url_for("submissions.edit", practice_id=practice_id, saved=filling.copy_name(request.form)))
    except Invalid as invalid:  # the form as it was kept: blank entries are gone, so that each problem finds its entry
        session, _actor, practice = _own(practice_id)
        form = _filled(practices.working_copy(session, practice), practices.contact_of(practice))
        return _page(form, practice, invalid.problems, seen=practice.revision_count), 422
    except OperationalError:
        flash(_("The draft is saved, but the site is too busy to submit it. Try again in a minute."))
        return redirect(url_for("submissions.edit", practice_id=practice_id, saved=filling.copy_name(request.form)))
    return _sent()


def _rearranged() -> bool:
    """Whether the form itself was to change: an entry more or less, or another text in it. Nothing is saved by that."""
    if request.form.get("do") == "show":
        flash(_("Your text is back in the form. It is not saved yet: save it now."))
        return True
    if "add" in request.form:
        flash(_("There is room for one more entry. Nothing is saved yet."))
    elif "remove" in request.form:
        flash(_("The entry is gone from the form. Nothing is saved yet."))
    return writing.chose() or "add" in request.form or "remove" in request.form


def _known(practice_id: uuid.UUID | None) -> Practice | None:
    """The practice of a form, None where it is not begun or not this person's."""
    try:
        return _own(practice_id)[2] if practice_id else None
    except NotFound:
        return None


def _own(practice_id: uuid.UUID) -> tuple[Session, User, Practice]:
    session = context.reading()
    actor = accounts.acting(session)
    return session, actor, practices.get(session, actor, practice_id)


def _filled(document: record.Document, contact: dict[str, Any]) -> PracticeForm:
    return filling.filled(document, contact, context.vocabulary(), languages.chosen())


def _typed(typed: Buffer) -> MultiDict[str, str]:
    return MultiDict((name, value) for name, value in typed.pairs)


def _draft(pairs: MultiDict[str, str]) -> uuid.UUID:
    """The number that a practice which is not begun yet will have: each empty form brings one of its own."""
    try:
        return uuid.UUID(pairs.get("draft", ""))
    except ValueError:
        return uuid.uuid4()


def _page(
    form: PracticeForm,
    practice: Practice | None = None,
    problems: tuple[Problem, ...] = (),
    refused: Message | None = None,
    *,
    seen: int | None = None,
    typed: Buffer | None = None,
    pairs: MultiDict[str, str] | None = None,
) -> str:
    """The form. `pairs` are the fields that were sent, where that is not this request's form; `typed` is what fills it
    where that was typed and not saved. `seen` is the revision that its text began from."""
    problems = forms.in_order(problems)
    wrong = [(forms.control(problem.field), languages.say(problem.message)) for problem in problems]
    session = context.reading()
    return render_template(
        "submissions/form.html",
        form=form,
        practice=practice,
        **_begun(practice, seen, typed, request.form if pairs is None else pairs),
        review=practices.last_review(session, practice) if practice else None,
        notes=comments.still_open(comments.threads(session, practice)) if practice else {},
        sections=forms.SECTIONS,
        **writing.helping(form, practice, problems),
        hints=forms.hints(form),
        needed=forms.NEEDED,
        options=options.all_lists(),
        control=forms.control,
        errors=dict(reversed(wrong)),
        problems=wrong,
        refused=languages.say(refused) if refused else None,
        limits=forms.counts(form),
    )


def _begun(
    practice: Practice | None, seen: int | None, typed: Buffer | None, sent: MultiDict[str, str]
) -> dict[str, Any]:
    """What the form's text began from: the revision, the contact and the buffer, and the form's own names."""
    words = _typed(typed) if typed else sent
    fresh = practice is not None and (seen is not None or not words)
    return {
        "seen": seen
        or (typed.seen if typed else filling.began(sent))
        or (practice.revision_count if practice else None),
        "contact_seen": _contact_mark(practice) if fresh else filling.contact_seen(words),
        "after": buffers.mark(typed) if typed else sent.get("after"),
        "typed": typed,
        "draft": practice.id if practice else _draft(sent),
        "copy": filling.copy_name(sent),
    }


def _contact_mark(practice: Practice | None) -> str:
    return practices.contact_mark(practices.contact_of(practice)) if practice else ""


def _restored(pairs: MultiDict[str, str], practice_id: uuid.UUID | None = None) -> ResponseReturnValue:
    """The form with text that was typed before the session ended; nothing of it is saved yet."""
    practice = _known(practice_id)  # someone else's practice: the text is still given back, as a new draft
    flash(_("You are signed in again and your text is back. It is not saved yet: save it now."))
    return _page(filling.posted(pairs), practice, pairs=pairs)


def _restored_new(pairs: MultiDict[str, str], **_values: Any) -> ResponseReturnValue:
    session = context.reading()
    begun = practices.begun(session, accounts.acting(session), _draft(pairs))
    return _restored(pairs, begun.id if begun else None)


accounts.restorers["submissions.create"] = _restored_new
accounts.restorers["submissions.update"] = _restored
