"""Sessions: someone signed in on one browser, as a row that can be listed and ended.

The browser holds a random token in its cookie; here is only its digest, which also names a session in a form.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from kb.models import User, UserSession
from kb.services import audit
from kb.services.errors import N_, NotAllowed
from kb.services.tokens import digest, fresh

SESSION_LIFE = timedelta(days=14)

SIGN_IN_REFUSED = N_("The address and the password do not match. Check both and try again.")
"""Said alike for an unknown address, a wrong password, no password yet and a disabled account."""


def open_session(session: Session, user: User) -> str:
    """Begin a session of two weeks and return its token, which is kept nowhere. Raises NotAllowed if disabled."""
    now = datetime.now(UTC)
    person = session.get(User, user.id)
    if person is None or not person.active:
        raise NotAllowed(SIGN_IN_REFUSED)
    session.execute(delete(UserSession).where(UserSession.expires <= now))
    token = fresh()
    session.add(UserSession(token_hash=digest(token), user_id=user.id, created=now, expires=now + SESSION_LIFE))
    audit.note(session, user, "user.sign-in", "user", user.id)
    return token


def session_user(session: Session, token: str) -> User | None:
    """Whose session this is; None where it ended, expired, or the person was disabled."""
    return session.scalar(
        select(User)
        .join(UserSession, UserSession.user_id == User.id)
        .where(UserSession.token_hash == digest(token), UserSession.expires > datetime.now(UTC), User.active)
    )


def close_session(session: Session, token: str) -> None:
    """End one session; nothing happens where there is none."""
    ended = session.get(UserSession, digest(token))
    if ended is not None:
        session.delete(ended)
        audit.note(session, ended.user, "user.sign-out", "user", ended.user_id)


def close_sessions_of(session: Session, user: User, *, keep: str | None = None) -> None:
    """End all of someone's sessions, or all but the one whose token is `keep`."""
    kept = digest(keep) if keep else ""
    session.execute(delete(UserSession).where(UserSession.user_id == user.id, UserSession.token_hash != kept))
