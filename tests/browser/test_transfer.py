"""The transfer check by keyboard alone, on a narrow screen and without JavaScript, and its result on paper."""

from __future__ import annotations

import io
from typing import Any

from pypdf import PdfReader

from tests.browser.conftest import OpenPage, tab_to


def test_the_keyboard_alone_answers_and_reaches_the_link(reading_url: str, open_page: OpenPage) -> None:
    page = open_page(width=320, javascript=False)
    page.goto(f"{reading_url}/practices/catalonia-acol-line/transfer-check?lang=en")
    tab_to(page, "Your region")
    page.keyboard.type("ES22")
    tab_to(page, "Yes")
    page.keyboard.press("Space")
    tab_to(page, "See the result")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "Could it work in" in page.locator("h1").inner_text()
    code = page.url.partition("?")[2].partition("&")[0]
    assert page.locator("#there").count() == 1 and page.locator("#address").inner_text().endswith(f"?{code}")
    assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_the_result_prints_with_its_address_and_without_what_is_to_press(reading_url: str, page: Any) -> None:
    page.goto(f"{reading_url}/practices/catalonia-acol-line/transfer-check?lang=en")
    page.get_by_label("Partly").first.check()
    with page.expect_navigation():
        page.get_by_role("button", name="See the result").click()
    sheets = PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True))).pages
    text = " ".join(" ".join(sheet.extract_text() for sheet in sheets).split())
    assert (
        "What you have in part" in text and "Your answer: Partly" in text and "Printed on" in text and len(sheets) <= 3
    )
    assert "transfer-check?c=1." in text.replace(" ", "")
    assert [word for word in ("Keep it", "Sign in", "What to do next", "Print this page", "Copy") if word in text] == []
