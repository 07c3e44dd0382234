"""Ordinary pages while many connections are slow: `python -m bench slowly DIR`.

A server of four workers on a copy of a data folder answers pages one after the other, over a connection each, while
others are held open beside them: by clients that send a request's headers a byte a second, or a form's body, or that
read a large answer a byte a second, or fifty that they asked for at once. What counts is how long the ordinary pages
take, and that none fails.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import math
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import click

from bench.serving import HOST, running

WORKERS = 4
PATIENCE = 30.0
"""Seconds for one ordinary page; one that takes longer has failed."""

SETTLING = 120.0
"""Seconds at most until all large answers have begun."""

PAGES = ("/", "/practices", "/practices?q=housing", "/themes", "/api/v1/practices?q=language", "/about")

LARGE = ("/practices.csv", "/practices.json", "/practices?per_page=100", "/api/v1/practices?per_page=100")
"""What slow readers ask for."""

Slow = Callable[[int, int], socket.socket]
"""Opens a connection to a port, the nth of its kind."""


def slow_heads(port: int, _number: int) -> socket.socket:
    """A request whose headers never end."""
    connection = socket.create_connection((HOST, port))
    connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
    return connection


def slow_bodies(port: int, _number: int) -> socket.socket:
    """A form whose text never ends."""
    connection = socket.create_connection((HOST, port))
    head = "POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    connection.sendall(f"{head}Content-Length: 1000000\r\n\r\nemail=".encode())
    return connection


def slow_readers(port: int, number: int, times: int = 1) -> socket.socket:
    """A large answer that nobody hurries to read."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    connection.connect((HOST, port))
    path = LARGE[number % len(LARGE)]
    asked = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: identity\r\n\r\n".encode()
    connection.sendall(asked * times)
    return connection


def slow_askers(port: int, number: int) -> socket.socket:
    """The same, asked for many times over before the first answer is read."""
    return slow_readers(port, number, 50)


KINDS: dict[str, tuple[Slow | None, bool]] = {
    "none": (None, False),
    "headers": (slow_heads, True),
    "bodies": (slow_bodies, True),
    "readers": (slow_readers, False),
    "askers": (slow_askers, False),
}
"""What is slow, and whether it writes: who does not write reads."""


@dataclass
class Met:
    """What the ordinary pages met: seconds of each, and what failed."""

    seconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--connections", default=200, show_default=True, help="Slow connections at once.")
@click.option("--seconds", default=20.0, show_default=True, help="How long each kind lasts.")
@click.option("--kind", "kinds", type=click.Choice(list(KINDS)), multiple=True, help="Only these kinds.")
def slowly(folder: Path, connections: int, seconds: float, kinds: tuple[str, ...]) -> None:
    """Ask for pages of the data FOLDER beside slow connections; prints a table and a line of JSON."""
    results: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="kb-slowly-") as name:
        copied = shutil.copytree(folder, Path(name) / "data")
        env = {"KB_DATA_DIR": str(copied), "KB_WORKERS": str(WORKERS), "KB_LIMITS": "off"}
        with running(env) as port:
            ask(port, 5.0)  # every worker has opened what it needs
            for kind in kinds or KINDS:
                met, held = measure(port, kind, connections, seconds)
                results[kind] = {**summary(met), "still open": held}
                click.echo(line(kind, results[kind]))
                for failure in met.failures[:3]:
                    click.echo(f"  failed: {failure}", err=True)
    click.echo(json.dumps(results))


def measure(port: int, kind: str, connections: int, seconds: float) -> tuple[Met, int]:
    """Ask for pages beside slow connections of a kind; returns what they met, and how many the server still holds."""
    opens, writes = KINDS[kind]
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(opens(port, number)) for number in range(connections)] if opens else []
        ended = threading.Event()
        dripping = threading.Thread(target=_drip, args=(held, writes, ended))
        dripping.start()
        try:
            _settle(held if opens and not writes else [])
            met = ask(port, seconds)
        finally:
            ended.set()
            dripping.join()
        return met, sum(_open(each) for each in held)


def _settle(readers: list[socket.socket]) -> None:
    """Wait until the server has met all connections: what making large answers costs is no matter of slow reading."""
    until = time.monotonic() + SETTLING
    waiting = readers
    while waiting and time.monotonic() < until:
        time.sleep(0.5)
        waiting = [each for each in waiting if not _began(each)]
    time.sleep(2.0)


def _began(connection: socket.socket) -> bool:
    """Whether an answer has begun, or never will."""
    try:
        connection.recv(1, socket.MSG_DONTWAIT | socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


def ask(port: int, seconds: float) -> Met:
    """Ask for ordinary pages for so long, by two clients."""
    met, until = Met(), time.monotonic() + seconds
    clients = [threading.Thread(target=_ask, args=(port, until, met)) for _ in range(2)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return met


def _ask(port: int, until: float, met: Met) -> None:
    for path in itertools.cycle(PAGES):
        began = time.monotonic()
        if began > until:
            return
        connection = http.client.HTTPConnection(HOST, port, timeout=PATIENCE)
        try:
            with contextlib.closing(connection):
                connection.request("GET", path)
                answer = connection.getresponse()
                answer.read()
            if answer.status != 200:
                met.failures.append(f"{path}: {answer.status}")
        except OSError as error:
            met.failures.append(f"{path}: {error!r}")
        met.seconds.append(time.monotonic() - began)
        time.sleep(0.05)


def _drip(held: list[socket.socket], writes: bool, ended: threading.Event) -> None:
    """Send or read a byte a second on each connection; what the server closed stays closed."""
    while not ended.wait(1.0):
        for each in held:
            with contextlib.suppress(OSError):
                if writes:
                    each.send(b"a")
                else:
                    each.recv(1, socket.MSG_DONTWAIT)


def _open(connection: socket.socket) -> bool:
    """Whether the server has not hung up: then there is nothing to read, or more than nothing."""
    try:
        return connection.recv(1, socket.MSG_DONTWAIT) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def summary(met: Met) -> dict[str, float]:
    """How many pages were asked for and failed, and how long they took in ms."""
    return {
        "pages": len(met.seconds),
        "failed": len(met.failures),
        **{f"p{of}": round(1000 * quantile(met.seconds, of / 100)) for of in (50, 95, 99, 100)},
    }


def quantile(values: list[float], share: float) -> float:
    """The smallest value that this share of all values does not exceed; 0 where there are none."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)] if values else 0.0


def line(kind: str, result: dict[str, float]) -> str:
    """One line of the table."""
    return f"slow {kind:8} " + "  ".join(f"{name} {value:g}" for name, value in result.items())
