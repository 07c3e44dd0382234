"""Where one is signed in, and ending that elsewhere; one's name and language; passwords that are easy to guess."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher
from flask.testing import FlaskClient
from sqlalchemy import select, text, update
from werkzeug.test import TestResponse

from kb.models import LinkPurpose, MailMessage, UserSession
from kb.services import accounts, links, passwords
from tests.conftest import Site, configure, token
from tests.factories import PASSWORD

ALICE = "alice@example.org"
KEY = r'name="end" value="([0-9a-f]{64})"'
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture(autouse=True)
def cheap_argon2(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real thing with the least memory it takes."""
    monkeypatch.setattr(passwords, "hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def neighbour(site: Site) -> Iterator[Site]:
    """Another app on the folder of `site`, as another worker process is."""
    neighbour = Site(configure(site.config.data_dir))
    yield neighbour
    neighbour.close()


def post(client: FlaskClient, path: str, page: str | None = None, **fields: str) -> TestResponse:
    return client.post(path, data={**fields, "csrf_token": token(client, page or path)})


def browser(site: Site, agent: str = FIREFOX) -> FlaskClient:
    """Alice, signed in on another browser."""
    client = site.app.test_client()
    data = {"email": ALICE, "password": PASSWORD, "csrf_token": token(client, "/sign-in")}
    assert client.post("/sign-in", data=data, headers={"User-Agent": agent}).status_code == 302
    return client


def is_signed_in(client: FlaskClient) -> bool:
    return client.get("/account").status_code == 200


def test_it_works(site: Site) -> None:
    here = browser(site)
    page = here.get("/account/sessions")
    assert "Firefox on Windows" in page.text and "this one" in page.text
    assert "Sign out everywhere else" not in page.text


def test_a_browser_without_a_name_is_listed_too(site: Site) -> None:
    assert "A browser that does not say its name" in browser(site, "").get("/account/sessions").text


def test_what_a_browser_calls_itself_cannot_be_markup(site: Site) -> None:
    assert "<script>alert" not in browser(site, "<script>alert(1)</script>").get("/account/sessions").text


def test_one_session_is_ended(site: Site) -> None:
    here, elsewhere = browser(site), browser(site, "curl/8")
    [key] = re.findall(KEY, here.get("/account/sessions").text)
    post(here, "/account/sessions", end=key)
    assert is_signed_in(here) and not is_signed_in(elsewhere)


def test_all_others_are_ended(site: Site, neighbour: Site) -> None:
    here, others = browser(site), [browser(site), browser(neighbour)]
    post(here, "/account/sessions", end="others")
    assert is_signed_in(here) and not any(is_signed_in(other) for other in others)


def test_a_session_that_ended_already_is_said_to_have(site: Site) -> None:
    here = browser(site)
    browser(site)
    assert post(here, "/account/sessions", end="0" * 64).status_code == 302
    assert "ended already" in here.get("/account/sessions").text


def test_sessions_of_somebody_else_are_neither_listed_nor_ended(site: Site) -> None:
    here, elsewhere, bob = browser(site), browser(site), site.client("bob")
    [key] = re.findall(KEY, here.get("/account/sessions").text)
    assert re.findall(KEY, bob.get("/account/sessions").text) == []
    post(bob, "/account/sessions", "/account", end=key)
    assert is_signed_in(elsewhere)


def test_the_page_holds_no_token(site: Site) -> None:
    here = browser(site)
    browser(site)
    with here.session_transaction() as cookie:
        mine = cookie["_user_id"]
    with site.database.read() as session:
        kept = session.scalars(select(UserSession.token_hash)).all()
    page = here.get("/account/sessions").text
    assert mine not in page and not [each for each in kept if each in page]


@pytest.mark.parametrize("how", ["password", "disabled", "ended"])
def test_a_session_dies_in_another_process_at_the_next_request(site: Site, neighbour: Site, how: str) -> None:
    here, there = browser(site), browser(neighbour)
    if how == "password":
        post(here, "/account/password", current=PASSWORD, password="harbour lantern reykjavik")
    elif how == "ended":
        post(here, "/account/sessions", end="others")
    else:
        with site.database.write() as session:
            accounts.disable(session, ALICE)
    assert not is_signed_in(there)
    assert is_signed_in(here) is (how != "disabled")


# When a session was last seen


def stale(site: Site, ago: timedelta = timedelta(hours=5)) -> None:
    """Let every session have been seen for the last time so long ago."""
    with site.database.write() as session:
        session.execute(update(UserSession).values(seen=datetime.now(UTC) - ago))


def seen(site: Site) -> datetime:
    with site.database.read() as session:
        return session.scalars(select(UserSession.seen)).one() or datetime.min.replace(tzinfo=UTC)


def is_stale(site: Site) -> bool:
    return datetime.now(UTC) - seen(site) > timedelta(hours=4)


def test_the_hour_of_the_last_visit_is_noted(site: Site) -> None:
    client = browser(site)
    stale(site)
    client.get("/about")
    assert not is_stale(site) and (seen(site).minute, seen(site).second) == (0, 0)


def test_while_somebody_writes_pages_are_read_at_once(site: Site, neighbour: Site) -> None:
    client = browser(site)
    stale(site)
    with neighbour.database.write() as session:
        session.execute(text("SELECT 1"))
        assert client.get("/account").status_code == 200
    assert is_stale(site)
    client.get("/about")
    assert not is_stale(site)


def test_a_database_that_takes_no_writes_is_read(site: Site) -> None:
    client = browser(site)
    with site.database.write() as session:
        session.execute(text("UPDATE user_sessions SET seen = NULL"))
        session.execute(text("CREATE TRIGGER shut BEFORE UPDATE ON user_sessions BEGIN SELECT raise(ABORT, 'no'); END"))
    assert client.get("/account").status_code == 200


# When a session ends by itself, and what it cannot be made of


def test_a_session_that_nobody_used_for_days_ends(site: Site) -> None:
    client = browser(site)
    stale(site, timedelta(days=4))
    assert not is_signed_in(client)


def test_a_session_that_was_used_before_the_weekend_goes_on(site: Site) -> None:
    client = browser(site)
    stale(site, timedelta(days=2, hours=20))
    assert is_signed_in(client)


def test_a_session_ends_after_two_weeks_however_much_it_is_used(site: Site) -> None:
    client = browser(site)
    with site.database.write() as session:
        row = session.scalars(select(UserSession)).one()
        assert timedelta(days=13, hours=23) < row.expires - datetime.now(UTC) <= timedelta(days=14)
        row.expires = datetime.now(UTC) - timedelta(seconds=1)
    assert not is_signed_in(client)


def test_a_cookie_that_was_planted_before_the_sign_in_opens_nothing_after_it(site: Site) -> None:
    victim, attacker = site.app.test_client(), site.app.test_client()
    attacker.get("/sign-in")
    planted = attacker.get_cookie("kb")
    assert planted
    victim.set_cookie("kb", planted.value)
    before = token(victim, "/sign-in")
    victim.post("/sign-in", data={"email": ALICE, "password": PASSWORD, "csrf_token": before})
    assert is_signed_in(victim) and not is_signed_in(attacker)
    assert token(victim, "/account") != before
    forged = attacker_form(attacker)
    assert victim.post("/account", data={"name": "Forged", "csrf_token": forged}).status_code == 400


def attacker_form(client: FlaskClient) -> str:
    return token(client, "/sign-in")


def test_signing_in_again_ends_the_session_that_the_browser_had(site: Site) -> None:
    client = browser(site)
    kept = client.get_cookie("kb")
    assert kept
    with site.database.write() as session:
        link = links.new_link(session, LinkPurpose.SIGN_IN, accounts.get(session, ALICE))
    post(client, f"/link/{link}", f"/link/{link}")
    old = site.app.test_client()
    old.set_cookie("kb", kept.value)
    assert is_signed_in(client) and not is_signed_in(old)


def test_a_cookie_of_a_session_that_was_signed_out_opens_nothing(site: Site) -> None:
    client = browser(site)
    kept = client.get_cookie("kb")
    assert kept
    post(client, "/sign-out", "/account")
    client.set_cookie("kb", kept.value)
    assert not is_signed_in(client)


# Name, language, password


def test_name_and_language_are_changed(site: Site) -> None:
    client = site.client("alice")
    post(client, "/account", name="  Alice   Baker ", language="en")
    assert 'value="Alice Baker"' in client.get("/account").text


def test_a_name_that_is_too_long_is_kept_and_said(site: Site) -> None:
    answer = post(site.client("alice"), "/account", name="a" * 201, language="en")
    assert answer.status_code == 422 and 'href="#name"' in answer.text and "a" * 201 in answer.text


def test_a_language_that_the_site_has_not_is_not_taken(site: Site) -> None:
    post(site.client("alice"), "/account", name="Alice", language="xx")
    with site.database.read() as session:
        assert accounts.get(session, ALICE).language == "en"


@pytest.mark.parametrize("password", ["password12", "alice@example.org", "regional integration practices"])
def test_a_password_that_is_easy_to_guess_is_refused_beside_its_field(site: Site, password: str) -> None:
    answer = post(site.client("alice"), "/account/password", current=PASSWORD, password=password)
    assert answer.status_code == 422 and 'href="#password"' in answer.text and "easy to guess" in answer.text


def test_a_new_password_is_told_by_mail(site: Site) -> None:
    post(site.client("alice"), "/account/password", current=PASSWORD, password="harbour lantern reykjavik")
    with site.database.read() as session:
        message = session.scalars(select(MailMessage)).one()
    assert (message.kind, message.address) == ("password-changed", ALICE)
