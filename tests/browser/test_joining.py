"""Coming in and coming back in a real browser: an invited member's first sign-in, and a forgotten password."""

from __future__ import annotations

import pytest

from kb.services import accounts, invitations
from kb.services.invitations import Offer
from tests.browser.conftest import Live, OpenPage, follow, leave, press
from tests.letters import link

MAYA, SECRET = "maya@example.org", "harbour lantern reykjavik"


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
    press(page, "Make the account")
    page.get_by_role("alert").get_by_role("link").click()
    page.get_by_label("Choose a password").fill(SECRET)
    press(page, "Make the account")

    assert page.url.partition("#")[0] == f"{live.url}/my/practices"
    assert "Welcome, Maya Berg" in page.get_by_role("status").inner_text()
    follow(page, "Submit a practice")
    assert page.url == f"{live.url}/submit"

    leave(page)
    page.goto(f"{live.url}/sign-in")
    page.get_by_label("E-mail address").fill(MAYA)
    page.get_by_label("Password").fill(SECRET)
    press(page, "Sign in")
    assert page.url == f"{live.url}/my/practices"


@pytest.mark.parametrize("javascript", [True, False], ids=["with-javascript", "without-javascript"])
def test_a_forgotten_password_is_set_anew_by_mail(live: Live, open_page: OpenPage, javascript: bool) -> None:
    page = open_page(javascript=javascript)
    page.goto(f"{live.url}/sign-in")
    follow(page, "No password yet, or forgotten it?")
    page.get_by_label("E-mail address").fill("alice@example.org")
    press(page, "Send the link")
    assert "alice@example.org" in page.locator("main").inner_text()

    page.goto(live.url + link(live.site.database, "reset"))
    page.get_by_label("New password").fill(SECRET)
    press(page, "Set the password")
    assert page.url == f"{live.url}/my/practices"

    other = open_page(javascript=javascript)
    live.sign_in(other, "alice")
    assert "do not match" in other.get_by_role("alert").inner_text()
