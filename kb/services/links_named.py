"""Which web addresses the public practices name, and which of those are broken: for owners and editors."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session, joinedload

from kb.models import LinkCheck, Practice, Record
from kb.services.errors import Label
from kb.services.record import LABELS

FAILURES = 3
"""Failures in a row after which a link is broken, and one less where the page is gone."""

GONE = (404, 410)

_COLUMNS = (
    Record.practice_id, Record.sources, Record.links, Record.indicators, Record.partners, Record.lead_organisation_url,
)  # fmt: skip


@dataclass(frozen=True)
class Named:
    """One address in one practice, and the field that names it."""

    practice_id: uuid.UUID
    field: str
    url: str

    @property
    def label(self) -> Label:
        """What the field is called."""
        return LABELS[self.field]


@dataclass(frozen=True)
class BrokenLink:
    """A broken link of a practice: why it is taken for broken, and when it last worked, if it ever did here."""

    named: Named
    status: int | None
    error: str
    succeeded: datetime | None
    checked: datetime


def is_broken(check: LinkCheck) -> bool:
    """Whether a link is to be taken for broken."""
    return check.failures >= FAILURES - (check.status in GONE)


def _broken() -> ColumnElement[bool]:
    """The same as a condition."""
    return or_(LinkCheck.failures >= FAILURES, and_(LinkCheck.failures >= FAILURES - 1, LinkCheck.status.in_(GONE)))


def named(session: Session, *where: ColumnElement[bool]) -> Iterator[Named]:
    """The addresses in public practices, each once a practice, in the order of the page."""
    for key, sources, links, indicators, partners, lead in session.execute(select(*_COLUMNS).where(*where)):
        seen = set()
        lists = {"sources": sources, "links": links, "indicators": indicators, "partners": partners}
        entries: list[tuple[str, Any]] = [("lead_organisation", lead)]
        entries += [(field, entry.get("url")) for field, held in lists.items() for entry in held]
        for field, url in entries:
            if isinstance(url, str) and url.lower().startswith(("http://", "https://")) and url not in seen:
                seen.add(url)
                yield Named(key, field, url)


def everywhere(session: Session) -> dict[str, set[uuid.UUID]]:
    """Every address with the practices that name it."""
    places: dict[str, set[uuid.UUID]] = defaultdict(set)
    for each in named(session):
        places[each.url].add(each.practice_id)
    return places


def owners(session: Session, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Practice]:
    """Practices with their owners, by their id."""
    statement = select(Practice).where(Practice.id.in_(list(ids))).options(joinedload(Practice.owner))
    return {practice.id: practice for practice in session.scalars(statement)}


def broken_in(session: Session, ids: Iterable[uuid.UUID] | None = None) -> dict[uuid.UUID, list[BrokenLink]]:
    """The broken links of some practices, or of all, by practice."""
    checks = {check.url: check for check in session.scalars(select(LinkCheck).where(_broken()))}
    found: dict[uuid.UUID, list[BrokenLink]] = defaultdict(list)
    if checks:
        where = () if ids is None else (Record.practice_id.in_(list(ids)),)
        for each in named(session, *where):
            if check := checks.get(each.url):
                found[each.practice_id].append(
                    BrokenLink(each, check.status, check.error, check.succeeded, check.checked)
                )
    return found
