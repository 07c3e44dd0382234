"""What a site has promised to whoever wrote, compared with what it keeps, on any database."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.db import Database
from kb.models import Buffer, Form, Practice, Record, Revision, State
from kb.services.files import Store
from tests.recovery.writers import Ledger

AFTER_SUBMISSION = (State.SUBMITTED, State.IN_REVIEW, State.PUBLISHED)


def missing(database: Database, files: Path, ledger: Ledger) -> list[str]:
    """A sentence for everything that was acknowledged and is not there."""
    with database.read() as session:
        newest = _newest(session)
        return [
            *_words(session, ledger), *_typed(session, newest, ledger), *_states(session, ledger),
            *_files(newest, Store(files), ledger),
        ]  # fmt: skip


def _newest(session: Session) -> dict[str, dict[str, Any]]:
    """The working copy of each practice that members wrote."""
    rows = session.execute(
        select(Revision.practice_id, Revision.document)
        .join(Practice, Practice.id == Revision.practice_id)
        .where(Revision.number == Practice.revision_count, Practice.owner_id.is_not(None))
    )
    return {practice.hex: document for practice, document in rows}


def _words(session: Session, ledger: Ledger) -> Iterator[str]:
    for practice, words in ledger.saved.items():
        found = session.scalars(select(Revision.document).where(Revision.practice_id == uuid.UUID(practice)))
        text = json.dumps(list(found), ensure_ascii=False)
        yield from (f"{practice} lacks the word {each}" for each in words if each not in text)


def _typed(session: Session, newest: dict[str, dict[str, Any]], ledger: Ledger) -> Iterator[str]:
    buffers = session.scalars(select(Buffer).where(Buffer.form == Form.PRACTICE))
    typed = {each.practice_id.hex: dict(map(tuple, each.pairs)) for each in buffers}
    for practice, text in ledger.autosaved.items():
        kept = typed.get(practice) or newest.get(practice) or {}
        if not str(kept.get("actions") or "").startswith(text):
            yield f"{practice} lacks what was typed last: {text}"


def _states(session: Session, ledger: Ledger) -> Iterator[str]:
    for practice in ledger.submitted:
        found = session.get(Practice, uuid.UUID(practice))
        if found is None or found.state not in AFTER_SUBMISSION:
            yield f"{practice} was submitted and is {found.state if found else 'not there'}"
    public = {practice.hex for practice in session.scalars(select(Record.practice_id))}
    yield from (f"{each} was published and is not public" for each in ledger.published.keys() - public)


def _files(newest: dict[str, dict[str, Any]], store: Store, ledger: Ledger) -> Iterator[str]:
    for practice, words in ledger.files.items():
        document = newest.get(practice, {"images": [], "attachments": []})
        entries = [*document["images"], *document["attachments"]]
        named = {entry.get("alt") or entry.get("title"): entry["sha256"] for entry in entries}
        for each in words:
            if each not in named or not store.path(named[each]).is_file():
                yield f"{practice} lacks the file {each}"
