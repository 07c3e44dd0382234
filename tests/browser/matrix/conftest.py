"""The two sites of the matrix, and how many pages were looked at."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.browser.matrix.visiting import Served, opened

Sites = Callable[[bool], Served]


@pytest.fixture(scope="module")
def sites(town_folder: Path, peopled_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    """Both sites, each made when it is first asked for: `sites(True)` is the one without practices."""
    made: dict[bool, Served] = {}
    with ExitStack() as closing:

        def served(empty: bool) -> Served:
            if empty not in made:
                source = peopled_folder if empty else town_folder
                folder = shutil.copytree(source, tmp_path_factory.mktemp("matrix") / "data")
                made[empty] = closing.enter_context(opened(folder, rich=not empty))
            return made[empty]

        yield served


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how many pages were looked at and on how many of them something was wrong."""
    reports = [each for kind in ("passed", "failed") for each in terminalreporter.getreports(kind)]
    looked = [
        value for each in reports for name, value in each.user_properties if name == "matrix" and each.when == "call"
    ]
    if looked:
        pages, faulty = sum(pages for pages, _faulty in looked), sum(faulty for _pages, faulty in looked)
        terminalreporter.write_line(f"pages looked at: {pages}; pages with something wrong: {faulty}")
