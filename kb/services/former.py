"""What the software had set on a published record where it comes from: its id, slug, version, times and origin."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kb.models import ADDRESS_LIMIT, SLUG_LIMIT, Origin
from kb.services.errors import N_, Invalid, Problem
from kb.services.publishing import Stamp, now
from kb.services.values import is_web_address

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Former:
    """Those keys, read. `slug` is None where it is to be made anew."""

    id: uuid.UUID
    slug: str | None
    stamp: Stamp
    origin: Origin
    origin_url: str | None


def read_former(data: Mapping[str, Any]) -> Former:
    """Read what an export says of a published record; what is left out is made anew. Raises Invalid."""
    reader = _Reader(data)
    published = reader.moment("published") or now()
    origin, origin_url = reader.origin()
    former = Former(
        id=reader.id(),
        slug=reader.slug(),
        stamp=Stamp(reader.version(), published, reader.moment("updated") or published),
        origin=origin,
        origin_url=origin_url,
    )
    if reader.problems:
        raise Invalid(reader.problems)
    return former


class _Reader:
    """Reads the keys that only the software sets, and gathers what is wrong with them."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = data
        self.problems: list[Problem] = []

    def id(self) -> uuid.UUID:
        value = self.data.get("id")
        if value is not None:
            try:
                key = uuid.UUID(str(value))
                if str(key) == str(value).lower():
                    return key
            except ValueError:
                pass
            self._wrong("id", N_("“%(value)s” is not a UUID."), value)
        return uuid.uuid4()

    def slug(self) -> str | None:
        value = self.data.get("slug")
        if value is None:
            return None
        if isinstance(value, str) and len(value) <= SLUG_LIMIT and _SLUG.fullmatch(value):
            return value
        self._wrong("slug", N_("“%(value)s” is not a slug: small letters and digits, parted by single hyphens."), value)
        return None

    def version(self) -> int:
        value = self.data.get("version")
        if value is None:
            return 1
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 1_000_000:
            return value
        self._wrong("version", N_("“%(value)s” is not a version: a whole number from 1."), value)
        return 1

    def moment(self, key: str) -> datetime | None:
        value = self.data.get(key)
        if value is None:
            return None
        try:
            moment = datetime.fromisoformat(str(value))
            if moment.tzinfo is not None and 1970 <= moment.year <= 2200:
                return moment.astimezone(UTC).replace(microsecond=0)
        except ValueError:
            pass
        self._wrong(key, N_("“%(value)s” is not a moment with its time zone, such as 2026-11-22T10:00:00Z."), value)
        return None

    def origin(self) -> tuple[Origin, str | None]:
        value = self.data.get("origin")
        if value is None:
            return Origin.IMPORT, None
        kind, url = (value.get("kind"), value.get("url")) if isinstance(value, Mapping) else (value, None)
        if kind not in tuple(Origin):
            self._wrong("origin.kind", N_("“%(value)s” is not an origin."), kind)
            kind = Origin.IMPORT
        if url is not None and not (isinstance(url, str) and len(url) <= ADDRESS_LIMIT and is_web_address(url)):
            self._wrong("origin.url", N_("“%(value)s” is not a web address."), url)
        return Origin(kind), url

    def _wrong(self, field: str, text: str, value: Any) -> None:
        self.problems.append(Problem.of(field, text, value=str(value)[:80]))
