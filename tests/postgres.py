"""PostgreSQL for tests: `server()` is shared by all processes of a run, `cluster()` one test's own, which may harm it.

The shared server is a child of a guard, a process that outlives the tests: it stops the server as soon as no process of
the run holds the run's lock any more, which is also how a crash ends. psycopg is imported only when it is needed: a
machine without it still collects these tests.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import fcntl
import functools
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

SUPERUSER = "kb"
PATIENCE = 60.0
"""Seconds that a server may take to begin or to end."""

FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""What a server is told that need not outlive a crash."""

SETTINGS = {
    # Nothing happens behind a test's back.
    "autovacuum": "off", "wal_level": "minimal", "max_wal_senders": "0",
    # Many applications at once, each with a pool; small tables.
    "max_connections": "200", "shared_buffers": "64MB", "log_min_messages": "fatal",
}  # fmt: skip
"""What every server is told besides where it listens."""


def available() -> str | None:
    """Why no server can be started here, as a sentence; None where one can."""
    if _programs() is None:
        return "PostgreSQL's server programs are not installed (on Debian: apt-get install postgresql)."
    if os.geteuid() == 0 and _user() is None:
        return "PostgreSQL does not run as root, and there is no other user here to run it."
    try:
        import psycopg  # noqa: F401 (whether it is there)
    except ImportError:
        return "psycopg is not installed (make install-scale)."
    return None


