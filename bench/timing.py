"""Whether the time of an answer tells if an address has an account: `python -m bench timing`.

A real server with its limits off is asked to sign in, to send a reset and to register, for known and unknown addresses
in turn at random, over one connection. What is timed is one POST, from its first byte sent to the last of the answer.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import re
import secrets
import tempfile
import time
from collections.abc import Iterator, Sequence
from html import unescape
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

import click
import numpy as np

from bench.serving import HOST, PATIENCE, running
from kb import config as settings
from kb.db import Database
from kb.models import Role
from kb.services import accounts, setup

ACTIONS = {"sign-in": 401, "reset": 200, "register": 200}
"""What is tried, by its address, and the status that answers it for everybody."""

COUNT = 200
KNOWN = 20
"""Accounts there are. Each known address is tried several times, each unknown one once."""

RESAMPLES = 10_000

_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


class Compared(NamedTuple):
    """Two samples of milliseconds: medians, 95th percentiles, and how the medians differ.

    `interval` holds the difference in 95 of 100 bootstrap samples. `slower` is how often a known address takes longer
    than an unknown one: 0.5 where one try tells nothing.
    """

    known: float
    known_p95: float
    unknown: float
    unknown_p95: float
    difference: float
    interval: tuple[float, float]
    slower: float


@click.command()
@click.option("--count", default=COUNT, show_default=True, help="Tries of each kind.")
@click.option("--seed", default=1, show_default=True, help="Another seed, another order.")
def timing(count: int, seed: int) -> None:
    """Time sign-in, reset and registration for known and unknown addresses; prints a table and a line of JSON."""
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "data") as port:
        with contextlib.closing(Client(port)) as client:
            found = {action: compare(*tries(client, action, count, seed), seed) for action in ACTIONS}
    click.echo(report(found, count))
    click.echo(json.dumps({action: each._asdict() for action, each in found.items()}))


def tries(client: Client, action: str, count: int, seed: int) -> tuple[list[float], list[float]]:
    """Milliseconds of `count` tries with known addresses and of as many with unknown ones, in a random order."""
    order = [True] * count + [False] * count
    random.Random(seed).shuffle(order)  # noqa: S311 (no secret)
    taken: dict[bool, list[float]] = {True: [], False: []}
    for n, known in enumerate(order):
        # As long as a known one: what is longer takes longer.
        email = _known(n % KNOWN) if known else f"{secrets.token_hex(4)}@example.org"
        taken[known].append(client.post(action, email))
    return taken[True], taken[False]


def compare(known: Sequence[float], unknown: Sequence[float], seed: int) -> Compared:
    """Compare two samples."""
    one, other = np.asarray(known), np.asarray(unknown)
    pick = np.random.default_rng(seed)
    medians = [
        np.median(sample[pick.integers(0, len(sample), (RESAMPLES, len(sample)))], axis=1) for sample in (one, other)
    ]
    low, high = np.percentile(medians[0] - medians[1], (2.5, 97.5))
    above = (one[:, None] > other[None, :]).mean() + (one[:, None] == other[None, :]).mean() / 2
    middle, other_middle = float(np.median(one)), float(np.median(other))
    return Compared(
        known=round(middle, 3),
        known_p95=round(float(np.percentile(one, 95)), 3),
        unknown=round(other_middle, 3),
        unknown_p95=round(float(np.percentile(other, 95)), 3),
        difference=round(middle - other_middle, 3),
        interval=(round(float(low), 3), round(float(high), 3)),
        slower=round(float(above), 3),
    )


def report(found: dict[str, Compared], count: int) -> str:
    """The table."""
    lines = [
        f"Milliseconds of {count} tries each, known and unknown addresses in random order, limits off",
        f"{'':<10}{'known':>9}{'p95':>9}{'unknown':>9}{'p95':>9}{'difference':>12}  {'95 % interval':<18}{'slower':>7}",
    ]
    for action, each in found.items():
        low, high = each.interval
        told = "" if low <= 0 <= high else "  differs"
        lines.append(
            f"{action:<10}{each.known:>9.2f}{each.known_p95:>9.2f}{each.unknown:>9.2f}{each.unknown_p95:>9.2f}"
            f"{each.difference:>+12.3f}  {f'{low:+.3f} to {high:+.3f}':<18}{each.slower:>7.2f}{told}"
        )
    return "\n".join(lines)


class Client:
    """One browser on one connection."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection(HOST, port, timeout=PATIENCE)
        self._forms: dict[str, tuple[str, str]] = {}

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def post(self, action: str, email: str) -> float:
        """Send one form; returns milliseconds. Fails where the answer is not what everybody gets."""
        if action not in self._forms:
            self._forms[action] = self._form(action)
        token, cookie = self._forms[action]
        body = urlencode({**_fields(), "email": email, "csrf_token": token})
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie}
        self._get("/healthz")  # so that the connection is open, and what the last try left to do is done
        began = time.perf_counter()
        self._connection.request("POST", f"/{action}", body, headers)
        answer = self._connection.getresponse()
        answer.read()
        taken = (time.perf_counter() - began) * 1000
        if answer.status != ACTIONS[action]:
            raise click.ClickException(f"/{action} answered {answer.status}, not {ACTIONS[action]}.")
        return taken

    def _form(self, action: str) -> tuple[str, str]:
        page, cookie = self._get(f"/{action}")
        found = _TOKEN.search(page)
        if found is None:
            raise click.ClickException(f"/{action} has no form.")
        return unescape(found.group(1)), cookie

    def _get(self, path: str) -> tuple[str, str]:
        self._connection.request("GET", path)
        answer = self._connection.getresponse()
        cookie = (answer.headers.get("Set-Cookie") or "").partition(";")[0]
        return answer.read().decode(), cookie


def _fields() -> dict[str, str]:
    """What the forms ask for beside the address; each takes what it knows."""
    return {
        "password": secrets.token_urlsafe(12),
        "name": "Maya Berg",
        "organisation": "City of Ghent",
        "reason": "To write down our mentoring scheme.",
    }


def _known(number: int) -> str:
    return f"known{number:03}@example.org"


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[int]:
    """Run the site on a new folder with known accounts; yields its port."""
    env = {"KB_DATA_DIR": str(folder), "KB_LIMITS": "off", "KB_OPEN_REGISTRATION": "on"}
    config = settings.load(env)
    database = Database(config.database_url)
    setup.migrate(database)
    for number in range(KNOWN):
        with database.write() as session:
            accounts.add_user(session, _known(number), Role.MEMBER, password=secrets.token_urlsafe(12))
    database.close()
    with running(env) as port:
        yield port
