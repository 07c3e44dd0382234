"""From a document to the public record and back: the only place that writes `records`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from slugify import slugify
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, selectinload
from sqlalchemy.sql.base import ExecutableOption

from kb.formats.text import iso
from kb.models import (
    SLUG_LIMIT,
    IndexOutbox,
    Origin,
    Practice,
    Record,
    RecordRegion,
    RecordTargetGroup,
    RecordTheme,
    Revision,
    RevisionKind,
    State,
)
from kb.services import adoption_graph, datestamps, fingerprints, freshness, references
from kb.services.checking import SEED_ATTRIBUTION
from kb.services.errors import N_, Conflict
from kb.services.freshness import Dates
from kb.services.merged_terms import of_today, term_successors
from kb.services.record import DOCUMENT_KEYS, KEYS, LISTS, Document, completeness
from kb.services.values import partial_date

_PLAIN = (
    "title", "original_title", "language", "summary", "country", "place", "level", "authority_role", "start", "end",
    "status", "context", "objectives", "actions", "results", "difficulties", "lessons", "transferability", "evidence",
    "beneficiaries", "budget_year", "licence", "attribution", "editor_note",
)  # fmt: skip
"""Keys that a column of the same name holds as they are."""

FRESHNESS = ("last_verified", "review_due")
"""Keys that are about the practice, not about a version of its text."""

_JSON = tuple(key for key in LISTS if key != "other_regions")


@dataclass(frozen=True)
class Stamp:
    """What the software sets on a publication; an import of published records brings its own."""

    version: int
    published: datetime
    updated: datetime


def now() -> datetime:
    """This moment, to the second: what a record says of itself has no finer grain."""
    return datetime.now(UTC).replace(microsecond=0)


def publish(
    session: Session,
    practice: Practice,
    document: Document,
    *,
    author_id: Any = None,
    stamp: Stamp | None = None,
    note: str | None = None,
) -> Revision:
    """Make a checked document the public version of a practice: slug, revision, record and outbox entry together.

    The first publication fixes the slug. `stamp` is for imports; otherwise the version counts on. What it says it was
    adapted from, now or before, is asked to be looked at too: the index counts adaptations. Where a person publishes,
    the practice is verified by that; where the software does, it keeps the dates that the document brings. Raises
    Invalid where it would be adapted from itself, by whichever way.
    """
    adoption_graph.check_document(session, practice, document)
    models = _models(practice) | {entry["slug"] for entry in document["adapted_from"]}
    document = {**document, "attribution": document["attribution"] or _attribution(practice, document)}
    moment = now()
    back = practice.record is None and practice.version > 0
    if stamp is None:
        before = practice.record.published if practice.record else practice.was_published
        stamp = Stamp(practice.version + 1, before or moment, moment)
    if practice.slug is None:
        practice.slug = free_slug(session, document["title"])
    practice.version = stamp.version
    practice.state = State.PUBLISHED
    freshness.put(practice, _dates(practice, document) if author_id is None else Dates.from_today(moment.date()))
    document = {**document, **dict.fromkeys(FRESHNESS)}
    revision = add_revision(session, practice, RevisionKind.PUBLISHED, document, author_id=author_id, note=note)
    _project(session, practice, document, stamp)
    practice.was_published = practice.was_updated = None
    touch(session, practice)
    if back:
        references.settle(session, practice)
    _touch_named(session, models)
    return revision


def unpublish(session: Session, practice: Practice) -> None:
    """Take the public version offline; its text stays in the revisions, its dates with the practice."""
    models = _models(practice)
    if practice.record is not None:
        practice.was_published, practice.was_updated = practice.record.published, practice.record.updated
    practice.record = None
    practice.changed = now()
    datestamps.stamp(session, practice)
    touch(session, practice)
    _touch_named(session, models)


def make_public_again(session: Session, practice: Practice) -> None:
    """Put the version that was public last online again, in the same number and with its dates.

    What was written since stays in the revisions; the working copy is the public version. Raises Conflict where the
    text of that version was removed.
    """
    revision = public_revision(session, practice)
    if revision is None:
        raise Conflict(N_("The text of the last public version was removed: it cannot be online again."))
    document = of_today(revision.document, term_successors(session))
    stamp = Stamp(
        practice.version, practice.was_published or revision.created, practice.was_updated or revision.created
    )
    _project(session, practice, document, stamp)
    practice.was_published = practice.was_updated = None
    practice.state = State.PUBLISHED
    return_to_public(session, practice)
    practice.changed = now()
    touch(session, practice)
    references.settle(session, practice)
    _touch_named(session, _models(practice))


def return_to_public(session: Session, practice: Practice) -> None:
    """Make the version that was public last the working copy, where it is not. Nobody is the author of that revision.

    What was written since stays in the revisions.
    """
    revision = public_revision(session, practice)
    newest = select(Revision.document).where(
        Revision.practice_id == practice.id, Revision.number == practice.revision_count
    )
    if revision is not None and session.scalar(newest) != revision.document:
        add_revision(session, practice, RevisionKind.SAVED, revision.document, author_id=None)


def public_revision(session: Session, practice: Practice) -> Revision | None:
    """The revision that readers see or saw last; None where nothing was public or its text was removed."""
    of_it = (Revision.practice_id == practice.id, Revision.version == practice.version, Revision.redacted.is_(None))
    return session.scalar(select(Revision).where(*of_it))


def add_revision(
    session: Session,
    practice: Practice,
    kind: RevisionKind,
    document: Document,
    *,
    author_id: Any,
    note: str | None = None,
) -> Revision:
    """Keep a document as the practice's next revision, which makes it the working copy."""
    practice.revision_count += 1
    practice.title = document["title"] or ""
    practice.changed = now()
    version = practice.version if kind == RevisionKind.PUBLISHED else None
    revision = Revision(
        practice_id=practice.id,
        number=practice.revision_count,
        kind=kind,
        version=version,
        document=document,
        fingerprint=fingerprints.of_revision(practice.id, practice.revision_count, kind, version, document),
        author_id=author_id,
        note=note,
        created=practice.changed,
    )
    session.add(revision)
    return revision


