"""Locks by name: on files for one machine, on PostgreSQL for several. One suite for both."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from kb.db import Database
from kb.services.locks import FileLocks, LockLost, Locks, ServerLocks, number_of, open_locks
from tests import postgres
from tests.processes import eventually

Two = tuple[Locks, Locks]

HOLD = """
import sys, time
from pathlib import Path
from kb.db import Database
from kb.services.locks import open_locks
with open_locks(Database(sys.argv[1]), Path(sys.argv[2])).hold("work", 60) as held:
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture(params=["file", "server"])
def two(request: pytest.FixtureRequest, tmp_path: Path) -> Two:
    """Two processes' locks of one installation."""
    if request.param == "file":
        return FileLocks(tmp_path), FileLocks(tmp_path)
    opened = request.getfixturevalue("open_database")
    return ServerLocks(opened()), ServerLocks(opened())


def free(locks: Locks, name: str = "work", *, shared: bool = False) -> bool:
    with locks.hold(name, shared=shared) as held:
        return held is not None


def test_a_lock_is_held_by_one(two: Two) -> None:
    one, other = two
    with one.hold("work") as held:
        assert held is not None and not free(other)
    assert free(other)


def test_nobody_has_it_twice(two: Two) -> None:
    with two[0].hold("work"):
        assert not free(two[0])


def test_locks_of_other_names_are_free(two: Two) -> None:
    with two[0].hold("work"):
        assert free(two[1], "play")


def test_many_share_one_that_nobody_has_alone(two: Two) -> None:
    one, other = two
    with one.hold("work", shared=True):
        assert free(other, shared=True) and not free(other)
    with one.hold("work"):
        assert not free(other, shared=True)


def test_it_is_given_to_whoever_waits(two: Two) -> None:
    one, other = two
    got = []

    def wait() -> None:
        with other.hold("work", 60) as held:
            got.append(held is not None)

    with one.hold("work"):
        waiting = threading.Thread(target=wait)
        waiting.start()
    waiting.join(60)
    assert got == [True]


def test_waiting_ends(two: Two) -> None:
    with two[0].hold("work"), two[1].hold("work", 0.05) as held:
        assert held is None


def test_what_is_held_is_sure(two: Two) -> None:
    with two[0].hold("work") as held:
        assert held is not None
        held.sure()


def test_it_is_let_go_when_the_work_fails(two: Two) -> None:
    with pytest.raises(ZeroDivisionError), two[0].hold("work"):
        raise ZeroDivisionError
    assert free(two[1])


@pytest.mark.parametrize("where", ["file", "server"])
def test_it_goes_when_its_process_is_killed(request: pytest.FixtureRequest, tmp_path: Path, where: str) -> None:
    address = request.getfixturevalue("url") if where == "server" else f"sqlite:///{tmp_path / 'kb.sqlite'}"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, address, str(tmp_path)], stdout=subprocess.PIPE, start_new_session=True
    )
    database = Database(address)
    try:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        locks = open_locks(database, tmp_path)
        assert not free(locks)
        holder.send_signal(signal.SIGKILL)
        eventually(lambda: free(locks))
    finally:
        holder.kill()
        holder.communicate()
        database.close()


def test_a_holder_learns_that_its_connection_was_lost(
    server: postgres.Server, url: str, open_database: Callable[[], Database]
) -> None:
    one, other = ServerLocks(open_database()), ServerLocks(open_database())
    with one.hold("work") as held:
        assert held is not None
        cut(server, url)
        with other.hold("work", 60) as taken:
            assert taken is not None
        for _ in range(2):  # and it does not come back to them by asking again
            with pytest.raises(LockLost):
                held.sure()
    assert free(one)


def test_closing_the_database_gives_the_connection_back(open_database: Callable[[], Database]) -> None:
    database = open_database()
    assert free(ServerLocks(database))
    database.close()
    with open_database().read() as session:
        others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        eventually(lambda: session.connection().exec_driver_sql(others).scalar() == 0)


def test_the_number_of_a_lock_is_the_same_in_every_release() -> None:
    assert number_of("index") == 7964772697026091384


def cut(server: postgres.Server, url: str) -> None:
    """End all connections to a database, as a restart of the server does."""
    name = url.rpartition("/")[2].partition("?")[0]
    server.run(f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{name}'")
