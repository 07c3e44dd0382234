"""What happens, counted for `/metrics`: in memory first, a moment later in a file that all workers of a machine share.

The library `prometheus_client` can do this too, with a folder of mapped files that its environment variable names when
it is imported, one set a process, which is kept for ever when that process dies. One small SQLite file needs neither:
what is counted outlives its worker, several apps of one process (tests) count apart, and a damaged file is begun anew.
Nothing in it is worth a fsync. Where it cannot be written, numbers wait in memory.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sqlite3
import threading
import time
import weakref
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)

FILE = "metrics.sqlite"
"""The file's name in the data folder. It is in no backup."""

WRITE_EVERY = 1.0
"""Seconds after which what was counted is in the file, at the latest."""

MOMENT_EVERY = 60.0
"""Seconds after which it is written again that a job was done: an idle server need not write all the time."""

BUSY_TIMEOUT = 1.0
"""Seconds that a process waits for another that writes; then it tries again with what is counted next."""

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper ends of the classes that times are counted in, in seconds; above the last is one more."""

_TABLES = """
CREATE TABLE IF NOT EXISTS counts (name TEXT, labels TEXT, amount REAL NOT NULL, PRIMARY KEY (name, labels));
CREATE TABLE IF NOT EXISTS moments (name TEXT PRIMARY KEY, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS processes (pid INTEGER PRIMARY KEY, began TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS levels (pid INTEGER, name TEXT, level REAL NOT NULL, PRIMARY KEY (pid, name));
"""

_ADD = "INSERT INTO counts VALUES (?, ?, ?) ON CONFLICT (name, labels) DO UPDATE SET amount = amount + excluded.amount"

Labels = tuple[tuple[str, str], ...]
"""Names and values, in the order of the names."""

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


_ALL: weakref.WeakSet[Counts] = weakref.WeakSet()
"""All counts of this process."""


@dataclass(frozen=True)
class Counted:
    """Everything counted: sums, when something was last done (seconds since 1970), and what processes there are.

    `memory` is the resident memory of each living process in bytes, by its number; `levels` are summed over those.
    """

    counts: dict[tuple[str, Labels], float]
    moments: dict[str, float]
    levels: dict[str, float]
    memory: dict[int, int]


class Counts:
    """Counts of one data folder. One a process; safe to use from its threads."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.RLock()  # the end of an answer that was lost is counted whenever that is noticed
        self._added: dict[tuple[str, Labels], float] = {}
        self._moments: dict[str, float] = {}
        self._noted: dict[str, float] = {}
        self._levels: dict[str, float] = {}
        self._writing_soon = 0
        self._in_trouble = False
        _ALL.add(self)

    def add(self, name: str, amount: float = 1.0, **labels: str) -> None:
        """Add to a sum."""
        with self._lock:
            self._add(name, labels, amount)
        self._write_soon()

    def observe(self, name: str, seconds: float, **labels: str) -> None:
        """Count how long something took: into its class (label `le`, the upper end) and into the sum of seconds."""
        place = bisect_left(BOUNDS, seconds)
        bound = str(BOUNDS[place]) if place < len(BOUNDS) else "+Inf"
        with self._lock:
            self._add(f"{name}_bucket", {**labels, "le": bound}, 1.0)
            self._add(f"{name}_sum", labels, seconds)
        self._write_soon()

    def change(self, name: str, by: float) -> None:
        """Change what goes on in this process: it counts as long as the process lives."""
        with self._lock:
            self._levels[name] = self._levels.get(name, 0.0) + by
        self._write_soon()

    def done(self, job: str) -> None:
        """Note that a job of the background was done well just now."""
        now = self._clock()
        with self._lock:
            if abs(now - self._noted.get(job, -MOMENT_EVERY)) < MOMENT_EVERY:
                return
            self._noted[job] = self._moments[job] = now
        self._write_soon()

    def failed(self, job: str) -> None:
        """Count that a job of the background failed."""
        self.add("job_failures", job=job)

    def write(self) -> None:
        """Bring what was counted into the file; what cannot be written stays for the next time, with one warning."""
        with self._lock:
            added, self._added = self._added, {}
            moments, self._moments = self._moments, {}
            levels, self._writing_soon = self._levels.copy(), 0
        try:
            with self._open() as file:
                file.executemany(
                    _ADD, [(name, json.dumps(dict(labels)), amount) for (name, labels), amount in added.items()]
                )
                file.executemany("INSERT OR REPLACE INTO moments VALUES (?, ?)", moments.items())
                pid = os.getpid()
                file.execute("INSERT OR REPLACE INTO processes VALUES (?, ?)", (pid, _began(pid)))
                file.executemany(
                    "INSERT OR REPLACE INTO levels VALUES (?, ?, ?)", [(pid, *each) for each in levels.items()]
                )
            self._in_trouble = False
        except (sqlite3.Error, OSError) as error:
            self._keep(added, moments)
            self._lament(error)

    def read(self) -> Counted:
        """Everything counted by all processes; what another has counted in the last second may be missing.

        Where the file cannot be used, what this process has not been able to write.
        """
        self.write()
        try:
            with self._open() as file:
                return _read(file)
        except (sqlite3.Error, OSError) as error:
            self._lament(error)
        with self._lock:
            return Counted(self._added.copy(), self._moments.copy(), self._levels.copy(), _memory([os.getpid()]))

    def _add(self, name: str, labels: dict[str, str], amount: float) -> None:
        key = name, tuple(sorted(labels.items()))
        self._added[key] = self._added.get(key, 0.0) + amount

    def _keep(self, added: dict[tuple[str, Labels], float], moments: dict[str, float]) -> None:
        with self._lock:
            self._moments = moments | self._moments
            for key, amount in added.items():
                self._added[key] = self._added.get(key, 0.0) + amount

    def _write_soon(self) -> None:
        """Have a thread of this process, not of that which it forked from, write in a second, unless one is to."""
        with self._lock:
            if self._writing_soon == os.getpid():
                return
            self._writing_soon = os.getpid()
        timer = threading.Timer(WRITE_EVERY, self.write)
        timer.daemon = True
        with contextlib.suppress(RuntimeError):  # the process ends
            timer.start()

    def _lament(self, error: Exception) -> None:
        """Say once that the file cannot be used. One that is no database any more makes room for a new one."""
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)
        if not self._in_trouble and self._path.parent.exists():  # without its folder there is no site either
            log.warning("%s cannot be used, so numbers wait in memory: %s", FILE, error)
        self._in_trouble = True

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """One transaction that writes. No file lies beside this one at any time, so that folders can be copied."""
        with closing(sqlite3.connect(self._path, timeout=BUSY_TIMEOUT, isolation_level=None)) as file:
            file.execute("PRAGMA journal_mode=MEMORY")
            file.execute("PRAGMA synchronous=OFF")
            file.executescript(_TABLES)
            file.execute("BEGIN IMMEDIATE")
            yield file
            file.execute("COMMIT")


def write_all() -> None:
    """Write what this process has counted. For its end: what was counted in the last second is in no file yet."""
    for counts in list(_ALL):
        counts.write()


@contextmanager
def job(counts: Counts | None, name: str) -> Iterator[None]:
    """Note of a job of the background that it was done well, or failed; where there are counts."""
    try:
        yield
    except Exception:
        if counts:
            counts.failed(name)
        raise
    if counts:
        counts.done(name)


def _read(file: sqlite3.Connection) -> Counted:
    """What the file holds, once processes that are no more have been forgotten."""
    for pid, began in file.execute("SELECT pid, began FROM processes").fetchall():
        if _began(pid) != began:
            file.execute("DELETE FROM processes WHERE pid = ?", (pid,))
    file.execute("DELETE FROM levels WHERE pid NOT IN (SELECT pid FROM processes)")
    rows = file.execute("SELECT name, labels, amount FROM counts ORDER BY name, labels")
    return Counted(
        {(name, _labels(labels)): amount for name, labels, amount in rows},
        dict(file.execute("SELECT name, at FROM moments").fetchall()),
        dict(file.execute("SELECT name, sum(level) FROM levels GROUP BY name").fetchall()),
        _memory([pid for (pid,) in file.execute("SELECT pid FROM processes ORDER BY pid")]),
    )


def _labels(text: str) -> Labels:
    return tuple(sorted(json.loads(text).items()))


def _began(pid: int) -> str:
    """When a process began, in the kernel's ticks, which tells it from a later one of the same number.

    Empty where there is none. Where the kernel does not tell (no /proc), `alive` for this process, empty for others.
    """
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return "alive" if pid == os.getpid() else ""


def _memory(pids: list[int]) -> dict[int, int]:
    """Resident memory of processes in bytes; of those that the kernel tells of."""
    found = {}
    for pid in pids:
        try:
            found[pid] = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES
        except (OSError, ValueError, IndexError):
            continue
    return found
