"""The site under load while practices are published and the index is built anew: `python -m bench live DIR`.

A server of four workers answers pages at an even pace on a copy of a data folder. Meanwhile another process publishes a
practice every other second, by the services, and a third one builds the whole index anew. Each worker is asked, over a
connection of its own, until it finds the new practice: what counts is the time from the commit. No request may fail.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import queue
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
import numpy as np

from bench import publisher
from bench.serving import HOST, free_port

RESULTS = Path(__file__).parent / "results"
WORKERS = 4
CLIENTS = 24
"""Threads that ask for pages, so that a slow answer does not hold up the next request."""

PATIENCE = 60.0
"""Seconds for one answer; one that takes longer has failed."""

LOOK_EVERY = 0.05
"""Seconds between two looks of one worker for a new practice."""


@dataclass
class Seen:
    """What was met: for each page when it was due (seconds from the beginning) and how long it took (seconds).

    `delays` has, for each publication, the seconds after which each worker found it.
    """

    pages: list[tuple[float, float]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    delays: list[list[float]] = field(default_factory=list)
    rebuilds: list[tuple[float, float]] = field(default_factory=list)


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--seconds", default=60.0, show_default=True, help="How long at least; a rebuild that runs is waited for."
)
@click.option("--rate", default=50.0, show_default=True, help="Pages a second.")
@click.option("--every", default=2.0, show_default=True, help="Seconds between two publications.")
def live(folder: Path, seconds: float, rate: float, every: float) -> None:
    """Publish and rebuild under load, on a copy of the data FOLDER; prints a table and a line of JSON."""
    with tempfile.TemporaryDirectory(prefix="kb-live-") as name:
        copied = shutil.copytree(folder, Path(name) / "data")
        with running_on(copied) as (port, server):
            seen = Run(copied, port, server, rate, every).measure(seconds)
    result = summary(seen, rate)
    click.echo(report(result))
    for failure in seen.failures[:10]:
        click.echo(f"failed: {failure}", err=True)
    line = json.dumps(result)
    click.echo(line)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "live.json").write_text(line + "\n", encoding="utf-8")
    if seen.failures:
        raise click.ClickException(f"{len(seen.failures)} requests failed.")


class Run:
    """One run: who asks, who publishes, who rebuilds, who looks."""

    def __init__(self, folder: Path, port: int, server: int, rate: float, every: float) -> None:
        self._folder = folder
        self._port = port
        self._server = server
        self._rate = rate
        self._every = every
        self._seen = Seen()
        self._done = threading.Event()
        self._began = 0.0

    def measure(self, seconds: float) -> Seen:
        """Do it all for so many seconds, and until the rebuild has ended."""
        addresses = pages(self._port)
        with ThreadPoolExecutor(WORKERS) as warming:  # every worker compiles its templates once
            list(warming.map(lambda address: get(self._port, address), addresses))
        looking = Looking(self._port, self._server, self._seen.failures)
        spawning = get_context("spawn")
        published, stop = spawning.Queue(), spawning.Event()
        process = spawning.Process(target=publisher.publish, args=(self._folder, self._every, published, stop))
        process.start()
        published.get(timeout=PATIENCE)  # it is ready
        self._began = time.monotonic()
        rebuilding = threading.Thread(target=self._rebuild, args=(seconds,))
        watching = threading.Thread(target=self._watch, args=(looking, published))
        for thread in (rebuilding, watching):
            thread.start()
        try:
            self._load(addresses, rebuilding, seconds)
        finally:
            stop.set()
            process.join(PATIENCE)
            self._done.set()
            watching.join()
            rebuilding.join()
            self._seen.delays = looking.end()
        return self._seen

    def _load(self, addresses: Sequence[str], rebuilding: threading.Thread, seconds: float) -> None:
        """Ask for a page whenever one is due, whether or not those before it were answered."""
        chance = random.Random(1)  # noqa: S311 - nothing here is secret
        with ThreadPoolExecutor(CLIENTS) as clients:
            for number in itertools.count():
                due = number / self._rate
                if due > seconds and not rebuilding.is_alive():
                    return
                time.sleep(max(0.0, self._began + due - time.monotonic()))
                clients.submit(self._ask, chance.choice(addresses), due)

    def _ask(self, address: str, due: float) -> None:
        try:
            status, _ = get(self._port, address)
            if status != 200:
                self._seen.failures.append(f"{address} answered {status}")
        except (OSError, http.client.HTTPException) as error:
            self._seen.failures.append(f"{address}: {error!r}")
        self._seen.pages.append((due, time.monotonic() - self._began - due))

    def _rebuild(self, seconds: float) -> None:
        """Build the index anew, once or more often: as long as there is time."""
        env = settings_for(self._folder)
        while time.monotonic() - self._began < max(1.0, seconds / 2):
            time.sleep(min(5.0, seconds / 6))
            began = time.monotonic() - self._began
            command = [sys.executable, "-m", "kb", "reindex"]
            done = subprocess.run(  # noqa: S603 (our own program)
                command, env=env, capture_output=True, check=False, timeout=60 * PATIENCE
            )
            self._seen.rebuilds.append((began, time.monotonic() - self._began))
            if done.returncode:
                self._seen.failures.append(f"reindex: {done.stderr.decode()[-500:]}")

    def _watch(self, looking: Looking, published: Any) -> None:
        while not self._done.is_set():
            with contextlib.suppress(queue.Empty):
                looking.look_for(*published.get(timeout=LOOK_EVERY))


class Looking:
    """Asks every worker for what was published, each over a connection of its own, until all have found it."""

    def __init__(self, port: int, server: int, failures: list[str]) -> None:
        self._failures = failures
        self._ended = False
        self._sought: dict[int, queue.SimpleQueue[tuple[str, float]]] = {}
        self._delays: dict[str, list[float]] = {}
        for worker in _children(server):
            self._sought[worker] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=self._look, args=(_Held(port, each),)) for each in self._sought]
        for thread in self._threads:
            thread.start()

    def look_for(self, word: str, committed: float) -> None:
        """Find a word that stands in what was committed at a moment (`time.monotonic`)."""
        self._delays[word] = []
        for sought in self._sought.values():
            sought.put((word, committed))

    def end(self) -> list[list[float]]:
        """Return for each word the seconds after which each worker found it, when all have."""
        self._ended = True
        for thread in self._threads:
            thread.join()
        return [delays for delays in self._delays.values() if len(delays) == len(self._sought)]

    def _look(self, held: _Held) -> None:
        """Ask one worker for whatever it has not found yet, again and again."""
        pending: dict[str, float] = {}
        while pending or not self._ended:
            with contextlib.suppress(queue.Empty):
                while True:
                    pending.update([self._sought[held.worker].get_nowait()])
            for word, committed in list(pending.items()):
                if self._settled(held, word, committed):
                    del pending[word]
            time.sleep(LOOK_EVERY)
        held.close()

    def _settled(self, held: _Held, word: str, committed: float) -> bool:
        try:
            found = held.finds(word)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._failures.append(f"looking for {word}: {error!r}")
            return True
        waited = time.monotonic() - committed
        if found:
            self._delays[word].append(waited)
        elif waited > PATIENCE:
            self._failures.append(f"{word} was never found by worker {held.worker}")
        return found or waited > PATIENCE


class _Held:
    """A connection that one worker holds open; another one to it where it rested for too long."""

    def __init__(self, port: int, worker: int) -> None:
        self.worker = worker
        self._port = port
        self._connection: http.client.HTTPConnection | None = None

    def finds(self, word: str) -> bool:
        """Whether the worker finds a word. Raises ValueError where it does not answer as it should."""
        path = f"/api/v1/practices?q={word}"
        try:
            status, text = self._get(path)
        except (http.client.RemoteDisconnected, ConnectionError):  # it rested for longer than the server waits
            self.close()
            status, text = self._get(path)
        if status != 200:
            raise ValueError(f"worker {self.worker} answered {status}")
        return bool(json.loads(text)["total"])

    def _get(self, path: str) -> tuple[int, str]:
        if self._connection is None:
            self._connection = self._opened()
        self._connection.request("GET", path)
        answer = self._connection.getresponse()
        return answer.status, answer.read().decode()

    def _opened(self) -> http.client.HTTPConnection:
        """Open connections until the worker takes one; several at once, because lone ones go to the same."""
        for _ in range(50):
            opened = [http.client.HTTPConnection(HOST, self._port, timeout=PATIENCE) for _ in range(8)]
            taken = [each for each in opened if _is_taken_by(each, self._port, self.worker)]
            for each in opened:
                if each not in taken[:1]:
                    each.close()
            if taken:
                return taken[0]
        raise OSError(f"worker {self.worker} takes no connection")

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _is_taken_by(connection: http.client.HTTPConnection, port: int, worker: int) -> bool:
    """Whether a process holds the other end of a connection, after that has answered once."""
    connection.request("GET", "/healthz")
    connection.getresponse().read()
    ends = f":{port:04X}", f":{connection.sock.getsockname()[1]:04X}"
    rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    inode = next((row[9] for row in rows if row[1].endswith(ends[0]) and row[2].endswith(ends[1])), None)
    return f"socket:[{inode}]" in _open_files(worker)


def _open_files(process: int) -> set[str]:
    found = set()
    for path in Path(f"/proc/{process}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.add(str(path.readlink()))
    return found


def _children(process: int) -> list[int]:
    listed = Path(f"/proc/{process}/task/{process}/children").read_text()
    return sorted(map(int, listed.split()))


# The site


def pages(port: int) -> list[str]:
    """Return addresses of mixed pages: the start, searches with and without filters, practices, the API."""
    _, text = get(port, "/api/v1/practices?per_page=50")
    items = json.loads(text)["items"]
    words = sorted({word for item in items for word in item["title"].split() if len(word) > 4 and word.isalpha()})
    countries = sorted({item["country"] for item in items})
    found = ["/", "/practices", "/map", "/feed.atom"]
    found += [f"/practices/{item['slug']}" for item in items]
    found += [f"/practices?q={quote(word)}" for word in words]
    found += [f"/practices?q={quote(f'{one} {two}')}" for one, two in itertools.pairwise(words)]
    found += [f"/practices?country={country}&q={quote(words[0])}" for country in countries]
    found += [f"/practices?country={country}" for country in countries]
    found += [f"/api/v1/practices?q={quote(word)}" for word in words[:20]]
    return found


def get(port: int, path: str) -> tuple[int, str]:
    """Return status and text of an address, over a connection of its own."""
    connection = http.client.HTTPConnection(HOST, port, timeout=PATIENCE)
    with contextlib.closing(connection):
        connection.request("GET", path, headers={"Connection": "close"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def settings_for(folder: Path) -> dict[str, str]:
    """The environment of a site on a data folder: four workers, no limits."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KB_")}
    return {**kept, "KB_DATA_DIR": str(folder), "KB_LIMITS": "off", "KB_WORKERS": str(WORKERS)}


