"""Private links: a look at a working copy for whoever has the address, without an account, until a day that is said.

Of a link only a digest is kept, so its address is shown once, when it is made.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, select, update
from sqlalchemy.orm import Session, joinedload

from kb.models import Practice, PreviewLink, Revision, User
from kb.services import audit, practices
from kb.services.errors import N_, Conflict, Gone, Invalid, NotAllowed, NotFound, Problem
from kb.services.permissions import can
from kb.services.record import Document
from kb.services.tokens import digest, fresh

DAYS = 14
"""How long a link works where nobody chose otherwise."""

LONGEST = 60
"""Days that a link may work."""

MOST = 20
"""Links to one practice that may work at the same time."""

GONE = N_(
    "This private link does not work any more: its time is over, or it was taken back. "
    "Ask whoever sent it for a new one."
)
NOT_THEIRS = N_(
    "This private link does not work any more: whoever made it may not show this practice now. "
    "Ask somebody who takes part in it for a new one."
)


def working(session: Session, practice: Practice) -> list[PreviewLink]:
    """The links to a practice that work, the newest first."""
    links = select(PreviewLink).where(PreviewLink.practice_id == practice.id, *_works())
    found = session.scalars(links.options(joinedload(PreviewLink.maker)).order_by(PreviewLink.created.desc()))
    return [link for link in found if can(link.maker, "show", practice)]


def make(session: Session, actor: User, practice: Practice, days: str | int = DAYS) -> tuple[PreviewLink, str]:
    """Make a link and return it with its token. `days` is how long it works, 1 to LONGEST.

    Raises NotAllowed, Invalid for other days, Conflict where there are too many.
    """
    _refuse_others(actor, practice)
    length = int(days) if str(days).strip().isascii() and str(days).strip().isdigit() and len(str(days)) < 9 else 0
    if not 1 <= length <= LONGEST:
        text = N_("Write a number of days from 1 to %(most)d.")
        raise Invalid([Problem.of("days", text, most=LONGEST)])
    if len(working(session, practice)) >= MOST:
        raise Conflict(N_("There are %(most)d private links already. Take one back first."), most=MOST)
    token, now = fresh(), datetime.now(UTC)
    link = PreviewLink(id=uuid.uuid4(), token_hash=digest(token), practice_id=practice.id, maker_id=actor.id,
                       created=now, expires=now + timedelta(days=length))  # fmt: skip
    session.add(link)
    audit.note(session, actor, "practice.make-link", "practice", practice.id, days=length)
    return link, token


def withdraw(session: Session, actor: User, practice: Practice, link_id: uuid.UUID) -> None:
    """End a link at once. Raises NotFound, NotAllowed."""
    _refuse_others(actor, practice)
    link = session.get(PreviewLink, link_id)
    if link is None or link.practice_id != practice.id:
        raise NotFound(N_("There is no such private link."))
    if link.withdrawn is None:
        link.withdrawn = datetime.now(UTC)
        audit.note(session, actor, "practice.end-link", "practice", practice.id)


def end_all(session: Session, actor: User, practice: Practice) -> None:
    """End every link to a practice, where it is taken from readers' sight. Whoever calls this asks who may."""
    works = update(PreviewLink).where(PreviewLink.practice_id == practice.id, *_works())
    ended = cast(CursorResult[Any], session.execute(works.values(withdrawn=datetime.now(UTC)))).rowcount
    if ended:
        audit.note(session, actor, "practice.end-link", "practice", practice.id, number=ended)


def opened(session: Session, token: str) -> tuple[PreviewLink, Document]:
    """The link behind an address, and what it shows: the working copy of this moment.

    Raises NotFound, or Gone where its time is over, it was taken back, its maker may not show the practice any more,
    or the text was removed.
    """
    link = session.scalar(select(PreviewLink).where(PreviewLink.token_hash == digest(token)))
    if link is None:
        raise NotFound(N_("This private link is not known. Perhaps its address was not copied whole."))
    if link.withdrawn is not None or link.expires <= datetime.now(UTC):
        raise Gone(GONE)
    practice = link.practice
    if not can(link.maker, "show", practice):
        raise Gone(NOT_THEIRS)
    newest = (Revision.practice_id == practice.id, Revision.number == practice.revision_count)
    if session.scalar(select(Revision.redacted).where(*newest)) is not None:
        raise Gone(GONE)
    return link, practices.working_copy(session, practice)


def forget(session: Session, person: User) -> None:
    """End the links of somebody who leaves."""
    mine = update(PreviewLink).where(PreviewLink.maker_id == person.id)
    session.execute(mine.where(*_works()).values(withdrawn=datetime.now(UTC)))
    session.execute(mine.values(maker_id=None))


def _refuse_others(actor: User, practice: Practice) -> None:
    if not can(actor, "show", practice):
        raise NotAllowed(N_("Only its authors and the editors make private links to a practice."))


def _works() -> tuple[ColumnElement[bool], ...]:
    return (PreviewLink.withdrawn.is_(None), PreviewLink.expires > datetime.now(UTC))
