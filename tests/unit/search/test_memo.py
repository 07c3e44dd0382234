"""What is remembered of a snapshot, and how much of it."""

from __future__ import annotations

import numpy as np

from kb.search.whoosh.memo import Memo


def test_what_was_made_once_is_not_made_again() -> None:
    memo = Memo(1 << 20)
    first = memo.get("key", lambda: np.zeros(3))
    assert memo.get("key", lambda: np.ones(3)) is first


def test_what_was_not_used_for_longest_goes_first() -> None:
    memo = Memo(100_000)
    made: list[str] = []

    def ask(key: str) -> None:
        memo.get(key, lambda: (made.append(key), np.zeros(1_000))[1])

    for number in range(12):
        ask(f"old {number}")
    ask("old 2")
    ask("new")
    made.clear()
    ask("old 2")
    assert made == []
    ask("old 0")
    assert made == ["old 0"]


def test_something_very_large_is_given_and_not_kept() -> None:
    memo = Memo(100_000)
    memo.get("small", lambda: np.zeros(10))
    large = memo.get("large", lambda: (np.zeros(10_000), "more"))
    assert memo.get("large", lambda: (np.ones(10_000), "more")) is not large
    assert memo.get("small", lambda: np.ones(10)).sum() == 0


def test_what_there_is_one_of_is_kept_however_large() -> None:
    memo = Memo(1_000)
    first = memo.once("key", lambda: np.zeros(10_000))
    assert memo.once("key", lambda: np.ones(10_000)) is first
