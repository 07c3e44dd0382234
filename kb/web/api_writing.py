"""Writing through the API, with a member's token: submitting, saving drafts, and updating what is one's own.

Nothing here publishes: what is submitted lands in the editors' queue, as it does from the form.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import BadRequest, PreconditionFailed, PreconditionRequired, Unauthorized

from kb.formats.text import iso
from kb.models import Practice
from kb.services import limits, permissions, practices, record, second_factor, tokens
from kb.services.checking import check_draft
from kb.services.errors import N_, Conflict, Invalid, NotAllowed, NotFound, Problem, TooMany
from kb.services.tokens import Bearer
from kb.web import context, observing
from kb.web.api import bp, mine, only

NO_OBJECT = N_("The body must be one JSON object: the record.")
TOO_DEEP = N_("The body holds brackets within brackets, deeper than any record goes.")
WITH_EDITORS = N_("This practice cannot be changed now: it is with the editors, or put away.")
NOTHING_NEW = N_("This says what is public already: there is nothing to submit.")
NO_MARK = N_("Say which text you change: send its ETag as If-Match.")
STALE = N_("This practice was changed meanwhile. Read it again, and put your changes into what you find.")
AROUND = ("id", "slug", "title", "state", "revision", "version", "changed", "url", "public_url", "record")
"""What stands around a record, beside its contact, where one's own working copy is read."""

DRAFT_VALUES = N_("draft is 1 or 0, not “%(value)s”.")


@bp.post("/practices")
def submit() -> ResponseReturnValue:
    """Submit a practice with a member's token, or, with `?draft=1`, save it as a draft."""
    person = str(_known().user.id)
    as_draft, data = _as_draft(), _body()
    vocabulary = context.vocabulary()
    begun = limits.beginnings(context.parts().counted, on=context.config().limits)
    begun.test(person)
    with context.writing() as session:
        held = _bearer(session, submits=not as_draft)
        document = record.shape(data)
        if as_draft:
            check_draft(document)
        made = practices.start(session, held.user, document, record.shape_contact(data.get("contact")))
        if not as_draft:
            practices.submit(session, held.user, made, vocabulary)
        session.flush()
        body, mark, edit = _standing(made), _mark(made), _edit_address(made)
    with suppress(TooMany):  # only what was kept counts, and what was kept is answered so
        begun.hit("", person)
    response = mine(body, mark)
    response.status_code = 201
    response.headers["Location"] = edit
    return response


@bp.put("/practices/<slug>")
def update(slug: str) -> ResponseReturnValue:
    """Put another text in place of one's own working copy and submit it, or, with `?draft=1`, only save it.

    The practice is named by its slug or, before it has one, by its id. The text is a record, or all that the address
    of the working copy answers.
    """
    _known()
    as_draft, data = _as_draft(), _unpacked(_body())
    vocabulary = context.vocabulary()
    with context.writing() as session:
        held = _bearer(session, submits=not as_draft)
        practice = _own(session, held, slug, to_write=True)
        _unmoved(practice)
        document = record.shape(data)
        check_draft(document)
        if not permissions.can(held.user, "edit", practice):
            raise Conflict(WITH_EDITORS)
        practices.save(session, held.user, practice, document, record.shape_contact(data.get("contact")))
        if not as_draft:
            if permissions.transition("submit", practice) is None:
                raise Conflict(NOTHING_NEW)
            practices.submit(session, held.user, practice, vocabulary)
        session.flush()
        body, mark = _standing(practice), _mark(practice)
    return mine(body, mark)


@bp.get("/my/practices")
def my_practices() -> ResponseReturnValue:
    """One's own practices and those of one's organisation, the last changed first, each with where it stands."""
    held = _known()
    only()
    items = [_standing(practice) for practice in practices.of(context.reading(), held.user)]
    return mine({"total": len(items), "items": items})


@bp.get("/my/practices/<name>")
def my_practice(name: str) -> ResponseReturnValue:
    """One's own working copy, whole, with its contact; the ETag is what an update has to send."""
    held = _known()
    only()
    session = context.reading()
    practice = _own(session, held, name)
    body = {
        **_standing(practice),
        "record": practices.working_copy(session, practice),
        "contact": practices.contact_of(practice),
    }
    return mine(body, _mark(practice))


