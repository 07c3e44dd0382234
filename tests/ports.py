"""Ports that nobody listens on, and how long a test waits. Imports nothing of the tests: all of them import it."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import zlib
from collections.abc import Iterator

PATIENCE = 60.0
"""Seconds after which a test gives up on something that happens at once on an idle machine."""


def _ports() -> Iterator[int]:
    """Ports below those that systems give to connections (from 32768 on Linux): none is taken between two servers.

    Every run begins elsewhere, and every worker of a run has 1,500 of its own before it meets the next one's.
    """
    run = zlib.crc32(os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid())).encode())
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    for step in itertools.count(run + 1500 * worker):
        yield 20_000 + step % 12_000


PORTS = _ports()


def free_port() -> int:
    """A port that nobody listens on at this moment, and that nobody but the caller is about to use."""
    for port in PORTS:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("ports never end")
