"""The page of one review: what is new field by field, each question beside its field, and what may be done."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import render_template, request
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from kb.models import Buffer, Form, Practice, User
from kb.services import (
    buffers,
    checklist,
    comments,
    differences,
    duplicates,
    mending,
    moderation,
    permissions,
    practices,
    reviewing,
)
from kb.services.comments import Thread
from kb.services.differences import FieldDifference
from kb.services.errors import Message, Problem
from kb.services.record import DOCUMENT_KEYS, Document
from kb.services.reviewing import Base, Since
from kb.web import accounts, context, languages
from kb.web.forms.practice import control

DEEDS = ("take", "release", "hand-over", "request-changes", "reject", "publish", "comment", "mend")

Typed = MultiDict[str, str]


@dataclass(frozen=True)
class Part:
    """One field on the page: what changed in it (None: shown as it is), and what was asked about it."""

    key: str
    change: FieldDifference | None
    threads: list[Thread]
    mendable: bool


def page(
    practice_id: uuid.UUID,
    problems: tuple[Problem, ...] = (),
    typed: Typed | None = None,
    refused: Message | None = None,
) -> str:
    """The page of a review, with what was typed: given, or kept before. Raises NotFound, NotAllowed."""
    session = context.reading()
    actor = accounts.acting(session)
    practice = practices.get(session, actor, practice_id)
    document = practices.working_copy(session, practice)
    asked = comments.threads(session, practice)
    bases = reviewing.bases(session, actor, practice)
    base = _chosen(bases, document)
    kept = buffers.of(session, actor, practice, Form.REVIEW) if typed is None else None
    typed = typed if typed is not None else _typed(kept)
    parts = _parts(base, document, asked)
    shown = {part.key for part in parts}
    last = practices.last_review(session, practice)
    return render_template(
        "moderation/review.html",
        practice=practice,
        document=document,
        **_standing(session, actor, practice, document),
        parts=parts,
        missing=[key for key in moderation.missing(session, practice) if key not in shown],
        asked=asked,
        questions=sum(thread.open for each in asked.values() for thread in each),
        bases=bases,
        base=base,
        last=last,
        ticks=_ticks(typed, last.checklist if last else {}),
        typed=typed,
        kept=kept,
        problems=[(control(problem.field), languages.say(problem.message)) for problem in problems],
        refused=languages.say(refused) if refused else None,
    )


def _standing(session: Session, actor: User, practice: Practice, document: Document) -> dict[str, Any]:
    """What the page says beside the fields, whatever is compared and typed."""
    return {
        "submitted": reviewing.submitted_on(session, practice),
        "alike": [] if practice.version else duplicates.of(session, context.engine(), document, actor, practice.id),
        "contact": practices.contact_of(practice),
        "allowed": {action for action in DEEDS if permissions.can(actor, action, practice)},
        "editors": [editor for editor in moderation.editors(session) if editor.id != practice.editor_id],
        "items": checklist.ITEMS,
        "findings": checklist.findings(document, datetime.now(UTC).date()),
    }


def _chosen(bases: list[Base], document: Document) -> Base:
    """What the address asks to compare with, or the first with which something differs."""
    wanted = request.values.get("since")
    for base in bases:
        if base.since == wanted:
            return base
    return next(each for each in bases if each.since == Since.WHOLE or differences.changed(each.document, document))


def _parts(base: Base, document: Document, asked: dict[str, list[Thread]]) -> list[Part]:
    """The fields that are shown: what changed or, of the whole record, what is filled; and what is asked about."""
    whole = base.since == Since.WHOLE
    changes = {} if whole else {each.key: each for each in differences.fields(base.document, document)}
    filled = set(differences.changed(None, document)) if whole else set(changes)
    texts = {path.partition(".")[0] for path, text in mending.texts(document).items() if text}
    wanted = filled | set(comments.still_open(asked))
    return [Part(key, changes.get(key), asked.get(key, []), key in texts) for key in DOCUMENT_KEYS if key in wanted]


def _typed(kept: Buffer | None) -> Typed:
    return MultiDict((name, value) for name, value in kept.pairs) if kept else MultiDict()


def _ticks(typed: Typed, before: dict[str, bool]) -> Collection[str]:
    """What is ticked: as typed, else as it was at the decision before."""
    return typed.getlist("check") if typed else [item for item, ticked in before.items() if ticked]
