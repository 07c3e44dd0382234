"""Servers that tests start end with the tests, however these end: a guardian outlives them and stops what they left.

Whoever uses a server holds a shared lock on a file, which the kernel takes back when they end or are killed. The
guardian waits for the lock of its own, ends the processes that were noted, and removes the folder. It knows a process
by its number and the moment it began, so that it never ends another one that was given the same number.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

USERS = "users.lock"
PROCESSES = "processes"


class Guarded:
    """A folder with the files of servers, used by this process until it ends."""

    def __init__(self, folder: Path) -> None:
        """Use a folder, which is made where it is missing."""
        self.folder = folder
        while True:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = (folder / USERS).open("a")
            fcntl.flock(self._lock, fcntl.LOCK_SH)
            if os.fstat(self._lock.fileno()).st_nlink:
                return
            self._lock.close()  # the guardian of former users was just removing it

    def begin(self) -> None:
        """Start the guardian. For the first of the users alone."""
        with (self.folder / "guardian.log").open("w") as log:
            subprocess.run(
                [sys.executable, "-I", __file__, str(self.folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                check=True,
            )

    def note(self, pid: int) -> None:
        """Have a process ended with the users."""
        with (self.folder / PROCESSES).open("a") as file:
            file.write(f"{pid} {_began(pid)}\n")

    def leave(self) -> None:
        """Use it no longer."""
        self._lock.close()


def _began(pid: int) -> str:
    """The moment at which a process began, as the kernel counts; empty where there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]


def _guard(folder: Path) -> None:
    try:
        lock = (folder / USERS).open("a")
    except FileNotFoundError:
        return
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        noted = folder / PROCESSES
        lines = noted.read_text().splitlines() if noted.exists() else []
        for how in (signal.SIGTERM, signal.SIGKILL):
            _end(lines, how)
            deadline = time.monotonic() + 10.0
            while time.monotonic() < deadline and _living(lines):
                time.sleep(0.05)
        shutil.rmtree(folder, ignore_errors=True)


def _living(lines: list[str]) -> list[int]:
    parts = (line.partition(" ") for line in lines)
    return [int(pid) for pid, _, began in parts if began and _began(int(pid)) == began]


def _end(lines: list[str], how: signal.Signals) -> None:
    for pid in _living(lines):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)  # one that was stopped cannot end
            os.kill(pid, how)


if __name__ == "__main__":
    if os.fork():
        sys.exit()  # nobody is to wait for the guardian
    _guard(Path(sys.argv[1]))