def touch(session: Session, practice: Practice) -> None:
    """Ask, in the same transaction, for the practice's place in the index to be looked at again."""
    session.flush()
    session.add(IndexOutbox(practice_id=practice.id))


def _touch_named(session: Session, slugs: set[str]) -> None:
    """Ask for the practices at some addresses to be looked at again, each as what it is by now."""
    if slugs:
        ids = session.scalars(select(adoption_graph.CANONICAL).where(Practice.slug.in_(slugs)))
        session.add_all([IndexOutbox(practice_id=practice_id) for practice_id in ids])


def _models(practice: Practice) -> set[str]:
    """The slugs that the public version says it was adapted from."""
    return {entry["slug"] for entry in practice.record.adapted_from} if practice.record else set()


def free_slug(session: Session, title: str) -> str:
    """A slug made from a title that no practice bears yet."""
    base = slugify(title, max_length=SLUG_LIMIT - 40, word_boundary=True) or "practice"
    taken = set(session.scalars(select(Practice.slug).where(Practice.slug.startswith(base, autoescape=True))))
    slug, n = base, 1
    while slug in taken:
        n += 1
        slug = f"{base}-{n}"
    return slug


def _attribution(practice: Practice, document: Document) -> str:
    return SEED_ATTRIBUTION if practice.origin == Origin.SEED else str(document["lead_organisation"]["name"])


