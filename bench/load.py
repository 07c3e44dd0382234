"""How much the site bears, and whether it bears that for long: `python -m bench load DIR`.

On a copy of a data folder a server of four workers is asked as fast as it answers, by ever more clients, until more
clients bring no more answers: that is its saturation. Then it is asked at a share of that pace, whether or not earlier
requests were answered, for minutes: pages, searches, the API, and drafts saved with a token. No request may fail, and
memory may not grow once everything is warm. Whoever asks runs on the same machine, and takes some of what it bears.
"""

from __future__ import annotations

import http.client
import itertools
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import numpy as np

from bench.generate import Generator
from bench.live import PATIENCE, WORKERS, get, pages, running_on, settings_for
from bench.serving import HOST, descendants

RESULTS = Path(__file__).parent / "results"
EMAIL = "load@example.org"
CLIENTS = (4, 8, 16, 32)
"""How many ask at once while the saturation is looked for."""

AT_ONCE = 200
"""Requests under way at most at the steady pace; where so many wait, the pace is no longer kept, which is a failure."""

SHARES = {"search": 0.55, "practice": 0.2, "api": 0.1, "other": 0.1, "save": 0.05}
"""What share of the requests is of which kind."""

WARM = 0.2
"""Share of the time after which memory is looked at first."""


@dataclass
class Seen:
    """What was met: (kind, milliseconds from when it was due) of each request; (seconds, MB) of the memory."""

    requests: list[tuple[str, float]] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--minutes", default=10.0, show_default=True, help="How long at the steady pace.")
@click.option("--share", default=0.7, show_default=True, help="The steady pace, as a share of the saturation.")
@click.option("--probe", default=20.0, show_default=True, help="Seconds for each number of clients.")
def load(folder: Path, minutes: float, share: float, probe: float) -> None:
    """Find the saturation on a copy of the data FOLDER and hold a share of it; prints a table and a line of JSON."""
    with tempfile.TemporaryDirectory(prefix="kb-load-") as name:
        copied = shutil.copytree(folder, Path(name) / "data")
        token = _token(copied)
        with running_on(copied) as (port, _):
            asker = Asker(port, token)
            saturation = {clients: asker.flat_out(clients, probe) for clients in CLIENTS}
            seen = asker.steadily(share * max(saturation.values()), 60 * minutes)
    result = summary(saturation, share, minutes, seen)
    click.echo(report(result))
    line = json.dumps(result)
    click.echo(line)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "load.json").write_text(line + "\n", encoding="utf-8")
    for failure in seen.failures[:10]:
        click.echo(f"failed: {failure}", err=True)
    if seen.failures:
        raise click.ClickException(f"{len(seen.failures)} requests failed.")


class Asker:
    """Asks a running site for a mix of everything. Safe for threads."""

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._token = token
        self._lock = threading.Lock()
        self._records = Generator(int(time.time())).records(10_000_000)
        self._chance = random.Random(1)  # noqa: S311 - nothing here is secret
        self._addresses: dict[str, list[str]] = {kind: [] for kind in SHARES}
        for address in pages(port):
            self._addresses[_kind(address)].append(address)

    def flat_out(self, clients: int, seconds: float) -> float:
        """Return how many requests a second are answered where so many clients ask one after the other."""
        seen = Seen()
        until = time.monotonic() + seconds

        def ask_on() -> None:
            while time.monotonic() < until:
                self._ask(self._drawn(), time.monotonic(), seen)

        began = time.monotonic()
        with ThreadPoolExecutor(clients) as asking:
            for each in [asking.submit(ask_on) for _ in range(clients)]:
                each.result()
        if seen.failures:
            raise click.ClickException(
                f"{len(seen.failures)} requests failed with {clients} clients: {seen.failures[0]}"
            )
        return len(seen.requests) / (time.monotonic() - began)

    def steadily(self, rate: float, seconds: float) -> Seen:
        """Ask so many times a second, evenly, and look at the memory meanwhile."""
        seen, done = Seen(), threading.Event()
        began = time.monotonic()
        watching = threading.Thread(target=_watch, args=(began, seen, done))
        watching.start()
        waiting = threading.Semaphore(AT_ONCE)

        def ask(kind: str, due: float) -> None:
            try:
                self._ask(kind, due, seen)
            finally:
                waiting.release()

        with ThreadPoolExecutor(AT_ONCE) as asking:
            for number in itertools.count():
                due = began + number / rate
                if due > began + seconds:
                    break
                time.sleep(max(0.0, due - time.monotonic()))
                if not waiting.acquire(blocking=False):
                    seen.failures.append(f"{AT_ONCE} requests wait {due - began:.0f} s after the beginning")
                    waiting.acquire()
                asking.submit(ask, self._drawn(), due)
        done.set()
        watching.join()
        return seen

    def _drawn(self) -> str:
        with self._lock:
            return self._chance.choices(list(SHARES), list(SHARES.values()))[0]

    def _ask(self, kind: str, due: float, seen: Seen) -> None:
        """Ask for something of a kind; the time counts from when it was due."""
        try:
            address, status = self._save() if kind == "save" else self._get(kind)
            if status not in (200, 201):
                seen.failures.append(f"{address} answered {status}")
        except (OSError, http.client.HTTPException) as error:
            seen.failures.append(f"{kind}: {error!r}")
        seen.requests.append((kind, (time.monotonic() - due) * 1e3))

    def _get(self, kind: str) -> tuple[str, int]:
        with self._lock:
            address = self._chance.choice(self._addresses[kind])
        return address, get(self._port, address)[0]

    def _save(self) -> tuple[str, int]:
        """Save a new draft."""
        with self._lock:
            record = next(self._records)
        address = "/api/v1/practices?draft=1"
        taken = {key: value for key, value in record.items() if key not in _SET_BY_THE_SITE}
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json", "Connection": "close"}
        connection = http.client.HTTPConnection(HOST, self._port, timeout=PATIENCE)
        with closing(connection):
            connection.request("POST", address, json.dumps(taken), headers)
            answer = connection.getresponse()
            answer.read()
            return address, answer.status


