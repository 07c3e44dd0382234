"""What tests in this folder draw from, and how much."""

from __future__ import annotations

import os
import random
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from traceback import format_exception
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from bench.mutating import HOSTILE, mutated, mutated_text

T = TypeVar("T")

RUNS = int(os.environ.get("KB_TEST_RUNS", "0"))
"""Examples of each test; 0: as few as tell anything, and the same each time."""

TEXT = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(codec=None), max_size=40),
    st.text("0123456789-+.,:/TZ eE%", max_size=30),
)
"""Texts as nobody hopes to get them, lone surrogates among them."""


def often(examples: int, share: int = 1) -> Callable[[Any], Any]:
    """So many examples in `make test`, always the same; KB_TEST_RUNS new ones, or a part of them, where that is set."""
    return settings(
        max_examples=max(examples, RUNS // share) if RUNS else examples,
        derandomize=not RUNS,
        deadline=None,
        print_blob=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def each_of(kinds: Iterable[T], ask: Callable[[T], None]) -> None:
    """Ask of each kind, to the end of them, and fail with all that failed."""
    failed = []
    for kind in kinds:
        try:
            ask(kind)
        except Exception as error:
            failed.append("".join(format_exception(error, limit=-3)))
            if RUNS:  # a long run may be ended before it is through
                print(failed[-1], file=sys.__stderr__, flush=True)
    assert not failed, "\n\n".join(failed)


def read_as(signed: str) -> str:
    """What base64 reads of a signed text: it leaves out signs that it does not know, and bits of the last one."""
    return re.sub(r"[^A-Za-z0-9_.-]", "", signed.partition("=")[0])[:-1]


def damaged(*good: bytes) -> st.SearchStrategy[bytes]:
    """One of these files, changed somewhere."""
    return st.builds(
        lambda chance, data: mutated(chance, data, good),
        st.integers(0, 2**64).map(random.Random),
        st.sampled_from(good),
    )


def mistaken(*good: str) -> st.SearchStrategy[str]:
    """One of these texts, changed somewhere."""
    others: Sequence[str] = good
    return st.builds(
        lambda chance, text: mutated_text(chance, text, others),
        st.integers(0, 2**64).map(random.Random),
        st.sampled_from(good),
    )
