"""Two people saved the same practice: the second one sees both texts side by side and makes one of them."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from kb.models import Form, Practice, Role, User
from kb.services import buffers, comments, differences, practices, reconciling
from kb.services.differences import FieldDifference
from kb.services.errors import Conflict, Invalid, NotAllowed, Problem, ServiceError
from kb.services.reconciling import Clash, Text
from kb.services.record import Document, shape, shape_contact
from kb.web import accounts, context, keeping, languages
from kb.web.forms import filling
from kb.web.forms.practice import PracticeForm
from kb.web.returning import restorers

bp = Blueprint("conflicts", __name__)

Pairs = MultiDict[str, str]


@dataclass(frozen=True)
class Side:
    """A field as one of the two wrote it: its value, and how that came of what both began from."""

    value: Any
    difference: FieldDifference | None


def page(practice: Practice, form: PracticeForm, pairs: Pairs) -> str:
    """Both texts, where a form that was sent came second. Nothing is saved of it yet."""
    before = practices.working_copy(context.reading(), practice)
    document = filling.document_of(form, before, context.vocabulary())
    contact = practices.changed_contact(filling.contact_of(form), filling.contact_seen(pairs))
    mine = json.dumps({**document, "contact": contact or practices.contact_of(practice)}, ensure_ascii=False)
    began = filling.began(pairs) or ""
    answers = {name: text for name, text in pairs.items() if name.startswith(filling.ANSWER)}
    window = {name: pairs.get(name, "") for name in ("copy", "after")}
    return _page(practice, MultiDict({"mine": mine, "began": str(began), **window, **answers}))


@bp.post("/my/practices/<uuid:practice_id>/reconcile")
@keeping.words
@accounts.required(Role.READER)
def reconcile(practice_id: uuid.UUID) -> ResponseReturnValue:
    """Save one text made of two, on top of the newest revision."""
    try:
        with context.writing() as session:
            actor = accounts.acting(session)
            _save(session, actor, practices.get(session, actor, practice_id), request.form)
    except Invalid as invalid:
        return _page(_own(practice_id), request.form, invalid.problems), 422
    except (Conflict, NotAllowed) as refused:
        return _page(_own(practice_id), request.form, refused=refused), 409
    flash(_("The draft is saved, with what both of you wrote. Read it through once more."))
    return redirect(url_for("submissions.edit", practice_id=practice_id, saved=filling.copy_name(request.form)))


def _save(session: Session, actor: User, practice: Practice, pairs: Pairs) -> None:
    mine, seen = _mine(pairs), filling.seen(pairs)
    practices.unmoved(practice, seen)
    theirs = Text(practices.working_copy(session, practice), practices.contact_of(practice))
    base = reconciling.beginning(session, practice, _number(pairs))
    chosen = {name.removeprefix("choose-"): value for name, value in pairs.items() if name.startswith("choose-")}
    written = {name.removeprefix("text-"): value for name, value in pairs.items() if name.startswith("text-")}
    document, contact = reconciling.merged(base, theirs, mine, chosen, written)
    practices.save(session, actor, practice, shape(document), contact, seen, filling.contact_seen(pairs))
    buffers.drop(session, actor, practice, Form.PRACTICE, filling.window(pairs))
    comments.answer_each(session, actor, practice, filling.answers(pairs))


def _page(
    practice: Practice, pairs: Pairs, problems: tuple[Problem, ...] = (), refused: ServiceError | None = None
) -> str:
    session = context.reading()
    mine, theirs = _mine(pairs), Text(practices.working_copy(session, practice), practices.contact_of(practice))
    base = reconciling.beginning(session, practice, _number(pairs))
    newest = reconciling.revision(session, practice, practice.revision_count)
    clashes = reconciling.clashes(base, theirs, mine)
    return render_template(
        "submissions/conflict.html",
        practice=practice,
        contact_seen=practices.contact_mark(theirs.contact),
        clashes=clashes,
        sides={each.key: _sides(each, base) for each in clashes},
        pairs=pairs,
        answers={name: text for name, text in pairs.items() if name.startswith(filling.ANSWER)},
        saved=newest,
        saver=session.get(User, newest.author_id) if newest and newest.author_id else None,
        problems=[(f"choose-{problem.field}", languages.say(problem.message)) for problem in problems],
        errors={problem.field: languages.say(problem.message) for problem in problems},
        refused=languages.say(refused.message) if refused else None,
        language=mine.document["language"],
    )


def _sides(clash: Clash, base: Document) -> dict[str, Side]:
    return {"theirs": _side(clash.key, base, clash.theirs), "mine": _side(clash.key, base, clash.mine)}


def _side(key: str, base: Document, value: Any) -> Side:
    found = differences.fields({key: base[key]}, {key: value}) if key in base else []
    return Side(value, found[0] if found else None)


def _mine(pairs: Pairs) -> Text:
    """The text of the second writer, as the page carries it."""
    try:
        sent = json.loads(pairs.get("mine", ""))
        return Text(shape(sent), shape_contact(sent.get("contact")) or {})
    except (ValueError, RecursionError, AttributeError, TypeError, Invalid):
        abort(400)


def _number(pairs: Pairs) -> int | None:
    return filling.seen(MultiDict({"seen": pairs.get("began", "")}))


def _own(practice_id: uuid.UUID) -> Practice:
    session = context.reading()
    return practices.get(session, accounts.acting(session), practice_id)


def _restored(pairs: Pairs, practice_id: uuid.UUID) -> ResponseReturnValue:
    flash(_("You are signed in again and your text is back. It is not saved yet: save it now."))
    return _page(_own(practice_id), pairs)


restorers["conflicts.reconcile"] = _restored
