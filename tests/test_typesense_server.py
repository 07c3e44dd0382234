"""The Typesense servers that tests start: shared by a run, ended with it, whatever ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import typesense_server
from tests.processes import eventually

pytestmark = pytest.mark.skipif(typesense_server.available() is not None, reason=str(typesense_server.available()))

USER = """
import os, sys
from tests import typesense_server
server = typesense_server.server()
print(server.pid, server.port, server._guarded.folder, flush=True)
sys.stdin.read()
"""


def _user() -> subprocess.Popen[str]:
    """A process that uses the server of a run of its own, until its input ends."""
    return subprocess.Popen(
        [sys.executable, "-c", USER],
        env={**os.environ, "PYTEST_XDIST_TESTRUNUID": f"users-of-{os.getpid()}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _told(user: subprocess.Popen[str]) -> tuple[int, int, Path]:
    assert user.stdout is not None
    pid, port, folder = user.stdout.readline().split()
    return int(pid), int(port), Path(folder)


@pytest.fixture
def users() -> Iterator[list[subprocess.Popen[str]]]:
    """Two processes of one run that use its server."""
    users = [_user(), _user()]
    yield users
    for user in users:
        user.kill()
        user.communicate()


def test_workers_of_a_run_share_a_server_that_ends_with_the_last_though_it_is_killed(
    users: list[subprocess.Popen[str]],
) -> None:
    told = [_told(user) for user in users]
    assert told[0] == told[1]
    pid, _port, folder = told[0]
    users[0].send_signal(signal.SIGKILL)
    users[0].wait()
    os.kill(pid, 0)
    users[1].send_signal(signal.SIGKILL)
    users[1].wait()
    eventually(lambda: not folder.exists())
    eventually(lambda: not Path(f"/proc/{pid}").exists())


def test_a_cluster_has_one_leader_and_another_one_when_that_is_killed(tmp_path: Path) -> None:
    cluster = typesense_server.cluster(tmp_path / "cluster")
    try:
        first = cluster.leader()
        assert len(cluster.followers()) == 2
        first.kill()
        second = cluster.leader()
        assert second is not first
        first.start()
        cluster.wait()
        assert [node for node in cluster.nodes if node.leads()] == [second]
    finally:
        cluster.stop()
    eventually(lambda: not (tmp_path / "cluster").exists())
