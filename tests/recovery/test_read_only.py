"""A data folder in which nothing may be written: a start is refused in a sentence, a running site goes on reading."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from kb.db import Database
from kb.services import limits
from kb.services.limits_in_file import FileWindows
from tests import stack
from tests.conftest import configure
from tests.processes import PATIENCE, Server, children, eventually, knows_workers, workers
from tests.recovery.scarcity import as_an_ordinary_user, read_only
from tests.recovery.test_disk_full import SAID_BACK, SENT, WORDS, Town, Writing


@pytest.fixture
def folder(peopled_folder: Path, tmp_path: Path) -> Path:
    """A data folder with people."""
    return stack.copy(peopled_folder, tmp_path / "data")


def start(folder: Path) -> Server:
    return as_an_ordinary_user(lambda: Server(folder, KB_WORKERS="2", KB_SECRET_KEY="k" * 40))


def test_a_start_in_a_folder_that_is_read_only_ends_with_a_sentence(folder: Path) -> None:
    with read_only(folder):
        server = start(folder)
        assert server.process.wait(PATIENCE) == 1
    assert server.said() == f"Error: KB_DATA_DIR names {folder}, where this user may not write.\n"


def replace_workers(server: Server) -> None:
    """Have new workers, which open everything anew."""
    before = workers(server)
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: len(set(children(server.process.pid)) - set(before)) == 2)
    eventually(server.up)


@knows_workers
def test_a_site_whose_folder_becomes_read_only_is_read_and_says_that_nothing_can_be_written_until_it_can(
    folder: Path,
) -> None:
    town = Town(folder)
    server = start(folder)
    try:
        eventually(server.up)
        people = Writing(server, town)
        with read_only(folder):
            replace_workers(server)
            for address in ("/", "/practices?q=nurses", "/api/v1/practices", people.draft + "/edit"):
                assert people.alice.ask("GET", address).status == 200, address
            for name in SENT:
                said = getattr(people, name)()
                assert said.status == 503 and "Traceback" not in said.text, (name, said)
                assert name not in SAID_BACK or WORDS in said.text, (name, said.text)
        for name in SENT:
            said = getattr(people, name)()
            assert said.acknowledged, (name, said)
        eventually(lambda: town.unsent() == 0)
        assert town.faults() == []
    finally:
        server.stop(signal.SIGKILL)
        town.database.close()


READS_THEN_WRITES = """
import sys
from sqlalchemy import text
from kb.db import Database

database = Database("sqlite:///" + sys.argv[1])
with database.read() as session:
    session.execute(text("SELECT count(*) FROM jobs"))
print("read", flush=True)
sys.stdin.readline()
with database.write() as session:
    session.execute(text("DELETE FROM jobs"))
print("written", flush=True)
"""


@stack.sqlite_only("A file becomes read-only.")
def test_who_only_read_while_nothing_could_be_written_writes_at_the_first_attempt_when_it_can(folder: Path) -> None:
    command = [sys.executable, "-c", READS_THEN_WRITES, str(folder / "kb.sqlite")]
    database = Database(configure(folder).database_url)  # somebody else has it open, as the other workers of a site
    with database.read() as session:
        session.execute(text("SELECT count(*) FROM jobs"))
    with read_only(folder):
        process = as_an_ordinary_user(
            lambda: subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        )
        assert process.stdout is not None
        said = process.stdout.readline()
    more, _ = process.communicate("go on\n", timeout=PATIENCE)
    database.close()
    assert (said, more) == ("read\n", "written\n")


def test_counts_go_on_where_their_file_was_read_only_for_a_while(tmp_path: Path) -> None:
    path = tmp_path / "limits.sqlite"
    requests = limits.Requests(path)
    assert requests.count("api", 9, "192.0.2.1")
    windows = requests._windows
    assert isinstance(windows, FileWindows) and windows._held is not None
    windows._held[2].execute("PRAGMA query_only=ON")  # as where the file was opened while nobody could write it
    assert requests.count("api", 9, "192.0.2.1") is None
    standing = requests.count("api", 9, "192.0.2.1")
    assert standing is not None and standing.left == 7
