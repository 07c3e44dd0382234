"""What waits for the editors, list by list: the figures above, one list at a time below, the most pressing first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, UnaryExpression, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, contains_eager, joinedload

from kb.models import Adoption, Claim, Practice, Record, Report, User
from kb.services import adoptions, claims, freshness, links_named, moderation, reports, reviewing
from kb.services.errors import N_, NotAllowed
from kb.services.links_named import BrokenLink
from kb.services.paging import PER_PAGE, Page, within
from kb.services.permissions import WAITING, can
from kb.services.record import RECOMMENDED

COMPLETE = 0.6
"""The share of recommended fields below which a public practice is listed as incomplete."""


class Listed(StrEnum):
    """The lists, in the order of the page."""

    QUEUE = "queue"
    STALE = "stale"
    OWNERLESS = "ownerless"
    INCOMPLETE = "incomplete"
    REPORTED = "reported"
    BROKEN = "broken"
    CLAIMED = "claimed"
    ADOPTED = "adopted"


@dataclass(frozen=True)
class Row:
    """One entry of a list: the practice, since when it is there, and what the list is about."""

    practice: Practice
    language: str | None
    since: datetime | date | None = None
    days: int = 0
    missing: tuple[str, ...] = ()
    links: Sequence[BrokenLink] = field(default=())
    report: Report | None = None
    claim: Claim | None = None
    adoption: Adoption | None = None


@dataclass(frozen=True)
class _Moment:
    session: Session
    actor: User
    now: datetime

    def days(self, since: datetime | date) -> int:
        """Whole days since then."""
        day = since.date() if isinstance(since, datetime) else since
        return max(0, (self.now.date() - day).days)


def counts(session: Session, actor: User, now: datetime) -> dict[Listed, int]:
    """How long each list is. Raises NotAllowed."""
    at = _moment(session, actor, now)
    return {each: _LISTS[each].count(at) for each in Listed}


def page(session: Session, actor: User, listed: Listed, number: int, now: datetime) -> Page[Row]:
    """One page of a list, the last where one beyond it is asked for. Raises NotAllowed."""
    at = _moment(session, actor, now)
    total = _LISTS[listed].count(at)
    number = within(number, total)
    return Page(_LISTS[listed].rows(at, (number - 1) * PER_PAGE), number, total)


def _moment(session: Session, actor: User, now: datetime) -> _Moment:
    if not can(actor, "review"):
        raise NotAllowed(N_("Only editors see what waits for them."))
    return _Moment(session, actor, now)


def _slice(rows: Sequence[Any], offset: int) -> Sequence[Any]:
    return rows[offset : offset + PER_PAGE]


@dataclass(frozen=True)
class _List:
    count: Callable[[_Moment], int]
    rows: Callable[[_Moment, int], list[Row]]


# Lists of public practices that a condition tells


def _told_by(
    condition: Callable[[_Moment], ColumnElement[bool]],
    order: tuple[InstrumentedAttribute[Any] | UnaryExpression[Any], ...],
    row: Callable[[_Moment, Practice, Record], Row],
) -> _List:
    def count(at: _Moment) -> int:
        found = select(func.count()).select_from(Practice).join(Record).where(condition(at))
        return at.session.scalar(found) or 0

    def rows(at: _Moment, offset: int) -> list[Row]:
        found = select(Practice, Record).join(Record).where(condition(at)).order_by(*order, Practice.id)
        found = (
            found.options(joinedload(Practice.owner), contains_eager(Practice.record)).offset(offset).limit(PER_PAGE)
        )
        return [row(at, practice, record) for practice, record in at.session.execute(found)]

    return _List(count, rows)


def _overdue(at: _Moment) -> ColumnElement[bool]:
    return freshness.overdue(at.now.date())


def _stale(at: _Moment, practice: Practice, record: Record) -> Row:
    due = practice.review_due or at.now.date()
    return Row(practice, record.language, due, at.days(due))


def _ownerless(at: _Moment, practice: Practice, record: Record) -> Row:
    return Row(practice, record.language, record.published, at.days(record.published))


def _incomplete(_at: _Moment, practice: Practice, record: Record) -> Row:
    return Row(practice, record.language, missing=tuple(key for key in RECOMMENDED if getattr(record, key) is None))


# Lists that other services make


def _queue(at: _Moment, offset: int) -> list[Row]:
    waiting = [each for each in reviewing.queue(at.session, at.actor) if each.practice.state in WAITING]
    return [Row(each.practice, each.language, each.since, at.days(each.since)) for each in _slice(waiting, offset)]


def _reported(at: _Moment, offset: int) -> list[Row]:
    found = _slice(reports.open_reports(at.session), offset)
    spoken = _languages(at, [each.practice for each in found])
    return [
        Row(each.practice, spoken.get(each.practice_id), each.created, at.days(each.created), report=each)
        for each in found
    ]


def _claimed(at: _Moment, offset: int) -> list[Row]:
    found = _slice(claims.open_claims(at.session), offset)
    spoken = _languages(at, [each.practice for each in found])
    return [
        Row(each.practice, spoken.get(each.practice_id), each.created, at.days(each.created), claim=each)
        for each in found
    ]


def _adopted(at: _Moment, offset: int) -> list[Row]:
    found = _slice(adoptions.waiting(at.session), offset)
    practices = [adoptions.now_of(at.session, each) for each in found]
    spoken = _languages(at, practices)
    return [
        Row(practice, spoken.get(practice.id), each.changed, at.days(each.changed), adoption=each)
        for practice, each in zip(practices, found, strict=True)
    ]


def _broken(at: _Moment, offset: int) -> list[Row]:
    """Practices with broken links, those with the most first."""
    found = links_named.broken_in(at.session)
    keys = _slice(sorted(found, key=lambda key: (-len(found[key]), key)), offset)
    held = links_named.owners(at.session, keys)
    spoken = _languages(at, list(held.values()))
    return [Row(held[key], spoken.get(key), links=found[key]) for key in keys]


def _languages(at: _Moment, practices: Sequence[Practice]) -> dict[Any, str]:
    """In which languages public practices are."""
    ids = [practice.id for practice in practices]
    found = select(Record.practice_id, Record.language).where(Record.practice_id.in_(ids))
    return {key: language for key, language in at.session.execute(found)}


def _open(table: type[Report] | type[Claim], ended: InstrumentedAttribute[datetime | None]) -> Callable[[_Moment], int]:
    def count(at: _Moment) -> int:
        return at.session.scalar(select(func.count()).select_from(table).where(ended.is_(None))) or 0

    return count


_LISTS = {
    Listed.QUEUE: _List(lambda at: moderation.waiting(at.session), _queue),
    Listed.STALE: _told_by(_overdue, (Practice.review_due,), _stale),
    Listed.OWNERLESS: _told_by(lambda _at: Practice.owner_id.is_(None), (Record.title,), _ownerless),
    Listed.INCOMPLETE: _told_by(
        lambda _at: Record.completeness < COMPLETE, (Record.completeness, Record.title), _incomplete
    ),
    Listed.REPORTED: _List(_open(Report, Report.closed), _reported),
    Listed.BROKEN: _List(lambda at: len(links_named.broken_in(at.session)), _broken),
    Listed.CLAIMED: _List(_open(Claim, Claim.decided), _claimed),
    Listed.ADOPTED: _List(lambda at: adoptions.waiting_count(at.session), _adopted),
}
