"""The PostgreSQL that tests start themselves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from kb.db import Database
from tests import postgres
from tests.processes import eventually

pytestmark = pytest.mark.skipif(postgres.available() is not None, reason=str(postgres.available()))

ASKING = """
import os, sys, time
from tests import postgres
served = postgres.server()
print(served.folder, served.pid, flush=True)
sys.stdin.read()
"""


def _asking(run: str) -> subprocess.Popen[str]:
    """A process of a run that asks for its server, says which it is, and holds it until its input ends."""
    return subprocess.Popen(
        [sys.executable, "-c", ASKING],
        env={**os.environ, "PYTEST_XDIST_TESTRUNUID": run},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _there(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_a_database_that_is_made_can_be_used(tmp_path: Path) -> None:
    url = postgres.server().create(tmp_path.name)
    database = Database(url)
    with database.write() as session:
        session.execute(text("CREATE TABLE kept (word TEXT)"))
        session.execute(text("INSERT INTO kept VALUES ('here')"))
    with database.read() as session:
        assert session.scalar(text("SELECT word FROM kept")) == "here"
    database.close()
    postgres.server().drop(tmp_path.name)


def test_a_copy_of_a_database_holds_the_same_and_is_another(tmp_path: Path) -> None:
    server = postgres.server()
    first, second = f"{tmp_path.name}-first", f"{tmp_path.name}-second"
    made = Database(server.create(first))
    with made.write() as session:
        session.execute(text("CREATE TABLE kept (word TEXT)"))
        session.execute(text("INSERT INTO kept VALUES ('here')"))
    made.close()
    copied = Database(server.create(second, template=first))
    with copied.write() as session:
        assert session.scalar(text("SELECT word FROM kept")) == "here"
        session.execute(text("DELETE FROM kept"))
    copied.close()
    with made.read() as session:
        assert session.scalar(text("SELECT count(*) FROM kept")) == 1
    made.close()
    server.drop(first)
    server.drop(second)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="whether a process is there is read from /proc")
def test_processes_of_a_run_share_a_server_which_ends_with_the_last_of_them_however_it_ends() -> None:
    asking = [_asking(f"shared-{os.getpid()}") for _ in range(2)]
    said = [each.stdout.readline() for each in asking if each.stdout]
    assert said[0] == said[1] != ""
    folder, pid = said[0].split()
    first, last = asking
    first.communicate("")
    assert _there(int(pid)) and Path(folder).exists()
    last.send_signal(signal.SIGKILL)
    last.communicate()
    eventually(lambda: not _there(int(pid)) and not Path(folder).exists())


def test_a_server_of_ones_own_can_be_killed_and_comes_back_with_what_it_held() -> None:
    with postgres.cluster() as server:
        database = Database(server.create("own"))
        with database.write() as session:
            session.execute(text("CREATE TABLE kept (word TEXT)"))
        server.stop(signal.SIGQUIT)
        server.start()
        with database.read() as session:
            assert session.scalar(text("SELECT count(*) FROM kept")) == 0
        database.close()
    assert not server.folder.exists()
