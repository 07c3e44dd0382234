"""Sign-ins between password and code: a row each, so that a signing key alone makes none.

The browser holds a random token in its cookie; here is only its digest. A row is used up when the code was right, and
means nothing once its time is over, its person is disabled, or password or second factor changed.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, delete, select
from sqlalchemy.orm import Session

from kb.models import HalfSignIn, User
from kb.services import second_factor
from kb.services.errors import N_, Gone
from kb.services.tokens import digest, fresh

LIFE = timedelta(minutes=10)
"""How long after the password the code may come."""

OVER = N_("You took longer than ten minutes. Sign in once more.")


def begin(session: Session, user: User) -> str:
    """Note that someone gave the right password and return the token by which they are known for the next step.

    It is kept nowhere. Rows whose time is over go.
    """
    now = datetime.now(UTC)
    session.execute(delete(HalfSignIn).where(HalfSignIn.expires <= now))
    token, code_of = fresh(), second_factor.fingerprint(session.get_one(User, user.id))
    row = HalfSignIn(token_hash=digest(token), user_id=user.id, code_of=code_of, created=now, expires=now + LIFE)
    session.add(row)
    return token


def whose(session: Session, token: str) -> User:
    """Who gave the right password a moment ago. Raises Gone where nobody did, or what they gave holds no longer."""
    mine = (HalfSignIn.token_hash == digest(token), HalfSignIn.expires > datetime.now(UTC))
    joined = select(User, HalfSignIn.code_of).join(HalfSignIn, HalfSignIn.user_id == User.id)
    row = session.execute(joined.where(*mine, User.active, User.totp_secret.is_not(None))).one_or_none()
    if row is None or row.code_of != second_factor.fingerprint(row.User):
        raise Gone(OVER)
    return cast(User, row.User)


def use_up(session: Session, token: str) -> User:
    """Take the step away and return its person; of two requests at once one gets through. Raises as `whose` does."""
    user = whose(session, token)
    if not end(session, token):
        raise Gone(OVER)
    return user


def end(session: Session, token: str) -> bool:
    """Take a step away, if it is there; says whether it was."""
    gone = session.execute(delete(HalfSignIn).where(HalfSignIn.token_hash == digest(token)))
    return cast(CursorResult[Any], gone).rowcount == 1
