"""The servers that are measured, each in a process of its own, and what the processes of one take."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

HOST = "127.0.0.1"
PATIENCE = 120.0
"""Seconds to wait for a server to start, to answer and to end."""


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(env: Mapping[str, str]) -> Iterator[int]:
    """Run the site with these settings; yields its port. Raises ClickException where it does not start."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KB_")}
    port = free_port()
    with started([sys.executable, "-m", "kb", "run"], port, "/healthz", {**kept, **env, "PORT": str(port)}):
        yield port


@contextlib.contextmanager
def started(command: Sequence[str], port: int, up: str, env: Mapping[str, str] | None = None) -> Iterator[int]:
    """Run a server until the address `up` of it answers; yields the id of its process.

    Raises ClickException where it does not start.
    """
    server = subprocess.Popen(  # noqa: S603 (a command of this project)
        command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        _wait(server, port, up)
        yield server.pid
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(PATIENCE)


def descendants() -> dict[int, list[str]]:
    """What /proc/PID/stat says, from the state on, of all processes that this one started, and that those did."""
    stats: dict[int, list[str]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            with contextlib.suppress(OSError):  # it has just ended
                stats[int(folder.name)] = (folder / "stat").read_text().rpartition(")")[2].split()
    ours = {os.getpid()}
    while more := {each for each, stat in stats.items() if int(stat[1]) in ours} - ours:
        ours |= more
    return {each: stats[each] for each in ours - {os.getpid()}}


def _wait(server: subprocess.Popen[bytes], port: int, up: str) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and server.poll() is None:
        connection = http.client.HTTPConnection(HOST, port, timeout=PATIENCE)
        with contextlib.closing(connection), contextlib.suppress(OSError):
            connection.request("GET", up)
            if connection.getresponse().status == 200:
                return
        time.sleep(0.1)
    raise click.ClickException(f"The server did not start: {server.args}")
