"""From a list to a council, as a visitor without a script: choose, compare, ask, print and take the Word file along."""

from __future__ import annotations

import io
import re
from typing import Any
from urllib.parse import urlsplit

from docx import Document as read_word
from pypdf import PdfReader

from tests.browser.conftest import OpenPage, follow, press

THREE = "p=auvergne-new-deal&p=catalonia-acol-line&p=bizkaia-talent"


def printed(page: Any) -> list[str]:
    """The text of each sheet of paper."""
    sheets = PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True))).pages
    return [" ".join(sheet.extract_text().split()) for sheet in sheets]


def test_a_visitor_compares_and_takes_a_briefing_along(reading_url: str, open_page: OpenPage) -> None:
    page = open_page(javascript=False)
    page.goto(f"{reading_url}/practices?q=talent&lang=en")
    for _chosen in range(2):
        with page.expect_navigation():
            page.locator("main").get_by_role("link", name=re.compile("^Add to shortlist")).first.click()
    follow(page, "Compare, or make a briefing")
    boxes = page.locator("main").get_by_role("checkbox")
    assert boxes.count() == 2 and page.context.cookies() == []

    press(page, "Compare")
    table = page.get_by_role("table")
    assert table.get_by_role("columnheader").count() == 3
    assert table.get_by_role("rowheader", name="Evidence").is_visible()
    assert 2 <= len(printed(page)) <= 3

    follow(page, "Make a briefing")
    page.get_by_label("What does the council have to decide?").fill("Whom do we invite? <Now>")
    page.get_by_label("For whom is it?").fill("The council")
    press(page, "Put it into the briefing")
    assert page.get_by_role("heading", level=1).inner_text() == "Whom do we invite? <Now>"
    paper = printed(page)
    assert len(paper) == 4 and "Your question" not in paper[0]  # the table, a page each, the sources

    address = page.locator("main").get_by_role("link", name="Word").get_attribute("href")
    answer = page.request.get(reading_url + address)
    made = read_word(io.BytesIO(answer.body()))
    assert made.paragraphs[0].text == "Whom do we invite? <Now>"
    assert urlsplit(page.url).path == "/briefing" and page.context.cookies() == []


def test_a_visitors_shortlist_is_kept_on_the_way_through_practices(reading_url: str, open_page: OpenPage) -> None:
    page = open_page(javascript=False)
    page.goto(f"{reading_url}/practices?q=talent&lang=en")
    with page.expect_navigation():
        page.locator("main").get_by_role("link", name=re.compile("^Add to shortlist")).first.click()
    with page.expect_navigation():
        page.locator("article.hit h3 a").nth(1).click()
    follow(page, "You keep 1 other: see it")
    assert page.locator("main").get_by_role("checkbox").count() == 1
    page.go_back()
    follow(page, "Add to shortlist")
    assert page.get_by_role("link", name="On your shortlist (2)").is_visible()
    with page.expect_navigation():
        page.locator("#similar + .three a").first.click()
    with page.expect_navigation():
        page.get_by_role("navigation", name="Main").get_by_role("link", name=re.compile("^Shortlist")).click()
    assert page.locator("main").get_by_role("checkbox").count() == 2 and page.context.cookies() == []


def test_a_suggestion_keeps_the_shortlist(reading_url: str, open_page: OpenPage) -> None:
    page = open_page()
    page.goto(f"{reading_url}/help?p=bizkaia-talent&lang=en")
    page.locator("#q-top").press_sequentially("auvergne new")
    option = page.get_by_role("option").first
    option.wait_for()
    with page.expect_navigation():
        option.click()
    assert "p=bizkaia-talent" in urlsplit(page.url).query


def test_long_texts_are_folded_on_a_phone_alone(reading_url: str, open_page: OpenPage) -> None:
    shown = {}
    for width in (360, 1280):
        page = open_page(width=width, javascript=False)
        page.goto(f"{reading_url}/compare?{THREE}&lang=en")
        row = page.locator("tr", has=page.get_by_role("rowheader", name="Conditions"))
        text = row.locator("p").first
        words = text.text_content()
        shown[width] = (text.is_visible(), row.locator("summary").first.is_visible())
        assert any(words[:40] in sheet for sheet in printed(page))
        if width == 360:
            row.locator("summary").first.click()
            assert text.is_visible()
    assert shown == {360: (False, True), 1280: (True, False)}


def test_on_a_phone_what_is_the_same_is_said_once(reading_url: str, open_page: OpenPage) -> None:
    page = open_page(width=360)
    page.goto(f"{reading_url}/compare?{THREE}&lang=en")
    level, budget = (page.locator("tr", has=page.get_by_role("rowheader", name=name)) for name in ("Level", "Budget"))
    said = level.get_by_role("cell").evaluate_all(
        "cells => cells.filter((each) => each.offsetHeight).map((each) => getComputedStyle(each, '::before').content)"
    )
    assert said == ['"All three"']
    assert budget.get_by_role("cell").evaluate_all("cells => cells.filter((each) => each.offsetHeight).length") == 3