def _project(session: Session, practice: Practice, document: Document, stamp: Stamp) -> None:
    """Write the document into the typed tables, in place of what stood there."""
    adapted_from = references.seen(session, document["adapted_from"])
    record = practice.record
    if record is None:
        record = Record(practice_id=practice.id)
        practice.record = record
    else:  # the order of terms is unique: what stood there goes before what comes
        for table in (RecordTheme, RecordTargetGroup, RecordRegion):
            session.execute(delete(table).where(table.practice_id == practice.id))
        session.expire(record, ["themes", "target_groups", "other_regions"])
    for key in _PLAIN + _JSON:
        setattr(record, key, document[key])
    record.adapted_from = adapted_from
    lead = document["lead_organisation"]
    record.lead_organisation_name, record.lead_organisation_type = lead["name"], lead["type"]
    record.lead_organisation_url = lead["url"]
    record.region_code = document["region"]["code"] if document["region"] else None
    record.start_min = partial_date(document["start"]) if document["start"] else None
    record.end_max = partial_date(document["end"], last=True) if document["end"] else None
    record.budget_eur = None if document["budget_eur"] is None else Decimal(str(document["budget_eur"]))
    freshness.mirror(record, practice)
    record.completeness = completeness(document)
    record.published, record.updated = stamp.published, stamp.updated
    datestamps.stamp(session, practice)
    record.themes = [RecordTheme(theme=slug, position=n) for n, slug in enumerate(document["themes"])]
    record.target_groups = [
        RecordTargetGroup(target_group=slug, position=n) for n, slug in enumerate(document["target_groups"])
    ]
    record.other_regions = [
        RecordRegion(position=n, country=entry["country"], region_code=entry["code"])
        for n, entry in enumerate(document["other_regions"])
    ]


def _dates(practice: Practice, document: Document) -> Dates:
    """The dates of freshness that a document brings, those of the practice where it brings none."""
    last, due = (date.fromisoformat(document[key]) if document[key] else None for key in FRESHNESS)
    return Dates(last, due) if last or due else Dates(practice.last_verified, practice.review_due)


# And back


def whole() -> tuple[ExecutableOption, ...]:
    """Loader options that bring a record with everything its document needs, in a fixed number of statements."""
    return (
        selectinload(Record.practice),
        selectinload(Record.region),
        selectinload(Record.themes),
        selectinload(Record.target_groups),
        selectinload(Record.other_regions).selectinload(RecordRegion.region),
    )


def as_document(record: Record, base_url: str) -> Document:
    """The whole public record under the keys of the contract, in their order."""
    practice = record.practice
    return written_document(
        record,
        base_url,
        id=str(practice.id),
        slug=practice.slug or "",
        version=practice.version,
        origin={"kind": practice.origin, "url": practice.origin_url},
        region=_named(record.region) if record.region else None,
        other_regions=[
            {
                "country": entry.country,
                "code": entry.region_code,
                "name": entry.region.name_latin if entry.region else None,
            }
            for entry in record.other_regions
        ],
        themes=[each.theme for each in record.themes],
        target_groups=[each.target_group for each in record.target_groups],
    )


def written_document(record: Any, base_url: str, **beside: Any) -> Document:
    """A whole public record under the keys of the contract, in their order.

    `record` has the columns of `Record` by their names: it is one, or a row of the table. `beside` holds what stands in
    other tables, under the contract's keys.
    """
    document: Document = {key: getattr(record, key) for key in _PLAIN + _JSON}
    document |= beside
    document |= {
        "lead_organisation": {
            "name": record.lead_organisation_name,
            "type": record.lead_organisation_type,
            "url": record.lead_organisation_url,
        },
        "budget_eur": number(record.budget_eur),
        **freshness.written(record),
        "published": iso(record.published),
        "updated": iso(record.updated),
        "completeness": record.completeness,
        "url": f"{base_url}/practices/{document['slug']}",
    }
    return {key: document[key] for key in KEYS}


def of_record(document: Document) -> Document:
    """The part of a whole record that is a document: what its writer wrote."""
    return {key: document[key] for key in DOCUMENT_KEYS}


def public_count(session: Session) -> int:
    """How many practices are public."""
    return session.scalar(select(func.count()).select_from(Record)) or 0


def public_records(session: Session, ids: Iterable[Any]) -> dict[str, Record]:
    """The public records among some practices, whole, by the practice's id as text."""
    statement = select(Record).where(Record.practice_id.in_(list(ids))).options(*whole())
    return {str(record.practice_id): record for record in session.scalars(statement)}


def _named(region: Any) -> dict[str, str]:
    return {"code": region.code, "name": region.name_latin}


def number(value: Decimal | None) -> int | float | None:
    """An amount as the record writes it: without cents where there are none."""
    if value is None:
        return None
    return int(value) if value == int(value) else float(value)
