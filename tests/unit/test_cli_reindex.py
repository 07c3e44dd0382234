"""The command `reindex`: it builds the index anew, lets readers go first, and leaves nothing half done."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from kb import create_app
from kb.cli import main
from kb.cli.opening import PROGRAM
from kb.search.port import Document
from kb.services import indexing
from tests import stack
from tests.unit.test_cli import Run, runner


@pytest.fixture
def folder(seeded_folder: Path, tmp_path: Path) -> Path:
    """The seed in a data folder of its own."""
    return stack.copy(seeded_folder, tmp_path / "data")


@pytest.fixture
def seeded(folder: Path) -> Run:
    """Commands on the seed."""
    return runner(folder)


def reindex(folder: Path, program: str) -> int:
    """Give the command by a name of the program; returns its exit status."""
    env = {"KB_DATA_DIR": str(folder), **stack.environment(folder), "KB_BASE_URL": "", "PORT": ""}
    return CliRunner().invoke(main, ["reindex"], obj=create_app, env=env, prog_name=program).exit_code


def in_a_process(work: Callable[[], int]) -> int:
    """Do something in a process of its own; returns the number that comes of it."""
    child = os.fork()
    if child == 0:
        status = 99
        try:
            status = work()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_it_counts_what_it_indexed(seeded: Run, folder: Path) -> None:
    shutil.rmtree(folder / "index")
    assert "Run reindex." in seeded("check", status=1).stdout
    assert seeded("reindex").stdout == "The search index holds 120 practices.\n"
    seeded("check")


@pytest.mark.parametrize(("program", "more"), [(PROGRAM, 10), ("of something else", 0)])
def test_it_lets_others_go_first_where_the_process_is_its_own(folder: Path, program: str, more: int) -> None:
    def priority() -> int:
        assert reindex(folder, program) == 0
        return os.getpriority(os.PRIO_PROCESS, 0)

    assert in_a_process(priority) == min(19, os.getpriority(os.PRIO_PROCESS, 0) + more)


def test_interrupted_it_leaves_the_index_that_was_there_and_nothing_else(
    seeded: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted(path.name for path in (folder / "index").glob("index-*"))
    documents = indexing._all

    def interrupted(*args: Any) -> Iterator[Document]:
        for number, document in enumerate(documents(*args)):
            if number == 60:
                os.kill(os.getpid(), signal.SIGINT)
            yield document

    def control_c() -> int:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        return reindex(folder, PROGRAM)

    monkeypatch.setattr(indexing, "_all", interrupted)
    assert in_a_process(control_c) == 1
    assert sorted(path.name for path in (folder / "index").glob("index-*")) == before
    monkeypatch.undo()
    seeded("check")
