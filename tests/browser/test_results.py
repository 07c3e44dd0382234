"""The list of practices in a browser: it follows its filters without a reload, and works without JavaScript too."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.browser.conftest import OpenPage, follow, press
from tests.processes import eventually

FOCUSED = "document.activeElement.textContent.trim().replace(/\\s+/g, ' ')"


def opened(page: Any, url: str, address: str) -> Any:
    """Open a list and mark its document, so that a reload can be told."""
    page.goto(url + address)
    page.evaluate("window.same = true")
    return page


def reloaded(page: Any) -> bool:
    """Whether the document is another than the one that was marked."""
    return page.evaluate("window.same") is None


def box(page: Any, name: str) -> Any:
    """The filter of this name."""
    return page.get_by_role("checkbox", name=re.compile(rf"^{name} "))


def count(page: Any) -> str:
    """What the heading of the results says."""
    return str(page.locator("#count").inner_text())


def choose(page: Any, name: str, address: str) -> None:
    """Choose a filter and wait for its results; the address is shown before them, in one go."""
    box(page, name).check()
    page.wait_for_url(address)


def test_a_filter_changes_results_counts_chips_title_and_address_without_a_reload(reading_url: str, page: Any) -> None:
    opened(page, reading_url, "/practices?q=talent")
    before = int(count(page).split()[0])
    families = box(page, "Families").locator("xpath=..").locator(".num")
    assert int(families.inner_text()) > 3
    choose(page, "Spain", "**/practices?q=talent&country=ES")
    found = page.locator("article.hit").count()
    assert count(page) == f"{found} practices" and found < before
    assert page.title().startswith(f"talent: {found} practices")
    assert page.get_by_role("link", name="Remove filter Country: Spain").is_visible()
    assert families.inner_text() == "3"
    assert not reloaded(page)


def test_back_and_forward_show_what_stood_at_the_address(reading_url: str, page: Any) -> None:
    opened(page, reading_url, "/practices?q=talent")
    before = count(page)
    choose(page, "Spain", "**/practices?q=talent&country=ES")
    after = count(page)
    page.go_back()
    page.locator("#count", has_text=before).wait_for()
    assert not box(page, "Spain").is_checked()
    page.go_forward()
    page.locator("#count", has_text=after).wait_for()
    assert box(page, "Spain").is_checked()
    assert not reloaded(page)


def test_back_from_a_practice_leads_to_the_results_as_they_were(reading_url: str, page: Any) -> None:
    opened(page, reading_url, "/practices?q=talent")
    choose(page, "Spain", "**/practices?q=talent&country=ES")
    said = count(page)
    follow(page, "Bizkaia Talent")
    page.go_back()
    assert count(page) == said and box(page, "Spain").is_checked()


def test_the_control_keeps_the_focus_and_its_place_in_the_window(reading_url: str, page: Any) -> None:
    page.emulate_media(reduced_motion="reduce")  # nothing is on its way while it is measured
    opened(page, reading_url, "/practices?q=talent")
    families = box(page, "Families")
    families.focus()
    top = families.bounding_box()["y"]
    page.keyboard.press("Space")
    page.wait_for_url("**target_group=families")
    assert page.evaluate("document.activeElement.value") == "families"
    assert families.bounding_box()["y"] == pytest.approx(top, abs=1)


def test_a_filter_that_is_no_use_any_more_stays_while_it_has_the_focus(reading_url: str, page: Any) -> None:
    opened(page, reading_url, "/practices?q=talent&country=ES&status=running")
    box(page, "Running").focus()
    page.keyboard.press("Space")
    page.wait_for_url("**/practices?q=talent&country=ES")
    assert page.evaluate("document.activeElement.value") == "running"
    choose(page, "Families", "**country=ES&target_group=families")
    assert box(page, "Running").count() == 0


def test_the_number_is_announced_once(reading_url: str, page: Any) -> None:
    opened(page, reading_url, "/practices?q=talent")
    page.evaluate(
        "window.said = []; new MutationObserver(() => said.push(document.getElementById('count').textContent))"
        ".observe(document.getElementById('count'), {childList: true, characterData: true, subtree: true})"
    )
    choose(page, "Spain", "**country=ES")
    eventually(lambda: page.evaluate("said.length"))
    assert page.evaluate("said") == [count(page)]


def test_what_is_unfolded_stays_so(reading_url: str, page: Any) -> None:
    opened(page, reading_url, "/practices?q=talent")
    page.locator("#facet-theme summary").click()
    choose(page, "Spain", "**country=ES")
    assert page.locator("#facet-theme details").get_attribute("open") is not None


def test_an_answer_that_was_overtaken_is_not_shown(reading_url: str, page: Any) -> None:
    held: list[Any] = []

    def hold(route: Any) -> None:
        held.append(route)

    page.route("**/practices?q=talent&country=ES", hold)
    opened(page, reading_url, "/practices?q=talent")
    with page.expect_event("requestfailed") as given_up:
        box(page, "Spain").check()
        box(page, "Families").check()
    page.wait_for_url("**/practices?q=talent&country=ES&target_group=families")
    assert len(held) == 1 and given_up.value.url.endswith("country=ES")
    assert count(page) == "3 practices" and not reloaded(page)


@pytest.mark.parametrize(
    "failure", [{"status": 500, "body": "no"}, {"status": 200, "body": "<p>a page of a proxy</p>"}]
)
def test_where_anything_fails_the_address_is_opened_as_ever(
    reading_url: str, page: Any, failure: dict[str, Any]
) -> None:
    def fail(route: Any) -> None:
        (route.fulfill(**failure) if route.request.resource_type == "fetch" else route.continue_())

    page.route("**/practices?*", fail)
    opened(page, reading_url, "/practices?q=talent")
    with page.expect_navigation():
        box(page, "Spain").check()
    assert page.url == f"{reading_url}/practices?q=talent&country=ES"
    assert reloaded(page) and box(page, "Spain").is_checked()


def test_a_chip_that_is_removed_gives_the_focus_to_the_next_and_the_last_to_the_number(
    reading_url: str, page: Any
) -> None:
    opened(page, reading_url, "/practices?q=talent&country=ES&target_group=families")
    page.get_by_role("link", name="Remove filter Country: Spain").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/practices?q=talent&target_group=families")
    eventually(lambda: page.evaluate("document.activeElement.matches('.chip')"))
    assert page.evaluate(FOCUSED) == "Remove filter For whom: Families"
    assert not box(page, "Spain").is_checked()
    page.keyboard.press("Enter")
    page.wait_for_url("**/practices?q=talent")
    eventually(lambda: page.evaluate("document.activeElement.matches('h2')"))
    assert page.evaluate(FOCUSED) == count(page)
    assert not reloaded(page)


def test_the_order_changes_without_a_reload_and_filters_keep_it(reading_url: str, page: Any) -> None:
    opened(page, reading_url, "/practices?q=talent")
    page.get_by_role("link", name="title", exact=True).click()
    page.wait_for_url("**/practices?q=talent&sort=title")
    choose(page, "Spain", "**/practices?q=talent&sort=title&country=ES")
    assert page.get_by_role("link", name="title", exact=True).get_attribute("aria-current") == "true"
    assert not reloaded(page)


def test_a_new_question_and_another_language_keep_the_filters(reading_url: str, page: Any) -> None:
    opened(page, reading_url, "/practices?q=talent")
    choose(page, "Spain", "**country=ES")
    page.locator("#q").fill("families")
    press(page, "Search")
    assert page.url == f"{reading_url}/practices?q=families&country=ES"


def test_a_link_to_another_page_is_followed_as_ever(reading_url: str, page: Any) -> None:
    asked: list[str] = []
    opened(page, reading_url, "/practices?q=talent&country=ES")
    page.on("request", lambda request: asked.append(f"{request.resource_type} {request.url}"))
    follow(page, "Map of these results")
    assert page.url == f"{reading_url}/map?q=talent&country=ES"
    assert [each for each in asked if each.startswith("fetch") and "/map" in each] == []


def test_half_a_year_asks_nothing(reading_url: str, page: Any) -> None:
    asked: list[str] = []
    opened(page, reading_url, "/practices")
    page.on("request", lambda request: asked.append(request.url) if "/practices" in request.url else None)
    page.get_by_label("From", exact=True).fill("201")
    page.get_by_label("to", exact=True).fill("2015")
    page.get_by_label("to", exact=True).blur()
    assert asked == []
    page.get_by_label("From", exact=True).fill("2012")
    page.keyboard.press("Enter")
    page.wait_for_url("**/practices?year_from=2012&year_to=2015")
    assert not reloaded(page)


def test_on_a_phone_the_button_of_the_sheet_has_the_number_and_leads_to_it(
    reading_url: str, open_page: OpenPage
) -> None:
    page = opened(open_page(width=360), reading_url, "/practices?q=talent")
    page.get_by_role("button", name="Filter").click()
    choose(page, "Spain", "**country=ES")
    sheet = page.get_by_role("button", name=f"Show the {count(page)}")
    assert sheet.is_visible()
    sheet.click()
    assert not sheet.is_visible()
    assert page.evaluate(FOCUSED) == count(page)
    assert page.get_by_role("button", name="Filter (1 chosen)").is_visible()
    assert not reloaded(page)


@pytest.mark.parametrize("javascript", [True, False])
def test_no_key_leads_behind_an_open_sheet(reading_url: str, open_page: OpenPage, javascript: bool) -> None:
    page = open_page(width=360, javascript=javascript)
    page.goto(f"{reading_url}/practices?q=talent")
    page.get_by_role("button", name="Filter").click()
    page.locator("#facets button[type=submit]").focus()
    page.keyboard.press("Tab")
    assert page.locator(".hit a:focus, .chip:focus, .foot a:focus, #sorts a:focus").count() == 0


def test_escape_closes_the_sheet_and_the_button_has_the_focus(reading_url: str, open_page: OpenPage) -> None:
    page = open_page(width=360)
    page.goto(f"{reading_url}/practices?q=talent")
    page.get_by_role("button", name="Filter").click()
    box(page, "Spain").focus()
    page.keyboard.press("Escape")
    assert not box(page, "Spain").is_visible()
    assert page.evaluate(FOCUSED) == "Filter"


@pytest.mark.parametrize("width", [1280, 360])
def test_search_filter_sort_turn_and_remove_without_javascript(
    reading_url: str, open_page: OpenPage, width: int
) -> None:
    page = open_page(width=width, javascript=False)
    page.goto(f"{reading_url}/practices")
    page.get_by_role("searchbox", name="Search practices").fill("integration")
    press(page, "Search")
    if width == 360:
        page.get_by_role("button", name="Filter").click()
    box(page, "Running").check()
    press(page, "Show the results")
    follow(page, "title", exact=True)
    follow(page, "Next page")
    assert page.url == f"{reading_url}/practices?q=integration&status=running&sort=title&page=2"
    follow(page, "Remove filter Status: Running")
    assert page.url == f"{reading_url}/practices?q=integration&sort=title"


def test_a_region_is_chosen_by_name_and_left_out_as_any_other_filter(reading_url: str, page: Any) -> None:
    opened(page, reading_url, "/practices")
    every = count(page)
    page.get_by_role("link", name="Choose your region").click()
    page.get_by_role("textbox", name="Your region").fill("Navarra")
    page.get_by_role("button", name="Show the practices").click()
    page.wait_for_url("**/practices?region_like=ES22")
    assert page.get_by_role("link", name="Remove filter Where from: regions like Navarre").is_visible()
    assert page.get_by_text("Catalonia is like Navarre: ").first.is_visible()
    page.evaluate("window.same = true")
    page.get_by_role("checkbox", name="regions like Navarre").uncheck()
    page.wait_for_url("**/practices")
    assert count(page) == every
    assert not reloaded(page)


def test_search_by_keyboard_choose_a_filter_open_a_result_and_go_back(reading_url: str, page: Any) -> None:
    page.goto(reading_url)
    page.locator("#q").focus()
    page.keyboard.type("labour")
    page.get_by_role("option").first.wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    page.wait_for_url("**/practices?q=labour")
    first = page.locator("#facet-country input").first
    page.locator("#q").focus()
    for _ in range(30):
        page.keyboard.press("Tab")
        if first.evaluate("each => each === document.activeElement"):
            break
    page.keyboard.press("Space")
    page.wait_for_url("**/practices?q=labour&country=*")
    address = page.url
    title = page.locator(".hit h3 a").first
    for _ in range(150):
        page.keyboard.press("Tab")
        if title.evaluate("each => each === document.activeElement"):
            break
    name = title.inner_text()
    page.keyboard.press("Enter")
    page.wait_for_url("**/practices/*")
    assert page.get_by_role("heading", level=1).inner_text() == name
    page.go_back()
    assert page.url == address and first.is_checked()
