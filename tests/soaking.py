"""What takes minutes: tests marked `soak` run with KB_SOAK=1 only, as in `make soak`, and are left out elsewhere."""

from __future__ import annotations

import os
from typing import Any

import pytest

SOAK = os.environ.get("KB_SOAK") == "1"

soak = pytest.mark.soak
"""Marks a test that takes longer than `make test` may."""


def leave_out(config: Any, items: list[Any]) -> None:
    """Take what only `make soak` runs out of the tests that were collected: it is left out, not skipped."""
    if SOAK:
        return
    left = [item for item in items if item.get_closest_marker("soak")]
    if left:
        items[:] = [item for item in items if item not in left]
        config.hook.pytest_deselected(items=left)
