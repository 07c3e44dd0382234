"""Real servers for tests: `python -m kb run` on a data folder, in a process group of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

PATIENCE = 60.0
"""Seconds after which a test gives up on something that happens at once on an idle machine."""


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(holds: Callable[[], bool], patience: float = PATIENCE) -> float:
    """Wait until something holds; returns the seconds it took. Fails the test when patience ends."""
    started = time.monotonic()
    while not holds():
        assert time.monotonic() - started < patience, "it never came to hold"
        time.sleep(0.02)
    return time.monotonic() - started


class Server:
    """A running `python -m kb run`."""

    def __init__(self, folder: Path, **env: str) -> None:
        self.port = free_port()
        self.log = folder.with_name(f"{folder.name}-{self.port}.log")
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "kb", "run"],
                env={**os.environ, "KB_DATA_DIR": str(folder), "PORT": str(self.port), "KB_BASE_URL": "", **env},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def get(self, path: str) -> tuple[int, str]:
        """Status and text of an address, over a connection of its own."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def up(self) -> bool:
        """Whether it answers; fails the test where it ended instead."""
        assert self.process.poll() is None, self.said()
        try:
            return self.get("/healthz")[0] == 200
        except OSError:
            return False

    def said(self) -> str:
        """What it has printed so far."""
        return self.log.read_text()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it, with its workers where `how` is SIGKILL; returns its status."""
        with contextlib.suppress(ProcessLookupError):
            if how == signal.SIGKILL:
                os.killpg(self.process.pid, how)
            else:
                self.process.send_signal(how)
        return self.process.wait(PATIENCE)


@contextlib.contextmanager
def serving(folder: Path, **env: str) -> Iterator[Server]:
    """A server on a data folder, answering; gone afterwards with all its workers."""
    server = Server(folder, **env)
    try:
        eventually(server.up)
        yield server
    finally:
        server.stop(signal.SIGKILL)
