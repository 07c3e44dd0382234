"""The map and what is missing in a real browser: by keyboard, on a phone, in forced colours, without JavaScript."""

from __future__ import annotations

import re
from typing import Any

from tests.browser.conftest import OpenPage, follow

COUNTRIES = "svg.map a[aria-label]"

FOCUSED = "document.activeElement.getAttribute('aria-label')"


def rows(page: Any) -> dict[str, int]:
    """The table: practices by country."""
    names = page.locator(".cov tbody th a").all_inner_texts()
    numbers = page.locator(".cov tbody td.num").all_inner_texts()
    return dict(zip(names, map(int, numbers), strict=True))


def test_each_country_is_reached_by_keyboard_with_its_name_and_number(reading_url: str, page: Any) -> None:
    page.goto(f"{reading_url}/map")
    expected = rows(page)
    page.get_by_role("link", name="The same figures as a table").focus()
    reached = []
    for _ in expected:
        page.keyboard.press("Tab")
        reached.append(page.evaluate(FOCUSED))
    assert sorted(reached) == sorted(f"{name}: {n} practice{'s' if n > 1 else ''}" for name, n in expected.items())
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED) is None  # the points repeat what the table has, and are passed over


def test_a_focused_country_is_seen(reading_url: str, page: Any) -> None:
    page.goto(f"{reading_url}/map")
    italy = page.get_by_role("link", name=re.compile("^Italy: "))
    before = italy.locator("path").evaluate("each => getComputedStyle(each).strokeWidth")
    page.get_by_role("link", name=re.compile("^Ireland: ")).focus()
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED).startswith("Italy: ")
    after = italy.locator("path").evaluate("each => getComputedStyle(each).strokeWidth")
    assert (before, after) == ("1px", "4px")


def test_enter_on_a_country_leads_to_its_practices(reading_url: str, page: Any) -> None:
    page.goto(f"{reading_url}/map?theme=housing")
    spain = page.get_by_role("link", name="Spain: 2 practices")
    spain.focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.url.endswith("/practices?country=ES&theme=housing")
    assert page.locator("#count").inner_text() == "2 practices"


def test_a_click_on_a_point_leads_to_its_region(reading_url: str, page: Any) -> None:
    page.goto(f"{reading_url}/map?country=SE")
    point = page.locator('svg.map a[tabindex="-1"]').first
    name = point.locator("title").text_content().partition(":")[0]
    with page.expect_navigation():
        point.locator("circle").click()
    assert "region=" in page.url
    assert page.get_by_role("link", name=f"Remove filter Region: {name}").is_visible()


def test_results_lead_to_their_map_and_back(reading_url: str, page: Any) -> None:
    page.goto(f"{reading_url}/practices?q=talent&country=ES")
    count = page.locator("#count").inner_text()
    follow(page, "Map of these results")
    assert page.locator(".lead").inner_text().startswith(f"{count}, 1 country.")
    follow(page, "These practices as a list")
    assert page.url.endswith("/practices?q=talent&country=ES")


def test_the_gaps_are_listed_on_a_phone_without_javascript(reading_url: str, open_page: OpenPage) -> None:
    page = open_page(width=360, javascript=False)
    page.goto(f"{reading_url}/coverage")
    assert not page.locator("svg.matrix").is_visible()
    first = page.locator(".lacking").first
    first.locator("summary").click()
    assert "Iceland" in first.inner_text()


def test_the_matrix_is_passed_over_by_keyboard(reading_url: str, page: Any) -> None:
    page.goto(f"{reading_url}/coverage")
    page.get_by_role("link", name="The same figures as a table").focus()
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text().startswith("This table as CSV")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('table') !== null")


def test_what_is_folded_of_the_tables_opens_without_javascript_and_stands_open_on_paper(
    reading_url: str, open_page: OpenPage
) -> None:
    page = open_page(javascript=False)
    page.goto(f"{reading_url}/coverage")
    folded = page.get_by_role("table", name="Practices by theme and type of region")
    assert not folded.is_visible()
    page.get_by_text("Theme by type of region: 21 themes, 6 types of region").click()
    assert folded.is_visible()
    page.reload()
    page.emulate_media(media="print")
    tables = page.locator(".fold table")
    assert tables.count() == 4 and all(each.bounding_box() for each in tables.all())
