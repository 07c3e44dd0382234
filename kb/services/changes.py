"""When what everybody may read last changed: a practice written or taken offline, a vocabulary edited."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kb.models import AuditEntry, Generation, Practice, Record, Revision
from kb.services.vocabularies import GENERATION

_VOCABULARIES = ("theme", "target_group")


class Stand(NamedTuple):
    """How what everybody may read stands: with every change to it, one of these is another."""

    written: datetime | None
    offline: datetime | None
    vocabularies: int


_STAND = select(
    select(func.max(Record.datestamp)).scalar_subquery(),
    select(func.max(Practice.offline)).scalar_subquery(),
    select(func.coalesce(func.max(Generation.value), 0)).where(Generation.name == GENERATION).scalar_subquery(),
)


def stand(session: Session) -> Stand:
    """How it stands now, in one statement that looks at the ends of three indexes."""
    return Stand(*session.execute(_STAND).one())


def of(practice: Practice) -> datetime:
    """When what readers get of a practice, its dates of freshness included, last changed."""
    written = practice.record.datestamp if practice.record else practice.offline
    return written or practice.changed


def of_versions(session: Session, practice: Practice) -> datetime:
    """When the list of a practice's versions last changed: one came, or the text of one was removed."""
    removed = session.scalar(select(func.max(Revision.redacted)).where(Revision.practice_id == practice.id))
    return max(of(practice), removed or of(practice))


def latest(session: Session) -> datetime | None:
    """The moment of the latest change; None in an empty base."""
    edited = select(func.max(AuditEntry.created)).where(AuditEntry.object_kind.in_(_VOCABULARIES))
    written, gone = select(func.max(Record.datestamp)), select(func.max(Practice.offline))
    moments = [session.scalar(statement) for statement in (written, gone, edited)]
    return max((moment for moment in moments if moment is not None), default=None)
