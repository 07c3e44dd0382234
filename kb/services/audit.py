"""The audit log: who did what to what, and when."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from kb.models import AuditEntry, User


def note(session: Session, actor: User | None, action: str, kind: str, key: object, **detail: Any) -> None:
    """Add an entry in the caller's transaction. `actor` is None for the software; details hold no personal data."""
    session.add(
        AuditEntry(
            user_id=actor.id if actor else None, action=action, object_kind=kind, object_id=str(key), detail=detail
        )
    )
