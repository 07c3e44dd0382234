"""Four workers follow one index: what another process publishes is found by each of them, also during a rebuild."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from json import loads
from pathlib import Path

import pytest

from kb.db import Database
from kb.services.indexing import Indexer
from tests import factories, stack
from tests.conftest import configure, make_indexer
from tests.processes import Conversation, children, conversations, eventually, knows_workers, serving

pytestmark = knows_workers

PAGES = ("/", "/practices?q=talent", "/practices?country=IT", "/practices/catalonia-acol-line")


@pytest.fixture
def folder(seeded_folder: Path, tmp_path: Path) -> Path:
    """A data folder with practices."""
    return stack.copy(seeded_folder, tmp_path / "data")


@pytest.fixture
def talks(folder: Path) -> Iterator[list[Conversation]]:
    """A conversation with each of four workers that serve the folder."""
    with serving(folder, KB_WORKERS="4", KB_LIMITS="off") as server:
        eventually(lambda: len(children(server.process.pid)) == 4)
        talks = conversations(server, children(server.process.pid))
        yield list(talks.values())
        for talk in talks.values():
            talk.close()


@pytest.fixture
def indexer(folder: Path) -> Iterator[Indexer]:
    """The indexer of a process that does not serve."""
    config = configure(folder)
    database = Database(config.database_url)
    indexer = make_indexer(config, database)
    yield indexer
    indexer.engine.close()
    database.close()


def publish(indexer: Indexer) -> str:
    """Publish a practice; returns a word that only it has."""
    word = f"zz{uuid.uuid4().hex}"
    with indexer.database.write() as session:
        factories.published(session, title=f"Mentoring {word}")
    indexer.after_commit()
    return word


def finds(talk: Conversation, word: str) -> bool:
    answer = talk.ask("GET", f"/api/v1/practices?q={word}")
    return answer.status == 200 and loads(answer.text)["total"] == 1


def test_what_another_process_publishes_is_found_by_each_worker(talks: list[Conversation], indexer: Indexer) -> None:
    for _ in range(3):
        word = publish(indexer)
        eventually(lambda word=word: all(finds(talk, word) for talk in talks))  # type: ignore[misc]


def test_a_rebuild_fails_no_request_and_loses_no_publication(
    talks: list[Conversation], indexer: Indexer, folder: Path
) -> None:
    environment = {**os.environ, "KB_DATA_DIR": str(folder), **stack.environment(folder)}
    rebuild = subprocess.Popen([sys.executable, "-m", "kb", "reindex"], env=environment, stderr=subprocess.DEVNULL)
    words, answered = [], []
    while rebuild.poll() is None:
        words.append(publish(indexer))
        answered += [talk.ask("GET", page).status for talk in talks for page in PAGES]
    assert rebuild.returncode == 0
    assert answered == [200] * len(answered)
    eventually(lambda: all(finds(talk, word) for talk in talks for word in words))
