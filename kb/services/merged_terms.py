"""Themes and target groups that were merged into others, and reading what was written before that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.models import TermSuccessor
from kb.services.record import Document, empty

TermSuccessors = Mapping[str, Mapping[str, str]]
"""The term that each merged one went into, under the record's keys `themes` and `target_groups`."""


def term_successors(session: Session) -> TermSuccessors:
    """Which themes and target groups were merged, and into what."""
    found: dict[str, dict[str, str]] = {"themes": {}, "target_groups": {}}
    for row in session.scalars(select(TermSuccessor)):
        found[f"{row.kind}s"][row.slug] = row.successor
    return found


def renewed(document: dict[str, Any], successors: TermSuccessors) -> dict[str, Any]:
    """A document with what merged terms went into in their place, each once, in the order in which they stood.

    Revisions stay as they were written: whoever reads one to show, check or compare it, reads it through this.
    """
    held = {key: document.get(key) or [] for key, after in successors.items() if after}
    now = {key: list(dict.fromkeys(successors[key].get(term, term) for term in terms)) for key, terms in held.items()}
    return {**document, **{key: terms for key, terms in now.items() if terms != held[key]}}


def of_today(document: Document | None, successors: TermSuccessors) -> Document:
    """What a revision says, with every key of today's record and the terms of today; all empty where it is None."""
    return renewed({**empty(), **(document or {})}, successors)
