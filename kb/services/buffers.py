"""What somebody is typing into a form and has not saved yet: one row for each practice, person and form.

A buffer is its person's alone: nobody else is ever shown it. It is no version of a practice and leaves no trace in the
audit log; saving, submitting or throwing it away empties it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from sqlalchemy import delete
from sqlalchemy.orm import Session

from kb.models import Buffer, Form, Practice, User
from kb.services.errors import N_, NotAllowed
from kb.services.permissions import can
from kb.services.publishing import now

Pairs = list[list[str]]
"""The fields of a form in their order, as [name, value]."""

NEVER_KEPT = frozenset({"csrf_token", "do", "add", "remove", "seen", "draft", "copy"})
"""Fields of a form that are not its text: buttons, the token, and what the buffer says itself."""


def keep(
    session: Session, actor: User, practice: Practice, form: Form, pairs: Iterable[tuple[str, str]], seen: int | None
) -> Buffer:
    """Put what was typed in place of what was kept before. `seen` is the revision that the writing began from.

    Raises NotAllowed for who may not see the practice. Whether they may still save is not asked: words are kept.
    """
    if not can(actor, "view", practice):
        raise NotAllowed(N_("There is no such practice, or it is not yours."))
    buffer = of(session, actor, practice, form)
    if buffer is None:
        buffer = Buffer(practice_id=practice.id, user_id=actor.id, form=form)
        session.add(buffer)
    buffer.pairs = [[_storable(name), _storable(value)] for name, value in pairs if name not in NEVER_KEPT]
    buffer.seen = seen
    buffer.saved = now()
    return buffer


def of(session: Session, actor: User, practice: Practice, form: Form) -> Buffer | None:
    """What this person typed into this form and did not save, or None."""
    return session.get(Buffer, (practice.id, actor.id, form))


def drop(session: Session, actor: User, practice: Practice, form: Form) -> bool:
    """Throw away what this person typed into this form; says whether there was anything."""
    buffer = of(session, actor, practice, form)
    if buffer is None:
        return False
    session.delete(buffer)
    session.flush()
    return True


def drop_all(session: Session, practice_id: uuid.UUID) -> None:
    """Throw away what anybody typed about a practice: its text is taken away for good."""
    session.execute(delete(Buffer).where(Buffer.practice_id == practice_id))


def _storable(text: str) -> str:
    """Text without what PostgreSQL cannot keep: NUL, and halves of surrogate pairs."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()
