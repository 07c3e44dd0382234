"""References from one public practice to another: `adapted_from` leads nowhere while the other is offline.

A version keeps for ever what its writer named. What readers get of it, in `records` and from the archive, leaves out
the practices that were public once and are offline now, and has them again when they are back. A name that belongs to
no practice here at all is left as it is: in an import the other may come later, and `check` tells of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from sqlalchemy import ColumnElement, String, cast, or_, select, text
from sqlalchemy.orm import Session, aliased

from kb.models import ADAPTING, Practice, Record, Revision, State
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
    """Bring the public records that name a practice into step after it went offline or came back.

    Those that name what went offline are found by the index of those that name any. What came back is in no record, so
    the public versions are read: that takes a while, and happens seldom.
    """
    session.flush()
    merged = select(Practice.slug).where(Practice.merged_into_id == practice.id)
    slugs = [str(slug) for slug in (practice.slug, *session.scalars(merged)) if slug]
    for record, entries in (_by_record if offline(session, slugs) == {*slugs} else _by_version)(session, slugs):
        kept = seen(session, entries)
        if record.adapted_from != kept:
            record.adapted_from = kept
            datestamps.stamp(session, record.practice)


def _by_record(session: Session, slugs: Collection[str]) -> Iterator[tuple[Record, list[dict[str, Any]]]]:
    """The records that name any of some addresses, and may name others, with all that they name."""
    named = _named(cast(Record.adapted_from, String), slugs)
    for record in session.scalars(select(Record).where(text(ADAPTING), named)).all() if slugs else ():
        yield record, record.adapted_from


def _by_version(session: Session, slugs: Collection[str]) -> Iterator[tuple[Record, list[dict[str, Any]]]]:
    """The records of whose public version the writer named any of some addresses, with all that were named."""
    naming = Revision.document["adapted_from"]
    held = select(Record, naming).join(Practice, Practice.id == Record.practice_id)
    held = held.join(Revision, Revision.practice_id == Practice.id).where(Revision.version == Practice.version)
    if slugs:
        yield from session.execute(held.where(_named(cast(naming, String), slugs))).all()


def _named(naming: ColumnElement[str], slugs: Collection[str]) -> ColumnElement[bool]:
    return or_(*(naming.contains(f'"{slug}"', autoescape=True) for slug in slugs))
