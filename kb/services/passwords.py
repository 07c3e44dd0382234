"""Passwords: what one may be, how it is kept, and how one is verified.

They are kept with argon2id, which is slow on purpose: never hash or verify one while a transaction holds the database.
"""

from __future__ import annotations

import base64
import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from kb.services.errors import N_, Invalid, Problem

PASSWORD_LEAST = 10
PASSWORD_MOST = 200

hasher = PasswordHasher()
"""argon2id with the library's parameters (RFC 9106, low memory). Raised there, hashes follow as people sign in."""


def hashed(password: str) -> str:
    """Hash a new password. Raises Invalid for one that is too short or too long."""
    if len(password) < PASSWORD_LEAST:
        text = N_("Choose a longer password: at least %(limit)d characters.")
        raise Invalid([Problem.of("password", text, limit=PASSWORD_LEAST)])
    if len(password) > PASSWORD_MOST:
        text = N_("Choose a shorter password: at most %(limit)d characters.")
        raise Invalid([Problem.of("password", text, limit=PASSWORD_MOST)])
    return hasher.hash(_secret(password))


def verify(password_hash: str, password: str) -> bool:
    """Whether this is the password that was hashed."""
    try:
        return hasher.verify(password_hash, _secret(password))
    except (VerificationError, InvalidHashError):
        return False


def outdated(password_hash: str) -> bool:
    """Whether the parameters have moved since this was hashed."""
    return hasher.check_needs_rehash(password_hash)


def rehashed(password: str) -> str:
    """Hash a password that is someone's already, whatever is asked of new ones today."""
    return hasher.hash(_secret(password))


def nobodys_hash() -> str:
    """A hash that no password has and that takes as long to verify as a real one."""
    salt, digest = (
        base64.b64encode(secrets.token_bytes(length)).rstrip(b"=").decode()
        for length in (hasher.salt_len, hasher.hash_len)
    )
    return f"$argon2id$v=19$m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}${salt}${digest}"


def _secret(password: str) -> bytes:
    """What is hashed: composed, so that é typed on any keyboard is the same é."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
