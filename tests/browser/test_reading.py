"""Reading in a real browser: all by keyboard and without JavaScript."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.conftest import Live, OpenPage, follow, leave, press, tab_to

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page: Any) -> list[str]:
    """What axe finds on a page, one line each."""
    found = axe.Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}}).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:120]}" for each in found]


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
    tab_to(page, "Search practices")
    page.keyboard.type("talent")
    page.keyboard.press("Enter")
    page.wait_for_url("**/practices?q=talent")
    tab_to(page, "Spain")
    page.keyboard.press("Space")
    assert page.get_by_role("checkbox", name="Spain").is_checked()
    page.keyboard.press("Enter")
    page.wait_for_url("**/practices?q=talent&country=ES")
    tab_to(page, "Bizkaia Talent")
    page.keyboard.press("Enter")
    page.wait_for_url("**/practices/bizkaia-talent")


def test_an_editor_sees_the_queue_in_the_menu_and_signs_out(live: Live, page: Any) -> None:
    live.sign_in(page, "bob")
    assert page.get_by_role("link", name="Review").first.is_visible()
    leave(page)
    assert page.get_by_role("link", name="Sign in").is_visible()
