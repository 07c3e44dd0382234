"""What is being typed reaches the server every few seconds, without a page: static/draft.js asks, JSON answers."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, abort, flash, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import generate_csrf
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from kb.formats.text import iso
from kb.models import Form, Practice, Role, User
from kb.services import buffers, limits, permissions, practices
from kb.services.errors import N_, Conflict, Invalid, NotAllowed, NotFound
from kb.services.limits import Asking
from kb.services.publishing import now
from kb.services.record import Document, empty
from kb.web import accounts, context, errors, languages
from kb.web.forms import filling
from kb.web.returning import scripted

bp = Blueprint("autosave", __name__)

LIMIT = 2 * 1024 * 1024
"""Bytes that one autosave may bring: as much as is kept of a form, in any writing, which takes up to six a character.

Past that nothing is read at all."""

BUSY = N_("The site is busy and could not save this. It is tried again.")

Pairs = MultiDict[str, str]


@bp.post("/my/practices/<uuid:practice_id>/autosave")
@accounts.required(Role.READER)
def keep(practice_id: uuid.UUID) -> ResponseReturnValue:
    """Keep what was typed so far; a practice that is not begun yet is begun by that."""
    if (request.content_length or 0) > LIMIT:
        abort(413)
    pairs = _pairs()
    if buffers.too_long(pairs.items(multi=True)):
        abort(413)
    try:
        try:
            return _keep(practice_id, pairs)
        except IntegrityError:  # begun a moment ago, by the same form in another window
            return _keep(practice_id, pairs)
    except Conflict as elsewhere:  # without "saved": the browser keeps its own copy
        return errors.problem_json(409, languages.say(elsewhere.message))
    except OperationalError:
        return errors.problem_json(503, _(BUSY), headers={"Retry-After": "4"})


@bp.post("/my/practices/<uuid:practice_id>/autosave/discard")
@accounts.required(Role.READER)
def discard(practice_id: uuid.UUID) -> ResponseReturnValue:
    """Throw away what was typed and not saved."""
    with context.writing() as session:
        actor = accounts.acting(session)
        buffers.drop(session, actor, practices.get(session, actor, practice_id), Form.PRACTICE)
    flash(_("What was not saved is thrown away. This is the saved text."))
    return redirect(url_for("submissions.edit", practice_id=practice_id))


def keep_words(practice_id: uuid.UUID, pairs: Pairs) -> None:
    """Keep what was typed where it could not be saved, if that can be: the page that says so holds it too."""
    if buffers.too_long(pairs.items(multi=True)):
        return
    try:
        with context.writing() as session:
            actor = accounts.acting(session)
            practice = practices.get(session, actor, practice_id)
            began, window = filling.began(pairs), filling.window(pairs)
            buffers.keep(session, actor, practice, Form.PRACTICE, pairs.items(multi=True), began, window)
    except (NotFound, Conflict, OperationalError):
        context.release()


def _keep(practice_id: uuid.UUID, pairs: Pairs) -> ResponseReturnValue:
    practice = context.reading().get(Practice, practice_id)
    before = practices.working_copy(context.reading(), practice) if practice else empty()
    document, contact = _text(pairs, before)
    said = practice is not None and document == before and practices.same_contact(practice, contact)
    if practice is None:
        _count().test(_person())
    with context.writing() as session:
        actor = accounts.acting(session)
        begins = session.get(Practice, practice_id) is None
        if begins:
            practices.start(session, actor, document or empty(), contact, practice_id=practice_id)
            said = document is not None
        answer = _answer(session, actor, practices.get(session, actor, practice_id), pairs, said=said)
    if begins:  # only now: what a busy site could not save is tried again, and is no second practice
        _count().hit("", _person())
    return answer


def _count() -> Asking:
    config = context.config()
    return limits.beginnings(context.parts().counted, on=config.limits)


def _person() -> str:
    return str(accounts.acting(context.reading()).id)


def _answer(session: Session, actor: User, practice: Practice, pairs: Pairs, *, said: bool) -> ResponseReturnValue:
    """Keep the fields, unless the working copy says the same, and tell the script how things stand."""
    if not permissions.owns(actor, practice) and not permissions.can(actor, "edit", practice):
        raise NotAllowed(N_("This practice is not yours to change."))
    seen = filling.began(pairs) or practice.revision_count
    if said:
        buffers.drop(session, actor, practice, Form.PRACTICE, filling.window(pairs))
    else:
        window = filling.window(pairs)
        buffers.keep(session, actor, practice, Form.PRACTICE, pairs.items(multi=True), seen, window)
    held: dict[str, Any] = {"saved": iso(now()), "seen": practice.revision_count if said else seen, "draft": said}
    if said:
        return jsonify(**held, contact_seen=practices.contact_mark(practices.contact_of(practice)))
    if not permissions.can(actor, "edit", practice):
        return errors.problem_json(409, _("This practice is with the editors now. Your text is kept."), **held)
    try:
        practices.unmoved(practice, seen)
    except Conflict as moved:
        kept = _("Your text is kept: save it, and you will see both.")
        return errors.problem_json(409, f"{languages.say(moved.message)} {kept}", **held)
    return jsonify(held)


def _text(pairs: Pairs, before: Document) -> tuple[Document | None, dict[str, Any] | None]:
    """The fields as a document and a contact, or nothing where a draft does not hold all of them."""
    try:
        form = filling.posted(pairs)
        if any(form.answers.values()):  # to the editors' questions
            return None, None
        return filling.document_of(form, before, context.vocabulary()), filling.contact_of(form)
    except Invalid:
        return None, None


def _pairs() -> Pairs:
    """The fields that were sent, as a form or as JSON {"pairs": [[name, value], …], "seen": number}."""
    if not request.is_json:
        return request.form
    try:
        sent = request.get_json()
    except RecursionError:  # nested deeper than any form is
        abort(400)
    pairs = sent.get("pairs") if isinstance(sent, dict) else None
    if not isinstance(pairs, list) or not all(_is_pair(pair) for pair in pairs):
        abort(400)
    more = [("seen", str(sent["seen"]))] if sent.get("seen") is not None else []
    return MultiDict([*map(tuple, pairs), *more])


def _is_pair(pair: Any) -> bool:
    return isinstance(pair, list) and len(pair) == 2 and all(isinstance(text, str) for text in pair)


def _renewed_token() -> ResponseReturnValue:
    """Somebody signed in anew since the form was opened: the script goes on with a new token, if it is the same one."""
    user = accounts.current()
    held = {"csrf_token": generate_csrf(), "user": str(user.id) if user else None}
    return errors.problem_json(400, _(errors.STALE_FORM), **held)


scripted["autosave.keep"] = _renewed_token
