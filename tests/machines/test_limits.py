"""Limits that machines count together, in PostgreSQL."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from limits import RateLimitItemPerMinute
from limits.strategies import FixedWindowRateLimiter
from sqlalchemy import text

from kb.db import Database
from kb.services.errors import TooMany
from kb.services.limits import Failures, Requests
from kb.services.limits_on_server import ServerStorage

ALICE = "alice@example.org"


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def two(open_database: Callable[[], Database]) -> tuple[Database, Database]:
    """Two machines' connections to the database."""
    return open_database(), open_database()


def let_in(failures: Failures, address: str = "192.0.2.1") -> bool:
    try:
        failures.begin(ALICE, address)
    except TooMany:
        return False
    return True


def test_two_machines_count_requests_together(two: tuple[Database, Database]) -> None:
    Requests(two[0]).count("api", 5, "192.0.2.1")
    stands = Requests(two[1]).count("api", 5, "192.0.2.1")
    assert stands and stands.left == 3


def test_a_minute_later_requests_begin_anew(two: tuple[Database, Database]) -> None:
    clock = Clock()
    requests = Requests(two[0], clock=clock)
    stands = [requests.count("api", 2, "192.0.2.1") for _ in range(3)]
    assert [each.over for each in stands if each] == [False, False, True]
    clock.now += 60
    again = requests.count("api", 2, "192.0.2.1")
    assert again and (again.left, again.over) == (1, False)


def test_of_many_attempts_on_two_machines_at_once_ten_get_through(two: tuple[Database, Database]) -> None:
    with ThreadPoolExecutor(8) as threads:
        tried = list(threads.map(lambda n: let_in(Failures(two[n % 2])), range(40)))
    assert sum(tried) == 10


def test_who_signs_in_on_one_machine_is_forgiven_on_the_other(two: tuple[Database, Database]) -> None:
    one, other = Failures(two[0]), Failures(two[1])
    for _ in range(9):
        assert let_in(one)
    other.succeeded(ALICE)
    assert let_in(one) and let_in(one)


def test_failures_are_forgotten_after_their_window(two: tuple[Database, Database]) -> None:
    clock = Clock()
    failures = Failures(two[0], clock=clock)
    assert [let_in(failures) for _ in range(11)] == [True] * 10 + [False]
    clock.now += 15 * 60 + 1
    assert let_in(failures)


def test_a_refusal_says_how_long_it_lasts(two: tuple[Database, Database]) -> None:
    clock = Clock()
    failures = Failures(two[0], clock=clock)
    for _ in range(10):
        failures.begin(ALICE, "192.0.2.1")
    clock.now += 60
    with pytest.raises(TooMany) as refused:
        failures.begin(ALICE, "192.0.2.1")
    assert refused.value.retry_after == 14 * 60


def test_rows_that_are_over_go(two: tuple[Database, Database]) -> None:
    clock = Clock()
    failures, requests = Failures(two[0], clock=clock), Requests(two[0], clock=clock)
    let_in(failures)
    requests.count("api", 5, "192.0.2.1")
    clock.now += 3600
    failures.begin("bob@example.org", "192.0.2.2")
    requests.count("api", 5, "192.0.2.2")
    with two[1].read() as session:
        for table in ("limit_hits", "limit_windows"):
            assert session.scalar(text(f"SELECT count(*) FROM {table}")) == 1


def test_no_address_is_in_the_database(two: tuple[Database, Database]) -> None:
    Requests(two[0]).count("api", 5, "192.0.2.77")
    Failures(two[0]).failed("192.0.2.77")
    with two[1].read() as session:
        for table in ("limit_hits", "limit_windows"):
            key = session.scalars(text(f"SELECT key FROM {table}")).one()
            assert len(key) == 64 and "192" not in key[:4]


def test_fixed_windows_of_the_library_work_too(two: tuple[Database, Database]) -> None:
    limit, windows = RateLimitItemPerMinute(2), [FixedWindowRateLimiter(ServerStorage(each)) for each in two]
    assert [windows[n % 2].hit(limit, "a") for n in range(3)] == [True, True, False]


def test_a_database_that_is_away_lets_people_in_and_is_logged(
    two: tuple[Database, Database], caplog: pytest.LogCaptureFixture
) -> None:
    with two[0].write() as session:
        session.execute(text("DROP TABLE limit_hits, limit_windows"))
    with caplog.at_level(logging.WARNING):
        assert let_in(Failures(two[0])) and Requests(two[1]).count("api", 1, "192.0.2.1") is None
    assert "nothing is counted" in caplog.text
