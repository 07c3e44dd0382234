"""Citing a practice in a real browser: with one press where the browser lets a page copy, by hand everywhere else."""

from __future__ import annotations

from typing import Any

from tests.browser.conftest import OpenPage
from tests.processes import eventually

ACOL = "/practices/catalonia-acol-line"


def test_a_citation_is_copied_as_it_reads_and_whoever_listens_hears_it(page: Any, reading_url: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=reading_url)
    page.goto(f"{reading_url}{ACOL}")
    status = page.locator("main > p[role=status]")
    assert status.count() == 1 and not status.inner_text()  # it is there before anything is said in it
    page.get_by_role("button", name="Copy").first.click()
    page.get_by_role("button", name="Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator("#cite-apa").inner_text() and "ACOL:" in copied
    eventually(lambda: page.evaluate("document.querySelector('main > p[role=status]').textContent === 'Copied'"))
    page.get_by_role("button", name="Copied").wait_for(state="detached")
    assert page.get_by_role("button", name="Copy", exact=True).count() == 2


def test_where_the_browser_refuses_to_copy_the_text_is_marked(page: Any, reading_url: str) -> None:
    page.goto(f"{reading_url}{ACOL}")
    refusing = "() => Promise.reject(new DOMException('no', 'NotAllowedError'))"
    page.evaluate(f"() => {{ navigator.clipboard.writeText = {refusing}; }}")
    page.get_by_role("button", name="Copy").first.click()
    eventually(lambda: page.evaluate("getSelection().toString().includes('ACOL:')"))
    assert page.get_by_role("button", name="Copied").count() == 0


def test_without_javascript_there_is_the_text_and_no_button(reading_url: str, open_page: OpenPage) -> None:
    page = open_page(javascript=False)
    page.goto(f"{reading_url}{ACOL}")
    assert page.locator("#cite-chicago").is_visible() and not page.get_by_role("button", name="Copy").count()
