"""Passwords: what one may be, how it is kept, and how one is verified.

They are kept with argon2id, which is slow on purpose: never hash or verify one while a transaction holds the database.
"""

from __future__ import annotations

import base64
import re
import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

from kb.services.errors import N_, Invalid, Problem

PASSWORD_LEAST = 10
PASSWORD_MOST = 200

GUESSED = 24
"""Characters that are looked at when a password is checked for being easy to guess: what follows can only make it
harder, and the time that the check takes grows with the cube of the length."""

SYMBOLS = "@({[<!|$+%"
"""What stands in for letters, as in p@$$word. More than four of them multiply the readings that the check tries into
seconds, and nobody's common password holds so many."""

SITE_WORDS = ("region", "regional", "integration", "intercultural", "practices")
"""Words that anybody would try first here."""

hasher = PasswordHasher()
"""argon2id with the library's parameters (RFC 9106, low memory). Raised there, hashes follow as people sign in."""


def hashed(password: str, *known: str) -> str:
    """Hash a new password. Raises Invalid as `check` does."""
    check(password, *known)
    return hasher.hash(_secret(password))


def check(password: str, *known: str) -> None:
    """Look whether a new password will do; `known` is what others know of the person and the site: address, name, host.

    Raises Invalid for one that is too short, too long, or easy to guess.
    """
    if len(password) < PASSWORD_LEAST:
        text = N_("Choose a longer password: at least %(limit)d characters.")
        raise Invalid([Problem.of("password", text, limit=PASSWORD_LEAST)])
    if len(password) > PASSWORD_MOST:
        text = N_("Choose a shorter password: at most %(limit)d characters.")
        raise Invalid([Problem.of("password", text, limit=PASSWORD_MOST)])
    if guessable(password, *known):
        text = N_("This password is easy to guess. Choose a few words that have to do neither with you nor the site.")
        raise Invalid([Problem.of("password", text)])


def guessable(password: str, *known: str) -> bool:
    """Whether a program that knows common passwords, names, and `known` guesses this within a million tries.

    zxcvbn says so, offline, within some 40 ms (Wheeler, USENIX Security 2016: a score under 2).
    """
    text = unicodedata.normalize("NFKC", password)[:GUESSED]
    if len(set(text) & set(SYMBOLS)) > 4:
        return False
    parts = [part for each in known for part in (each, *re.split(r"[\W_]+", each[:254]))]
    words = [part[:GUESSED] for part in parts if len(part) > 2]
    return int(zxcvbn(text, user_inputs=[*words[:40], *SITE_WORDS])["score"]) < 2


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
    """Hash a password that was looked at already, or is someone's already, whatever is asked of new ones today."""
    return hasher.hash(_secret(password))


def nobodys_hash() -> str:
    """A hash that no password has and that takes as long to verify as a real one."""
    salt, digest = (
        base64.b64encode(secrets.token_bytes(length)).rstrip(b"=").decode()
        for length in (hasher.salt_len, hasher.hash_len)
    )
    return f"$argon2id$v=19$m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}${salt}${digest}"


def _secret(password: str) -> bytes:
    """What is hashed: composed, so that é typed on any keyboard is the same é.

    Of one that is too long to be anybody's only so much is composed as shows that: composing takes quadratic time.
    """
    return unicodedata.normalize("NFKC", password[: PASSWORD_MOST + 1]).encode("utf-8", "surrogatepass")
