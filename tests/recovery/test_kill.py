"""What is saved is found again, whatever dies and whatever is lost: real processes, killed for real."""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kb.db import Database
from tests import factories
from tests.conftest import configure, make_indexer
from tests.processes import Server, eventually, serving

WORD = "zanzibarine"
"""A word that no seed practice holds."""

PUBLISH = f"""
import os, sys
from kb.config import load
from kb.db import Database
from tests import factories
database = Database(load().database_url)
with database.write() as session:
    factories.published(session, title="The {WORD} practice")
os.kill(os.getpid(), int(sys.argv[1])) if sys.argv[1] != "0" else None
"""
"""Commits a publication and its outbox entry, as any worker does, and dies (or ends) before the index is drained."""


@pytest.fixture
def folder(seeded_folder: Path, tmp_path: Path) -> Path:
    """A data folder with the whole seed."""
    return shutil.copytree(seeded_folder, tmp_path / "data")


def publish(folder: Path, *, killed: bool) -> None:
    config = configure(folder)
    env = {"KB_DATA_DIR": str(config.data_dir), "PATH": ""}
    status = subprocess.run([sys.executable, "-c", PUBLISH, "9" if killed else "0"], env=env).returncode
    assert status == (-signal.SIGKILL if killed else 0)


def hits(server: Server, word: str = WORD) -> int:
    status, text = server.get(f"/api/v1/practices?q={word}")
    assert status == 200, text
    return int(json.loads(text)["total"])


def everything(server: Server) -> int:
    return int(json.loads(server.get("/api/v1/practices")[1])["total"])


def test_a_publication_whose_process_was_killed_before_indexing_is_found_after_a_start(folder: Path) -> None:
    publish(folder, killed=True)
    with serving(folder) as server:
        assert hits(server) == 1


def test_a_killed_server_leaves_nothing_that_the_next_one_stumbles_over(folder: Path) -> None:
    with serving(folder) as server:
        assert everything(server) == 120
        server.stop(signal.SIGKILL)
    publish(folder, killed=True)
    with serving(folder) as server:
        assert (everything(server), hits(server)) == (121, 1)
        assert server.stop() == 0


def delete(index: Path) -> None:
    shutil.rmtree(index)


def truncate(index: Path) -> None:
    for path in index.rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(index: Path) -> None:
    for path in index.rglob("*"):
        if path.is_file():
            path.write_bytes(b"")


@pytest.mark.parametrize("lose", [delete, truncate, empty])
def test_a_lost_index_is_built_anew_at_the_next_start_which_says_so(folder: Path, lose: Callable[[Path], None]) -> None:
    lose(folder / "index")
    with serving(folder) as server:
        assert everything(server) == 120
        assert "The search index could not be read" in server.said()
        assert "built anew from the database with 120 practices." in server.said()


def test_an_index_lost_under_a_running_server_comes_back(folder: Path) -> None:
    with serving(folder) as server:
        shutil.rmtree(folder / "index")
        publish(folder, killed=False)
        eventually(lambda: server.get(f"/api/v1/practices?q={WORD}")[0] == 200 and hits(server) == 1)


class Conversation:
    """One connection, kept open: its requests are all answered by the worker that took it up."""

    def __init__(self, server: Server, workers: list[int]) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        self.total("nothing")
        ends = self.connection.sock.getpeername()[1], self.connection.sock.getsockname()[1]
        self.worker = next(pid for pid in workers if _socket(*ends) in _open_files(pid))

    def total(self, word: str) -> int:
        self.connection.request("GET", f"/api/v1/practices?q={word}")
        with self.connection.getresponse() as answer:
            return int(json.loads(answer.read())["total"])


def _socket(server_port: int, client_port: int) -> str:
    """The server's end of a connection, as it stands among a process's open files."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        columns = line.split()
        if columns[1].endswith(f":{server_port:04X}") and columns[2].endswith(f":{client_port:04X}"):
            return f"socket:[{columns[9]}]"
    raise AssertionError("the connection was closed")


def _open_files(pid: int) -> set[str]:
    found = set()
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.add(str(path.readlink()))
    return found


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="which worker answers is read from /proc")
def test_a_publication_is_found_in_each_of_four_workers(folder: Path) -> None:
    config = configure(folder)
    database = Database(config.database_url)
    indexer = make_indexer(config, database)
    with serving(folder, KB_WORKERS="4") as server:
        eventually(lambda: len(_children(server.process.pid)) == 4)
        workers = _children(server.process.pid)
        one_each: dict[int, Conversation] = {}
        while len(one_each) < 4:
            talk = Conversation(server, workers)
            if one_each.setdefault(talk.worker, talk) is not talk:
                talk.connection.close()
        with database.write() as session:
            factories.published(session, title=f"The {WORD} practice")
        indexer.after_commit()  # what the worker does that published it
        took = eventually(lambda: all(talk.total(WORD) == 1 for talk in one_each.values()), patience=5.0)
        print(f"each worker found it after {took:.2f} s")
        assert _children(server.process.pid) == workers
        for talk in one_each.values():
            talk.connection.close()
    indexer.engine.close()
    database.close()


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return sorted(int(child) for child in listed.split())


def test_a_server_that_is_told_to_end_ends_with_its_workers(folder: Path) -> None:
    with serving(folder) as server:
        workers = _children(server.process.pid)
        assert workers
        assert server.stop(signal.SIGTERM) == 0
        assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]
