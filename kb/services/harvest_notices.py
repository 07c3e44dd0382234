"""What editors see of the harvests: where practices come from, how the last runs went, what somebody has to decide.

A draft is its author's own: of one that an editor may not see, this tells only what the other installation shows.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, joinedload

from kb.models import Harvested, HarvestSource, Practice, Record, User
from kb.services import harvested, harvesting
from kb.services.errors import N_, Message, NotAllowed
from kb.services.paging import PER_PAGE, Page, within
from kb.services.permissions import can, owns


@dataclass(frozen=True)
class Source:
    """Another installation, how many practices came from it, how many of them are public, and how the last run went."""

    source: HarvestSource
    practices: int
    public: int
    trouble: Message | None


@dataclass(frozen=True)
class Row:
    """A practice that came from another installation, as one person may know of it.

    `title` is None where nothing but its address there may be told; `seen` says whether they may look at it.
    """

    held: Harvested
    title: str | None
    seen: bool


def sources(session: Session, actor: User) -> list[Source]:
    """Every installation that was harvested, by its address. Raises NotAllowed."""
    _editing(actor)
    count = select(Harvested.source_id, func.count(), func.count(Record.practice_id))
    counts = count.outerjoin(Record, Record.practice_id == Harvested.practice_id).group_by(Harvested.source_id)
    counted = {key: (practices, public) for key, practices, public in session.execute(counts)}
    found = session.scalars(select(HarvestSource).options(joinedload(HarvestSource.owner)).order_by(HarvestSource.url))
    return [Source(each, *counted.get(each.id, (0, 0)), harvesting.trouble_of(each)) for each in found]


def open_notices(session: Session, actor: User, number: int) -> Page[Row]:
    """A page of what somebody has to decide, the newest first. Raises NotAllowed."""
    return _page(session, actor, _to_decide(), number)


def taken(session: Session, actor: User, number: int) -> Page[Row]:
    """A page of everything that was taken over, what changed last first. Raises NotAllowed."""
    return _page(session, actor, Harvested.practice_id.is_not(None), number)


def about(session: Session, practices: Iterable[Practice]) -> dict[uuid.UUID, Harvested]:
    """Of some practices those about which somebody has to decide."""
    ids = [practice.id for practice in practices]
    statement = select(Harvested).join(Harvested.practice).where(Harvested.practice_id.in_(ids), _to_decide())
    return {held.practice_id: held for held in session.scalars(statement)}


def row_of(actor: User, held: Harvested) -> Row:
    """What somebody may know of a practice that was taken over."""
    seen = can(actor, "view", held.practice) and (owns(actor, held.practice) or can(actor, "review"))
    title = held.practice.title if seen else held.waiting["document"]["title"] if held.waiting else None
    return Row(held, title, seen)


def _to_decide() -> ColumnElement[bool]:
    lost = and_(Harvested.gone.is_not(None), Harvested.settled.is_(None))
    return and_(or_(Harvested.waiting.is_not(None), lost), Practice.state.not_in(harvested.PUT_AWAY))


def _page(session: Session, actor: User, which: ColumnElement[bool], number: int) -> Page[Row]:
    _editing(actor)
    found = select(Harvested).join(Harvested.practice).where(which)
    total = session.scalar(select(func.count()).select_from(found.subquery())) or 0
    number = within(number, total)
    whole = (joinedload(Harvested.practice).joinedload(Practice.owner), joinedload(Harvested.source))
    ordered = found.options(*whole).order_by(Harvested.changed.desc(), Harvested.practice_id)
    rows: Sequence[Harvested] = session.scalars(ordered.offset((number - 1) * PER_PAGE).limit(PER_PAGE)).all()
    return Page([row_of(actor, held) for held in rows], number, total)


def _editing(actor: User) -> None:
    if not can(actor, "review"):
        raise NotAllowed(N_("Only editors see what was taken over from other installations."))
