"""What was ever saved of a practice, for its authors and the editors: the list, any two compared, one brought back."""

from __future__ import annotations

import uuid

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from kb.models import Practice, Role, User
from kb.services import history as service
from kb.services import permissions, practices
from kb.web import accounts, context
from kb.web.admin import page_number
from kb.web.forms import filling
from kb.web.versions import two_chosen

bp = Blueprint("history", __name__)


@bp.get("/my/practices/<uuid:practice_id>/history")
@accounts.required(Role.READER)
def overview(practice_id: uuid.UUID) -> ResponseReturnValue:
    """Every revision, the newest first; or on to the two that were chosen."""
    session, actor, practice = _seen(practice_id)
    chosen = two_chosen()
    if chosen is not None:
        return redirect(url_for("history.compare", practice_id=practice_id, first=chosen[0], second=chosen[1]))
    return render_template(
        "history/overview.html",
        practice=practice,
        page=service.page(session, actor, practice, page_number()),
        numbers=service.numbers(session, actor, practice),
    )


@bp.get("/my/practices/<uuid:practice_id>/history/<int:number>")
@accounts.required(Role.READER)
def revision(practice_id: uuid.UUID, number: int) -> ResponseReturnValue:
    """One revision, whole, and the button that brings it back."""
    session, actor, practice = _seen(practice_id)
    step, document = service.read(session, actor, practice, number)
    return render_template(
        "history/revision.html",
        practice=practice,
        step=step,
        document=document,
        can_restore=number != practice.revision_count and permissions.can(actor, "edit", practice),
    )


@bp.post("/my/practices/<uuid:practice_id>/history/<int:number>")
@accounts.required(Role.READER)
def restore(practice_id: uuid.UUID, number: int) -> ResponseReturnValue:
    """Make an earlier text the draft to go on with."""
    with context.writing() as session:
        actor = accounts.acting(session)
        practice = practices.get(session, actor, practice_id)
        restored = service.restore(session, actor, practice, number, filling.seen(request.form) or 0)
    if restored:
        flash(
            _(
                "The text of revision %(number)d is your draft now. What stood there before is in the history.",
                number=number,
            )
        )
    else:
        flash(_("Your draft says that already: nothing was changed."))
    return redirect(url_for("submissions.edit", practice_id=practice_id))


@bp.get("/my/practices/<uuid:practice_id>/history/<int:first>...<int:second>")
@accounts.required(Role.READER)
def compare(practice_id: uuid.UUID, first: int, second: int) -> ResponseReturnValue:
    """What differs between two revisions, word by word; the older one comes first in the address."""
    if first > second:
        return redirect(url_for("history.compare", practice_id=practice_id, first=second, second=first))
    session, actor, practice = _seen(practice_id)
    compared = service.compare(session, actor, practice, first, second)
    numbers = service.numbers(session, actor, practice)
    return render_template("history/difference.html", practice=practice, compared=compared, numbers=numbers)


def _seen(practice_id: uuid.UUID) -> tuple[Session, User, Practice]:
    """The practice, for whoever may see its working copy. Raises NotFound."""
    session = context.reading()
    actor = accounts.acting(session)
    return session, actor, practices.get(session, actor, practice_id)
