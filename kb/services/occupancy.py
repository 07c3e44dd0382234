"""Who is using a data folder: any number of servers and commands, or one restore, which needs it for itself.

The kernel takes a lock back when its process dies, so nothing is left locked by a crash.
"""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from kb.services.errors import N_, Conflict

LOCK = "serving.lock"


@contextlib.contextmanager
def using(folder: Path) -> Iterator[None]:
    """Use a data folder beside others. Raises Conflict while a restore is going on."""
    with _locked(folder, fcntl.LOCK_SH, N_("A restore into %(folder)s is going on: wait until it is done.")):
        yield


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Have a data folder to oneself. Raises Conflict while a server or a command uses it."""
    with _locked(folder, fcntl.LOCK_EX, N_("A server or another command uses %(folder)s: stop it first.")):
        yield


@contextlib.contextmanager
def _locked(folder: Path, kind: int, refusal: str) -> Iterator[None]:
    with (folder / LOCK).open("a") as file:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict(refusal, folder=folder) from error
        yield
