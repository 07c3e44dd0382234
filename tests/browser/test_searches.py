"""Following a search in a real browser: found, kept, seen in the account, stopped."""

from __future__ import annotations

import re

import pytest

from tests.browser.conftest import Live, OpenPage, follow, press


@pytest.mark.parametrize("javascript", [True, False], ids=["with-javascript", "without-javascript"])
def test_a_reader_signs_in_keeps_a_search_and_stops_it(live: Live, open_page: OpenPage, javascript: bool) -> None:
    page = open_page(javascript=javascript)
    page.goto(f"{live.url}/practices?q=talent&country=ES")
    follow(page, "Sign in")
    page.locator("input[name=email]").fill("rita@example.org")
    page.locator("input[name=password]").fill("correct horse battery 9")
    press(page, "Sign in")
    assert page.url == f"{live.url}/practices?q=talent&country=ES"  # back where the link was

    press(page, "Keep this search")
    main = page.locator("main")
    assert "The search is kept." in page.get_by_role("status").inner_text()
    assert main.get_by_role("heading", name="talent, Spain").is_visible()
    main.get_by_text("Change or delete").click()
    main.get_by_label("Name").fill("People who come back")
    main.get_by_label("Mail", exact=True).select_option("daily")
    press(page, re.compile("^Save"))
    assert "Mail once a day" in main.inner_text()

    follow(page, "People who come back")
    assert page.url == f"{live.url}/practices?q=talent&country=ES"
    follow(page, "See it among your searches")
    press(page, re.compile("^Stop its mail"))
    assert main.get_by_text("stopped", exact=True).is_visible()
    assert main.get_by_role("button", name=re.compile("^Let it go on")).is_visible()
