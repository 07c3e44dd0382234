"""Random tokens of sessions, links and the API: nobody can guess one, so SHA-256 is enough to keep it by."""

from __future__ import annotations

import hashlib
import secrets


def fresh() -> str:
    """Make a new token: 256 random bits, fit for an address or a cookie."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
