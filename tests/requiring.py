"""With KB_REQUIRE_ALL=1 a skipped test is a failed one, but for tests that need KB_TEST_DATA.

Loaded with `-p tests.requiring`, as `make test` does.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any

import pytest

REQUIRED = os.environ.get("KB_REQUIRE_ALL") == "1"
EXCUSED = "KB_TEST_DATA"
"""The reason of a skip that is never a failure holds this word."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that was skipped."""
    report = yield
    return _required(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A file that was skipped as a whole."""
    report = yield
    return _required(report)


def _required(report: Any) -> Any:
    if not REQUIRED or not report.skipped or hasattr(report, "wasxfail"):
        return report
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if EXCUSED not in reason:
        report.outcome = "failed"
        report.longrepr = f"skipped, but KB_REQUIRE_ALL is set: {reason}"
    return report
