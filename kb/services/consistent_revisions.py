"""Whether every revision is there, and still says what was saved."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Text, cast, func, select
from sqlalchemy.orm import Session

from kb.models import Comment, Harvested, LastLook, Practice, Review, Revision
from kb.services.fingerprints import of_revision
from kb.services.progress import Progress

BATCH = 500

REFERRING = (Review, Comment, LastLook, Harvested)
"""Tables whose rows are about a revision of a practice, by its number."""


def faults(session: Session, progress: Progress) -> Iterator[str]:
    """What is wrong with the revisions, a sentence each."""
    yield from _numbers(session)
    yield from _versions(session)
    ids = list(session.scalars(select(Revision.id).order_by(Revision.practice_id, Revision.number)))
    columns = (Revision.practice_id, Revision.number, Revision.kind, Revision.version, Revision.redacted)
    text = cast(Revision.document, Text).label("text")  # as it lies there: what is no JSON must not stop the rest
    whole = select(*columns, text, Revision.fingerprint, Practice.slug, Practice.title).join(Practice)
    starts = range(0, len(ids), BATCH)
    for first in progress(starts, len(starts)):
        batch = whole.where(Revision.id.in_(ids[first : first + BATCH]))
        for row in session.execute(batch.order_by(Revision.practice_id, Revision.number)):
            if not _is_as_saved(row):
                yield (
                    f"Revision {row.number} of {row.slug or f'“{row.title}” ({row.practice_id})'} is not what was "
                    "saved. Compare it with a backup."
                )
    yield from _referring(session)


def named(practice: Practice) -> str:
    """A practice as a sentence about it calls it."""
    return practice.slug or f"“{practice.title}” ({practice.id})"


def _numbers(session: Session) -> Iterator[str]:
    """Practices that lack a revision, or count one too few."""
    held = (
        select(Revision.practice_id, func.count().label("n"), func.max(Revision.number).label("last"))
        .group_by(Revision.practice_id)
        .subquery()
    )
    statement = (
        select(Practice, func.coalesce(held.c.n, 0), func.coalesce(held.c.last, 0))
        .outerjoin(held, held.c.practice_id == Practice.id)
        .where((func.coalesce(held.c.n, 0) != Practice.revision_count) | (held.c.last != Practice.revision_count))
    )
    for practice, count, last in session.execute(statement):
        yield (
            f"{named(practice)} should have {practice.revision_count} revisions, but has {count}, "
            f"the last with the number {last}. Compare it with a backup."
        )


def _versions(session: Session) -> Iterator[str]:
    """Practices that are not public and whose number of versions is another than that of the last published one."""
    last = (
        select(func.coalesce(func.max(Revision.version), 0))
        .where(Revision.practice_id == Practice.id)
        .correlate(Practice)
        .scalar_subquery()
    )
    for practice, number in session.execute(
        select(Practice, last).where(~Practice.record.has(), last != Practice.version)
    ):
        yield (
            f"{named(practice)} should have been public in version {practice.version}, but its last published "
            f"revision is version {number}. Compare it with a backup."
        )


def _is_as_saved(row: Any) -> bool:
    """Whether a revision has the fingerprint of what it says; one whose text was removed says nothing and has none."""
    try:
        document = json.loads(row.text)
    except ValueError:
        return False
    if row.redacted is not None:
        return bool(document == {} and row.fingerprint is None)
    return bool(of_revision(row.practice_id, row.number, row.kind, row.version, document) == row.fingerprint)


def _referring(session: Session) -> Iterator[str]:
    """Rows that are about a revision that there is not."""
    for table in REFERRING:
        missing = (table.revision_number < 1) | (table.revision_number > Practice.revision_count)
        statement = select(Practice, table.revision_number).join(table, table.practice_id == Practice.id).where(missing)
        for practice, number in session.execute(statement):
            yield (
                f"A row of {table.__tablename__} is about revision {number} of {named(practice)}, which has "
                f"{practice.revision_count}. Compare it with a backup."
            )
