"""What somebody is typing into a form and has not saved yet: one row for each practice, person and form.

A buffer is its person's alone: nobody else is ever shown it. It is no version of a practice and leaves no trace in the
audit log; saving the form, submitting it or throwing the text away empties it. Of two windows of one person the first
that wrote has it: the other one keeps its words in the browser until they are saved.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import delete
from sqlalchemy.orm import Session

from kb.models import Buffer, Form, LastLook, Practice, User
from kb.services.errors import N_, Conflict, NotAllowed
from kb.services.permissions import can
from kb.services.publishing import now
from kb.services.record import CAP

Pairs = list[list[str]]
"""The fields of a form in their order, as [name, value]."""

LIMIT = 20 * CAP
"""Characters of one form that are kept: its long texts at what a draft may hold, and as much again for the rest."""

NEVER_KEPT = frozenset({"csrf_token", "do", "add", "remove", "seen", "draft", "copy", "after"})
"""Fields of a form that are not its text: buttons, the token, and what the buffer says itself."""


@dataclass(frozen=True)
class Window:
    """A form in a browser: the name of its copy, and the mark of the buffer that it was filled from, if it was."""

    copy: str | None = None
    after: str = ""


NAMELESS = Window()
"""A form without a script, which has no copy of its own."""


def keep(
    session: Session,
    actor: User,
    practice: Practice,
    form: Form,
    pairs: Iterable[tuple[str, str]],
    seen: int | None,
    window: Window = NAMELESS,
) -> Buffer:
    """Put what was typed in place of what was kept before. `seen` is the revision that the writing began from.

    Raises NotAllowed for who may not see the practice. Whether they may still save is not asked: words are kept; an
    editor's notes even where the author took the submission back while they were written. Raises Conflict where
    another window wrote what this text does not come from.
    """
    if not can(actor, "view", practice) and not (form == Form.REVIEW and can_note(session, actor, practice)):
        raise NotAllowed(N_("There is no such practice, or it is not yours."))
    buffer = of(session, actor, practice, form)
    if buffer is None:
        buffer = Buffer(practice_id=practice.id, user_id=actor.id, form=form)
        session.add(buffer)
    elif not _is_of(buffer, window):
        raise Conflict(N_("Not saved: you are writing this practice in another window or on another device too."))
    buffer.pairs = [[_storable(name), _storable(value)] for name, value in pairs if name not in NEVER_KEPT]
    buffer.seen, buffer.copy = seen, window.copy
    buffer.saved = now()
    return buffer


def can_note(session: Session, actor: User, practice: Practice) -> bool:
    """Whether this is an editor who had the submission before them once, and may keep notes on it."""
    return can(actor, "review") and session.get(LastLook, (practice.id, actor.id)) is not None


def of(session: Session, actor: User, practice: Practice, form: Form) -> Buffer | None:
    """What this person typed into this form and did not save, or None."""
    return session.get(Buffer, (practice.id, actor.id, form))


def mark(buffer: Buffer) -> str:
    """What tells one text of a buffer from the next one."""
    return hashlib.sha256(json.dumps(buffer.pairs).encode()).hexdigest()[:32]


def drop(session: Session, actor: User, practice: Practice, form: Form, window: Window | None = None) -> bool:
    """Throw away what this person typed into this form, with `window` only what that one typed or was filled from.

    Says whether there was anything.
    """
    buffer = of(session, actor, practice, form)
    if buffer is None or (window is not None and not _is_of(buffer, window)):
        return False
    session.delete(buffer)
    session.flush()
    return True


def drop_all(session: Session, practice_id: uuid.UUID) -> None:
    """Throw away what anybody typed about a practice: its text is taken away for good."""
    session.execute(delete(Buffer).where(Buffer.practice_id == practice_id))


def too_long(pairs: Iterable[tuple[str, str]]) -> bool:
    """Whether this is more than any form holds."""
    return sum(len(name) + len(value) for name, value in pairs) > LIMIT


def _is_of(buffer: Buffer, window: Window) -> bool:
    return buffer.copy == window.copy or mark(buffer) == window.after


def _storable(text: str) -> str:
    """Text without what PostgreSQL cannot keep: NUL, and halves of surrogate pairs."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()
