"""Random tokens: of sessions and links, and those with which members write through the API.

Nobody can guess one, so SHA-256 is enough to keep it by. A token of the API has a prefix and a checksum, by which
scanners for leaked secrets tell it from other text without asking anybody.
"""

from __future__ import annotations

import binascii
import hashlib
import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from kb.models import ApiToken, Scope, User
from kb.services import audit
from kb.services.errors import N_, Conflict, Invalid, NotAllowed, NotFound, Problem, ServiceError
from kb.services.permissions import can

PREFIX = "ripkb_"
"""What every token of the API begins with. Earlier ones began with `kbt_` and go on working."""

HINT = 4
"""Last signs of a token that are kept, so that its person knows it again."""

MOST = 20
"""Tokens that one person may have at a time."""

DAYS = (30, 90, 365)
"""Days that a token may hold; without any it holds until it is revoked."""

NAME_LIMIT = 100

_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM, _CHECK = 43, 6


class Refused(ServiceError):
    """A token that opens nothing: unknown, revoked or expired."""


@dataclass(frozen=True)
class Bearer:
    """Whose token came, and what it may do. `known_today`: that it was used today is noted already."""

    user: User
    scope: Scope
    key: str
    known_today: bool

    def may_submit(self) -> None:
        """Raise NotAllowed where the token only saves drafts."""
        if self.scope != Scope.SUBMIT:
            raise NotAllowed(N_("This token may only save drafts. Add draft=1, or use a token that may submit."))


def fresh() -> str:
    """Make a new token: 256 random bits, fit for an address or a cookie."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


# Tokens of the API


def issued() -> str:
    """Make a new token of the API: prefix, 43 random signs, six signs of checksum."""
    random = fresh()
    return PREFIX + random + _checksum(random)


def intact(token: str) -> bool:
    """Whether a token can be one of ours: an old one without the prefix, or one whose checksum is right."""
    body = token.removeprefix(PREFIX)
    if body == token:
        return True
    return len(body) == _RANDOM + _CHECK and _checksum(body[:_RANDOM]) == body[_RANDOM:]


def make(
    session: Session,
    person: User,
    name: str = "",
    scope: Scope | str = Scope.SUBMIT,
    days: int | None = None,
    *,
    actor: User | None = None,
) -> str:
    """Make a token that writes in someone's name and return it; it cannot be shown again.

    `days` is one of DAYS, or None for a token that does not end by itself. Raises NotAllowed for whoever may not write,
    Invalid for a name, scope or number of days that cannot be, Conflict where the person has MOST already.
    """
    if not can(person, "write"):
        raise NotAllowed(N_("Only active members, editors and administrators can have a token."))
    name, scope = _checked(name, scope, days)
    now = datetime.now(UTC)
    live = (ApiToken.user_id == person.id, ApiToken.revoked.is_(None), _lasting(now))
    if (session.scalar(select(func.count()).select_from(ApiToken).where(*live)) or 0) >= MOST:
        text = N_("You have %(count)d tokens, which is the most. Revoke one that you do not use any more.")
        raise Conflict(text, count=MOST)
    token = issued()
    expires = now + timedelta(days=days) if days else None
    session.add(
        ApiToken(
            token_hash=digest(token), user_id=person.id, name=name, hint=token[-HINT:], scope=scope, expires=expires
        )
    )
    audit.note(session, actor, "token.make", "user", person.id, scope=scope.value, days=days)
    return token


def of(session: Session, person: User) -> Sequence[ApiToken]:
    """Someone's tokens but the revoked ones, the newest first; those that expired are among them."""
    held = select(ApiToken).where(ApiToken.user_id == person.id, ApiToken.revoked.is_(None))
    return session.scalars(held.order_by(ApiToken.created.desc(), ApiToken.token_hash)).all()


def revoke(session: Session, person: User, key: str) -> ApiToken:
    """Stop one of one's own tokens, named by its hash, at once and for good. Raises NotFound."""
    token = session.get(ApiToken, key)
    if token is None or token.user_id != person.id or token.revoked is not None:
        raise NotFound(N_("There is no such token any more."))
    token.revoked = datetime.now(UTC)
    audit.note(session, person, "token.revoke", "user", person.id)
    return token


def bearer(session: Session, token: str) -> Bearer:
    """Whose token this is. Raises Refused, with the reason where the token was one of ours."""
    row = session.get(ApiToken, digest(token)) if token and intact(token) else None
    if row is None or not row.user.active:
        raise Refused(N_("This needs a valid token: Authorization: Bearer TOKEN."))
    if row.revoked is not None:
        raise Refused(N_("This token was revoked. Make a new one in your account, under Tokens."))
    if expired(row):
        raise Refused(N_("This token has expired. Make a new one in your account, under Tokens."))
    return Bearer(row.user, row.scope, row.token_hash, row.used == _today())


def note_use(session: Session, key: str) -> None:
    """Note that a token was used today; the hour is nobody's business."""
    token = session.get(ApiToken, key)
    if token is not None:
        token.used = _today()


def expired(token: ApiToken) -> bool:
    """Whether a token's time is over."""
    return token.expires is not None and token.expires <= datetime.now(UTC)


def _checked(name: str, scope: Scope | str, days: int | None) -> tuple[str, Scope]:
    problems = []
    tidy = " ".join(name.split())
    if len(tidy) > NAME_LIMIT:
        text = N_("Shorten the name: the limit is %(limit)d characters.")
        problems.append(Problem.of("name", text, limit=NAME_LIMIT))
    if scope not in tuple(Scope):
        problems.append(Problem.of("scope", N_("Choose what the token may do.")))
    if days is not None and days not in DAYS:
        problems.append(Problem.of("days", N_("Choose how long the token holds.")))
    if problems:
        raise Invalid(problems)
    return tidy, Scope(scope)


def _lasting(now: datetime) -> ColumnElement[bool]:
    return or_(ApiToken.expires.is_(None), ApiToken.expires > now)


def _today() -> date:
    return datetime.now(UTC).date()


def _checksum(random: str) -> str:
    """The CRC-32 of the random part in base 62, six signs, as GitHub's tokens have it."""
    number, signs = binascii.crc32(random.encode("utf-8", "replace")), ""
    while len(signs) < _CHECK:
        number, digit = divmod(number, len(_BASE62))
        signs = _BASE62[digit] + signs
    return signs
