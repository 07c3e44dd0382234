"""The public versions of a practice: each has an address of its own for ever, but what was redacted.

They are read while the practice is public, and in the archive. Once it is offline, so are they.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, aliased

from kb.formats.text import iso
from kb.models import Practice, Record, Revision, State
from kb.services import freshness, references
from kb.services.differences import FieldDifference, changed, fields
from kb.services.errors import N_, Gone, Moved, NotFound
from kb.services.merged_terms import of_today, term_successors
from kb.services.publishing import as_document, public_revision, whole
from kb.services.record import KEYS, Document, completeness


@dataclass(frozen=True)
class Version:
    """One public version; `redaction` says why its text is gone, if it is.

    `changed` are the fields in which it differs from the version before; None where there is none to compare with.
    """

    number: int
    created: datetime
    redaction: str | None
    changed: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Online:
    """What readers find at a practice's address: the newest version as a whole record.

    `archived`: it is no longer maintained, and lists and search leave it out.
    """

    practice: Practice
    document: Document
    archived: bool = False

    @property
    def title(self) -> str:
        """The title of the newest version."""
        return str(self.document["title"])


@dataclass(frozen=True)
class Comparison:
    """Two public versions, the older first, and what differs between them."""

    online: Online
    older: Version
    newer: Version
    differences: list[FieldDifference]
    language: str


def online(session: Session, slug: str, base_url: str) -> Online:
    """The newest version of the practice at an address. Raises NotFound, Gone, Moved."""
    record = session.scalar(select(Record).join(Practice).where(Practice.slug == slug).options(*whole()))
    if record is not None:
        return Online(record.practice, as_document(record, base_url))
    there = (Practice.slug == slug, Practice.state == State.ARCHIVED, Practice.merged_into_id.is_(None))
    practice = session.scalar(select(Practice).where(*there))
    revision = public_revision(session, practice) if practice else None
    if practice is None or revision is None:
        refuse(session, slug)
    return Online(practice, _whole(session, practice, revision, base_url), archived=True)


def listed(session: Session, slug: str) -> tuple[Online, list[Version]]:
    """What is public of a practice, and its versions, the newest first. Raises NotFound, Gone, Moved."""
    found = online(session, slug, "")
    successors = term_successors(session)
    versions: list[Version] = []
    before: Document | None = None
    for revision in session.scalars(_public_revisions(found.practice).order_by(Revision.version)):
        document = None if revision.redacted else of_today(revision.document, successors)
        differs = tuple(changed(before, document)) if before and document else None
        versions.append(_version(revision, differs))
        before = document
    return found, versions[::-1]


def of(session: Session, practice: Practice) -> list[Version]:
    """The versions of a practice that were public, the newest first, without what they changed."""
    return [_version(each) for each in session.scalars(_public_revisions(practice).order_by(Revision.version.desc()))]


def read(session: Session, slug: str, number: int, base_url: str) -> tuple[Document, Online]:
    """The whole record as it was in one public version, under the terms of today, and what is public now.

    Raises NotFound for a version that there is not, Gone with the reason for one that was redacted, Moved.
    """
    found = online(session, slug, base_url)
    revision = _revision(session, found.practice, number)
    if number == found.practice.version:
        return found.document, found
    return _whole(session, found.practice, revision, base_url, of=found.document), found


def compare(session: Session, slug: str, older: int, newer: int) -> Comparison:
    """What differs between two public versions of a practice. Raises as `read` does."""
    found = online(session, slug, "")
    first, second = (_revision(session, found.practice, number) for number in (older, newer))
    before, after = (of_today(each.document, term_successors(session)) for each in (first, second))
    return Comparison(found, _version(first), _version(second), fields(before, after), str(after["language"]))


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


def _public_revisions(practice: Practice) -> Select[Revision]:
    return select(Revision).where(Revision.practice_id == practice.id, Revision.version.is_not(None))


def _revision(session: Session, practice: Practice, number: int) -> Revision:
    """One public version. Raises NotFound, Gone."""
    known = min(number, practice.version)  # a number past the database's integers is no version either
    revision = session.scalar(_public_revisions(practice).where(Revision.version == known))
    if revision is None or revision.version != number:
        raise NotFound(N_("This practice has no version %(number)d."), number=number)
    if revision.redacted is not None:
        raise Gone(N_("Version %(number)d was taken away: %(reason)s"), number=number, reason=revision.redaction or "")
    return revision


def _version(revision: Revision, differs: tuple[str, ...] | None = None) -> Version:
    why = (revision.redaction or "") if revision.redacted else None
    return Version(revision.version or 0, revision.created, why, differs)


def _whole(
    session: Session, practice: Practice, revision: Revision, base_url: str, of: Document | None = None
) -> Document:
    """A revision as the whole record that it was; `of` is the practice's newest, where this is an older one."""
    document = of_today(revision.document, term_successors(session))
    if of is None:  # what readers get of it now, not what it said then
        document = {**document, "adapted_from": references.seen(session, document["adapted_from"])}
    url = f"{base_url}/practices/{practice.slug}"
    updated = (None if of else practice.was_updated) or revision.created
    record: Document = {
        **document,
        **freshness.written(practice),
        "id": str(practice.id),
        "slug": practice.slug,
        "origin": {"kind": practice.origin, "url": practice.origin_url},
        "version": revision.version,
        "published": of["published"] if of else iso(practice.was_published or revision.created),
        "updated": iso(updated),
        "completeness": completeness(document),
        "url": f"{url}/versions/{revision.version}" if of else url,
    }
    return {key: record[key] for key in KEYS}
