"""Signing in with a second factor, setting it up, losing it; and sites that ask for one."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import timedelta
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from kb.models import HalfSignIn, MailMessage, User, UserSession
from kb.services import accounts, links, resets, second_factor
from kb.services.tokens import digest
from tests import factories
from tests.conftest import Site, configure, token
from tests.factories import PASSWORD

ALICE = "alice@example.org"


class Secured:
    """Someone with a second factor, as a telephone would know them."""

    def __init__(self, site: Site, name: str = "alice") -> None:
        self.email = f"{name}@example.org"
        self.secret = second_factor.new_secret()
        with site.database.write() as session:
            user = accounts.get(session, self.email)
            self.codes = second_factor.switch_on(session, user, self.secret, self.code(-1))

    def code(self, steps: int = 0) -> str:
        return second_factor.code_at(self.secret, int(time.time() // 30) + steps)


@pytest.fixture
def alice(site: Site) -> Secured:
    return Secured(site)


def post(client: FlaskClient, path: str, page: str | None = None, **fields: str) -> TestResponse:
    """Post a form with the token of a page, by default the one at the same address."""
    return client.post(path, data={**fields, "csrf_token": token(client, page or path)})


def first_step(client: FlaskClient, email: str = ALICE, **more: str) -> TestResponse:
    return post(client, "/sign-in", email=email, password=PASSWORD, **more)


def second_step(client: FlaskClient, code: str, **more: str) -> TestResponse:
    return post(client, "/sign-in/code", code=code, **more)


def is_signed_in(client: FlaskClient) -> bool:
    return client.get("/account").status_code == 200


def hidden(answer: TestResponse, name: str) -> str:
    found = re.search(rf'<input type="hidden" name="{name}" value="([^"]*)"', answer.text)
    return unescape(found.group(1)) if found else ""


# Signing in


def test_the_right_password_leads_to_the_code_and_opens_nothing_yet(site: Site, alice: Secured) -> None:
    client = site.client()
    answer = first_step(client, next="/account/password")
    assert answer.location == "/sign-in/code?next=/account/password"
    assert not is_signed_in(client)


def test_the_code_signs_in_and_goes_on_to_where_one_wanted(site: Site, alice: Secured) -> None:
    client = site.client()
    page = client.get(first_step(client, next="/account/password").location)
    assert second_step(client, alice.code(), next=hidden(page, "next")).location == "/account/password"
    assert is_signed_in(client)


def test_a_wrong_code_is_a_401_beside_the_field(site: Site, alice: Secured) -> None:
    client = site.client()
    first_step(client)
    answer = second_step(client, "000 000", next="/account")
    assert answer.status_code == 401 and 'role="alert"' in answer.text and 'href="#code"' in answer.text
    assert hidden(answer, "next") == "/account" and not is_signed_in(client)


def test_a_code_signs_in_once(site: Site, alice: Secured) -> None:
    code, first, other = alice.code(), site.client(), site.client()
    first_step(first)
    first_step(other)
    assert second_step(first, code).status_code == 302
    assert second_step(other, code).status_code == 401


def test_a_recovery_code_signs_in_and_says_that_it_is_used_up(site: Site, alice: Secured) -> None:
    client = site.client()
    first_step(client)
    assert second_step(client, alice.codes[0]).status_code == 302
    assert "recovery code is used up" in client.get("/account").text


def test_without_the_password_there_is_no_page_for_the_code(site: Site, alice: Secured) -> None:
    client = site.client()
    assert client.get("/sign-in/code?next=/account").location == "/sign-in?next=/account"
    assert post(client, "/sign-in/code", "/sign-in", code=alice.code()).status_code == 401
    assert not is_signed_in(client)


def minutes_pass(site: Site, minutes: int) -> None:
    """Make every password that was given so much older."""
    with site.database.write() as session:
        for row in session.scalars(select(HalfSignIn)):
            row.expires -= timedelta(minutes=minutes)


@pytest.mark.parametrize(("minutes", "status"), [(9, 302), (10, 401)])
def test_the_code_may_come_within_ten_minutes(site: Site, alice: Secured, minutes: int, status: int) -> None:
    client = site.client()
    first_step(client)
    form = token(client, "/sign-in/code")
    minutes_pass(site, minutes)
    assert client.post("/sign-in/code", data={"code": alice.code(), "csrf_token": form}).status_code == status
    assert is_signed_in(client) == (status == 302)


def test_after_ten_minutes_one_signs_in_anew(site: Site, alice: Secured) -> None:
    client = site.client()
    first_step(client)
    form = token(client, "/sign-in/code")
    minutes_pass(site, 10)
    answer = client.post("/sign-in/code", data={"code": alice.code(), "next": "/account", "csrf_token": form})
    assert answer.status_code == 401 and "ten minutes" in answer.text and hidden(answer, "next") == "/account"
    assert not is_signed_in(client)


def test_a_half_finished_sign_in_ends_when_the_password_changes(site: Site, alice: Secured) -> None:
    client = site.client()
    first_step(client)
    form = token(client, "/sign-in/code")
    with site.database.write() as session:
        accounts.set_password(session, accounts.get(session, ALICE), "a whole new password")
    assert client.post("/sign-in/code", data={"code": alice.code(), "csrf_token": form}).status_code == 401
    assert not is_signed_in(client)


def test_a_half_finished_sign_in_ends_when_the_person_is_disabled(site: Site, alice: Secured) -> None:
    client = site.client()
    first_step(client)
    form = token(client, "/sign-in/code")
    with site.database.write() as session:
        accounts.disable(session, ALICE)
    assert client.post("/sign-in/code", data={"code": alice.code(), "csrf_token": form}).status_code == 401


def test_the_session_that_the_browser_had_ends_with_the_first_step(site: Site, alice: Secured) -> None:
    client = site.client("bob")
    data = {"email": ALICE, "password": PASSWORD, "csrf_token": token(client, "/account")}
    assert client.post("/sign-in", data=data).location == "/sign-in/code"
    with site.database.read() as session:
        assert session.scalars(select(UserSession)).all() == []


def test_the_cookie_between_the_steps_holds_no_session(site: Site, alice: Secured) -> None:
    client = site.client()
    with client.session_transaction() as planted:
        planted["planted"] = "yes"
    first_step(client)
    with client.session_transaction() as cookie:
        assert set(cookie) == {"half"}
        kept = cookie["half"]
    with site.database.read() as session:
        assert session.scalars(select(HalfSignIn)).one().token_hash == digest(kept)


def test_whoever_has_the_key_of_the_cookies_makes_no_password_step(site: Site, alice: Secured) -> None:
    """Neither as the cookie of today, nor as that of a release that kept the step in the cookie."""
    with site.database.read() as session:
        user = accounts.get(session, ALICE)
        was = {"user": str(user.id), "at": int(time.time()), "print": second_factor.fingerprint(user)}
    for forged in (was, str(user.id), second_factor.fingerprint(user), "", None, 7, ["x"]):
        client = site.client()
        form = token(client, "/sign-in")
        with client.session_transaction() as cookie:
            cookie["half"] = forged
        assert client.get("/sign-in/code").location == "/sign-in"
        assert client.post("/sign-in/code", data={"code": alice.code(), "csrf_token": form}).status_code == 401


def test_the_step_is_used_up_by_the_code(site: Site, alice: Secured) -> None:
    client, thief = site.client(), site.client()
    first_step(client)
    form = token(client, "/sign-in/code")
    copy = client.get_cookie("kb")
    assert copy
    assert second_step(client, alice.codes[0]).status_code == 302
    thief.set_cookie("kb", copy.value)
    assert thief.post("/sign-in/code", data={"code": alice.codes[1], "csrf_token": form}).status_code == 401
    assert not is_signed_in(thief)


def test_a_wrong_code_leaves_the_step_and_what_the_recovery_code_is_worth(site: Site, alice: Secured) -> None:
    client = site.client()
    first_step(client)
    second_step(client, "no")
    assert second_step(client, alice.codes[0]).status_code == 302


def test_signing_in_once_more_or_out_ends_the_step_that_the_browser_had(site: Site, alice: Secured) -> None:
    client = site.client()
    first_step(client)
    first_step(client)
    with site.database.read() as session:
        assert len(session.scalars(select(HalfSignIn)).all()) == 1
    post(client, "/sign-out", "/sign-in/code")
    with site.database.read() as session:
        assert session.scalars(select(HalfSignIn)).all() == []


def test_a_text_that_was_kept_survives_the_second_step(site: Site, alice: Secured) -> None:
    client = site.client()
    lost = client.post("/submit", data={"title": "Línia “ACOL”", "csrf_token": "of another time"})
    code_page = first_step(client, next=hidden(lost, "next"), kept=hidden(lost, "kept"))
    assert code_page.status_code == 200 and 'action="/sign-in/code"' in code_page.text
    fields = {name: hidden(code_page, name) for name in ("next", "kept", "csrf_token")}
    wrong = client.post("/sign-in/code", data={**fields, "code": "no"})
    assert wrong.status_code == 401
    fields = {name: hidden(wrong, name) for name in ("next", "kept", "csrf_token")}
    restored = client.post("/sign-in/code", data={**fields, "code": alice.code()})
    assert restored.status_code == 200 and "Línia “ACOL”" in unescape(restored.text)
    assert 'action="/submit"' in restored.text


def test_a_text_survives_a_second_step_that_took_too_long(site: Site, alice: Secured) -> None:
    client = site.client()
    code_page = first_step(client, next="/submit", kept='[["title","Kept"]]')
    minutes_pass(site, 10)
    fields = {name: hidden(code_page, name) for name in ("next", "kept", "csrf_token")}
    answer = client.post("/sign-in/code", data={**fields, "code": alice.code()})
    assert (hidden(answer, "next"), hidden(answer, "kept")) == ("/submit", '[["title","Kept"]]')


def test_a_code_page_whose_cookie_went_leads_back_to_signing_in(site: Site) -> None:
    answer = site.client().post("/sign-in/code", data={"code": "123456", "next": "/account"})
    assert answer.status_code == 400 and hidden(answer, "next") == "/account"


# Guessing


@pytest.fixture
def workers(site: Site) -> Iterator[tuple[Site, Site]]:
    """Two apps with limits on one folder, as two workers are."""
    both = [Site(configure(site.config.data_dir, KB_LIMITS="on")) for _ in range(2)]
    yield both[0], both[1]
    for each in both:
        each.close()


def test_the_eleventh_code_is_refused_by_every_worker(workers: tuple[Site, Site]) -> None:
    alice = Secured(workers[0])
    clients = [worker.client() for worker in workers]
    for client in clients:
        first_step(client)
    for turn in range(10):
        assert second_step(clients[turn % 2], "000000x").status_code == 401
    for client in clients:
        answer = second_step(client, alice.code())
        assert answer.status_code == 429 and int(answer.headers["Retry-After"]) > 0


def test_the_right_password_gives_no_further_guesses_at_the_code(workers: tuple[Site, Site]) -> None:
    alice, client = Secured(workers[0]), workers[0].client()
    for _ in range(2):
        first_step(client)
        for _ in range(5):
            second_step(client, "000000x")
    first_step(client)
    assert second_step(client, alice.code()).status_code == 429


# Links


def test_a_reset_by_mail_asks_for_the_code_too(site: Site, alice: Secured) -> None:
    with site.database.write() as session:
        resets.ask_reset(session, ALICE, "", "en")
        session.flush()
        path = session.scalars(select(MailMessage).where(MailMessage.kind == "reset")).one().data["url"]
    client = site.client()
    assert post(client, path, password="harbour lantern reykjavik").location == "/sign-in/code"
    assert not is_signed_in(client)
    assert second_step(client, alice.code()).status_code == 302
    assert is_signed_in(client)


def test_the_operators_link_signs_in_and_switches_it_off(site: Site, alice: Secured) -> None:
    with site.database.write() as session:
        path = links.sign_in_link(session, ALICE, "")
    client = site.client()
    assert "switches the second factor off" in client.get(path).text
    post(client, path)
    assert "Your second factor is switched off" in client.get("/account").text
    with site.database.read() as session:
        assert accounts.get(session, ALICE).totp_secret is None


# Setting up, and off


def shown_secret(client: FlaskClient) -> str:
    found = re.search(r'<code class="fs-6">([A-Z2-7 ]+)</code>', client.get("/account/second-factor").text)
    assert found
    return found.group(1).replace(" ", "")


def set_up(client: FlaskClient) -> TestResponse:
    code = second_factor.code_at(shown_secret(client), int(time.time() // 30))
    return post(client, "/account/second-factor", code=code, current=factories.PASSWORD)


def test_setting_up_asks_for_the_password(site: Site) -> None:
    client = site.client("alice")
    code = second_factor.code_at(shown_secret(client), int(time.time() // 30))
    page = post(client, "/account/second-factor", code=code, current="not the password")
    assert page.status_code == 422 and "This is not your present password." in page.text
    assert "Set it up" in client.get("/account").text


def test_setting_up_shows_key_and_picture_and_asks_nobody_else(site: Site) -> None:
    page = site.client("alice").get("/account/second-factor")
    assert "<svg" in page.text and 'role="img"' in page.text and " style=" not in page.text
    assert re.search(r'<code class="fs-6">([A-Z2-7]{4} ){7}[A-Z2-7]{4}</code>', page.text)
    assert "chart" not in page.text and page.headers["Cache-Control"] == "private, no-store"


def test_the_key_stays_the_same_until_it_is_confirmed(site: Site) -> None:
    client = site.client("alice")
    assert shown_secret(client) == shown_secret(client)


def test_a_wrong_code_sets_nothing_up(site: Site) -> None:
    client = site.client("alice")
    secret = shown_secret(client)
    answer = post(client, "/account/second-factor", code="nonsense")
    assert answer.status_code == 422 and 'role="alert"' in answer.text
    assert shown_secret(client) == secret


def test_the_first_code_switches_it_on_and_shows_ten_recovery_codes_once(site: Site) -> None:
    client = site.client("alice")
    codes = re.findall(r"\b(?:[a-z2-9]{4}-){5}[a-z2-9]{4}\b", set_up(client).text)
    assert len(codes) == 10
    page = client.get("/account/second-factor").text
    assert "It is on" in page and "10 recovery codes are left" in page and codes[0] not in page


def test_new_recovery_codes_ask_for_a_code(site: Site) -> None:
    client = site.client("alice")
    alice = Secured(site)
    assert post(client, "/account/second-factor/codes", code="no").status_code == 422
    assert "New recovery codes" in post(client, "/account/second-factor/codes", code=alice.code()).text


@pytest.mark.parametrize(("password", "good_code"), [("wrong", True), (PASSWORD, False), ("", True)])
def test_switching_off_asks_for_password_and_code(site: Site, password: str, good_code: bool) -> None:
    client = site.client("alice")
    alice = Secured(site)
    code = alice.code() if good_code else "no"
    answer = post(client, "/account/second-factor/off", current=password, code=code)
    assert answer.status_code == 422 and (not password or password not in answer.text)
    assert "It is on" in client.get("/account/second-factor").text


def test_with_both_it_is_off(site: Site) -> None:
    client = site.client("alice")
    alice = Secured(site)
    post(client, "/account/second-factor/off", current=PASSWORD, code=alice.codes[0])
    assert "Set up a second factor" in client.get("/account/second-factor").text


# Where it is required


@pytest.fixture
def strict(site: Site) -> Iterator[Site]:
    """A site that asks editors and administrators for a second factor."""
    strict = Site(configure(site.config.data_dir, KB_SECOND_FACTOR="required"))
    yield strict
    strict.close()


@pytest.mark.parametrize("path", ["/review", "/submit", "/my/practices", "/account", "/", "/account/sessions"])
@pytest.mark.parametrize("name", ["bob", "dora"])
def test_editors_and_administrators_are_led_to_set_it_up(strict: Site, name: str, path: str) -> None:
    assert strict.client(name).get(path).location == "/account/second-factor"


@pytest.mark.parametrize("path", ["/submit", "/account", "/review/00000000-0000-0000-0000-000000000000"])
def test_until_then_they_change_nothing(strict: Site, path: str) -> None:
    answer = post(strict.client("bob"), path, "/account/second-factor", title="x")
    assert answer.status_code == 403 and "second factor" in answer.text


def test_set_up_they_go_on(strict: Site) -> None:
    client = strict.client("bob")
    assert set_up(client).status_code == 200
    assert client.get("/review").status_code == 200


def test_they_cannot_switch_it_off(strict: Site) -> None:
    client = strict.client("bob")
    bob = Secured(strict, "bob")
    page = client.get("/account/second-factor").text
    assert "/account/second-factor/off" not in page
    assert client.get("/account/second-factor/off").status_code == 403
    form = token(client, "/account/second-factor/codes")
    data = {"current": PASSWORD, "code": bob.code(), "csrf_token": form}
    assert client.post("/account/second-factor/off", data=data).status_code == 403
    with strict.database.read() as session:
        assert accounts.get(session, bob.email).totp_secret == bob.secret


def test_they_may_sign_out_and_set_a_password(strict: Site) -> None:
    client = strict.client("bob")
    assert client.get("/account/password").status_code == 200
    assert client.get("/static/site.css", buffered=True).status_code == 200
    assert post(client, "/sign-out", "/account/second-factor").location == "/"


@pytest.mark.parametrize("name", ["alice", "rita"])
def test_members_and_readers_are_not_asked(strict: Site, name: str) -> None:
    assert strict.client(name).get("/account").status_code == 200


def test_their_tokens_are_refused_with_a_sentence(strict: Site) -> None:
    with strict.database.write() as session:
        headers = {"Authorization": "Bearer " + accounts.new_token(session, "bob@example.org")}
    answer = strict.client().post("/api/v1/practices", json={}, headers=headers)
    assert answer.status_code == 403 and "second factor" in answer.get_json()["detail"]


def test_with_a_second_factor_their_tokens_work(strict: Site) -> None:
    Secured(strict, "bob")
    with strict.database.write() as session:
        headers = {"Authorization": "Bearer " + accounts.new_token(session, "bob@example.org")}
    record = {**factories.document(), "contact": factories.CONTACT}
    assert strict.client().post("/api/v1/practices", json=record, headers=headers).status_code == 201


def test_without_the_setting_nobody_is_asked(site: Site) -> None:
    assert site.client("bob").get("/review").status_code == 200


def test_a_second_factor_is_nobodys_by_default(site: Site) -> None:
    with site.database.read() as session:
        assert set(session.scalars(select(User.totp_secret))) == {None}
