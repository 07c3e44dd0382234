"""An account is deleted, in a real browser."""

from __future__ import annotations

import pytest

from tests import factories
from tests.browser.conftest import Live, OpenPage, button, follow, press


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
    page.get_by_label("Current password").fill("not that")
    press(page, "Delete my account")
    assert "not your present password" in page.get_by_role("alert").inner_text()
    page.get_by_label("Current password").fill(factories.PASSWORD)
    press(page, "Delete my account")
    assert "Your account is deleted" in page.get_by_role("status").first.inner_text()
    live.sign_in(page, "alice")
    assert "do not match" in page.get_by_role("alert").inner_text()
