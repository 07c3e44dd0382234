"""Who is using an installation: any number of servers and commands, or one restore, which needs it for itself.

A lock goes when its process dies, so nothing is left locked by a crash.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from kb.services.errors import N_, Conflict
from kb.services.locks import FileLocks, Locks

LOCK = "serving"
HARVEST_LOCK = "harvest"

Place = Path | Locks
"""A data folder, with what works on this machine, or the locks of an installation, with all that work on it."""


@contextlib.contextmanager
def using(place: Place) -> Iterator[None]:
    """Use an installation beside others. Raises Conflict while a restore is going on."""
    refusal = N_("A restore into %(folder)s is going on: wait until it is done.")
    with _locked(place, LOCK, refusal, shared=True):
        yield


@contextlib.contextmanager
def alone(place: Place) -> Iterator[None]:
    """Have an installation to oneself. Raises Conflict while a server or a command uses it."""
    with _locked(place, LOCK, N_("A server or another command uses %(folder)s: stop it first.")):
        yield


@contextlib.contextmanager
def harvesting(place: Place) -> Iterator[None]:
    """Be the only harvest of an installation. Raises Conflict while another one is going on."""
    with _locked(place, HARVEST_LOCK, N_("Another harvest is going on here: wait until it is done.")):
        yield


@contextlib.contextmanager
def _locked(place: Place, name: str, refusal: str, *, shared: bool = False) -> Iterator[None]:
    locks = FileLocks(place) if isinstance(place, Path) else place
    with locks.hold(name, shared=shared) as held:
        if held is None:
            raise Conflict(refusal, folder=locks)
        yield
