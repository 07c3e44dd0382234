"""The head of every page: room for the search in every language, and a short way past it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from kb.models import User
from kb.services import shortlists
from tests import factories
from tests.browser.conftest import Live, OpenPage

LONG_LANGUAGES = ("de", "fr", "ga", "ro")
WIDTHS = (992, 1100, 1280)
LEAST_FIELD = 14 * 16
"""Pixels of the field: 14rem."""

MEASURED = """() => {
  const links = [...document.querySelectorAll('.nav > a')].filter((each) => each.offsetParent);
  return {
    field: document.querySelector('.masthead .find input').getBoundingClientRect().width,
    lines: new Set(links.map((each) => Math.round(each.getBoundingClientRect().top))).size,
    sideways: document.documentElement.scrollWidth > innerWidth,
  };
}"""


@pytest.fixture
def somebody(reading_url: str, open_page: OpenPage) -> Callable[[str | None], Any]:
    """A tab of somebody of PEOPLE, or of nobody."""

    def enter(name: str | None) -> Any:
        page = open_page()
        if name:
            page.goto(f"{reading_url}/sign-in")
            page.locator("input[name=email]").fill(f"{name}@example.org")
            page.locator("input[name=password]").fill(factories.PASSWORD)
            with page.expect_navigation():
                page.locator("main form button[type=submit]").first.click()
        return page

    return enter


def narrow(page: Any, address: str) -> list[tuple[str, int, Any]]:
    """Where a page's head has too little room, by language and width."""
    found = []
    for language in LONG_LANGUAGES:
        page.set_viewport_size({"width": WIDTHS[0], "height": 700})
        page.goto(f"{address}lang={language}")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 700})
            measured = page.evaluate(MEASURED)
            if measured["field"] < LEAST_FIELD or measured["lines"] != 1 or measured["sideways"]:
                found.append((language, width, measured))
    return found


@pytest.mark.parametrize("name", [None, "alice", "dora"])
def test_the_search_has_room_and_the_navigation_one_line(reading_url: str, somebody: Any, name: str | None) -> None:
    assert not narrow(somebody(name), f"{reading_url}/themes?")


def test_a_visitors_shortlist_leaves_the_search_its_room(reading_url: str, somebody: Any) -> None:
    assert not narrow(somebody(None), f"{reading_url}/themes?p=bizkaia-talent&")


def test_an_administrators_shortlist_leaves_the_search_its_room(live: Live, open_page: OpenPage) -> None:
    with live.site.database.write() as session:
        dora = session.scalars(select(User).where(User.email == "dora@example.org")).one()
        shortlists.keep(session, dora, ["bizkaia-talent"])
    page = open_page()
    live.sign_in(page, "dora")
    assert not narrow(page, f"{live.url}/themes?")
    assert page.locator(".nav .kept").is_visible()


def test_enlarged_fourfold_the_head_takes_less_than_half_of_the_window(reading_url: str, open_page: OpenPage) -> None:
    page = open_page(width=320, height=256)
    for language in ("en", "de"):
        page.goto(f"{reading_url}/themes?lang={language}")
        assert page.locator(".masthead").bounding_box()["height"] <= 128


def test_the_second_key_skips_the_filters(reading_url: str, page: Any) -> None:
    page.goto(f"{reading_url}/practices?q=talent")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the results"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.querySelector('#count') !== null")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#results') !== null")
