"""By what is known that a revision is still what was saved: a checksum over its place and its text."""

from __future__ import annotations

import hashlib
import json
import uuid

from kb.services.record import Document


def of_revision(practice_id: uuid.UUID, number: int, kind: str, version: int | None, document: Document) -> str:
    """SHA-256, in hex, over a practice's id, and a revision's number, kind, version and document as canonical JSON.

    Migration 0007 works it out in the same way for what was there before, so it can change with a migration only.
    """
    said = [practice_id.hex, number, str(kind), version, document]
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
