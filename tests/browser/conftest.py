"""A real browser on a real server: Debian's Chromium, the app on a port of its own.

`reading_url` is a server on the seed that a module's tests share and only read. `live` is a server of one test's own,
for tests that write. `page` is a tab that fails its test where the console complains or another host is asked.
`open_page` opens further tabs: another width, a dark scheme, no JavaScript, another person.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests import factories
from tests.conftest import Site
from tests.processes import PATIENCE
from tests.serving import answering

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""What Chromium is called, the quickest first: the shell is the same engine without a window, in half the time."""

CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")

OpenPage = Callable[..., Any]

FOR_PRESSING, FOR_LOADING = PATIENCE * 1000, PATIENCE * 1500
"""Milliseconds that a test waits in a browser: on a busy machine what takes a moment takes a while."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder."""
    for item in items:
        if "tests/browser/" in item.nodeid:
            item.add_marker("browser")


@dataclass(frozen=True)
class Live:
    """A site and the address that it is served at."""

    site: Site
    url: str

    def sign_in(self, page: Any, name: str) -> None:
        """Sign someone of PEOPLE in, through the form."""
        page.goto(f"{self.url}/sign-in")
        page.locator("input[name=email]").fill(f"{name}@example.org")
        page.locator("input[name=password]").fill(factories.PASSWORD)
        press(page, "Sign in")


def button(page: Any, name: str | re.Pattern[str]) -> Any:
    """The button of the content that has this name."""
    return page.locator("main").get_by_role("button", name=name, exact=True)


def press(page: Any, name: str | re.Pattern[str]) -> None:
    """Press a button of the content and wait for the page that answers: a click alone does not wait for it."""
    with page.expect_navigation():
        button(page, name).click()


def follow(page: Any, name: str, **options: Any) -> None:
    """Follow the first link of the content that has this name and wait for its page."""
    with page.expect_navigation():
        page.locator("main").get_by_role("link", name=name, **options).first.click()


def leave(page: Any) -> None:
    """Sign out with the button in the head of the page."""
    with page.expect_navigation():
        page.get_by_role("button", name="Sign out").click()


FOCUSED = """() => {
  const each = document.activeElement;
  return (each.labels?.length ? each.labels[0] : each).textContent.trim();
}"""
"""What the control in focus is called: its label, or its own words."""


def tab_to(page: Any, text: str) -> None:
    """Press the tab key until the control whose name begins so is in focus."""
    for _ in range(250):
        page.keyboard.press("Tab")
        if page.evaluate(FOCUSED).startswith(text):
            return
    pytest.fail(f"the tab key never reached “{text}”")


@pytest.fixture(scope="module")
def reading_url(reading_site: Site) -> Iterator[str]:
    """The address of a server on the seed, shared by a module's tests, which only read."""
    with answering(reading_site.app) as url:
        yield url


@pytest.fixture
def live(seeded_site: Site) -> Iterator[Live]:
    """A server of this test's own, on the seed."""
    with answering(seeded_site.app) as url:
        yield Live(seeded_site, url)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Debian's Chromium."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with sync_api.sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield chromium
        chromium.close()


def new_tab(browser: Any, complaints: list[str], **options: Any) -> Any:
    """A tab in a browser context of its own, of which it is noted what a page complains of or asks of another host."""
    context = browser.new_context(**options)
    context.set_default_timeout(FOR_PRESSING)
    context.set_default_navigation_timeout(FOR_LOADING)
    page = context.new_page()
    page.on("console", lambda said: complaints.append(said.text) if _is_complaint(said) else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: complaints.append(asked.url) if _is_elsewhere(asked.url) else None)
    return page


@pytest.fixture
def open_page(browser: Any) -> Iterator[OpenPage]:
    """Opens tabs, each in a browser context of its own: `open_page(width=320, scheme="dark", javascript=False)`."""
    tabs: list[Any] = []
    complaints: list[str] = []

    def new(width: int = 1280, height: int = 900, scheme: str = "light", javascript: bool = True) -> Any:
        options = {"viewport": {"width": width, "height": height}, "color_scheme": scheme}
        tabs.append(new_tab(browser, complaints, **options, java_script_enabled=javascript))
        return tabs[-1]

    yield new
    for tab in tabs:
        tab.context.close()
    assert not complaints


OF_NO_PAGE = ("Failed to load resource", "Error with Permissions-Policy header: Unrecognized feature")
"""What a console says of the status of an error page that a test asked for, and of a power that this build has not."""


def _is_complaint(said: Any) -> bool:
    """Whether the console complains of a page."""
    return said.type in ("error", "warning") and not said.text.startswith(OF_NO_PAGE)


def _is_elsewhere(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("http", "https") and parts.hostname != "127.0.0.1"


@pytest.fixture
def page(open_page: OpenPage) -> Any:
    """A tab, 1280 px wide, light, with JavaScript."""
    return open_page()
