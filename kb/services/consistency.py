"""Whether what is kept agrees with itself. This is what `check` looks at; nothing is changed by looking.

* The database file: SQLite's own tests of its pages, indexes and constraints; rows that refer to rows that are gone
  (consistent_base).
* The schema: tables, columns, types, indexes and keys, and the guard of the audit log, as this release makes them.
* Every value of every table: whether it can be read as what it is.
* Revisions: none missing, none changed after it was saved, by its fingerprint; none named that there is not
  (consistent_revisions).
* Practices: what readers see against the version that was published; the state; themes, target groups, regions and
  practices that a public record or a submission names; practices merged into one that is merged itself.
* Adoptions: each of a practice that was public, and of people who are there; none that leads in a circle
  (consistent_adoptions).
* The audit log: no entry missing. Retired terms that lead nowhere. Sessions and tokens of accounts that are shut out or
  deleted. Mail that nobody sends (consistent_base).
* The search index: every byte of it; every public practice in it, as it stands, and no other; changes that it waits for
  (consistent_index).
* Uploaded files: none missing, changed, named without being there, or there without being named (file_keeping).

A page of SQLite has no checksum, so a changed letter in a value that can still be read is seen in revisions, in what
readers see of them, in files and in the index, and nowhere else.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from kb.db import Database
from kb.models import Practice, Revision, RevisionKind, State, StoredFile
from kb.search.port import SearchEngine
from kb.services import (
    consistent_adoptions,
    consistent_base,
    consistent_index,
    consistent_revisions,
    file_keeping,
    merged_terms,
    references,
    vocabularies,
)
from kb.services.consistent_revisions import named
from kb.services.progress import Progress, silent
from kb.services.publishing import FRESHNESS, as_document, of_record, public_records
from kb.services.record import NO_MAIN, Document
from kb.services.vocabularies import Vocabulary

BATCH = 500

SETTLED = (State.PUBLISHED, State.ARCHIVED, State.WITHDRAWN, State.REJECTED)
"""States that say whether readers see a version; in the others they may or may not."""


def _silently(_label: str) -> Progress:
    return silent


def faults(
    database: Database,
    engine: SearchEngine,
    files: Path | None = None,
    shown: Callable[[str], Progress] = _silently,
) -> Iterator[str]:
    """Everything that is wrong, a sentence each; nothing where all is well. Changes nothing.

    `files` is the folder of uploaded files, which are looked at where it is given; `shown` makes of a label what tells
    how far it is. After damage that makes the rest unreadable, the rest is not looked at.
    """
    with database.read() as session:
        damaged = list(consistent_base.damage(session, shown("Reading")))
        yield from damaged
        if damaged:
            return  # what a damaged file holds is not worth asking
        yield from consistent_base.faults(session)
        yield from consistent_revisions.faults(session, shown("Checking versions"))
        yield from consistent_adoptions.faults(session)
        vocabulary = vocabularies.load(session)
        stored = frozenset(session.scalars(select(StoredFile.sha256)))
        known = _Known(vocabulary, _public_slugs(session), frozenset(references.offline(session)), stored)
        ids = list(session.scalars(select(Practice.id).order_by(Practice.created, Practice.id)))
        for kept in shown("Checking practices")(_kept(session, ids), len(ids)):
            yield from _record(kept, known)
    yield from consistent_index.faults(database, engine)
    if files is not None:
        yield from file_keeping.faults(database, files, shown("Checking files"))


@dataclass(frozen=True)
class _Known:
    """What a record may refer to: terms and regions, addresses of practices, files."""

    vocabulary: Vocabulary
    slugs: frozenset[str]
    offline: frozenset[str]
    files: frozenset[str]


@dataclass
class _Kept:
    """A practice with the two revisions that matter: the public version and the newest. None where there is none."""

    practice: Practice
    published: Revision | None = None
    newest: Revision | None = None


def _kept(session: Session, ids: list[uuid.UUID]) -> Iterator[_Kept]:
    """Every practice with what belongs to it, read in batches."""
    for first in range(0, len(ids), BATCH):
        batch = ids[first : first + BATCH]
        public = public_records(session, batch)  # so that each practice finds its record loaded
        found = {each.id: _Kept(each) for each in session.scalars(select(Practice).where(Practice.id.in_(batch)))}
        of_interest = (Revision.version == Practice.version) | (Revision.number == Practice.revision_count)
        revisions = select(Revision).join(Practice).where(Practice.id.in_(batch), of_interest)
        for revision in session.scalars(revisions):
            kept = found[revision.practice_id]
            if revision.version == kept.practice.version:
                kept.published = revision
            if revision.number == kept.practice.revision_count:
                kept.newest = revision
        yield from found.values()
        del public
        session.expunge_all()


def _record(kept: _Kept, known: _Known) -> Iterator[str]:
    """What is wrong with one practice: its public record, and the working copy where that waits for an editor."""
    practice, newest = kept.practice, kept.newest
    if (practice.record is None) == (practice.state == State.PUBLISHED) and practice.state in SETTLED:
        yield (
            f"{named(practice)} stands as {practice.state}, but readers see {'it' if practice.record else 'nothing'}. "
            "Archive it or publish it again."
        )
    shown = as_document(practice.record, "") if practice.record else None
    if shown is not None:
        yield from _disagreements(practice, shown, kept.published, known)
        yield from (f"{named(practice)} {fault}" for fault in _references(shown, known))
    if newest and newest.kind == RevisionKind.SUBMITTED:  # a draft may hold anything that was typed
        document = merged_terms.of_today(newest.document, known.vocabulary.term_successors)
        for fault in (*_references(document, known), *_files(document, known)):
            yield f"The working copy of {named(practice)} {fault}"


def _disagreements(practice: Practice, shown: Document, published: Revision | None, known: _Known) -> Iterator[str]:
    """Fields in which readers see something else than the revision that was published."""
    if published is None:
        yield (
            f"{named(practice)} is public in version {practice.version}, but no revision holds that version. Restore a "
            "backup, or publish it again."
        )
        return
    document = merged_terms.of_today(published.document, known.vocabulary.term_successors)
    kept = _without_names(document)
    kept["adapted_from"] = [entry for entry in kept["adapted_from"] if entry["slug"] not in known.offline]
    seen = _without_names(of_record(shown))
    if differing := [key for key in seen if seen[key] != kept[key] and key not in FRESHNESS]:
        yield (
            f"{named(practice)} shows readers something else than version {practice.version} says: "
            f"{', '.join(differing)}. Publish it again."
        )


def _without_names(document: Document) -> Document:
    """A document without the names of its regions, which follow the region list as it stands."""
    region = document["region"]
    others = [{**entry, "name": None} for entry in document["other_regions"]]
    return {**document, "region": region and region["code"], "other_regions": others}


def _references(document: Document, known: _Known) -> Iterator[str]:
    """What a document refers to that is not there, each to go on a practice's name."""
    vocabulary = known.vocabulary
    for slug in document["themes"]:
        if slug not in vocabulary.themes and slug != NO_MAIN:
            yield f"has the theme {slug}, which is not in the list. Add it to the list, or choose another."
    for slug in document["target_groups"]:
        if slug not in vocabulary.target_groups:
            yield f"has the target group {slug}, which is not in the list. Add it to the list, or choose another."
    regions: Iterable[Any] = (document["region"], *document["other_regions"])
    for code in (region["code"] for region in regions if region and region["code"]):
        if code not in vocabulary.regions:
            yield f"has the region {code}, which is not in the list. Choose another."
    for entry in document["adapted_from"]:
        if entry["slug"] not in known.slugs | known.offline:
            yield f"says that it adapts {entry['slug']}, which is not a public practice. Name another, or none."


def _files(document: Document, known: _Known) -> Iterator[str]:
    """Files that a document names and that there are not, each to go on a practice's name."""
    for entry in (*document["images"], *document["attachments"]):
        if entry["sha256"] and entry["sha256"] not in known.files:
            yield f"names the file {entry['sha256']}, which is in no table. Restore it from a backup, or take it out."


def _public_slugs(session: Session) -> frozenset[str]:
    """The addresses that answer: of what is public, of what is archived, and of what was merged into another."""
    answering = (Practice.record.has(), Practice.state == State.ARCHIVED, Practice.merged_into_id.is_not(None))
    return frozenset(slug for slug in session.scalars(select(Practice.slug).where(or_(*answering))) if slug)
