"""Jobs that are done once for all machines, and what all of them have to agree on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kb.config import SettingError
from kb.db import Database
from kb.services.agreements import MARK, agree, fingerprint
from kb.services.locks import ServerLocks
from kb.services.scheduling import LOOK_AGAIN, Schedule
from tests.machines.conftest import MakeConfig

HOUR = timedelta(hours=1)


class Clock:
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class World:
    """Machines with a schedule each, one clock, and what they did."""

    def __init__(self, open_database: Callable[[], Database]) -> None:
        self.clock = Clock()
        self.did: list[str] = []
        databases = [open_database(), open_database()]
        self.locks = [ServerLocks(each) for each in databases]
        self.one, self.other = (
            Schedule(each, locks, "sweep", HOUR, self.clock) for each, locks in zip(databases, self.locks, strict=True)
        )

    def work(self) -> None:
        self.did.append("swept")


@pytest.fixture
def world(open_database: Callable[[], Database]) -> World:
    return World(open_database)


def test_a_job_is_done_once_for_all_machines(world: World) -> None:
    assert world.one.run(world.work) and not world.other.run(world.work)
    world.clock.now += HOUR
    assert world.other.run(world.work) and not world.one.run(world.work)
    assert len(world.did) == 2


def test_nobody_does_it_while_another_machine_is_at_it(world: World) -> None:
    assert world.one.run(lambda: world.did.append(str(world.other.run(world.work))))
    assert world.did == ["False"]


def test_a_machine_takes_over_from_one_that_died_over_the_job(world: World) -> None:
    with world.locks[0].hold("job-sweep"):  # which goes with its process: see test_locks.py
        assert not world.other.run(world.work)
    world.clock.now += LOOK_AGAIN
    assert world.other.run(world.work)


def test_a_job_that_fails_is_tried_again_by_another_machine_first(world: World) -> None:
    with pytest.raises(ZeroDivisionError):
        world.one.run(lambda: 1 // 0)
    assert not world.one.run(world.work) and world.other.run(world.work)


def test_a_clock_that_was_set_back_holds_up_no_job(world: World) -> None:
    world.one.run(world.work)
    world.clock.now -= timedelta(days=3)
    assert world.one.run(world.work)


def test_a_machine_with_another_key_does_not_start(
    make_config: MakeConfig, open_database: Callable[[], Database]
) -> None:
    agree(make_config("one"), open_database())
    agree(make_config("two"), open_database())
    with pytest.raises(SettingError, match="KB_SECRET_KEY is not the one of this installation"):
        agree(make_config("three", KB_SECRET_KEY="x" * 40), open_database())


def test_a_machine_without_the_shared_folder_does_not_start(
    make_config: MakeConfig, open_database: Callable[[], Database], tmp_path: Path
) -> None:
    agree(make_config("one"), open_database())
    with pytest.raises(SettingError, match=r"KB_FILES_DIR names .*not the folder that the machines"):
        agree(make_config("two", KB_FILES_DIR=str(tmp_path / "not mounted")), open_database())
    assert not (tmp_path / "not mounted" / ".shared" / MARK).exists()


def test_all_machines_can_be_given_another_key(make_config: MakeConfig, open_database: Callable[[], Database]) -> None:
    database = open_database()
    agree(make_config("one"), database)
    agree(make_config("two", KB_SECRET_KEY="x" * 40), database, anew=True)
    with pytest.raises(SettingError):
        agree(make_config("one"), database)


def test_what_is_kept_of_a_key_is_not_the_key() -> None:
    assert len(fingerprint("k" * 40)) == 32 and fingerprint("k" * 40) != fingerprint("x" * 40)
