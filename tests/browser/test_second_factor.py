"""A second factor lost and recovered, in a real browser."""

from __future__ import annotations

import time
from typing import Any

import pytest

from kb.services import links, second_factor
from tests import factories
from tests.browser.conftest import Live, OpenPage, follow, press


def link(page: Any, name: str) -> Any:
    return page.locator("main").get_by_role("link", name=name, exact=True)


def set_up(live: Live, page: Any) -> tuple[str, list[str]]:
    """Set up a second factor from the account page; returns the key and the recovery codes."""
    page.goto(f"{live.url}/account")
    follow(page, "Set it up", exact=True)
    key = page.locator("code").inner_text().replace(" ", "")
    page.get_by_label("Code", exact=True).fill(second_factor.code_at(key, int(time.time() // 30)))
    if page.get_by_label("Current password").count():
        page.get_by_label("Current password").fill(factories.PASSWORD)
    press(page, "Switch it on")
    return key, page.get_by_label("Recovery codes").inner_text().split()


@pytest.mark.parametrize("javascript", [True, False], ids=["with-javascript", "without-javascript"])
def test_a_second_factor_is_lost_and_recovered(live: Live, open_page: OpenPage, javascript: bool) -> None:
    desk = open_page(javascript=javascript)
    live.sign_in(desk, "alice")
    _, codes = set_up(live, desk)
    assert len(codes) == 10

    elsewhere = open_page(javascript=javascript)  # the telephone is gone; the printed codes are not
    live.sign_in(elsewhere, "alice")
    assert elsewhere.url.endswith("/sign-in/code")
    elsewhere.get_by_label("Code", exact=True).fill("000 000")
    press(elsewhere, "Sign in")
    assert "does not fit" in elsewhere.get_by_role("alert").inner_text()
    elsewhere.get_by_label("Code", exact=True).fill(codes[0])
    press(elsewhere, "Sign in")
    assert "used up" in elsewhere.get_by_role("status").first.inner_text()

    elsewhere.goto(f"{live.url}/account")
    follow(elsewhere, "Recovery codes, and switching it off", exact=True)
    follow(elsewhere, "Switch the second factor off", exact=True)
    elsewhere.get_by_label("Current password").fill(factories.PASSWORD)
    elsewhere.get_by_label("Code", exact=True).fill(codes[1])
    press(elsewhere, "Switch it off")
    assert "switched off" in elsewhere.get_by_role("status").first.inner_text()
    _, new = set_up(live, elsewhere)  # on the new telephone
    assert not set(new) & set(codes)


def test_who_lost_everything_comes_back_by_a_link_of_the_operator(live: Live, open_page: OpenPage) -> None:
    page = open_page()
    live.sign_in(page, "dora")
    set_up(live, page)
    with live.site.database.write() as session:
        path = links.sign_in_link(session, "dora@example.org", "")
    page = open_page()
    page.goto(live.url + path)
    press(page, "Sign in")
    assert "second factor is switched off" in page.get_by_role("status").first.inner_text()
    page.get_by_label("New password").fill("harbour lantern reykjavik")
    press(page, "Set the password")
    assert page.url.endswith("/account") and link(page, "Set it up").is_visible()


def test_a_browser_is_signed_out_from_another(live: Live, open_page: OpenPage) -> None:
    here, elsewhere = open_page(), open_page()
    live.sign_in(here, "alice")
    live.sign_in(elsewhere, "alice")
    here.goto(f"{live.url}/account/sessions")
    press(here, "Sign out everywhere else")
    assert here.get_by_text("this one").is_visible()
    elsewhere.goto(f"{live.url}/account")
    assert "/sign-in" in elsewhere.url