def _standing(practice: Practice) -> dict[str, Any]:
    """Where a practice stands: what its author is told of it everywhere in the API."""
    base_url = context.config().base_url
    public = url_for("catalogue.practice", slug=practice.slug) if practice.record is not None else None
    return {
        "id": str(practice.id),
        "slug": practice.slug,
        "title": practice.title,
        "state": practice.state,
        "revision": practice.revision_count,
        "version": practice.version,
        "changed": iso(practice.changed),
        "url": base_url + _edit_address(practice),
        "public_url": base_url + public if public else None,
    }


def _edit_address(practice: Practice) -> str:
    return url_for("submissions.edit", practice_id=practice.id)


def _mark(practice: Practice) -> str:
    """What tells one answer about a working copy from the next: its text, its contact, and where it stands."""
    return f"{_text_mark(practice)}.{practice.state}"


def _text_mark(practice: Practice) -> str:
    return f"{practice.revision_count}-{practices.contact_mark(practices.contact_of(practice))[:12]}"


def _unmoved(practice: Practice) -> None:
    """Raise PreconditionRequired where no mark was sent, PreconditionFailed where it is not that of the text there.

    A text that only went to the editors and came back is still the one that was read.
    """
    if not request.headers.get("If-Match", "").strip():
        raise PreconditionRequired(gettext(NO_MARK))
    texts = {mark.partition(".")[0] for mark in request.if_match.as_set(include_weak=True)}
    if not (request.if_match.star_tag or _text_mark(practice) in texts):
        raise PreconditionFailed(gettext(STALE))


def _own(session: Session, held: Bearer, name: str, *, to_write: bool = False) -> Practice:
    """One's own practice by its id or slug; for anyone else it does not exist. Raises NotFound.

    `to_write`: of two who change it at once the second waits, and sees what the first wrote.
    """
    try:
        which = Practice.id == uuid.UUID(name)
    except ValueError:
        which = Practice.slug == name
    wanted = select(Practice).where(which)
    found = session.scalar(wanted.with_for_update() if to_write else wanted)
    if found is None or not permissions.owns(held.user, found):
        raise NotFound(N_("There is no such practice, or it is not yours."))
    return practices.get(session, held.user, found.id)


def _as_draft() -> bool:
    """Whether the text is only to be saved. Raises Invalid."""
    values = only("draft").get("draft", ["0"])
    wrong = [value for value in values if value not in ("0", "1")]
    if wrong:
        raise Invalid([Problem.of("draft", DRAFT_VALUES, value=wrong[0][:80])])
    return values[-1] == "1"


def _body() -> dict[str, Any]:
    """The record that was sent. Raises BadRequest, UnsupportedMediaType."""
    try:
        data = request.get_json()
    except RecursionError:
        raise BadRequest(gettext(TOO_DEEP)) from None
    if not isinstance(data, dict):
        raise BadRequest(gettext(NO_OBJECT))
    return data


def _unpacked(data: dict[str, Any]) -> dict[str, Any]:
    """The record that was sent, alone or in the answer of one's own working copy, with its contact. Raises BadRequest.

    What says there where the practice stands is passed over; what nobody knows stays, for `record.shape` to name it.
    """
    if "record" not in data:
        return data
    if not isinstance(data["record"], dict):
        raise BadRequest(gettext(NO_OBJECT))
    return {**{key: value for key, value in data.items() if key not in AROUND}, **data["record"]}


def _known() -> Bearer:
    """Whose token came with the request, before anything else of it is read; that it was used is noted once a day.

    Raises Unauthorized, NotAllowed.
    """
    held = _bearer(context.reading())
    if not held.known_today:
        context.release()
        with suppress(SQLAlchemyError), context.parts().database.write_if_free() as session:
            tokens.note_use(session, held.key)  # where the database is busy the next use will be noted
        held = _bearer(context.reading())
    return held


def _bearer(session: Session, *, submits: bool = False) -> Bearer:
    """Whose token came with the request. Raises Unauthorized, NotAllowed where it may not do what is wanted."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    try:
        held = tokens.bearer(session, token.strip() if scheme.lower() == "bearer" else "")
    except tokens.Refused as refused:
        challenge = WWWAuthenticate("bearer", {"realm": "api"})
        raise Unauthorized(refused.message.render(gettext), www_authenticate=challenge) from None
    if second_factor.missing(held.user, context.config().second_factor_required):
        raise NotAllowed(second_factor.FOR_TOKENS)
    if submits:
        held.may_submit()
    observing.act_as(held.user.role)
    return held
