"""Readers and writers of a site behind nginx, and every answer that they got, with its moment."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import random
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple
from urllib.parse import urlencode

import click

from tests.nginx import NAME, Nginx
from tests.recovery.writers import (
    REFUSED_FOR_NOW,
    Author,
    Client,
    Editor,
    Gate,
    Ledger,
    Photographer,
    Program,
    Said,
    Typist,
    Unanswered,
    Writer,
)

SHARES = {"search": 0.42, "facets": 0.13, "practice": 0.2, "other": 0.05, "type": 0.06, "form": 0.04, "API": 0.04,
          "upload": 0.03, "publish": 0.03}  # fmt: skip
"""What share of the visits is of which kind. A visit of a writer is several requests: a draft and its submission."""

WRITERS: dict[str, type[Writer]] = {
    "type": Typist, "form": Author, "API": Program, "upload": Photographer, "publish": Editor,
}  # fmt: skip
PEOPLE = {"type": 4, "form": 4, "API": 4, "upload": 3, "publish": 1}
"""How many write of each kind. One whose answer takes long is not asked for the next thing meanwhile."""

AT_ONCE = 200
"""Visits under way at most at the steady pace; who comes then is not let in, which is a failure of its own."""

RESTED = 20.0
"""Seconds after which a connection is not used again: the other side may be about to end it."""


SIGNED_OUT = "signed-out"


class Answered(NamedTuple):
    """One request: the moment of its end and how long it took (seconds), what it was, and what is wrong with it."""

    moment: float
    seconds: float
    kind: str
    fault: str


class Visitor(Client):
    """A client of the tests, through nginx, on a connection of its own that it keeps, from an address of its own."""

    numbers = itertools.count()

    def __init__(self, site: Nginx, seen: list[Answered], kind: str, token: str = "") -> None:
        super().__init__(site.port, token)
        self._site, self._seen, self._kind = site, seen, kind
        self.number = next(self.numbers)
        self._from = f"127.0.{1 + self.number // 250}.{1 + self.number % 250}"
        self._connection: http.client.HTTPSConnection | None = None
        self._used = 0.0

    def ask(
        self, method: str, path: str, body: dict[str, str] | bytes | None = None, kind: str = "", **more: str
    ) -> Said:
        """Ask for an address. Raises Unanswered."""
        began, fault = time.monotonic(), ""
        try:
            said = self._answer(method, path, body, kind, more)
            if said.status >= 400:
                fault = f"{method} {said.status}"
            elif said.location.startswith("/sign-in"):  # that is no promise
                fault, said = f"{method} {SIGNED_OUT}", said._replace(status=401)
            return said
        except (OSError, http.client.HTTPException) as error:
            self._hang_up()
            fault = f"{method} {type(error).__name__}"
            raise Unanswered from error
        finally:
            ended = time.monotonic()
            self._seen.append(Answered(ended, ended - began, self._kind, fault))

    def _answer(
        self, method: str, path: str, body: dict[str, str] | bytes | None, kind: str, more: dict[str, str]
    ) -> Said:
        headers = {"Host": NAME, **self._headers, **more}
        if self._cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        if isinstance(body, dict):
            body, kind = urlencode(body).encode(), "application/x-www-form-urlencoded"
        if kind:
            headers["Content-Type"] = kind
        if self._connection is None or time.monotonic() - self._used > RESTED:
            self._hang_up()
            self._connection = self._site.connection(address=self._from)
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        for line in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = line.partition(";")[0].partition("=")
            self._cookies[name] = value
        text = answer.read().decode()
        self._used = time.monotonic()
        return Said(answer.status, text, answer.headers.get("Location", ""))

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Traffic:
    """Everybody who visits. Safe for threads."""

    def __init__(self, site: Nginx, addresses: Sequence[str], token: str) -> None:
        self.seen: list[Answered] = []
        self.ledger = Ledger()
        self._site, self._token = site, token
        self._chance = random.Random(1)  # noqa: S311 (no secret)
        self._lock = threading.Lock()
        self._addresses: dict[str, list[str]] = {kind: [] for kind in SHARES}
        for address in addresses:
            self._addresses[_kind(address)].append(address)
        self._readers = [Visitor(site, self.seen, "read") for _ in range(AT_ONCE)]
        self._free: dict[str, list[Writer]] = {kind: [] for kind in WRITERS}
        self._tried: set[str] = set()
        self.turned_away = 0

    def sign_in(self) -> None:
        """Have everybody who writes sign in."""
        for kind, make in WRITERS.items():
            for number in range(PEOPLE[kind]):
                visitor = Visitor(self._site, self.seen, kind, self._token if kind == "API" else "")
                if kind != "API":
                    visitor.sign_in(email(kind, number))
                common = (visitor, self.ledger, Gate(), threading.Event(), float(visitor.number))
                self._free[kind].append(Editor(*common, waiting=self._waiting) if kind == "publish" else make(*common))

    def flat_out(self, clients: int, seconds: float) -> float:
        """Return how many visits a second there are where so many come one after the other."""
        until, done = time.monotonic() + seconds, itertools.count()

        def visit_on() -> None:
            while time.monotonic() < until:
                self._visit(self._drawn())
                next(done)

        began, before = time.monotonic(), len(self.seen)
        with ThreadPoolExecutor(clients) as visiting:
            for each in [visiting.submit(visit_on) for _ in range(clients)]:
                each.result()
        faults = [each for each in self.seen[before:] if each.fault]
        if faults:
            raise click.ClickException(f"{len(faults)} requests failed with {clients} clients: {faults[0]}")
        return next(done) / (time.monotonic() - began)

    def steadily(self, rate: float, over: threading.Event) -> None:
        """Have so many visits begin each second, whether or not those before have ended, until it is over."""
        began = time.monotonic()
        waiting = threading.Semaphore(AT_ONCE)

        def visit(kind: str) -> None:
            try:
                self._visit(kind)
            finally:
                waiting.release()

        with ThreadPoolExecutor(AT_ONCE) as visiting:
            for number in itertools.count():
                over.wait(max(0.0, began + number / rate - time.monotonic()))
                if over.is_set():
                    return
                if waiting.acquire(blocking=False):
                    visiting.submit(visit, self._drawn())
                else:
                    self.turned_away += 1

    def _drawn(self) -> str:
        with self._lock:
            return self._chance.choices(list(SHARES), list(SHARES.values()))[0]

    def _visit(self, kind: str) -> None:
        if kind in WRITERS:
            self._write(kind)
            return
        with self._lock:
            address, reader = self._chance.choice(self._addresses[kind]), self._readers.pop()
        try:
            with contextlib.suppress(Unanswered):
                reader.ask("GET", address)
        finally:
            self._readers.append(reader)

    def _write(self, kind: str) -> None:
        with self._lock:
            writer = self._free[kind].pop() if self._free[kind] else None
        if writer is None:  # all are at it: somebody reads in their place
            self._visit("search")
            return
        try:
            writer.step()
        except Unanswered:
            self.ledger.unanswered += 1
        except Exception as error:  # told at the end, with what led to it
            self.ledger.faults.append(f"{kind}: {error!r}")
        finally:
            self._free[kind].append(writer)

    def _waiting(self) -> tuple[str, str] | None:
        """One submission that nobody tried to publish: its number and a word of its title."""
        with self.ledger.lock:
            for practice in self.ledger.submitted - self._tried:
                self._tried.add(practice)
                return practice, self.ledger.saved[practice][0]
        return None


def email(kind: str, number: int) -> str:
    """The address of somebody who writes."""
    return f"{kind.lower()}{number}@example.org"


def _kind(address: str) -> str:
    if address.startswith("/practices/"):
        return "practice"
    if "country=" in address:
        return "facets"
    return "search" if address.startswith(("/practices", "/api/")) else "other"


def excusable(fault: str) -> bool:
    """Whether a fault promises nothing and is none of the software: the site was away for a moment and said so."""
    what = fault.rpartition(" ")[2]
    return what == str(REFUSED_FOR_NOW) or (not what.isdigit() and what != SIGNED_OUT)
