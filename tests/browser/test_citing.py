"""Citing a practice in a real browser: with one press where the browser lets a page copy, by hand everywhere else."""

from __future__ import annotations

from typing import Any

from tests.browser.conftest import OpenPage

ACOL = "/practices/catalonia-acol-line"


def test_a_citation_is_copied_as_it_reads_and_whoever_listens_hears_it(page: Any, reading_url: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=reading_url)
    page.goto(f"{reading_url}{ACOL}")
    page.get_by_role("button", name="Copy").first.click()
    page.get_by_role("button", name="Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator("#cite-apa").inner_text() and "ACOL:" in copied
    assert page.locator("p[role=status]").last.inner_text() == "Copied"


def test_without_javascript_there_is_the_text_and_no_button(reading_url: str, open_page: OpenPage) -> None:
    page = open_page(javascript=False)
    page.goto(f"{reading_url}{ACOL}")
    assert page.locator("#cite-chicago").is_visible() and not page.get_by_role("button", name="Copy").count()
