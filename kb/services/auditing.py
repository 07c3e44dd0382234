"""The audit log as administrators read it: filtered, the newest first, page by page or whole as rows of a table.

Entries are only ever added: the database itself refuses to change or delete one.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from kb.models import AuditEntry, User
from kb.services.errors import N_, Invalid, NotAllowed, Problem
from kb.services.paging import PER_PAGE, Page, within
from kb.services.permissions import can
from kb.services.values import full_date
from kb.services.vocabularies import fold

COLUMNS = ("time", "person_id", "person", "action", "object_kind", "object_id", "detail")
"""The columns of an export; times are UTC, details JSON."""

LATEST = 10
BATCH = 1000


@dataclass(frozen=True)
class Filter:
    """Which entries are asked for. `people` is None where everybody's are; `since` and `until` are whole days, UTC."""

    people: frozenset[uuid.UUID] | None = None
    action: str = ""
    kind: str = ""
    object_id: str = ""
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class Names:
    """Who people are: their name, or their address; whoever left has none."""

    by_id: Mapping[uuid.UUID, str] = field(default_factory=dict)

    def of(self, user_id: uuid.UUID | None) -> str | None:
        """Somebody's name; None for whoever left, or for nobody."""
        return self.by_id.get(user_id) if user_id else None


def parse(session: Session, given: Mapping[str, str]) -> Filter:
    """Read what was typed: `person` (part of a name or address, or an id), `action`, `kind`, `object`, dates.

    Raises Invalid for a date that is none.
    """
    problems: list[Problem] = []
    days: dict[str, date | None] = {}
    for name in ("since", "until"):
        text = given.get(name, "").strip()
        try:
            days[name] = full_date(text) if text else None
        except ValueError:
            problems.append(Problem.of(name, N_("Write the date as year, month and day: 2026-09-30.")))
    if problems:
        raise Invalid(problems)
    return Filter(
        people=_people(session, given.get("person", "").strip()),
        action=given.get("action", "").strip(),
        kind=given.get("kind", "").strip(),
        object_id=given.get("object", "").strip(),
        since=days["since"],
        until=days["until"],
    )


def page(session: Session, actor: User, wanted: Filter, number: int = 1) -> Page[AuditEntry]:
    """One page of entries, the newest first. Raises NotAllowed."""
    _administering(actor)
    total = session.scalar(select(func.count()).select_from(_where(select(AuditEntry.id), wanted).subquery())) or 0
    number = within(number, total)
    shown = _where(select(AuditEntry), wanted).order_by(AuditEntry.id.desc())
    return Page(session.scalars(shown.offset((number - 1) * PER_PAGE).limit(PER_PAGE)).all(), number, total)


def latest(session: Session, actor: User) -> list[AuditEntry]:
    """The last few entries. Raises NotAllowed."""
    _administering(actor)
    return list(session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(LATEST)))


def names(session: Session, entries: Iterable[AuditEntry]) -> Names:
    """The names of those who did what some entries say."""
    ids = {entry.user_id for entry in entries if entry.user_id}
    people = session.scalars(select(User).where(User.id.in_(ids), User.deleted.is_(None)))
    return Names({person.id: person.name or person.email for person in people})


def choices(session: Session) -> tuple[list[str], list[str]]:
    """The actions and the kinds of object that the log knows so far."""
    actions = session.scalars(select(AuditEntry.action).distinct().order_by(AuditEntry.action))
    kinds = session.scalars(select(AuditEntry.object_kind).distinct().order_by(AuditEntry.object_kind))
    return list(actions), list(kinds)


def rows(session: Session, actor: User, wanted: Filter, left: str, software: str) -> Iterator[tuple[Any, ...]]:
    """Every entry as a row of COLUMNS, read in batches; `left` and `software` name whoever left, and nobody.

    Raises NotAllowed when the first is asked for.
    """
    _administering(actor)
    before: int | None = None
    while True:
        statement = _where(select(AuditEntry), wanted).order_by(AuditEntry.id.desc()).limit(BATCH)
        batch = list(session.scalars(statement if before is None else statement.where(AuditEntry.id < before)))
        if not batch:
            return
        who = names(session, batch)
        for entry in batch:
            person = (who.of(entry.user_id) or left) if entry.user_id else software
            detail = json.dumps(entry.detail, ensure_ascii=False) if entry.detail else ""
            moment = entry.created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            yield moment, entry.user_id, person, entry.action, entry.object_kind, entry.object_id, detail
        before = batch[-1].id
        session.expunge_all()


def _people(session: Session, text: str) -> frozenset[uuid.UUID] | None:
    if not text:
        return None
    try:
        return frozenset([uuid.UUID(text)])
    except ValueError:
        pass
    wanted = fold(text)
    people = session.execute(select(User.id, User.name, User.email).where(User.deleted.is_(None)))
    return frozenset(key for key, name, email in people if wanted in fold(name) or wanted in fold(email))


def _where(statement: Select[Any], wanted: Filter) -> Select[Any]:
    if wanted.people is not None:
        statement = statement.where(AuditEntry.user_id.in_(wanted.people))
    equal = ((AuditEntry.action, wanted.action), (AuditEntry.object_kind, wanted.kind),
             (AuditEntry.object_id, wanted.object_id))  # fmt: skip
    for column, value in equal:
        if value:
            statement = statement.where(column == value)
    if wanted.since:
        statement = statement.where(AuditEntry.created >= _midnight(wanted.since))
    if wanted.until and wanted.until < date.max:
        statement = statement.where(AuditEntry.created < _midnight(wanted.until + timedelta(days=1)))
    return statement


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def _administering(actor: User) -> None:
    if not can(actor, "administer"):
        raise NotAllowed(N_("Only administrators read the audit log."))
