"""How much memory a server takes to send everything: `python -m bench exports PATH`.

A real server with its limits off sends one export after the other while the memory of all its processes is looked at.
What counts is how far it grows over what the server held after it had answered searches and small exports.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click

from bench.serving import descendants, running

WARMING = ("/practices?q=talent", "/practices", "/practices.{suffix}?theme=housing&country=IT",
           "/practices.{suffix}?q=arts+jobs")  # fmt: skip
"""What is asked first, so that code and index are in memory."""

TIMES = 12
"""How often: whoever of the server's processes answers, it has answered before."""

LOOK_EVERY = 0.05
PATIENCE = 1800.0
MB = 1 << 20


class Sent(NamedTuple):
    """One export: bytes, seconds to the first of them and to the last, and bytes of memory that the server grew by."""

    bytes: int
    first: float
    last: float
    grown: int


@click.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--format", "suffixes", multiple=True, default=("csv", "json"), show_default=True, help="Formats to try.")
def exports(path: Path, suffixes: tuple[str, ...]) -> None:
    """Export everything of PATH, and watch the server's memory.

    PATH is a data folder, or a file of records as `python -m bench.generate` writes it, which is then imported into a
    folder that is thrown away.
    """
    with _folder(path) as folder, running({"KB_DATA_DIR": str(folder), "KB_LIMITS": "off"}) as port:
        for suffix in suffixes:
            for address in WARMING * TIMES:
                _get(port, address.format(suffix=suffix))
            sent = _watched(port, f"/practices.{suffix}")
            click.echo(
                f"{suffix}: {sent.bytes / MB:.1f} MB in {sent.last:.1f} s, the first byte after {sent.first:.2f} s; "
                f"memory grew by {sent.grown / MB:.1f} MB"
            )


@contextlib.contextmanager
def _folder(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="kb-exports-") as name:
        env = {key: value for key, value in os.environ.items() if not key.startswith("KB_")}
        command = [sys.executable, "-m", "kb", "import", str(path), "--as", "published"]
        subprocess.run(command, env={**env, "KB_DATA_DIR": name}, check=True)  # noqa: S603 (our own program)
        yield Path(name)


def _get(port: int, address: str) -> tuple[int, float, float]:
    """Ask for an address; returns bytes, seconds to the first and to the last. What comes is not kept."""
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    with contextlib.closing(connection):
        connection.request("GET", address)
        answer = connection.getresponse()
        size = len(answer.read(1))
        first = time.perf_counter() - began
        while piece := answer.read(MB):
            size += len(piece)
        if answer.status != 200:
            raise click.ClickException(f"{address} answered {answer.status}.")
    return size, first, time.perf_counter() - began


def _watched(port: int, address: str) -> Sent:
    before = most = memory()
    done = threading.Event()

    def watch() -> None:
        nonlocal most
        while not done.wait(LOOK_EVERY):
            most = max(most, memory())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        size, first, last = _get(port, address)
    finally:
        done.set()
        watcher.join()
    return Sent(size, first, last, max(most, memory()) - before)


def memory() -> int:
    """The resident memory of all processes that this one started, and that those did, in bytes."""
    return sum(int(stat[21]) for stat in descendants().values()) * os.sysconf("SC_PAGE_SIZE")
