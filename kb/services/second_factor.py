"""The second factor: a code from a telephone (TOTP, RFC 6238: SHA-1, 30 seconds, six digits), or a recovery code.

A secret is kept as it is, because codes are computed from it; recovery codes are kept hashed. A code works once: the
time step last used is kept, and what is not later than it is refused. Whoever checks a code counts the failures.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import time
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import quote, urlencode

from sqlalchemy import CursorResult, delete, func, or_, select, update
from sqlalchemy.orm import Session

from kb.models import RecoveryCode, Role, User
from kb.services import audit, mail
from kb.services.accounts import is_placeholder
from kb.services.errors import N_, Conflict, Invalid, NotAllowed, Problem
from kb.services.permissions import at_least
from kb.services.tokens import digest

STEP = 30
"""Seconds that a code lasts."""

DIGITS = 6
CODES = 10
"""Recovery codes that are made at a time."""

SIGNS = 24
"""Signs of a recovery code, in groups of four: 118 random bits, which need no slow hash (ASVS 5.0, V6.5.2: 112)."""

LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""What recovery codes are made of: nothing that is taken for something else when it is copied by hand."""

NEEDED = N_("Editors and administrators need a second factor here. Set one up to go on.")
FOR_TOKENS = N_("Whose token this is needs a second factor here: sign in on the site and set one up.")
NEEDED_ALWAYS = N_("Editors and administrators need a second factor here, so it cannot be switched off.")
WRONG_CODE = N_("This code does not fit. Wait for the next one and write all six digits.")


def code_at(secret: str, step: int) -> str:
    """The code of a base32 secret in a time step (RFC 4226, section 5.3)."""
    mac = hmac.digest(base64.b32decode(secret), step.to_bytes(8, "big"), "sha1")
    offset = mac[-1] & 15
    return str((int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFFFFFF) % 10**DIGITS).zfill(DIGITS)


def step_of(secret: str, code: str, now: float | None = None) -> int | None:
    """Which time step a code is of: the present one, or the one before or after it; None where it fits none."""
    present = int((time.time() if now is None else now) // STEP)
    typed = re.sub(r"\s", "", code).encode("utf-8", "replace")
    fitting = [step for step in (present - 1, present, present + 1)
               if hmac.compare_digest(code_at(secret, step).encode(), typed)]  # fmt: skip
    return fitting[-1] if fitting else None


def new_secret() -> str:
    """Make a secret: 160 random bits in base32, which is what SHA-1 makes full use of."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def uri(secret: str, email: str, site_name: str) -> str:
    """The address that a QR code holds and an authenticator app reads."""
    label = quote(f"{site_name}:{email}", safe="@")
    return f"otpauth://totp/{label}?{urlencode({'secret': secret, 'issuer': site_name}, quote_via=quote)}"


def needs(user: User | None, required: bool) -> bool:
    """Whether someone needs a second factor. `required`: whether the site asks editors and administrators for one."""
    return required and at_least(user, Role.EDITOR)


def missing(user: User | None, required: bool) -> bool:
    """Whether someone needs a second factor and has none: then they may do nothing but set it up."""
    return user is not None and user.totp_secret is None and needs(user, required)


# Setting up and switching off


def switch_on(session: Session, user: User, secret: str, code: str) -> list[str]:
    """Make a secret count once its first code came, and return the recovery codes, which cannot be shown again.

    Raises Invalid where the code does not fit, Conflict where a second factor is set up already.
    """
    step = step_of(secret, code)
    if step is None:
        raise Invalid([Problem.of("code", WRONG_CODE)])
    without = (User.id == user.id, User.totp_secret.is_(None))
    if not _changed(session, update(User).where(*without).values(totp_secret=secret, totp_used=step)):
        raise Conflict(N_("A second factor is set up already."))
    _tell(session, user, "on")
    return _new_codes(session, user)


def switch_off(session: Session, user: User, *, actor: User | None = None, required: bool = False) -> None:
    """Take the second factor away, with its recovery codes; nothing happens where there is none.

    Raises NotAllowed where the site asks people of this role for one.
    """
    if needs(user, required):
        raise NotAllowed(NEEDED_ALWAYS)
    having = (User.id == user.id, User.totp_secret.is_not(None))
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    if _changed(session, update(User).where(*having).values(totp_secret=None, totp_used=None)):
        _tell(session, user, "off", actor)


def renew_codes(session: Session, user: User) -> list[str]:
    """Make new recovery codes in place of the earlier ones and return them; they cannot be shown again."""
    _tell(session, user, "codes")
    return _new_codes(session, user)


def codes_left(session: Session, user: User) -> int:
    """How many recovery codes someone has not used."""
    unused = (RecoveryCode.user_id == user.id, RecoveryCode.used.is_(None))
    return session.scalar(select(func.count()).select_from(RecoveryCode).where(*unused)) or 0


# Checking


def use_code(session: Session, user: User, typed: str) -> bool:
    """Use up a code of someone's app or one of their recovery codes; says whether it was the latter. Each works once.

    Raises Invalid where it is neither, or was used.
    """
    secret = session.scalar(select(User.totp_secret).where(User.id == user.id))
    if secret is not None and _use_step(session, user, secret, typed):
        return False
    if secret is not None and _use_recovery(session, user, typed):
        _tell(session, user, "recovered")
        return True
    text = N_("This code does not fit or was used already. Wait for the next one, or write a recovery code.")
    raise Invalid([Problem.of("code", text)])


def _use_step(session: Session, user: User, secret: str, typed: str) -> bool:
    step = step_of(secret, typed)
    if step is None:
        return False
    # A step further ahead than any code fits now is of a clock that was set back since: it must lock nobody out.
    unused = or_(User.totp_used.is_(None), User.totp_used < step, User.totp_used > step + 2)
    mine = (User.id == user.id, User.totp_secret == secret, unused)
    return _changed(session, update(User).where(*mine).values(totp_used=step))


def _use_recovery(session: Session, user: User, typed: str) -> bool:
    unused = (RecoveryCode.code_hash == _code_hash(user, typed), RecoveryCode.user_id == user.id,
              RecoveryCode.used.is_(None))  # fmt: skip
    return _changed(session, update(RecoveryCode).where(*unused).values(used=datetime.now(UTC)))


def _new_codes(session: Session, user: User) -> list[str]:
    codes = ["".join(secrets.choice(LETTERS) for _ in range(SIGNS)) for _ in range(CODES)]
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    session.add_all(RecoveryCode(code_hash=_code_hash(user, code), user_id=user.id) for code in codes)
    return ["-".join(code[start : start + 4] for start in range(0, SIGNS, 4)) for code in codes]


def _code_hash(user: User, typed: str) -> str:
    """What is kept of a recovery code, however it was typed. Earlier ones had 16 signs and go on working."""
    return digest(f"{user.id}:{re.sub(r'[^a-z0-9]', '', typed.lower())}")


def _changed(session: Session, statement: Any) -> bool:
    """Whether a statement met its row, in the database and nowhere before it: of two at once one gets through."""
    return cast(CursorResult[Any], session.execute(statement)).rowcount == 1


def _tell(session: Session, user: User, change: str, actor: User | None = None) -> None:
    audit.note(session, actor or user, f"second-factor.{change}", "user", user.id)
    person = session.get_one(User, user.id)
    if not is_placeholder(person):
        mail.tell(session, "second-factor-changed", person.email, user=person, change=change)


def fingerprint(user: User) -> str:
    """What a half-finished sign-in is bound to: it ends when the password or the second factor changes."""
    return hashlib.sha256(f"{user.password_hash}:{user.totp_secret}".encode()).hexdigest()[:32]
