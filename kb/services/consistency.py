"""Whether what is kept agrees with itself: the database, the records and their revisions, the references, the index."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from kb.db import Database
from kb.models import IndexOutbox, Practice, Record, Revision, RevisionKind, State
from kb.search.port import IndexLost, SearchEngine
from kb.services import vocabularies
from kb.services.progress import Progress, silent
from kb.services.publishing import as_document, of_record, public_records
from kb.services.record import NO_MAIN, Document
from kb.services.vocabularies import Vocabulary

BATCH = 500

SETTLED = (State.PUBLISHED, State.ARCHIVED, State.WITHDRAWN, State.REJECTED)
"""States that say whether readers see a version; in the others they may or may not."""

PATIENCE = 2.5
"""Seconds that the index is given to follow, before what it lacks is a fault."""


def faults(database: Database, engine: SearchEngine, progress: Progress = silent) -> Iterator[str]:
    """Everything that is wrong, a sentence each; nothing where all is well. Changes nothing."""
    with database.read() as session:
        damaged = list(_file(session))
        yield from damaged
        if damaged:
            return  # what a damaged file holds is not worth asking
        yield from _revisions(session)
        vocabulary = vocabularies.load(session)
        public = _public_slugs(session)
        ids = list(session.scalars(select(Practice.id).order_by(Practice.created, Practice.id)))
        for kept in progress(_kept(session, ids), len(ids)):
            yield from _record(kept, vocabulary, public)
    yield from _index(database, engine)


def _file(session: Session) -> Iterator[str]:
    """What SQLite finds wrong with its file and its foreign keys."""
    if session.get_bind().dialect.name != "sqlite":
        return
    try:
        connection = session.connection()
        damage = [text for (text,) in connection.exec_driver_sql("PRAGMA integrity_check(20)") if text != "ok"]
        orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    except DatabaseError as error:
        damage, orphans = [str(error.orig)], []
    yield from (f"The database file is damaged: {text}. Restore a backup." for text in damage)
    for table, row, parent, _key in orphans:
        yield f"Row {row} of the table {table} refers to a row of {parent} that is not there."


def _revisions(session: Session) -> Iterator[str]:
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
            f"{_name(practice)} should have {practice.revision_count} revisions, but has {count}, "
            f"the last with the number {last}."
        )


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


def _record(kept: _Kept, vocabulary: Vocabulary, public: frozenset[str]) -> Iterator[str]:
    """What is wrong with one practice: its public record, and the working copy where that waits for an editor."""
    practice, newest = kept.practice, kept.newest
    if (practice.record is None) == (practice.state == State.PUBLISHED) and practice.state in SETTLED:
        yield f"{_name(practice)} stands as {practice.state}, but readers see {'it' if practice.record else 'nothing'}."
    shown = as_document(practice.record, "") if practice.record else None
    if shown is not None:
        yield from _disagreements(practice, shown, kept.published, vocabulary)
        yield from (f"{_name(practice)} {fault}" for fault in _references(shown, vocabulary, public))
    if newest and newest.kind == RevisionKind.SUBMITTED:  # a draft may hold anything that was typed
        document = vocabularies.of_today(newest.document, vocabulary.term_successors)
        for fault in _references(document, vocabulary, public):
            yield f"The working copy of {_name(practice)} {fault}"


def _disagreements(
    practice: Practice, shown: Document, published: Revision | None, vocabulary: Vocabulary
) -> Iterator[str]:
    """Fields in which readers see something else than the revision that was published."""
    if published is None:
        yield f"{_name(practice)} is public in version {practice.version}, but no revision holds that version."
        return
    document = vocabularies.of_today(published.document, vocabulary.term_successors)
    kept = _without_names(document)
    seen = _without_names(of_record(shown))
    if differing := [key for key in seen if seen[key] != kept[key]]:
        yield (
            f"{_name(practice)} shows readers something else than version {practice.version} says: "
            f"{', '.join(differing)}."
        )


def _without_names(document: Document) -> Document:
    """A document without the names of its regions, which follow the region list as it stands."""
    region = document["region"]
    others = [{**entry, "name": None} for entry in document["other_regions"]]
    return {**document, "region": region and region["code"], "other_regions": others}


def _references(document: Document, vocabulary: Vocabulary, public: frozenset[str]) -> Iterator[str]:
    """What a document refers to that is not there, each to go on a practice's name."""
    for slug in document["themes"]:
        if slug not in vocabulary.themes and slug != NO_MAIN:
            yield f"has the theme {slug}, which is not in the list."
    for slug in document["target_groups"]:
        if slug not in vocabulary.target_groups:
            yield f"has the target group {slug}, which is not in the list."
    regions: Iterable[Any] = (document["region"], *document["other_regions"])
    for code in (region["code"] for region in regions if region and region["code"]):
        if code not in vocabulary.regions:
            yield f"has the region {code}, which is not in the list."
    for entry in document["adapted_from"]:
        if entry["slug"] not in public:
            yield f"says that it adapts {entry['slug']}, which is not a public practice."


def _public_slugs(session: Session) -> frozenset[str]:
    """The addresses that answer: of what is public, of what is archived, and of what was merged into another."""
    answering = (Practice.record.has(), Practice.state == State.ARCHIVED, Practice.merged_into_id.is_not(None))
    return frozenset(slug for slug in session.scalars(select(Practice.slug).where(or_(*answering))) if slug)


def _index(database: Database, engine: SearchEngine) -> Iterator[str]:
    """How the index differs from the database, after it had time to follow."""
    if found := _lagging(database, engine):
        time.sleep(PATIENCE)
        again = _lagging(database, engine)
        yield from (sentence for key, sentence in again.items() if key in found)


def _lagging(database: Database, engine: SearchEngine) -> dict[str, str]:
    """What is not in the index as it is in the database, by what it is about."""
    try:
        indexed = engine.ids()
    except IndexLost as lost:
        return {"index": f"The search index cannot be read ({lost}). Run reindex."}
    with database.read() as session:
        slugs = session.execute(select(Practice.id, Practice.slug).join(Record))
        public = {str(practice_id): slug for practice_id, slug in slugs}
        waiting = {str(practice_id) for practice_id in session.scalars(select(IndexOutbox.practice_id))}
    wrong = {
        practice_id: f"{slug} is public, but not in the search index. Run reindex."
        for practice_id, slug in public.items()
        if practice_id not in indexed and practice_id not in waiting
    }
    for practice_id in sorted(indexed - public.keys() - waiting):
        wrong[practice_id] = f"The search index holds a practice that is not public: {practice_id}. Run reindex."
    if waiting:
        wrong["outbox"] = f"{len(waiting)} practices wait for the search index. Run reindex."
    return wrong


def _name(practice: Practice) -> str:
    return practice.slug or f"“{practice.title}” ({practice.id})"
