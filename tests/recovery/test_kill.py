"""What is saved is found again, whatever dies and whatever is lost: real processes, killed for real."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from kb.db import Database
from tests import factories, stack
from tests.conftest import configure, make_indexer
from tests.processes import Conversation, Server, children, conversations, eventually, knows_workers, serving
from tests.recovery import killing
from tests.soaking import soak

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
    return stack.copy(seeded_folder, tmp_path / "data")


def publish(folder: Path, *, killed: bool) -> None:
    config = configure(folder)
    env = {"KB_DATA_DIR": str(config.data_dir), **stack.environment(config.data_dir), "PATH": ""}
    status = subprocess.run([sys.executable, "-c", PUBLISH, "9" if killed else "0"], env=env).returncode
    assert status == (-signal.SIGKILL if killed else 0)


def hits(server: Server, word: str = WORD) -> int:
    status, text = server.get(f"/api/v1/practices?q={word}")
    assert status == 200, text
    return int(json.loads(text)["total"])


def everything(server: Server) -> int:
    return int(json.loads(server.get("/api/v1/practices")[1]).get("total", 0))


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


def garble(index: Path) -> None:
    (index / "CURRENT").write_bytes(b"\0" * 100)


def sound(server: Server) -> bool:
    """Whether the search answers with everything; a worker that died of the damage answers nothing."""
    try:
        status, text = server.get("/api/v1/practices?q=talent&per_page=1")
        return status == 200 and json.loads(text)["total"] > 0 and everything(server) == 120
    except OSError:
        return False


def readable(server: Server) -> bool:
    """Whether a practice is shown, which needs no index; a worker may just have died of the damage."""
    try:
        return server.get("/practices/catalonia-acol-line")[0] == 200
    except OSError:
        return False


@pytest.mark.parametrize("harm", [truncate, garble])
def test_an_index_damaged_under_a_running_server_is_built_anew_by_itself(
    folder: Path, harm: Callable[[Path], None]
) -> None:
    with serving(folder) as server:
        assert sound(server)
        harm(folder / "index")
        eventually(lambda: readable(server))
        eventually(lambda: sound(server))
        publish(folder, killed=False)
        eventually(lambda: hits(server) == 1)


def total(talk: Conversation) -> int:
    return int(json.loads(talk.ask("GET", f"/api/v1/practices?q={WORD}").text)["total"])


@knows_workers
def test_a_publication_is_found_in_each_of_four_workers(folder: Path) -> None:
    config = configure(folder)
    database = Database(config.database_url)
    indexer = make_indexer(config, database)
    with serving(folder, KB_WORKERS="4") as server:
        eventually(lambda: len(children(server.process.pid)) == 4)
        workers = children(server.process.pid)
        talks = conversations(server, workers).values()
        with database.write() as session:
            factories.published(session, title=f"The {WORD} practice")
        indexer.after_commit()  # what the worker does that published it
        took = eventually(lambda: all(total(talk) == 1 for talk in talks), patience=5.0)
        print(f"each worker found it after {took:.2f} s")
        assert children(server.process.pid) == workers
        for talk in talks:
            talk.close()
    indexer.engine.close()
    database.close()


def test_a_server_that_is_told_to_end_ends_with_its_workers(folder: Path) -> None:
    with serving(folder) as server:
        workers = children(server.process.pid)
        assert workers
        assert server.stop(signal.SIGTERM) == 0
        assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]


# Under eight writers


def kill(source: Path, places: Path, kills: int, hows: Sequence[str] = killing.HOWS, *, tell: bool = False) -> None:
    seed = int(os.environ.get("KB_TEST_SEED") or random.randrange(10**6))
    print(f"KB_TEST_SEED={seed}")  # shown where the test fails
    outcome = killing.run(source, places, kills, seed, hows=hows, tell=tell)
    print(outcome)
    assert (outcome.lost, outcome.faults) == ([], [])
    assert outcome.kills.total() == kills and outcome.acknowledged.total() > kills


@knows_workers
def test_nothing_that_was_acknowledged_is_lost_when_servers_and_workers_are_killed(
    bare_folder: Path, tmp_path: Path
) -> None:
    kill(bare_folder, tmp_path, 3, ("group", "worker", "holder"))


@soak
@knows_workers
def test_nothing_that_was_acknowledged_is_lost_in_hundreds_of_kills(bare_folder: Path, tmp_path: Path) -> None:
    kill(bare_folder, tmp_path, int(os.environ.get("KB_SOAK_KILLS") or 500), tell=True)


@soak
@knows_workers
def test_what_a_worker_holds_that_hangs_is_free_again_when_it_is_replaced(bare_folder: Path, tmp_path: Path) -> None:
    kill(bare_folder, tmp_path, 4, ("stuck",), tell=True)
