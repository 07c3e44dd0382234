"""Disks without room, folders that may only be read, and databases that somebody else holds: made for real."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol, TypeVar

import pytest

from tests.processes import Server, workers

T = TypeVar("T")

LEAST = 4096
"""Bytes that files may have where there is no room: a log's first lines, and not one page of a database."""

RIGHTS_OVER_FILES = (1, 2)
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH: what lets root write where nobody may."""

_PR_CAPBSET_DROP = 24


class Disk(Protocol):
    """Something that can be full."""

    def fill(self) -> None:
        """Leave no room."""

    def free(self) -> None:
        """Give it back."""


@contextlib.contextmanager
def small_files(limit: int = LEAST) -> Iterator[None]:
    """Let this process write no file further than so many bytes."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


class LimitedWorkers:
    """The workers of a server, which may write no more to any file."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def fill(self) -> None:
        """Let no file grow."""
        self._limit(LEAST)

    def free(self) -> None:
        """Let files grow again."""
        self._limit(resource.RLIM_INFINITY)

    def _limit(self, limit: int) -> None:
        for pid in workers(self._server):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))


class SmallDisk:
    """A disk of a few megabytes in memory, mounted for the test alone."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._ballast = place / "ballast"

    def fill(self) -> None:
        """Write until nothing more can be written."""
        with self._ballast.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))

    def free(self) -> None:
        """Take that away."""
        self._ballast.unlink()


@contextlib.contextmanager
def small_disk(place: Path, megabytes: int) -> Iterator[SmallDisk]:
    """A disk of so many megabytes; skips the test where none can be mounted."""
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "kb-test", str(place)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True)
    except OSError as error:
        pytest.skip(f"no disk can be mounted here: {error}")
    if done.returncode:
        pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")
    try:
        yield SmallDisk(place)
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def as_an_ordinary_user(start: Callable[[], T]) -> T:
    """Start processes that may write only where the mode of a file lets its owner: root's are such by giving up rights.

    The rights are those of a thread, which ends with it.
    """

    def without_rights() -> T:
        if os.getuid() == 0:
            library = ctypes.CDLL(None, use_errno=True)
            for right in RIGHTS_OVER_FILES:
                if library.prctl(_PR_CAPBSET_DROP, right, 0, 0, 0):
                    pytest.skip("root cannot give up its rights over files here")
        return start()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(without_rights).result()


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """A folder in which nothing may be written by its owner."""
    paths = [folder, *folder.rglob("*")]
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in paths}
    for path in reversed(paths):
        path.chmod(0o500 if path.is_dir() else 0o400)
    try:
        yield
    finally:
        for path in paths:
            path.chmod(modes[path])


HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def held(database: Path) -> Iterator[None]:
    """Have another process hold the right to write into an SQLite file."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        yield
        process.communicate()
