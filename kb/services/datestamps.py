"""When a practice was last written or taken offline here, as whoever harvests what is new is told.

A harvester comes back with the moment of its last visit and asks for what is newer. So what counts is when a change
could first be read: all of a long import is dated when it is committed, not when each of its records was written.
The dates are finer than a second, so that what comes later is never sorted before what was read already.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import event, update
from sqlalchemy.orm import Session

from kb.models import Practice, Record

MOST = 500
"""Practices that one statement dates."""

_WRITTEN = "datestamps"
"""Where a session keeps the practices that its transaction has written."""


def stamp(session: Session, practice: Practice) -> None:
    """Date what a transaction did to a public practice, or that it took it offline: now, and anew at its commit."""
    moment = datetime.now(UTC)
    if practice.record is not None:
        practice.record.datestamp, practice.offline = moment, None
    else:
        practice.offline = moment
    session.info.setdefault(_WRITTEN, set()).add(practice.id)


@event.listens_for(Session, "before_commit")
def _date(session: Session) -> None:
    if session.in_nested_transaction() or not session.info.get(_WRITTEN):
        return
    written, moment = list(session.info.pop(_WRITTEN)), datetime.now(UTC)
    unseen = {"synchronize_session": False}  # nobody looks at the objects of a session that ends
    for first in range(0, len(written), MOST):
        some = written[first : first + MOST]
        online = update(Record).where(Record.practice_id.in_(some)).values(datestamp=moment)
        offline = update(Practice).where(Practice.id.in_(some), Practice.offline.is_not(None)).values(offline=moment)
        for statement in (online, offline):
            session.execute(statement, execution_options=unseen)
