"""Reading another installation: its public practices, record by record, through its API.

What the other side sends is hostile until it is checked: here is seen to it that it is JSON, that it ends, and that one
record that cannot be read costs only itself. What it says is judged by whoever takes it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

from kb.formats.json import no_constant
from kb.models import ADDRESS_LIMIT
from kb.services.errors import N_, Invalid, Message, Problem, ServiceError
from kb.services.fetching import (
    NOT_PUBLIC,
    TOO_BIG,
    Fetched,
    Fetcher,
    Limits,
    Unfetchable,
    asked_to_wait,
)
from kb.services.record import KEYS

PER_PAGE = 100
"""Records that are asked for at once; where the answer cannot be read a tenth of them, in the end one."""

LIMITS = Limits(seconds=60.0, step=20.0, size=16_000_000)
"""What one answer may take. A hundred long records are well below."""

LONGEST_WAIT = 90
"""Seconds that the other side may ask to be left alone for; one that asks for more is left alone until the next run."""

TRIES = 4
"""How often something is asked for that is answered with "not now"."""

MOST = 100_000
"""Records of one installation that are read in a run."""

MOST_UNREADABLE = 200
"""Records that may be unreadable; with more it is no list of practices."""

NO_INSTALLATION = N_("%(url)s does not answer as an installation of this software does.")
NOT_LOCAL = N_(
    "%(url)s is not open to the public. Practices are taken from the local network only where the setting "
    "KB_HARVEST_LOCAL allows it."
)
LEAVE_ALONE = N_("%(url)s asks to be left alone for %(seconds)d seconds. Run the command again after that.")
ANSWERED = N_("%(url)s answered with the status %(status)d. Run the command again later.")
UNREADABLE = N_("The record is too big, or is no JSON that can be read.")


@dataclass(frozen=True)
class Row:
    """One record of the other side: where it stands in its list, and what it is. `fault` says why it has no value."""

    place: str
    value: Any = None
    fault: Message | None = None


def base_of(url: str) -> str:
    """An installation's address as it is kept: scheme and host in small letters, no path at its end. Raises Invalid."""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    wrong = parts.scheme not in ("http", "https") or not host or parts.username or parts.query or parts.fragment
    if wrong or len(url) > ADDRESS_LIMIT - 200:
        raise Invalid([Problem.of("", N_("“%(url)s” is not the address of an installation."), url=url[:200])])
    place = f"[{host}]" if ":" in host else host
    usual = {"http": 80, "https": 443}[parts.scheme]
    end = f":{port}" if port and port != usual else ""
    return f"{parts.scheme}://{place}{end}{parts.path.rstrip('/')}"


class Remote:
    """Another installation at an address as `base_of` gives it. `pause` waits for some seconds."""

    def __init__(
        self,
        url: str,
        fetcher: Fetcher,
        *,
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.url = url
        self.total = 0
        self._unreadable = 0
        self._fetcher = fetcher
        self._pause = pause
        self._clock = clock

    def records(self) -> Iterator[Row]:
        """Every public record of the other side, each page asked for when it is needed; `total` is what it counts.

        Raises ServiceError where the list cannot be read to its end.
        """
        page = 1
        while True:
            yield from self._page(page, PER_PAGE)
            if page * PER_PAGE >= min(self.total, MOST):
                return
            page += 1

    def lists(self, slug: str, remote_id: str) -> bool | None:
        """Whether the other side still shows the record that it had at an address; None where it does not say."""
        path = f"/api/v1/practices/{quote(slug, safe='')}"
        try:
            answer = self._asked(f"{self.url}{path}")
        except ServiceError:
            return None
        if answer.status in (404, 410):
            return False
        if answer.status != 200:
            return None
        if not urlsplit(answer.url).path.endswith(path):
            return False
        record = _read(answer)
        return str(record.get("id")).lower() == remote_id if isinstance(record, Mapping) else None

    def _page(self, page: int, size: int) -> Iterator[Row]:
        """The records of one page; where they cannot be read together, of the smaller pages that it consists of."""
        items = self._items(page, size)
        if items is not None:
            first = (page - 1) * size + 1
            yield from (Row(f"record {n}", item) for n, item in enumerate(items, first))
        elif size == 1:
            self._unreadable += 1
            if self._unreadable > MOST_UNREADABLE:
                raise ServiceError(NO_INSTALLATION, url=self.url)
            yield Row(f"record {page}", fault=Message(UNREADABLE))
        else:
            for smaller in range((page - 1) * 10 + 1, page * 10 + 1):
                if self.total and (smaller - 1) * size // 10 >= self.total:
                    return
                yield from self._page(smaller, size // 10)

    def _items(self, page: int, size: int) -> list[Any] | None:
        """The records of a page; None where they are too much, or no JSON. Raises ServiceError."""
        asked = f"fields={','.join(KEYS)}&per_page={size}&sort=title&page={page}"
        try:
            answer = self._asked(f"{self.url}/api/v1/practices?{asked}")
        except Unfetchable as why:
            if why.message.text == TOO_BIG:
                return None
            raise
        if answer.status >= 500:
            raise ServiceError(ANSWERED, url=self.url, status=answer.status)
        if answer.status != 200 or not answer.headers.get("content-type", "").startswith("application/json"):
            raise ServiceError(NO_INSTALLATION, url=self.url)
        said = _read(answer)
        if said is None:
            return None
        total = said.get("total") if isinstance(said, dict) else None
        items = said.get("items") if isinstance(said, dict) else None
        if type(total) is not int or total < 0 or not isinstance(items, list):
            raise ServiceError(NO_INSTALLATION, url=self.url)
        self.total = total
        return items[:size]

    def _asked(self, url: str) -> Fetched:
        """An answer, waited for where the other side asks for that. Raises Unfetchable, ServiceError."""
        for _ in range(TRIES):
            try:
                answer = self._fetcher.fetch(url)
            except Unfetchable as why:
                if why.message.text == NOT_PUBLIC:
                    raise ServiceError(NOT_LOCAL, url=self.url) from None
                raise
            if answer.status not in (429, 503):
                return answer
            wait = asked_to_wait(answer, self._clock())
            if wait > LONGEST_WAIT:
                raise ServiceError(LEAVE_ALONE, url=self.url, seconds=int(wait))
            self._pause(max(1.0, wait))
        raise ServiceError(ANSWERED, url=self.url, status=answer.status)


def _read(answer: Fetched) -> Any:
    """What an answer's JSON says; None for what is none, or nests or counts beyond all reason."""
    try:
        return json.loads(answer.body.decode("utf-8"), parse_constant=no_constant)
    except (ValueError, RecursionError):
        return None