@functools.cache
def _programs() -> Path | None:
    """The folder of the newest server's programs; Debian keeps them off the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def _user() -> str | None:
    """Who runs the server where we are root, which it refuses to be run by."""
    known = {each.pw_name for each in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in known), None)


class Server:
    """A PostgreSQL in a folder, with all that listens there: a socket, and a loopback port where one was asked for."""

    def __init__(self, folder: Path, port: int | None = None, **settings: str) -> None:
        self.folder = folder
        self.port = port
        self.settings = {**SETTINGS, **settings}
        self.pid = 0
        self._asking: Any = None

    def url(self, name: str) -> str:
        """The address of a database, as KB_DATABASE_URL takes it."""
        if self.port is not None:
            return f"postgresql+psycopg://{SUPERUSER}@127.0.0.1:{self.port}/{name}"
        return f"postgresql+psycopg://{SUPERUSER}@/{name}?host={quote(str(self.folder), safe='')}"

    def create(self, name: str, template: str | None = None) -> str:
        """Make a database, as a copy of another that nobody is connected to; returns its address."""
        # Copying files takes 11 ms here, and going through the log, which is the default, 28.
        copy = f' TEMPLATE "{template}" STRATEGY FILE_COPY' if template else ""
        self.run(f'CREATE DATABASE "{name}"{copy}')
        return self.url(name)

    def drop(self, name: str) -> None:
        """Remove a database, if there is one, with whoever is still connected to it."""
        self.run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def holds(self, name: str) -> bool:
        """Whether there is a database of a name."""
        return bool(self.run("SELECT 1 FROM pg_database WHERE datname = %s", name).rowcount)

    def run(self, statement: str, *values: str) -> Any:
        """Have the server do something that no transaction may hold; returns a cursor that counted its rows."""
        import psycopg

        if self._asking is None or self._asking.closed:
            address = self.url("postgres").replace("+psycopg", "")
            self._asking = psycopg.connect(address, autocommit=True)
            atexit.register(self._asking.close)
        return self._asking.execute(statement.encode(), values or None)

    # What the guard does, and what a test does to a server of its own

    def make(self) -> None:
        """Make the cluster's files, for `start`."""
        # ICU's order of letters, which is that of no byte: what a site's own database may well have.
        order = ("--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en")
        command = ["initdb", f"--pgdata={self._data}", f"--username={SUPERUSER}", "--auth=trust", "--no-sync", *order]
        with self._log() as log:
            subprocess.run(self._command(command), stdout=log, stderr=log, check=True, **self._as_user())

    def start(self) -> None:
        """Begin to serve, as a child of this process; returns when it takes connections."""
        listens = "" if self.port is None else "127.0.0.1"
        told = {"listen_addresses": listens, "port": str(self.port or 5432), "unix_socket_directories": self.folder}
        options = [f"--{name}={value}" for name, value in {**self.settings, **told}.items()]
        with self._log() as log:
            command = self._command(["postgres", f"-D{self._data}", *options])
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 (it only makes one call of the system)
                **self._as_user(),
            )
        self.pid = self._process.pid
        until = time.monotonic() + PATIENCE
        while not self._takes_connections():
            if self._process.poll() is not None or time.monotonic() > until:
                self.stop(signal.SIGKILL)
                raise RuntimeError(f"PostgreSQL did not begin: {self.said()}")
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT breaks connections off and keeps all, SIGQUIT and SIGKILL are crashes."""
        if self._asking is not None:
            self._asking.close()
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(how)
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def restart(self) -> None:
        """End it as an administrator does, and begin again."""
        self.stop()
        self.start()

    def said(self) -> str:
        """What it has printed so far."""
        return (self.folder / "log").read_text()

    def _takes_connections(self) -> bool:
        import psycopg

        try:
            self.run("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _log(self) -> IO[str]:
        return (self.folder / "log").open("a")

    @staticmethod
    def _command(words: list[str]) -> list[str]:
        programs = _programs()
        assert programs is not None, available()
        return [str(programs / words[0]), *words[1:]]

    @staticmethod
    def _as_user() -> dict[str, Any]:
        name = _user() if os.geteuid() == 0 else None
        return {"user": name, "group": pwd.getpwnam(name).pw_gid, "extra_groups": []} if name else {}


def _end_with_parent() -> None:
    """Have Linux end this process, about to be the server, when the one that began it is no more."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGINT)  # PR_SET_PDEATHSIG


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """A folder that the server's user may write, in memory where the machine has such a place."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="kb-pg-", dir=memory if memory.is_dir() else None) as name:
        folder = Path(name)
        if os.geteuid() == 0:
            shutil.chown(folder, _user())
        folder.chmod(0o700)
        yield folder


@contextlib.contextmanager
def cluster(port: int | None = None, **settings: str) -> Iterator[Server]:
    """A server for one test, which may stop, kill and restart it: it keeps what it acknowledged, but for FORGETFUL.

    `port` is one of the loopback's, beside the socket; `settings` are PostgreSQL's own.
    """
    with _folder() as folder:
        server = Server(folder, port, **settings)
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop(signal.SIGQUIT)


@functools.cache
def server() -> Server:
    """The server of this run, begun by whichever of its processes asks first, where `available` says that it can be."""
    told = _run_file(".server")
    _HELD.append(_share(_run_file(".users")))
    with _run_file(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not told.exists():
            _begin_guard(told)
        folder, pid = told.read_text().split("\n")
    served = Server(Path(folder))
    served.pid = int(pid)
    return served


_HELD: list[IO[str]] = []
"""Files whose lock this process holds as long as it lives."""


def _run_file(suffix: str) -> Path:
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", f"{os.getpid()}")
    return Path(tempfile.gettempdir()) / f"kb-pg-{os.getuid()}-{run}{suffix}"


def _share(path: Path) -> IO[str]:
    """Lock a file together with others; another one where the guard has just removed it."""
    while True:
        file = path.open("a")
        fcntl.flock(file, fcntl.LOCK_SH)
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_ino == os.fstat(file.fileno()).st_ino:
                return file
        file.close()


def _begin_guard(told: Path) -> None:
    command = [sys.executable, "-m", "tests.postgres", str(_run_file(""))]
    root = Path(__file__).parents[1]
    log = _run_file(".log")
    with log.open("w") as said:
        guard = subprocess.Popen(
            command, cwd=root, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
        )
    until = time.monotonic() + 2 * PATIENCE
    while not told.exists():
        if guard.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"the guard of PostgreSQL ended: {log.read_text()}")
        time.sleep(0.02)
    guard.returncode = 0  # nobody waits for it: it outlives this process


def guard(run: str) -> None:
    """Serve until no process of a run is left, then remove all that it made."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with cluster(**FORGETFUL) as served, Path(f"{run}.users").open("a") as users:
        draft = Path(f"{run}.telling")
        draft.write_text(f"{served.folder}\n{served.pid}")
        draft.rename(f"{run}.server")
        fcntl.flock(users, fcntl.LOCK_EX)
        for suffix in (".server", ".lock", ".log", ".users"):  # the last lets another process in, which begins anew
            Path(run + suffix).unlink(missing_ok=True)


if __name__ == "__main__":
    guard(sys.argv[1])
