"""A move that is killed, and run again: what arrives in the end is what was there."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest

from kb.db import Database
from kb.services import moving, moving_rows, setup
from kb.services.errors import Conflict
from kb.services.setup import SchemaBroken
from tests.moving.bases import PLACE, Countdown, contents, moved, once, unexpected
from tests.processes import eventually

TABLES = len(moving.tables())
ROWS = 2 * TABLES
"""Rows of the source; each is read, sent and read again."""

MOMENTS = {
    "checking": 10,
    "the first table is half there": ROWS + 1,
    "the first table is all sent": ROWS + 2,
    "some tables are there": ROWS + 41,
    "half": ROWS + ROWS // 2,
    "the last table is half there": ROWS + ROWS - 1,
    "the last table is all sent": 2 * ROWS,
    "comparing": 2 * ROWS + 11,
    "all was compared": 3 * ROWS,
}
"""How many rows have passed when the move is killed."""


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killed(source: str, target: str, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Move from and to these addresses in a process of its own, which is killed when so many rows have passed."""
    with monkeypatch.context() as patch:
        patch.setattr(moving_rows, "BATCH", 1)
        child = os.fork()
        if child == 0:
            try:
                moved(Database(source), Database(target), bar=Countdown(rows, die))
            finally:
                os._exit(3)
        _pid, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "it ended before it was killed"


def gone(database: Database) -> bool:
    """Whether the server has noticed that nobody is there any more, and has undone what was not ended."""
    with database.engine.connect() as connection:
        others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        return connection.exec_driver_sql(others).scalar() == 0


def address(database: Database) -> str:
    return database.engine.url.render_as_string(hide_password=False)


@pytest.mark.parametrize("moment", MOMENTS)
def test_what_was_killed_and_run_again_is_equal(
    moment: str, source: Database, target: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed(address(source), address(target), MOMENTS[moment], monkeypatch)
    eventually(lambda: gone(target))
    moved(source, target)
    assert contents(target) == contents(source)
    assert setup.migrate(target) is None


@pytest.mark.parametrize("moment", ["checking", "half", "all was compared"])
def test_so_it_is_on_the_way_back(
    moment: str, source: Database, target: Database, opened: Callable[[str], Database], tmp_path: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    moved(source, target)
    back = f"sqlite:///{tmp_path}/back.sqlite"
    killed(address(target), back, MOMENTS[moment], monkeypatch)
    eventually(lambda: gone(target))
    moved(target, opened(back))
    assert contents(opened(back)) == contents(source)


def test_it_may_be_killed_again_and_again(source: Database, target: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    for rows in (ROWS + 20, ROWS + 50, ROWS + 80, 3 * ROWS - 1):
        killed(address(source), address(target), rows, monkeypatch)
        eventually(lambda: gone(target))
    assert moved(source, target).found == TABLES
    assert contents(target) == contents(source)


def test_tables_that_are_there_are_not_sent_again(
    source: Database, target: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed(address(source), address(target), ROWS + 41, monkeypatch)
    eventually(lambda: gone(target))
    assert moved(source, target).found == 20


def test_nobody_takes_half_a_base_for_one(source: Database, target: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    killed(address(source), address(target), 3 * ROWS, monkeypatch)
    eventually(lambda: gone(target))
    with pytest.raises(SchemaBroken, match="a move did not end"):
        setup.migrate(target)


def test_it_begins_anew_where_the_source_has_changed_since(
    source: Database, target: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed(address(source), address(target), 2 * ROWS, monkeypatch)
    eventually(lambda: gone(target))
    with source.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE users SET name = 'Anna, by another name'")
    assert moved(source, target).found == 0
    assert contents(target) == contents(source)


def test_another_base_does_not_go_on_where_one_was_killed(
    source: Database, target: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed(address(source), address(target), ROWS + 41, monkeypatch)
    eventually(lambda: gone(target))
    with pytest.raises(Conflict, match=f"part of a base from {PLACE}"):
        moving.move(source, target, "another place", unexpected)


def test_a_second_run_finds_all_there(source: Database, target: Database) -> None:
    first = moved(source, target)
    second = moved(source, target)
    assert (first.already, second.already) == (False, True)
    assert second.sums == first.sums


def test_what_was_interfered_with_is_taken_back_and_arrives_the_next_time(
    source: Database, target: Database, opened: Callable[[str], Database]
) -> None:
    """Somebody writes into the target, beside the move, after a table was sent."""

    def interfere() -> None:
        with opened(address(target)).engine.begin() as connection:
            connection.exec_driver_sql("UPDATE regions SET name_en = 'Nowhere'")

    with pytest.raises(moving.NotMoved, match="in regions: all was taken back"):
        moved(source, target, bar=Countdown(2 * ROWS, once(interfere)))
    moved(source, target)
    assert contents(target) == contents(source)
