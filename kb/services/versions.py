"""The public versions of a practice: each has an address of its own for ever, but what was redacted.

They are read while the practice is public. Once it is offline, so are they.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from kb.models import Practice, Record, Revision
from kb.services.errors import N_, Gone, Moved, NotFound
from kb.services.publishing import as_document, iso, whole
from kb.services.record import KEYS, Document, completeness, empty
from kb.services.vocabularies import renewed, term_successors


@dataclass(frozen=True)
class Version:
    """One public version; `redaction` says why its text is gone, if it is."""

    number: int
    created: datetime
    redaction: str | None


def listed(session: Session, slug: str) -> tuple[Record, list[Version]]:
    """What is public of a practice, and its versions, the newest first. Raises NotFound, Gone."""
    record = _public(session, slug)
    return record, of(session, record.practice)


def of(session: Session, practice: Practice) -> list[Version]:
    """The versions of a practice that were public, the newest first."""
    columns = (Revision.version, Revision.created, Revision.redacted, Revision.redaction)
    public = (Revision.practice_id == practice.id, Revision.version.is_not(None))
    rows = session.execute(select(*columns).where(*public).order_by(Revision.version.desc()))
    return [Version(number or 0, created, (why or "") if redacted else None) for number, created, redacted, why in rows]


def read(session: Session, slug: str, number: int, base_url: str) -> tuple[Document, Record]:
    """The whole record as it was in one public version, under the terms of today, and what is public now.

    Raises NotFound for a version that there is not, Gone with the reason for one that was redacted.
    """
    record = _public(session, slug)
    practice = record.practice
    of_it = (Revision.practice_id == practice.id, Revision.version == min(number, practice.version))
    revision = session.scalar(select(Revision).where(*of_it))
    if revision is None or revision.version != number:
        raise NotFound(N_("This practice has no version %(number)d."), number=number)
    if revision.redacted is not None:
        raise Gone(N_("Version %(number)d was taken away: %(reason)s"), number=number, reason=revision.redaction or "")
    current = as_document(record, base_url)
    if number == practice.version:
        return current, record
    document = renewed({**empty(), **revision.document}, term_successors(session))
    written = {
        **current,
        **document,
        "version": number,
        "updated": iso(revision.created),
        "completeness": completeness(document),
        "url": f"{current['url']}/versions/{number}",
    }
    return {key: written[key] for key in KEYS}, record


def _public(session: Session, slug: str) -> Record:
    record = session.scalar(select(Record).join(Practice).where(Practice.slug == slug).options(*whole()))
    return record if record is not None else refuse(session, slug)


def refuse(session: Session, slug: str) -> NoReturn:
    """Raise Moved where the practice at this address was merged into another, Gone where it was redacted.

    Otherwise NotFound.
    """
    successor = aliased(Practice)
    merged = select(successor.slug).join(Practice, Practice.merged_into_id == successor.id)
    slug_now = session.scalar(merged.where(Practice.slug == slug))
    if slug_now is not None:
        raise Moved(slug_now)
    row = session.execute(
        select(Revision.redaction)
        .join(Practice, Practice.id == Revision.practice_id)
        .where(Practice.slug == slug, Revision.version == Practice.version, Revision.redacted.is_not(None))
    ).one_or_none()
    if row is not None:
        raise Gone(N_("This practice was taken offline: %(reason)s"), reason=row[0] or "")
    raise NotFound(N_("There is no practice at this address."))
