"""Sessions: someone signed in on one browser, as a row that can be listed and ended.

The browser holds a random token in its cookie; here is only its digest, and a digest of that names a session in a form.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.orm import Session

from kb.models import HalfSignIn, User, UserSession
from kb.services import audit, browsers
from kb.services.errors import N_, NotAllowed, NotFound
from kb.services.tokens import digest, fresh

SESSION_LIFE = timedelta(days=14)
"""After this a session ends, however much it is used."""

IDLE_LIFE = timedelta(days=3)
"""After this a session ends that nobody used: long enough for a weekend."""

SIGN_IN_REFUSED = N_("The address and the password do not match. Check both and try again.")
"""Said alike for an unknown address, a wrong password, no password yet and a disabled account."""


@dataclass(frozen=True)
class Place:
    """One session as its person sees it: the browser and system it is on, empty where not known."""

    key: str
    browser: str
    system: str
    begun: datetime
    seen: datetime
    here: bool


def open_session(session: Session, user: User, agent: str | None = None) -> str:
    """Begin a session of two weeks and return its token, which is kept nowhere.

    Raises NotAllowed if the person was disabled.

    `agent` is what the browser calls itself.
    """
    now = datetime.now(UTC)
    person = session.get(User, user.id)
    if person is None or not person.active:
        raise NotAllowed(SIGN_IN_REFUSED)
    session.execute(delete(UserSession).where(UserSession.expires <= now))
    token = fresh()
    session.add(
        UserSession(
            token_hash=digest(token), user_id=user.id, created=now, expires=now + SESSION_LIFE,
            agent=browsers.kept(agent), seen=_hour(now),
        )
    )  # fmt: skip
    audit.note(session, user, "user.sign-in", "user", user.id)
    return token


def found(session: Session, token: str) -> tuple[User | None, bool]:
    """Whose session this is, if anybody's, and whether it was last seen in an earlier hour (then call `touch`)."""
    row = session.execute(
        select(User, UserSession.seen)
        .join(UserSession, UserSession.user_id == User.id)
        .where(UserSession.token_hash == digest(token), *_alive(), User.active)
    ).one_or_none()
    if row is None:
        return None, False
    return row[0], row[1] is None or row[1] < _hour(datetime.now(UTC))


def touch(session: Session, token: str) -> None:
    """Note the hour in which a session was last seen."""
    hour = _hour(datetime.now(UTC))
    stale = (UserSession.token_hash == digest(token), or_(UserSession.seen.is_(None), UserSession.seen < hour))
    session.execute(update(UserSession).where(*stale).values(seen=hour))


def sessions_of(session: Session, user: User, token: str | None) -> list[Place]:
    """Where someone is signed in: first here, where the token is `token`, then the one seen last, and so on."""
    mine = (UserSession.user_id == user.id, *_alive())
    here = digest(token) if token else ""
    rows = session.scalars(select(UserSession).where(*mine).order_by(UserSession.created.desc()))
    places = [_place(row, here) for row in rows]
    return sorted(places, key=lambda place: (place.here, place.seen), reverse=True)


def end(session: Session, user: User, key: str) -> None:
    """End one of someone's sessions, named by its key. Raises NotFound where they have no such session (any more)."""
    for row in session.scalars(select(UserSession).where(UserSession.user_id == user.id)):
        if digest(row.token_hash) == key:
            session.delete(row)
            audit.note(session, user, "session.end", "user", user.id)
            return
    raise NotFound(N_("This session ended already."))


def end_others(session: Session, user: User, token: str) -> None:
    """End all of someone's sessions but the one with this token."""
    close_sessions_of(session, user, keep=token)
    audit.note(session, user, "session.end-others", "user", user.id)


def close_session(session: Session, token: str) -> None:
    """End one session; nothing happens where there is none."""
    ended = session.get(UserSession, digest(token))
    if ended is not None:
        session.delete(ended)
        audit.note(session, ended.user, "user.sign-out", "user", ended.user_id)


def close_sessions_of(session: Session, user: User, *, keep: str | None = None) -> None:
    """End all of someone's sessions, or all but the one whose token is `keep`, and what waits for a code to be one."""
    kept = digest(keep) if keep else ""
    session.execute(delete(HalfSignIn).where(HalfSignIn.user_id == user.id))
    session.execute(delete(UserSession).where(UserSession.user_id == user.id, UserSession.token_hash != kept))


def _alive() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """What holds of a session that has not ended. Its last visit is known to the hour."""
    now = datetime.now(UTC)
    last = func.coalesce(UserSession.seen, UserSession.created)
    return UserSession.expires > now, last > now - IDLE_LIFE - timedelta(hours=1)


def _place(row: UserSession, here: str) -> Place:
    # the hour of the last visit may have begun before the session did
    seen = max(row.seen or row.created, row.created)
    return Place(digest(row.token_hash), *browsers.named(row.agent), row.created, seen, row.token_hash == here)


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
