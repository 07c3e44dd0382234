"""References from one public practice to another: `adapted_from` leads nowhere while the other is offline.

A version keeps for ever what its writer named. What readers get of it, in `records` and from the archive, leaves out
the practices that were public once and are offline now, and has them again when they are back. A name that belongs to
no practice here at all is left as it is: in an import the other may come later, and `check` tells of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import String, cast, or_, select
from sqlalchemy.orm import Session, aliased

from kb.models import Practice, Record, Revision, State
from kb.services import datestamps
from kb.services.adoption_graph import CANONICAL


def seen(session: Session, entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The entries of an `adapted_from` without those of practices that are offline now."""
    named = list(entries)
    gone = offline(session, {entry["slug"] for entry in named}) if named else set()
    return [entry for entry in named if entry["slug"] not in gone]


def offline(session: Session, slugs: Collection[str] | None = None) -> set[str]:
    """Which addresses, of some or of all, are of practices that readers do not find there now, nor where they lead."""
    now = aliased(Practice)
    found = select(Practice.slug).join(now, now.id == CANONICAL).outerjoin(Record, Record.practice_id == now.id)
    found = found.where(Practice.slug.is_not(None), Record.practice_id.is_(None), now.state != State.ARCHIVED)
    return {slug for slug in session.scalars(found if slugs is None else found.where(Practice.slug.in_(slugs))) if slug}


def settle(session: Session, practice: Practice) -> None:
    """Bring the public records that name a practice into step after it went offline or came back."""
    session.flush()
    merged = select(Practice.slug).where(Practice.merged_into_id == practice.id)
    slugs = [str(slug) for slug in (practice.slug, *session.scalars(merged)) if slug]
    naming = cast(Revision.document["adapted_from"], String)
    held = select(Record, Revision.document["adapted_from"]).join(Practice, Practice.id == Record.practice_id)
    held = held.join(Revision, Revision.practice_id == Practice.id).where(Revision.version == Practice.version)
    named = or_(*(naming.contains(f'"{slug}"', autoescape=True) for slug in slugs))
    for record, entries in session.execute(held.where(named)).all() if slugs else ():
        kept = seen(session, entries)
        if record.adapted_from != kept:
            record.adapted_from = kept
            datestamps.stamp(session, record.practice)
