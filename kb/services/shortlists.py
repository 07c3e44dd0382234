"""Practices that somebody keeps in their account to compare them. A visitor's choice lives in an address instead."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from kb.models import Practice, ShortlistEntry, State, User
from kb.services.choosing import plausible
from kb.services.errors import N_, Conflict, NotFound

MOST = 30
"""Practices that one person keeps: three briefings' worth."""

FULL = N_(
    "Your shortlist holds up to %(most)d practices and has %(held)d. Take some off, then add these: nothing was added."
)


def slugs(session: Session, user: User) -> list[str]:
    """The slugs of what somebody keeps, in the order in which they chose it; also of what is offline by now."""
    mine = select(Practice.slug).join(ShortlistEntry, ShortlistEntry.practice_id == Practice.id)
    mine = mine.where(ShortlistEntry.user_id == user.id, Practice.slug.is_not(None))
    return [str(slug) for slug in session.scalars(mine.order_by(ShortlistEntry.added, Practice.slug))]


def count(session: Session, user: User) -> int:
    """How many practices somebody keeps."""
    return session.scalar(select(func.count()).where(ShortlistEntry.user_id == user.id)) or 0


def keep(session: Session, user: User, chosen: Iterable[str], now: datetime | None = None) -> int:
    """Keep the practices with these slugs too, and say how many are new: a second time does no harm.

    Of a practice that was merged into another, the other is kept. Raises NotFound where none of them is there to be
    read, Conflict where somebody would keep more than MOST; then none is added.
    """
    person = session.get_one(User, user.id, with_for_update=True)  # two clicks at once make one entry
    wanted = _readable(session, chosen)
    if not wanted:
        raise NotFound(N_("This practice is not there any more, so it cannot be added to your shortlist."))
    held = set(session.scalars(select(ShortlistEntry.practice_id).where(ShortlistEntry.user_id == person.id)))
    new = [each for each in wanted if each.id not in held]
    if len(held) + len(new) > MOST:
        raise Conflict(FULL, most=MOST, held=len(held))
    moment = now or datetime.now(UTC)
    for place, each in enumerate(new):  # a microsecond apart, so that they stay in the order in which they were chosen
        added = moment + timedelta(microseconds=place)
        session.add(ShortlistEntry(user_id=person.id, practice_id=each.id, added=added))
    return len(new)


def remove(session: Session, user: User, chosen: Iterable[str]) -> int:
    """Take practices off somebody's shortlist, and say how many; what was not on it does no harm.

    A slug also stands for what was merged into its practice: the page shows both under the one.
    """
    mine = ShortlistEntry.user_id == user.id
    named = Practice.slug.in_(plausible(chosen))
    into = select(Practice.id).where(named)
    ids = select(Practice.id).where(named | Practice.merged_into_id.in_(into))
    done = session.execute(delete(ShortlistEntry).where(mine, ShortlistEntry.practice_id.in_(ids)))
    return int(done.rowcount)  # type: ignore[attr-defined]


def _readable(session: Session, chosen: Iterable[str]) -> list[Practice]:
    """Practices under some slugs that readers find, in that order, each once; for a merged one the other."""
    order = list(dict.fromkeys(plausible(chosen)))
    found = {each.slug: each for each in session.scalars(select(Practice).where(Practice.slug.in_(order)))}
    readable: dict[object, Practice] = {}
    for slug in order:
        practice = found.get(slug)
        if practice is not None and practice.merged_into_id is not None:
            practice = session.get(Practice, practice.merged_into_id)
        if practice is not None and (practice.record is not None or practice.state == State.ARCHIVED):
            readable[practice.id] = practice
    return list(readable.values())
