"""What a script adds on top of the pages: where the focus goes when a sheet opens, and a button that prints."""

from __future__ import annotations

import pytest

from tests.browser.conftest import OpenPage

FOCUSED = "document.activeElement.textContent.trim()"


def test_the_filters_open_as_a_sheet_with_a_heading_and_the_focus_inside(reading_url: str, open_page: OpenPage) -> None:
    page = open_page(width=360)
    page.goto(f"{reading_url}/practices?q=talent")
    page.get_by_role("button", name="Filter").click()
    assert page.get_by_role("heading", name="Filter the results").is_visible()
    assert page.evaluate(FOCUSED) == "Close"
    page.keyboard.press("Enter")
    assert page.evaluate(FOCUSED) == "Filter"


def test_the_menu_closes_where_it_opened(reading_url: str, open_page: OpenPage) -> None:
    page = open_page(width=360)
    page.goto(f"{reading_url}/themes")
    opening = page.get_by_role("button", name="Menu", exact=True)
    box = opening.bounding_box()
    opening.click()
    assert page.evaluate(FOCUSED) == "Close menu"
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert opening.is_visible()


@pytest.mark.parametrize("javascript", [True, False], ids=["with-javascript", "without-javascript"])
def test_on_a_phone_the_menu_leads_to_another_language(reading_url: str, open_page: OpenPage, javascript: bool) -> None:
    page = open_page(width=360, javascript=javascript)
    page.goto(f"{reading_url}/themes")
    page.get_by_role("button", name="Menu", exact=True).click()
    with page.expect_navigation():
        page.locator("#nav").get_by_role("link", name="Deutsch").click()
    assert page.url == f"{reading_url}/themes"
    assert page.locator("html").get_attribute("lang") == "de"
    assert page.get_by_role("heading", level=1, name="Themen").is_visible()


def test_no_link_of_the_menu_leads_to_what_the_menu_covers(reading_url: str, open_page: OpenPage) -> None:
    page = open_page(width=360)
    page.goto(f"{reading_url}/themes")
    assert page.locator("#nav a[href^='#']").count() == 0


def test_a_practice_offers_to_be_printed_where_a_script_can(reading_url: str, open_page: OpenPage) -> None:
    page = open_page()
    page.goto(f"{reading_url}/practices/catalonia-acol-line")
    page.evaluate("window.print = () => { document.body.dataset.printed = 'yes'; }")
    page.get_by_role("button", name="Print this page").click()
    assert page.locator("body[data-printed=yes]").count() == 1
    plain = open_page(javascript=False)
    plain.goto(f"{reading_url}/practices/catalonia-acol-line")
    assert not plain.get_by_role("button", name="Print this page").is_visible()


def test_on_a_phone_the_figures_of_a_result_stand_at_one_height(reading_url: str, open_page: OpenPage) -> None:
    page = open_page(width=360)
    page.goto(f"{reading_url}/practices?lang=de")
    uneven = page.evaluate("""() => [...document.querySelectorAll('.hit .mini')].filter((each) => {
      const [people, budget] = [...each.querySelectorAll('dd')].slice(1).map((dd) => dd.getBoundingClientRect().top);
      return people !== budget;
    }).length""")
    assert uneven == 0
