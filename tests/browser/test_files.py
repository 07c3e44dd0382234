"""A member brings a picture in a real browser, with and without JavaScript: from the form, past a refusal, and back."""

from __future__ import annotations

import re

import pytest

from tests import uploads
from tests.browser.conftest import Live, OpenPage, follow, press
from tests.browser.test_reading import violations


@pytest.mark.parametrize("javascript", [True, False], ids=["with-javascript", "without-javascript"])
def test_a_picture_is_brought_to_a_draft_that_was_only_begun(live: Live, open_page: OpenPage, javascript: bool) -> None:
    page = open_page(javascript=javascript, width=360 if javascript else 1280, scheme="dark" if javascript else "light")
    live.sign_in(page, "alice")
    page.goto(f"{live.url}/submit")
    page.get_by_label("Title", exact=True).first.fill("Mentors for nurses")
    page.locator("main").get_by_role("button", name="Save and go to pictures and documents").click()
    page.wait_for_url(re.compile(r"/my/practices/[0-9a-f-]{36}/files"))

    def choose(name: str, data: bytes) -> None:
        sent = {"name": name, "mimeType": "image/jpeg", "buffer": data}
        page.set_input_files("#new-image-file", files=[sent])

    choose("page.jpg", uploads.HTML)
    page.locator("#new-image-alt").fill("Nurses at a table")
    press(page, "Upload the picture")
    assert "“page.jpg” is not a JPEG, PNG or WebP picture" in page.get_by_role("alert").inner_text()
    assert page.locator("#new-image-alt").input_value() == "Nurses at a table"
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    if javascript:
        assert violations(page) == []

    choose("photo.jpg", uploads.located(orientation=6))
    press(page, "Upload the picture")
    picture = page.locator("main img").first
    picture.scroll_into_view_if_needed()
    # `decode` waits until the picture is there, and fails where it cannot be read.
    shown = picture.evaluate("image => image.decode().then(() => [image.naturalWidth, image.naturalHeight])")
    assert shown == [40, 60]
    follow(page, "Back to the text of the practice")
    assert "Picture: Nurses at a table" in page.locator("#files").inner_text()
    assert page.get_by_label("Title", exact=True).first.input_value() == "Mentors for nurses"
