"""Merging duplicates: find the other practice, see both side by side, merge, and undo."""

from __future__ import annotations

import uuid

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from kb.models import Practice, Role
from kb.services import duplicates, merging
from kb.services.errors import N_, Conflict, Message
from kb.services.practices import working_copy
from kb.web import accounts, context, languages

bp = Blueprint("merging", __name__)


@bp.get("/review/<uuid:practice_id>/merge")
@accounts.required(Role.EDITOR)
def form(practice_id: uuid.UUID) -> ResponseReturnValue:
    """Which practice it is the same as; once that is chosen, both side by side."""
    return _page(practice_id, request.args.get("into", "")[:500])


@bp.post("/review/<uuid:practice_id>/merge")
@accounts.required(Role.EDITOR)
def merge(practice_id: uuid.UUID) -> ResponseReturnValue:
    """Merge it into the practice that was chosen."""
    into, take = request.form.get("into", "")[:500], "take" in request.form
    try:
        with context.writing() as session:
            actor = accounts.acting(session)
            practice = merging.get(session, actor, practice_id)
            other = _chosen(session, practice, into)
            if other is None:
                raise Conflict(N_("Choose the practice that it goes into."))
            merging.merge(session, actor, practice, other, take=take)
            slug = other.slug
    except Conflict as conflict:
        return _page(practice_id, into, refused=conflict.message), 409
    context.parts().indexer.after_commit()
    flash(_("The practices are one now. The address of the merged one leads here."))
    return redirect(url_for("catalogue.practice", slug=slug))


@bp.post("/review/<uuid:practice_id>/unmerge")
@accounts.required(Role.EDITOR)
def undo(practice_id: uuid.UUID) -> ResponseReturnValue:
    """Put a merged practice online again as it was."""
    try:
        with context.writing() as session:
            actor = accounts.acting(session)
            practice = merging.get(session, actor, practice_id)
            merging.undo(session, actor, practice)
            slug = practice.slug
    except Conflict as conflict:
        return _page(practice_id, refused=conflict.message), 409
    context.parts().indexer.after_commit()
    flash(_("The merge is undone: the practice is online again as it was."))
    return redirect(url_for("catalogue.practice", slug=slug))


def _chosen(session: Session, practice: Practice, text: str) -> Practice | None:
    """The practice that is meant, if there is no doubt: its address was given."""
    found = merging.find(session, text, practice)
    return found[0] if len(found) == 1 and found[0].slug and found[0].slug in text else None


def _page(practice_id: uuid.UUID, into: str = "", refused: Message | None = None) -> str:
    session = context.reading()
    actor = accounts.acting(session)
    practice = merging.get(session, actor, practice_id)
    found = merging.find(session, into, practice)
    other, pair = _chosen(session, practice, into), None
    if other is not None:
        try:
            pair = merging.pair(session, actor, practice, other)
        except Conflict as conflict:
            refused = refused or conflict.message
    likely = [] if into or practice.record is None else _likely(session, practice)
    return render_template(
        "moderation/merge.html",
        practice=practice,
        into=into,
        found=found,
        other=other,
        pair=pair,
        likely=likely,
        target=session.get(Practice, practice.merged_into_id) if practice.merged_into_id else None,
        merged=merging.merged_here(session, practice),
        refused=languages.say(refused) if refused else "",
    )


def _likely(session: Session, practice: Practice) -> list[duplicates.Candidate]:
    """Public practices that it may be the same as."""
    document = working_copy(session, practice)
    found = duplicates.of(session, context.engine(), document, accounts.current(), but=practice.id)
    return [each for each in found if each.public]
