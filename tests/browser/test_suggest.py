"""The search box as a combobox: by keyboard, by mouse, to axe, and without JavaScript."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.browser.conftest import OpenPage
from tests.browser.test_reading import violations
from tests.processes import eventually


def type_in(page: Any, url: str, text: str, field: str = "#q") -> Any:
    """Type into a search box, all at once, and wait for the list; returns the field."""
    page.goto(url)
    box = page.locator(field)
    box.focus()
    page.keyboard.insert_text(text)
    page.get_by_role("option").first.wait_for()
    return box


def active(page: Any, box: Any) -> str | None:
    """The text of the option that the field points to, None where it points to none."""
    pointed = box.get_attribute("aria-activedescendant")
    return None if pointed is None else page.locator(f"#{pointed}[aria-selected=true] > span").first.inner_text()


def test_type_arrow_and_enter_open_the_page(reading_url: str, page: Any) -> None:
    box = type_in(page, reading_url, "hous")
    assert box.get_attribute("role") == "combobox" and box.get_attribute("aria-expanded") == "true"
    assert active(page, box) is None
    page.keyboard.press("ArrowDown")
    assert active(page, box) == "Housing"
    assert box.input_value() == "hous"
    page.keyboard.press("Enter")
    page.wait_for_url("**/themes/housing")


def test_enter_without_a_choice_asks_the_question_as_typed(reading_url: str, page: Any) -> None:
    type_in(page, f"{reading_url}/themes", "hous", "#q-top")
    page.keyboard.press("Enter")
    page.wait_for_url("**/practices?q=hous")


def test_escape_closes_and_keeps_the_text(reading_url: str, page: Any) -> None:
    box = type_in(page, reading_url, "hous")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    assert box.get_attribute("aria-expanded") == "false" and active(page, box) is None
    assert page.get_by_role("listbox").count() == 0
    assert box.input_value() == "hous"
    page.keyboard.press("Enter")
    page.wait_for_url("**/practices?q=hous")


def test_arrows_go_round_and_other_keys_go_back_to_the_text(reading_url: str, page: Any) -> None:
    box = type_in(page, reading_url, "tal")
    options = page.get_by_role("option").locator("> span:first-child").all_inner_texts()
    page.keyboard.press("ArrowUp")
    assert active(page, box) == options[-1]
    page.keyboard.press("ArrowDown")
    assert active(page, box) == options[0]
    for key in ("Home", "End", "ArrowLeft", "ArrowRight"):
        page.keyboard.press("ArrowDown")
        page.keyboard.press(key)
        assert active(page, box) is None, key
    page.keyboard.press("Tab")
    assert page.get_by_role("listbox").count() == 0
    assert page.evaluate("document.activeElement.textContent") == "Search"


def test_the_arrow_opens_the_list_again(reading_url: str, page: Any) -> None:
    box = type_in(page, reading_url, "hous")
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowDown")
    page.get_by_role("listbox").wait_for()
    eventually(lambda: page.evaluate("document.activeElement.hasAttribute('aria-activedescendant')"))
    assert active(page, box) == "Housing"


def test_the_number_is_announced_and_kinds_and_languages_are_said(reading_url: str, page: Any) -> None:
    type_in(page, f"{reading_url}/?lang=en", "vivienda")
    assert page.get_by_role("status").first.inner_text() == "Suggestions: 1. Choose with the arrow keys."
    option = page.get_by_role("option")
    assert option.inner_text().split("\n") == ["Housing", "Theme · Vivienda · 15 practices"]
    assert option.locator("[lang=es]").inner_text() == "Vivienda"
    page.keyboard.type(" zzz")
    page.get_by_text("No suggestions.").wait_for(state="attached")
    assert page.get_by_role("listbox").count() == 0


def test_nothing_is_asked_before_the_second_letter_nor_for_every_key(reading_url: str, page: Any) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/suggest?" in request.url else None)
    page.clock.install()
    page.goto(f"{reading_url}/?lang=en")
    page.locator("#q").focus()
    page.clock.pause_at(datetime.now() + timedelta(hours=1))
    page.keyboard.type("h")
    page.clock.run_for(1000)
    assert asked == []
    page.keyboard.type("ousing")
    page.clock.run_for(1000)
    page.get_by_role("option").first.wait_for()
    assert asked == [f"{reading_url}/suggest?q=housing&lang=en"]


def test_a_failure_is_silent(reading_url: str, page: Any) -> None:
    page.route("**/suggest?*", lambda route: route.fulfill(status=503, body="<p>No</p>"))
    page.goto(reading_url)
    with page.expect_response("**/suggest?*"):
        page.locator("#q").press_sequentially("hous")
    page.keyboard.press("Enter")
    page.wait_for_url("**/practices?q=hous")


def test_a_click_opens_the_page(reading_url: str, page: Any) -> None:
    type_in(page, reading_url, "hous")
    page.get_by_role("option", name="Housing").first.click()
    page.wait_for_url("**/themes/housing")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (320, "dark")])
def test_axe_finds_nothing_with_the_list_open_and_it_fits(
    reading_url: str, open_page: OpenPage, width: int, scheme: str
) -> None:
    page = open_page(width=width, scheme=scheme)
    for address, field in (("/", "#q"), ("/themes", "#q-top"), ("/practices?q=", "#q")):
        box = type_in(page, reading_url + address, "tal", field)
        page.keyboard.press("ArrowDown")
        assert active(page, box)
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        button = page.locator("form:has([role=listbox]) > button").bounding_box()
        assert page.get_by_role("listbox").bounding_box()["y"] >= button["y"] + button["height"]


def test_without_javascript_it_is_a_plain_search(reading_url: str, open_page: OpenPage) -> None:
    page = open_page(width=360, javascript=False)
    page.goto(reading_url)
    page.get_by_role("searchbox", name="Search practices").fill("housing")
    page.keyboard.press("Enter")
    page.wait_for_url("**/practices?q=housing")
    assert page.get_by_role("combobox", name="Search practices").count() == 0


def test_the_finder_of_regions_stays_plain(reading_url: str, page: Any) -> None:
    page.goto(f"{reading_url}/regions")
    assert page.locator("#q-region").get_attribute("role") is None
    assert page.get_by_role("combobox").count() == 0
