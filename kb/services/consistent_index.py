"""Whether the search index is whole, and says what the database says."""

from __future__ import annotations

import time
from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.db import Database
from kb.models import IndexOutbox, Practice, Record
from kb.search.port import Entry, IndexLost, SearchEngine, SearchUnavailable
from kb.services import adoption_trail

PATIENCE = 2.5
"""Seconds that the index is given to follow, before what it lacks is a fault."""


def faults(database: Database, engine: SearchEngine) -> Iterator[str]:
    """How the index differs from the database, after it had time to follow, and whether a byte of it changed."""
    try:
        engine.check()
    except IndexLost as lost:
        yield f"The search index cannot be read ({lost}). Run reindex."
        return
    except SearchUnavailable as fault:
        yield f"The search index cannot be compared with the database: {fault}."
        return
    if found := _lagging(database, engine):
        time.sleep(PATIENCE)
        again = _lagging(database, engine)
        yield from (sentence for key, sentence in again.items() if key in found)


def _lagging(database: Database, engine: SearchEngine) -> dict[str, str]:
    """What is not in the index as it is in the database, by what it is about."""
    try:
        indexed = engine.entries()
    except IndexLost as lost:
        return {"index": f"The search index cannot be read ({lost}). Run reindex."}
    with database.read() as session:
        public = _entries(session)
        waiting = {str(practice_id) for practice_id in session.scalars(select(IndexOutbox.practice_id))}
    wrong = {}
    for practice_id, entry in public.items():
        if practice_id in waiting:
            continue
        if practice_id not in indexed:
            wrong[practice_id] = f"{entry.slug} is public, but not in the search index. Run reindex."
        elif indexed[practice_id] != entry:
            wrong[practice_id] = f"The search index holds {entry.slug} as it was before. Run reindex."
    for practice_id in sorted(indexed.keys() - public.keys() - waiting):
        wrong[practice_id] = f"The search index holds a practice that is not public: {practice_id}. Run reindex."
    if waiting:
        wrong["outbox"] = f"{len(waiting)} practices wait for the search index. Run reindex."
    return wrong


def _entries(session: Session) -> dict[str, Entry]:
    """How each public practice should stand in the index, by id."""
    adopted = adoption_trail.counts(session)
    columns = (Practice.id, Practice.slug, Record.updated, Record.completeness)
    rows = session.execute(select(*columns).join(Record, Record.practice_id == Practice.id))
    return {
        str(key): Entry(slug or "", int(updated.timestamp()), adopted.get(slug or "", 0), completeness)
        for key, slug, updated, completeness in rows
    }
