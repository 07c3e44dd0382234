"""Real servers for tests: `python -m kb run` on a data folder, in a process group of its own."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests import stack
from tests.ports import PATIENCE, free_port


def eventually(holds: Callable[[], bool], patience: float = PATIENCE) -> float:
    """Wait until something holds; returns the seconds it took. Fails the test when patience ends."""
    started = time.monotonic()
    while not holds():
        assert time.monotonic() - started < patience, "it never came to hold"
        time.sleep(0.02)
    return time.monotonic() - started


class Server:
    """A running `python -m kb run`."""

    def __init__(self, folder: Path, port: int | None = None, **env: str) -> None:
        self.port = port or free_port()
        self.log = folder.with_name(f"{folder.name}-{self.port}.log")
        own = {"KB_DATA_DIR": str(folder), **stack.environment(folder), "PORT": str(self.port), "KB_BASE_URL": ""}
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "kb", "run"],
                env={**os.environ, **own, **env},
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
def serving(folder: Path, port: int | None = None, **env: str) -> Iterator[Server]:
    """A server on a data folder, answering; gone afterwards with all its workers. `port`: where one was that ended."""
    server = Server(folder, port, **env)
    try:
        eventually(server.up)
        yield server
    finally:
        server.stop(signal.SIGKILL)


# Which worker answers

knows_workers = pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="which worker answers is read from /proc")


def workers(server: Server, count: int = 2) -> list[int]:
    """The workers of a server, when so many have started: the first may answer before the others are there."""
    eventually(lambda: len(children(server.process.pid)) == count)
    return children(server.process.pid)


def children(pid: int) -> list[int]:
    """The processes that a process started."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return sorted(int(child) for child in listed.split())


@dataclass(frozen=True)
class Answer:
    """What a server said."""

    status: int
    text: str
    headers: http.client.HTTPMessage


class Conversation:
    """A connection to one worker, which answers all its requests; another to the same one, where it ended."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
        self._connection.connect()

    @cached_property
    def worker(self) -> int:
        """The process that answers."""
        self.ask("GET", "/healthz")
        ends = self._connection.sock.getpeername()[1], self._connection.sock.getsockname()[1]
        return next(pid for pid in children(self._server.process.pid) if _socket(*ends) in _open_files(pid))

    def ask(self, method: str, path: str, form: dict[str, str] | None = None, **headers: str) -> Answer:
        """Ask for an address, or post a form to it."""
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
        request = (method, path, urlencode(form) if form else None, {**kind, **headers})
        try:
            return self._said(*request)
        except (http.client.RemoteDisconnected, ConnectionError):  # it rested for longer than the server waits
            self.close()
            self._connection = conversations(self._server, [self.worker])[self.worker]._connection
            return self._said(*request)

    def _said(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> Answer:
        self._connection.request(method, path, body, headers)
        with self._connection.getresponse() as answer:
            return Answer(answer.status, answer.read().decode(), answer.headers)

    def close(self) -> None:
        """End the connection."""
        self._connection.close()


def conversations(server: Server, workers: Collection[int]) -> dict[int, Conversation]:
    """A conversation with each of these workers.

    Several are begun at once, because lone ones tend to go to the same worker.
    """
    found: dict[int, Conversation] = {}
    while not found.keys() >= set(workers):
        for talk in [Conversation(server) for _ in range(8)]:
            if talk.worker not in workers or found.setdefault(talk.worker, talk) is not talk:
                talk.close()
    return found


def _socket(server_port: int, client_port: int) -> str:
    """The server's end of a connection, as it stands among a process's open files."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        columns = line.split()
        if columns[1].endswith(f":{server_port:04X}") and columns[2].endswith(f":{client_port:04X}"):
            return f"socket:[{columns[9]}]"
    raise AssertionError("the connection was closed")


def _open_files(pid: int) -> set[str]:
    found = set()
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.add(str(path.readlink()))
    return found
