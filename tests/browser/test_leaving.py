"""An account is deleted, in a real browser; and what the page looks like to axe."""

from __future__ import annotations

import pytest

from tests import factories
from tests.browser.conftest import Live, OpenPage, button, follow, press
from tests.browser.test_reading import violations


@pytest.mark.parametrize("javascript", [True, False], ids=["with-javascript", "without-javascript"])
def test_somebody_takes_their_data_along_and_leaves(live: Live, open_page: OpenPage, javascript: bool) -> None:
    page = open_page(javascript=javascript)
    live.sign_in(page, "alice")
    page.goto(f"{live.url}/account")
    follow(page, "Download your data")
    with page.expect_download() as download:
        button(page, "Download the file").click()
    assert download.value.suggested_filename.startswith("my-data-")
    page.goto(f"{live.url}/account")
    follow(page, "Delete your account")
    page.get_by_label("Present password").fill("not that")
    press(page, "Delete my account")
    assert "not your present password" in page.get_by_role("alert").inner_text()
    page.get_by_label("Present password").fill(factories.PASSWORD)
    press(page, "Delete my account")
    assert "Your account is deleted" in page.get_by_role("status").first.inner_text()
    live.sign_in(page, "alice")
    assert "do not match" in page.get_by_role("alert").inner_text()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (320, "light")])
def test_axe_finds_nothing_in_the_pages_of_leaving(live: Live, open_page: OpenPage, width: int, scheme: str) -> None:
    page, last = open_page(width=width, scheme=scheme), open_page(width=width, scheme=scheme)
    live.sign_in(page, "alice")
    live.sign_in(last, "dora")
    found = {}
    for path in ("/account/data", "/account/delete", "/privacy"):
        page.goto(live.url + path)
        found[path] = violations(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.goto(f"{live.url}/account/delete")
    press(page, "Delete my account")
    found["with an error"] = violations(page)
    last.goto(f"{live.url}/account/delete")
    found["last administrator"] = violations(last)
    assert {name: lines for name, lines in found.items() if lines} == {}
