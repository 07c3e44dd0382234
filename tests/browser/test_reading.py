"""Reading in a real browser: no complaint of axe, no sideways scroll, all by keyboard and without JavaScript."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.conftest import Live, OpenPage, follow, leave, press

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

PAGES = (
    "/",
    "/practices?q=talent&level=regional&evidence=monitoring",
    "/practices?q=zzzz&country=ES&year_from=2010",
    "/practices/catalonia-acol-line",
    "/practices/arad-cross-border-labour-market",
    "/themes/housing",
    "/regions?q=cat",
    "/regions/ES51",
    "/help",
    "/practices?country=XX",
)


def violations(page: Any) -> list[str]:
    """What axe finds on a page, one line each."""
    found = axe.Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}}).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:120]}" for each in found]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (320, "dark")])
def test_axe_finds_nothing(reading_url: str, open_page: OpenPage, width: int, scheme: str) -> None:
    page = open_page(width=width, scheme=scheme)
    found = {}
    for address in PAGES:
        page.goto(reading_url + address)
        found[address] = violations(page)
    assert {address: lines for address, lines in found.items() if lines} == {}


def test_axe_finds_nothing_in_the_open_menu_and_filters(reading_url: str, open_page: OpenPage) -> None:
    page = open_page(width=360)
    page.goto(f"{reading_url}/practices?q=talent")
    page.get_by_role("button", name="Menu", exact=True).click()
    assert violations(page) == []
    page.get_by_role("button", name="Close menu").click()
    page.get_by_role("button", name="Filter").click()
    assert violations(page) == []


def test_no_page_scrolls_sideways_at_320_pixels(reading_url: str, open_page: OpenPage) -> None:
    page = open_page(width=320)
    widths = {}
    for address in PAGES:
        page.goto(reading_url + address)
        widths[address] = page.evaluate("document.documentElement.scrollWidth")
    assert {address: width for address, width in widths.items() if width > 320} == {}


def test_search_filter_and_open_without_javascript_on_a_phone(reading_url: str, open_page: OpenPage) -> None:
    page = open_page(width=360, javascript=False)
    page.goto(reading_url)
    page.get_by_role("searchbox", name="Search practices").fill("talent")
    press(page, "Search")
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("checkbox", name="Spain").check()
    press(page, "Show the results")
    assert page.url == f"{reading_url}/practices?q=talent&country=ES&year_from=&year_to="
    follow(page, "Bizkaia Talent")
    assert page.get_by_role("heading", level=1).inner_text().startswith("Bizkaia Talent")


def test_the_menu_opens_without_javascript(reading_url: str, open_page: OpenPage) -> None:
    page = open_page(width=360, javascript=False)
    page.goto(reading_url)
    themes = page.get_by_role("navigation", name="Main").get_by_role("link", name="Themes")
    assert not themes.is_visible()
    page.get_by_role("button", name="Menu", exact=True).click()
    themes.click()
    page.wait_for_url(f"{reading_url}/themes")


def test_the_first_key_reaches_the_skip_link_and_the_second_the_content(reading_url: str, page: Any) -> None:
    page.goto(f"{reading_url}/themes")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_search_filter_and_open_by_keyboard_alone(reading_url: str, page: Any) -> None:
    page.goto(reading_url)
    page.locator("#q").focus()
    page.keyboard.type("talent")
    page.keyboard.press("Enter")
    page.wait_for_url("**/practices?q=talent")
    page.get_by_role("checkbox", name="Spain").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.wait_for_url("**/practices?q=talent&country=ES")
    page.get_by_role("link", name="Bizkaia Talent").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/practices/bizkaia-talent")


def test_an_editor_sees_the_queue_in_the_menu_and_signs_out(live: Live, page: Any) -> None:
    live.sign_in(page, "bob")
    assert page.get_by_role("link", name="Review").first.is_visible()
    leave(page)
    assert page.get_by_role("link", name="Sign in").is_visible()
