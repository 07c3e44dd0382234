"""Moments and years as numbers, with those that stand for the ones that are not known."""

from __future__ import annotations

from datetime import UTC, datetime

ALWAYS_BEFORE, ALWAYS_AFTER = -(1 << 30), 1 << 30
"""The years that stand for a start that is not known, and for an end that is yet to come."""

NEVER = -(1 << 62)
"""The moment, in seconds since 1970, that stands for none: before all others."""


def second(moment: str) -> int:
    """Return an ISO date or moment in UTC as seconds since 1970, `NEVER` for an empty one.

    Raises ValueError for anything else.
    """
    written = moment[:19].rstrip("Z")
    if not written:
        return NEVER
    if len(written) == len("2026-01"):
        written += "-01"
    return int(datetime.fromisoformat(written).replace(tzinfo=UTC).timestamp())
