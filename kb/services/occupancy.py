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
HARVEST_LOCK = "harvest.lock"


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
def harvesting(folder: Path) -> Iterator[None]:
    """Be the only harvest of a data folder. Raises Conflict while another one is going on."""
    going_on = N_("Another harvest is going on here: wait until it is done.")
    with _locked(folder, fcntl.LOCK_EX, going_on, HARVEST_LOCK):
        yield


@contextlib.contextmanager
def _locked(folder: Path, kind: int, refusal: str, name: str = LOCK) -> Iterator[None]:
    with (folder / name).open("a") as file:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict(refusal, folder=folder) from error
        yield
