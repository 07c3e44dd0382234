"""Coming in and coming back in a real browser: an invited member's first sign-in, and a forgotten password."""

from __future__ import annotations

from typing import Any

import pytest

from kb.services import accounts, invitations
from kb.services.invitations import Offer
from tests.browser.conftest import Live, OpenPage
from tests.browser.test_reading import violations
from tests.letters import link

MAYA, SECRET = "maya@example.org", "harbour lantern reykjavik"


def button(page: Any, name: str) -> Any:
    return page.locator("main").get_by_role("button", name=name, exact=True)


def invite(live: Live) -> str:
    """Have Bob invite Maya; returns the address of the link in her mail."""
    with live.site.database.write() as session:
        bob = accounts.get(session, "bob@example.org")
        offer = Offer(MAYA, "member", "Maya Berg", "City of Ghent", "ITH5")
        invitations.invite(session, bob, offer, live.site.config.base_url)
    return live.url + link(live.site.database, "invitation")


@pytest.mark.parametrize("javascript", [True, False], ids=["with-javascript", "without-javascript"])
def test_an_invited_member_signs_in_for_the_first_time_and_comes_back(
    live: Live, open_page: OpenPage, javascript: bool
) -> None:
    page = open_page(javascript=javascript)
    page.goto(invite(live))
    assert "Bob invites you" in page.locator("main").inner_text()
    assert page.get_by_label("Your name").input_value() == "Maya Berg"
    page.get_by_label("Choose a password").fill("short")
    button(page, "Make the account").click()
    page.get_by_role("alert").get_by_role("link").click()
    page.get_by_label("Choose a password").fill(SECRET)
    button(page, "Make the account").click()

    assert page.url.partition("#")[0] == f"{live.url}/my/practices"
    assert "Welcome, Maya Berg" in page.get_by_role("status").inner_text()
    page.get_by_role("link", name="Submit a practice").last.click()
    assert page.url == f"{live.url}/submit"

    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{live.url}/sign-in")
    page.get_by_label("E-mail address").fill(MAYA)
    page.get_by_label("Password").fill(SECRET)
    button(page, "Sign in").click()
    assert page.url == f"{live.url}/my/practices"


@pytest.mark.parametrize("javascript", [True, False], ids=["with-javascript", "without-javascript"])
def test_a_forgotten_password_is_set_anew_by_mail(live: Live, open_page: OpenPage, javascript: bool) -> None:
    page = open_page(javascript=javascript)
    page.goto(f"{live.url}/sign-in")
    page.get_by_role("link", name="No password yet, or forgotten it?").click()
    page.get_by_label("E-mail address").fill("alice@example.org")
    button(page, "Send the link").click()
    assert "alice@example.org" in page.locator("main").inner_text()

    page.goto(live.url + link(live.site.database, "reset"))
    page.get_by_label("New password").fill(SECRET)
    button(page, "Set the password").click()
    assert page.url == f"{live.url}/my/practices"

    other = open_page(javascript=javascript)
    live.sign_in(other, "alice")
    assert "do not match" in other.get_by_role("alert").inner_text()


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_forms_have_no_known_barrier(live: Live, open_page: OpenPage, width: int, scheme: str) -> None:
    invited = invite(live).removeprefix(live.url)
    page = open_page(width=width, scheme=scheme)
    for path in ("/register", "/reset", invited):
        page.goto(live.url + path)
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    button(page, "Make the account").click()
    assert violations(page) == []
    live.sign_in(page, "alice")
    page.goto(f"{live.url}/account/address")
    assert violations(page) == []