@contextlib.contextmanager
def running_on(folder: Path) -> Iterator[tuple[int, int]]:
    """Run the site on a data folder; yields its port and its process. All workers answer."""
    port = free_port()
    log = (folder.parent / "server.log").open("wb")
    command, env = [sys.executable, "-m", "kb", "run"], {**settings_for(folder), "PORT": str(port)}
    server = subprocess.Popen(  # noqa: S603 (our own program)
        command, env=env, stdout=log, stderr=log, start_new_session=True
    )
    try:
        until = time.monotonic() + 20 * PATIENCE
        while not _up(port) or len(_children(server.pid)) < WORKERS:
            if server.poll() is not None or time.monotonic() > until:
                raise click.ClickException(f"The server did not start: {(folder.parent / 'server.log').read_text()}")
            time.sleep(0.2)
        yield port, server.pid
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(PATIENCE)
        log.close()


def _up(port: int) -> bool:
    try:
        return get(port, "/healthz")[0] == 200
    except OSError:
        return False


# What came of it


def summary(seen: Seen, rate: float) -> dict[str, Any]:
    """Return latencies in milliseconds while nothing is rebuilt and while it is, and delays in seconds."""
    during = [any(start <= due <= end for start, end in seen.rebuilds) for due, _ in seen.pages]
    taken = np.array([1000 * seconds for _, seconds in seen.pages])
    rebuilt = np.array(during, np.bool_)
    delays = np.array(seen.delays or [[0.0] * WORKERS])
    return {
        "workers": WORKERS, "rate": rate, "pages": len(seen.pages), "failed": len(seen.failures),
        "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1),
        "milliseconds": {"otherwise": _figures(taken[~rebuilt]), "during a rebuild": _figures(taken[rebuilt])},
        "rebuilds": [round(end - start, 1) for start, end in seen.rebuilds],
        "publications": len(seen.delays),
        "seconds_until_every_worker": {
            "median": round(float(np.median(delays.max(axis=1))), 3), "longest": round(float(delays.max()), 3),
        },
    }  # fmt: skip


def _figures(taken: Any) -> dict[str, float]:
    if not len(taken):
        return {}
    median, p95, longest = np.percentile(taken, (50, 95, 100)).tolist()
    return {"pages": len(taken), "median": round(median, 1), "p95": round(p95, 1), "longest": round(longest, 1)}


def report(result: Mapping[str, Any]) -> str:
    """The figures, for people."""
    until = result["seconds_until_every_worker"]
    lines = [
        f"{result['pages']} pages at {result['rate']:g} a second on {result['workers']} workers "
        f"({result['cores']} cores, load {result['load']}): {result['failed']} failed",
    ]
    lines += [
        f"pages {when}: median {each['median']} ms, p95 {each['p95']} ms, longest {each['longest']} ms"
        for when, each in result["milliseconds"].items()
        if each
    ]
    lines += [
        f"{len(result['rebuilds'])} rebuilds of the index: {', '.join(f'{each} s' for each in result['rebuilds'])}",
        f"{result['publications']} publications, found by every worker after {until['median']} s in the median, "
        f"{until['longest']} s at most",
    ]
    return "\n".join(lines)
