"""Limits on guessing: counted an account and an address, shared by whoever opens the same file."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from limits import RateLimitItemPerMinute
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter

from kb.services.errors import TooMany
from kb.services.limits import Failures
from kb.services.limits_in_file import SqliteStorage

ALICE = "alice@example.org"


class Clock:
    """A time that only moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def failures(tmp_path: Path, clock: Clock) -> Failures:
    return Failures(tmp_path / "limits.sqlite", clock=clock)


def fail(failures: Failures, account: str, address: str) -> None:
    """One attempt that fails."""
    failures.begin(account, address)
    failures.failed(address)


def refused(call: Callable[[], None]) -> bool:
    """Whether an attempt is turned away."""
    try:
        call()
    except TooMany:
        return True
    return False


def test_ten_failures_of_an_account_shut_it_wherever_they_come_from(failures: Failures) -> None:
    for n in range(10):
        fail(failures, ALICE, f"192.0.2.{n}")
    with pytest.raises(TooMany):
        failures.begin(ALICE, "198.51.100.1")


def test_another_account_is_not_touched(failures: Failures) -> None:
    for n in range(10):
        fail(failures, ALICE, f"192.0.2.{n}")
    failures.begin("bob@example.org", "198.51.100.1")


def test_an_account_is_the_same_in_capitals(failures: Failures) -> None:
    for n in range(10):
        fail(failures, ALICE, f"192.0.2.{n}")
    with pytest.raises(TooMany):
        failures.begin(" Alice@Example.ORG ", "198.51.100.1")


def test_twenty_failures_of_an_address_shut_it_for_any_account(failures: Failures) -> None:
    for n in range(20):
        fail(failures, f"person{n}@example.org", "192.0.2.1")
    with pytest.raises(TooMany):
        failures.begin(ALICE, "192.0.2.1")


def test_one_network_of_ipv6_is_one_address(failures: Failures) -> None:
    for n in range(20):
        fail(failures, f"person{n}@example.org", f"2001:db8:1:2::{n}")
    with pytest.raises(TooMany):
        failures.begin(ALICE, "2001:db8:1:2:ffff::1")


def test_a_refused_address_does_not_shut_the_account_it_tried(failures: Failures) -> None:
    for n in range(20):
        fail(failures, f"person{n}@example.org", "192.0.2.1")
    for _ in range(15):
        assert refused(lambda: failures.begin(ALICE, "192.0.2.1"))
    failures.begin(ALICE, "198.51.100.1")


def test_a_success_forgets_the_failures_of_the_account(failures: Failures) -> None:
    for n in range(9):
        fail(failures, ALICE, f"192.0.2.{n}")
    failures.begin(ALICE, "192.0.2.99")
    failures.succeeded(ALICE)
    for n in range(10):
        fail(failures, ALICE, f"198.51.100.{n}")


def test_a_success_does_not_forget_the_failures_of_the_address(failures: Failures) -> None:
    for n in range(20):
        fail(failures, f"person{n}@example.org", "192.0.2.1")
    failures.succeeded("person1@example.org")
    with pytest.raises(TooMany):
        failures.begin(ALICE, "192.0.2.1")


def test_successes_do_not_count(failures: Failures) -> None:
    for _ in range(40):
        failures.begin(ALICE, "192.0.2.1")
        failures.succeeded(ALICE)


def test_an_attempt_is_let_in_again_as_the_first_failure_leaves_the_window(failures: Failures, clock: Clock) -> None:
    fail(failures, ALICE, "192.0.2.1")
    clock.now += 600
    for n in range(9):
        fail(failures, ALICE, f"192.0.2.{n}")
    clock.now += 301
    fail(failures, ALICE, "192.0.2.2")
    assert refused(lambda: failures.begin(ALICE, "192.0.2.3"))


def test_the_refusal_says_when_to_come_back(failures: Failures, clock: Clock) -> None:
    for n in range(10):
        fail(failures, ALICE, f"192.0.2.{n}")
    clock.now += 100
    with pytest.raises(TooMany) as refusal:
        failures.begin(ALICE, "198.51.100.1")
    assert refusal.value.retry_after == 800


def test_the_refusal_is_a_sentence(failures: Failures) -> None:
    for n in range(10):
        fail(failures, ALICE, f"192.0.2.{n}")
    with pytest.raises(TooMany, match=r"^Too many failed sign-ins\. Wait 15 min and try again\.$"):
        failures.begin(ALICE, "198.51.100.1")


def test_two_workers_count_together(tmp_path: Path) -> None:
    first, second = (Failures(tmp_path / "limits.sqlite") for _ in range(2))
    for n in range(5):
        fail(first, ALICE, f"192.0.2.{n}")
        fail(second, ALICE, f"192.0.2.{n}")
    assert refused(lambda: first.begin(ALICE, "198.51.100.1"))
    assert refused(lambda: second.begin(ALICE, "198.51.100.1"))


def test_many_attempts_at_once_get_no_further(tmp_path: Path) -> None:
    path = tmp_path / "limits.sqlite"
    Failures(path).begin("somebody@example.org", "198.51.100.1")  # the file is there
    with ThreadPoolExecutor(8) as threads:
        tried = [threads.submit(refused, lambda: Failures(path).begin(ALICE, "192.0.2.1")) for _ in range(30)]
    assert sum(not each.result() for each in tried) == 10


def test_switched_off_nothing_is_refused_and_no_file_made(tmp_path: Path) -> None:
    failures = Failures(tmp_path / "limits.sqlite", on=False)
    for _ in range(30):
        fail(failures, ALICE, "192.0.2.1")
    failures.succeeded(ALICE)
    assert not (tmp_path / "limits.sqlite").exists()


def test_a_damaged_file_lets_people_in_and_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "limits.sqlite").write_bytes(b"not a database, but long enough to be taken for one" * 40)
    failures = Failures(tmp_path / "limits.sqlite")
    fail(failures, ALICE, "192.0.2.1")
    failures.succeeded(ALICE)
    assert "limits.sqlite cannot be used" in caplog.text


def test_the_file_holds_no_address_of_mail(failures: Failures, tmp_path: Path) -> None:
    fail(failures, ALICE, "192.0.2.1")
    assert all(b"alice" not in file.read_bytes() for file in tmp_path.iterdir())


def test_expired_rows_are_swept(tmp_path: Path, clock: Clock) -> None:
    storage = SqliteStorage(f"kb-sqlite://{tmp_path / 'limits.sqlite'}", clock=clock)
    for n in range(5):
        storage.acquire_entry(f"old{n}", 10, 900)
    clock.now += 901
    storage.acquire_entry("new", 10, 900)
    assert storage.reset() == 1


def test_the_library_finds_the_storage_by_its_address(tmp_path: Path) -> None:
    assert storage_from_string(f"kb-sqlite://{tmp_path / 'limits.sqlite'}").check()


def test_a_storage_that_cannot_be_opened_is_not_healthy(tmp_path: Path) -> None:
    assert not SqliteStorage(f"kb-sqlite://{tmp_path / 'missing' / 'limits.sqlite'}").check()


def test_the_fixed_window_of_the_library_works_on_it(tmp_path: Path, clock: Clock) -> None:
    storage = SqliteStorage(f"kb-sqlite://{tmp_path / 'limits.sqlite'}", clock=clock)
    limiter, twice = FixedWindowRateLimiter(storage), RateLimitItemPerMinute(2)
    assert [limiter.hit(twice, "someone") for _ in range(3)] == [True, True, False]
    assert limiter.get_window_stats(twice, "someone").reset_time == clock.now + 60
    clock.now += 61
    assert limiter.hit(twice, "someone")
