"""What search engines are told to look at: the public practices in parts, and the places that have any."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from math import ceil

from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.models import Practice, Record, RecordRegion
from kb.services.publishing import public_count
from kb.services.vocabularies import Vocabulary

PART = 10_000
"""Practices of one part; a sitemap may hold five times as many."""


def parts(session: Session) -> int:
    """How many parts the practices have."""
    return ceil(public_count(session) / PART)


def practices(session: Session, part: int) -> Iterator[tuple[str, datetime]]:
    """The slugs of a part, from 1, and when each practice was updated last; read a few at a time."""
    rows = (
        select(Practice.slug, Record.updated).join(Record).order_by(Practice.id).offset((part - 1) * PART).limit(PART)
    )
    for slug, updated in session.execute(rows.execution_options(yield_per=500)):
        yield str(slug), updated


def countries(session: Session) -> list[str]:
    """The codes of countries with practices."""
    return sorted(session.scalars(select(Record.country).union(select(RecordRegion.country))))


def regions(session: Session, vocabulary: Vocabulary) -> list[str]:
    """The codes of regions with practices, below the countries: those named in records and those above these."""
    named = session.scalars(select(Record.region_code).union(select(RecordRegion.region_code)))
    known = [code for code in named if code is not None and code in vocabulary.regions]
    held = {step for code in known for step in vocabulary.lineage(code)}
    return sorted(code for code in held if vocabulary.regions[code].level)
