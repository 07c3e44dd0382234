"""The two sites of the matrix, and how many pages were looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests import stack
from tests.browser.conftest import new_tab
from tests.browser.matrix.visiting import Served, forget, opened

Sites = Callable[[bool], Served]


@pytest.fixture(scope="module")
def sites(town_folder: Path, peopled_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    """Both sites, each made when it is first asked for: `sites(True)` is the one without practices."""
    made: dict[bool, Served] = {}
    with ExitStack() as closing:

        def served(empty: bool) -> Served:
            if empty not in made:
                source = peopled_folder if empty else town_folder
                folder = stack.copy(source, tmp_path_factory.mktemp("matrix") / "data")
                made[empty] = closing.enter_context(opened(folder, rich=not empty))
            return made[empty]

        yield served


class Tab:
    """One tab for page after page, as to open one takes longer than to look at a page."""

    def __init__(self, browser: Any) -> None:
        self._browser = browser
        self._page: Any = None
        self.complaints: list[str] = []

    def clean(self) -> Any:
        """The tab, as if it had not been anywhere."""
        if self._page is None:
            self._page = new_tab(self._browser, self.complaints)
        self._page.context.clear_cookies()
        return self._page

    def leave(self) -> None:
        """Be ready for the next page."""
        if self._page is not None:
            forget(self._page)

    def close(self) -> None:
        """Close it: the next page gets another one."""
        if self._page is not None:
            self._page.context.close()
        self._page = None


@pytest.fixture(scope="module")
def kept_tab(browser: Any) -> Iterator[Tab]:
    """The tab that `tab` lends."""
    kept = Tab(browser)
    yield kept
    kept.close()


@pytest.fixture
def tab(kept_tab: Tab) -> Iterator[Any]:
    """A tab that has not been anywhere; fails its test where the console complains or another host is asked."""
    kept_tab.complaints.clear()
    try:
        yield kept_tab.clean()
        kept_tab.leave()
    except BaseException:
        kept_tab.close()
        raise
    assert not kept_tab.complaints


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how many pages were looked at and on how many of them something was wrong."""
    reports = [each for kind in ("passed", "failed") for each in terminalreporter.getreports(kind)]
    looked = [
        value for each in reports for name, value in each.user_properties if name == "matrix" and each.when == "call"
    ]
    if looked:
        pages, faulty = sum(pages for pages, _faulty in looked), sum(faulty for _pages, faulty in looked)
        terminalreporter.write_line(f"pages looked at: {pages}; pages with something wrong: {faulty}")
