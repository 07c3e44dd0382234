"""On what the tests run: SQLite and Whoosh, or what KB_TEST_DATABASE and KB_TEST_SEARCH name.

A data folder stands for all that an installation keeps. What of it is kept elsewhere belongs to the folder by its path:
`environment` says where, `copy` copies it along, `drop` removes it. A part that is kept in the folder needs none of it.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
from collections import Counter
from pathlib import Path
from typing import Any, Protocol

import pytest

from kb.db import Database
from tests import postgres
from tests.typesense_part import TypesensePart

DATABASE = os.environ.get("KB_TEST_DATABASE", "")
"""`postgresql`, or empty for SQLite."""

SEARCH = os.environ.get("KB_TEST_SEARCH", "")
"""`typesense`, or empty for Whoosh."""


class Part(Protocol):
    """What of an installation is kept outside its data folder: a database, an index."""

    def environment(self, folder: Path) -> dict[str, str]:
        """The settings that lead to a folder's own; an empty one is made where there is none yet."""
        ...

    def copy(self, source: Path, target: Path) -> None:
        """Make a folder's own as a copy of another's, if that has any."""
        ...

    def drop(self, folder: Path) -> None:
        """Remove the own of each folder in `folder`, and of itself."""
        ...


class PostgresqlPart:
    """A database for each data folder, on the server of this run."""

    def __init__(self) -> None:
        self._made: dict[Path, str] = {}
        """The folders whose databases this process made or met, and their addresses."""

    @functools.cached_property
    def _server(self) -> postgres.Server:
        return postgres.server()

    def environment(self, folder: Path) -> dict[str, str]:
        folder = folder.resolve()
        if folder not in self._made:
            if not self._server.holds(_name(folder)):
                self._server.create(_name(folder))
            self._made[folder] = self._server.url(_name(folder))
        return {"KB_DATABASE_URL": self._made[folder]}

    def copy(self, source: Path, target: Path) -> None:
        source, target = source.resolve(), target.resolve()
        if source in self._made or self._server.holds(_name(source)):
            self._made[target] = self._server.create(_name(target), _name(source))

    def drop(self, folder: Path) -> None:
        folder = folder.resolve()
        for each in {folder, *(made for made in self._made if made.is_relative_to(folder))}:
            self._server.drop(_name(each))
            self._made.pop(each, None)


def _name(folder: Path) -> str:
    """A name for what belongs to a folder, the same in every process of this run."""
    return "kb_" + hashlib.sha256(str(folder).encode()).hexdigest()[:24]


def _parts() -> list[Part]:
    chosen: list[Part] = []
    if DATABASE == "postgresql":
        chosen.append(PostgresqlPart())
    elif DATABASE not in ("", "sqlite"):
        raise pytest.UsageError(f"KB_TEST_DATABASE may be postgresql, not {DATABASE!r}.")
    if SEARCH == "typesense":
        chosen.append(TypesensePart())
    elif SEARCH not in ("", "whoosh"):
        raise pytest.UsageError(f"KB_TEST_SEARCH may be typesense, not {SEARCH!r}.")
    return chosen


PARTS = _parts()


def environment(folder: Path) -> dict[str, str]:
    """The settings that lead to what belongs to a data folder and is not in it; for the environment of a command."""
    return {name: value for part in PARTS for name, value in part.environment(folder).items()}


def copy(source: Path, target: Path) -> Path:
    """Copy a data folder with all that belongs to it; nobody may have the source open. Returns the target."""
    shutil.copytree(source, target)
    for part in PARTS:
        part.copy(source, target)
    return target


def drop(folder: Path) -> None:
    """Remove what belongs to the data folders in a folder, and is not in them."""
    for part in PARTS:
        part.drop(folder)


def flush(database: Database) -> None:
    """Have an SQLite file hold all of its database, so that it can be copied."""
    if database.engine.dialect.name == "sqlite":
        with database.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def sqlite_only(why: str) -> pytest.MarkDecorator:
    """Marks a test of what only SQLite has, such as a file that is copied, damaged, locked or read-only; says which."""
    return pytest.mark.sqlite_only(why)


def whoosh_only(why: str) -> pytest.MarkDecorator:
    """Marks a test of what only Whoosh has, such as a folder with files that are removed or damaged; says which."""
    return pytest.mark.whoosh_only(why)


def _left_out(item: pytest.Item) -> str | None:
    """Why a test is not run again on another database or engine, as a sentence; None for one that is."""
    if "folders" not in getattr(item, "fixturenames", ()):
        return "It has no data folder, so that it touches neither the database nor the engine."
    marked = item.get_closest_marker("sqlite_only") if DATABASE == "postgresql" else None
    marked = marked or (item.get_closest_marker("whoosh_only") if SEARCH == "typesense" else None)
    return str(marked.args[0]) if marked else None


LEFT_OUT: Counter[str] = Counter()
"""How many tests were left out of this run for another database or engine, and why."""


def leave_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where another database or engine is asked for, leave out what the run on SQLite and Whoosh has said all of."""
    if not PARTS:
        return
    why = {item: _left_out(item) for item in items}
    LEFT_OUT.update(filter(None, why.values()))
    items[:] = [item for item in items if why[item] is None]
    config.hook.pytest_deselected(items=[item for item in why if why[item] is not None])


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker tells the process that began it what it left out."""
    told = getattr(session.config, "workeroutput", None)
    if told is not None:
        told["left_out"] = dict(LEFT_OUT)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """All workers leave the same out."""
    if not LEFT_OUT:
        LEFT_OUT.update(getattr(node, "workeroutput", {}).get("left_out", {}))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say once what was not run."""
    for why, count in LEFT_OUT.most_common():
        terminalreporter.write_line(f"{count} tests were left out. {why}")