_SET_BY_THE_SITE = frozenset(("id", "slug", "version", "published", "updated", "completeness", "url"))


def _kind(address: str) -> str:
    if address.startswith("/api/"):
        return "api"
    if address.startswith("/practices/"):
        return "practice"
    return "search" if address.startswith("/practices") else "other"


def _token(folder: Path) -> str:
    """A token that may write, of a new member."""
    _run(folder, "user", "add", EMAIL, "--role", "member")
    return _run(folder, "user", "token", EMAIL).split()[-1]


def _run(folder: Path, *command: str) -> str:
    done = subprocess.run(  # noqa: S603 (our own program)
        [sys.executable, "-m", "kb", *command], env=settings_for(folder), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise click.ClickException(f"{' '.join(command)}: {done.stderr}")
    return done.stdout


def _watch(began: float, seen: Seen, done: threading.Event) -> None:
    while not done.wait(2.0):
        seen.memory.append((time.monotonic() - began, _memory()))


def _memory() -> float:
    """Megabytes of all processes of the server, what they share counted once."""
    total = 0
    for process in descendants():
        try:
            lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        except OSError:  # it has just ended
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith(("Pss_Anon:", "Pss_Shmem:")))
    return total / 1024


# What came of it


def summary(saturation: Mapping[int, float], share: float, minutes: float, seen: Seen) -> dict[str, Any]:
    """The figures: requests a second, milliseconds by kind, memory after warming up and at the end."""
    best = max(saturation.values())
    taken = {kind: [each for found, each in seen.requests if found == kind] for kind in SHARES}
    taken["all"] = [each for _, each in seen.requests]
    times, sizes = (np.array([each[0] for each in seen.memory]), np.array([each[1] for each in seen.memory]))
    last = times[-1] if len(times) else 0.0
    warm = sizes[(times > WARM * last) & (times < 2 * WARM * last)]
    end = sizes[times > (1 - WARM) * last]
    return {
        "workers": WORKERS, "cores": os.cpu_count(), "saturation": {str(n): round(v, 1) for n, v in saturation.items()},
        "rate": round(share * best, 1), "share": share, "minutes": minutes, "requests": len(seen.requests),
        "failed": len(seen.failures),
        "milliseconds": {kind: _figures(each) for kind, each in taken.items()},
        "memory_mb": {"warm": round(float(warm.mean()), 1), "end": round(float(end.mean()), 1)} if len(warm) else {},
    }  # fmt: skip


def _figures(taken: Sequence[float]) -> dict[str, float]:
    if not taken:
        return {}
    names = ("p50", "p95", "p99", "longest")
    found = dict(zip(names, np.percentile(taken, (50, 95, 99, 100)).round(1).tolist(), strict=True))
    return {"requests": len(taken), **found}


def report(result: Mapping[str, Any]) -> str:
    """The figures, for people."""
    memory = result["memory_mb"]
    lines = [
        f"Answers a second of {result['workers']} workers on {result['cores']} cores: "
        + ", ".join(f"{rate} ({clients} clients)" for clients, rate in result["saturation"].items()),
        f"{result['requests']} requests at {result['rate']} a second ({result['share']:.0%}) in {result['minutes']:g} "
        f"minutes: {result['failed']} failed",
    ]
    for kind, each in result["milliseconds"].items():
        if each:
            lines.append(f"{kind:9}" + "  ".join(f"{name} {value:g}" for name, value in each.items()))
    if memory:
        grown = memory["end"] / memory["warm"] - 1
        lines.append(f"Memory {memory['warm']} MB when warm, {memory['end']} MB at the end ({grown:+.1%})")
    return "\n".join(lines)
