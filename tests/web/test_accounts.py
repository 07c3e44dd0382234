"""Signing in and out, links, passwords, and what happens to a form whose session ended."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Iterator
from html import unescape
from urllib.parse import urljoin, urlsplit

import pytest
from argon2 import PasswordHasher
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import event, func, select, text
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from kb.config import Config
from kb.models import Practice, UserSession
from kb.services import accounts as service
from kb.services import links, passwords
from kb.web import accounts
from kb.web.forms import accounts as forms
from kb.web.forms.accounts import keep, kept
from kb.web.returning import local_path
from tests.conftest import Site, configure, token
from tests.factories import PASSWORD, person

ALICE = "alice@example.org"
SECRET = "a whole new password"


@pytest.fixture
def limited(config: Config) -> Iterator[Site]:
    """An app with its limits on, and Alice."""
    site = Site(configure(config.data_dir, KB_LIMITS="on"))
    with site.database.write() as session:
        person(session, ALICE, "member")
    yield site
    site.close()


def sign_in(client: FlaskClient, email: str = ALICE, password: str = PASSWORD, **more: str) -> TestResponse:
    fields = {"email": email, "password": password, "csrf_token": token(client, "/sign-in"), **more}
    return client.post("/sign-in", data=fields)


def is_signed_in(client: FlaskClient) -> bool:
    return client.get("/account").status_code == 200


def post(client: FlaskClient, path: str, page: str | None = None, **fields: str) -> TestResponse:
    """Post a form with the token of a page, by default the one at the same address."""
    return client.post(path, data={**fields, "csrf_token": token(client, page or path)})


def cookie_of(client: FlaskClient) -> str:
    cookie = client.get_cookie("kb")
    return cookie.value if cookie else ""


def hidden(answer: TestResponse, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'<input type="hidden" name="{name}" value="([^"]*)"', answer.text)
    return unescape(found.group(1)) if found else ""


def end_sessions(site: Site) -> None:
    with site.database.write() as session:
        session.execute(text("DELETE FROM user_sessions"))


def link_for(site: Site, email: str | None = None) -> str:
    """The path of a one-time link: of someone, or of the first administrator."""
    with site.database.write() as session:
        if email is None:
            session.execute(text("UPDATE users SET password_hash = NULL WHERE role = 'admin'"))
            link = links.first_admin_link(session, site.config.base_url)
        else:
            link = links.sign_in_link(session, email, site.config.base_url)
    return urlsplit(str(link)).path


# Signing in


def test_it_works(site: Site) -> None:
    client = site.client()
    assert sign_in(client).status_code == 302
    assert is_signed_in(client)


@pytest.mark.parametrize("name, home", [("rita", "/"), ("alice", "/my/practices"), ("bob", "/review")])
def test_people_arrive_where_their_work_is(site: Site, name: str, home: str) -> None:
    assert sign_in(site.client(), f"{name}@example.org").location == home


def test_every_field_has_its_label_and_says_what_to_fill_in(site: Site) -> None:
    page = site.client().get("/sign-in").text
    for name, complete in (("email", "username"), ("password", "current-password")):
        assert f'<label for="{name}">' in page
        assert re.search(rf'<input[^>]*id="{name}"[^>]*autocomplete="{complete}"', page)


def test_a_failure_is_a_401_that_keeps_the_address_and_not_the_password(site: Site) -> None:
    answer = sign_in(site.client(), password="no such password")
    assert answer.status_code == 401
    assert 'role="alert"' in answer.text
    assert f'value="{ALICE}"' in answer.text
    assert "no such password" not in answer.text


def test_an_empty_form_is_a_401_that_names_both_fields(site: Site) -> None:
    answer = sign_in(site.client(), "", "")
    assert answer.status_code == 401
    assert 'href="#email"' in answer.text and 'href="#password"' in answer.text


def test_an_unknown_address_gets_the_same_page_as_a_wrong_password(site: Site) -> None:
    pages = [sign_in(site.client(), email, "no such password").text for email in (ALICE, "nobody@example.org")]
    same = [re.sub(r'name="csrf_token" value="[^"]*"', "", page) for page in pages]
    assert same[0] == same[1].replace("nobody@example.org", ALICE)


@pytest.mark.parametrize("email", ["\0", "a" * 10_000, "<script>", "alice@example.org\0"])
def test_an_odd_address_is_a_401(site: Site, email: str) -> None:
    assert sign_in(site.client(), email).status_code == 401


def test_the_hash_is_renewed_at_sign_in(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "hasher", PasswordHasher(time_cost=2, memory_cost=8, parallelism=1))
    sign_in(site.client())
    with site.database.read() as session:
        assert "t=2" in str(session.scalar(text("SELECT password_hash FROM users WHERE email = :e"), {"e": ALICE}))


def test_a_form_that_was_open_for_too_long_may_be_sent_again(site: Site) -> None:
    answer = site.client().post("/sign-in", data={"email": ALICE, "password": PASSWORD, "next": "/account"})
    assert answer.status_code == 400
    assert f'value="{ALICE}"' in answer.text and hidden(answer, "next") == "/account" and hidden(answer, "csrf_token")


def test_whoever_is_signed_in_goes_on_at_once(site: Site) -> None:
    assert site.client("alice").get("/sign-in?next=/account").location == "/account"


# Guessing


def test_the_eleventh_guess_is_refused(limited: Site) -> None:
    client = limited.client()
    for _ in range(10):
        assert sign_in(client, password="no such password").status_code == 401
    answer = sign_in(client)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 900
    assert "Too many failed sign-ins" in answer.text and 'role="alert"' in answer.text


def test_a_success_clears_the_guesses(limited: Site) -> None:
    client = limited.client()
    for _ in range(2):
        for _ in range(9):
            sign_in(client, password="no such password")
        assert sign_in(client).status_code == 302
        post(client, "/sign-out", "/account")


def test_guessing_the_present_password_is_limited_too(limited: Site) -> None:
    client = limited.client("alice")
    for _ in range(10):
        assert post(client, "/account/password", current="no such", password=SECRET).status_code == 422
    answer = post(client, "/account/password", current=PASSWORD, password=SECRET)
    assert answer.status_code == 429 and "Retry-After" in answer.headers


# Where to go on


def test_a_page_that_needs_an_account_comes_after_signing_in(site: Site) -> None:
    client = site.client()
    to_sign_in = client.get("/account?a=1&b=é")
    assert to_sign_in.status_code == 302
    page = client.get(to_sign_in.location)
    assert sign_in(client, next=hidden(page, "next")).location == "/account?a=1&b=%C3%A9"


ELSEWHERE = ["//evil.example", "/\\evil.example", "https:evil.example", "https://evil.example", "/\n/evil.example",
             "\t//evil.example", "/\t/evil.example", "javascript:alert(1)", "///evil.example", "\\\\evil.example",
             "%2F%2Fevil.example", "/\u2028/evil.example", " //evil.example", "evil.example"]  # fmt: skip


@pytest.mark.parametrize("target", ELSEWHERE)
def test_an_address_elsewhere_is_forgotten(site: Site, target: str) -> None:
    assert sign_in(site.client(), next=target).location == "/my/practices"


def test_a_line_end_in_the_address_is_forgotten(site: Site) -> None:
    assert hidden(site.client().get("/sign-in?next=/%0a/evil.example"), "next") == ""


ODD = st.text(st.sampled_from("/\\:@.?#%\t\r\n\0 evil\u2028／") | st.sampled_from(string.printable), max_size=20)


@given(ODD | ODD.map(lambda end: "/" + end))
def test_no_address_to_go_on_to_leads_elsewhere(target: str) -> None:
    allowed = local_path(target)
    assert allowed in ("", target)
    as_a_browser = re.sub(r"[\t\r\n]", "", allowed).strip("".join(map(chr, range(33)))).replace("\\", "/")
    assert urlsplit(urljoin("https://here.example/sign-in", as_a_browser)).netloc == "here.example"


# The session and its cookie


def test_the_cookie_is_kept_from_scripts_and_other_sites(site: Site) -> None:
    cookie = sign_in(site.client()).headers["Set-Cookie"]
    assert cookie.startswith("kb=") and "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Expires=" in cookie


def test_over_https_the_cookie_is_bound_to_the_host(config: Config) -> None:
    site = Site(configure(config.data_dir, KB_BASE_URL="https://practices.example.eu"))
    try:
        cookie = site.client().get("/sign-in", base_url="https://practices.example.eu").headers["Set-Cookie"]
    finally:
        site.close()
    assert cookie.startswith("__Host-kb=") and "Secure" in cookie and "Path=/" in cookie and "Domain" not in cookie


def test_signing_in_leaves_nothing_of_the_session_before(site: Site) -> None:
    client = site.client()
    with client.session_transaction() as planted:
        planted["planted"] = "yes"
    sign_in(client)
    with client.session_transaction() as session:
        assert "planted" not in session and "csrf_token" not in session


def test_each_sign_in_is_a_session_of_its_own(site: Site) -> None:
    first, second = site.client(), site.client()
    sign_in(first)
    sign_in(second)
    with first.session_transaction() as one, second.session_transaction() as other:
        assert one["_user_id"] != other["_user_id"]


def test_signing_in_again_ends_the_session_that_the_browser_had(site: Site) -> None:
    client = site.client()
    form = token(client, "/sign-in")
    sign_in(client)
    with client.session_transaction() as session:
        session["csrf_token"] = _raw(site, form)
    client.post("/sign-in", data={"email": ALICE, "password": PASSWORD, "csrf_token": form})
    with site.database.read() as database:
        assert database.scalar(select(func.count()).select_from(UserSession)) == 1


def _raw(site: Site, form_token: str) -> str:
    """What a token of a form stands for in the session."""
    return str(URLSafeTimedSerializer(site.config.secret_key, salt="wtf-csrf-token").loads(form_token))


def test_signing_out_signs_out(site: Site) -> None:
    client = site.client("alice")
    assert post(client, "/sign-out", "/account").location == "/"
    assert not is_signed_in(client)


def test_signing_out_leaves_no_cookie(site: Site) -> None:
    client = site.client("alice")
    post(client, "/sign-out", "/account")
    assert cookie_of(client) == ""


def test_a_cookie_from_before_signing_out_is_worth_nothing(site: Site) -> None:
    client = site.client("alice")
    stolen = cookie_of(client)
    post(client, "/sign-out", "/account")
    thief = site.client()
    thief.set_cookie("kb", stolen)
    assert not is_signed_in(thief)


def test_signing_out_twice_goes_home(site: Site) -> None:
    assert site.client().post("/sign-out").location == "/"


def test_signing_out_needs_a_form_of_this_site(site: Site) -> None:
    client = site.client("alice")
    assert client.post("/sign-out").status_code == 400
    assert is_signed_in(client)


def test_a_disabled_person_is_out_at_the_next_request(site: Site) -> None:
    client = site.client("alice")
    with site.database.write() as session:
        service.disable(session, ALICE)
    assert client.get("/account").location.startswith("/sign-in")


def test_a_session_ended_elsewhere_is_out_at_the_next_request(site: Site) -> None:
    client = site.client("alice")
    end_sessions(site)
    assert client.get("/account").location.startswith("/sign-in")


@pytest.mark.parametrize("path", ["/sign-in", "/account", "/account/password", "/about"])
def test_pages_for_someone_signed_in_are_kept_by_no_cache(site: Site, path: str) -> None:
    assert site.client("alice").get(path).headers.get("Cache-Control") == "private, no-store" or path == "/sign-in"


def test_the_sign_in_page_is_kept_by_no_cache(site: Site) -> None:
    assert site.client().get("/sign-in").headers["Cache-Control"] == "private, no-store"


def test_a_reader_gets_no_cookie(site: Site) -> None:
    assert "Set-Cookie" not in site.client().get("/about").headers


def test_without_a_cookie_the_database_is_not_asked_who_it_is(site: Site) -> None:
    asked: list[str] = []
    event.listen(site.database.engine, "before_cursor_execute", lambda *said: asked.append(said[2]))
    with site.app.test_request_context("/"):
        assert not accounts.signed_in()
    assert asked == []


def test_with_a_broken_database_nothing_is_cached_for_whoever_has_a_session(site: Site) -> None:
    client = site.client("alice")
    with site.database.write() as session:
        session.execute(text("DROP TABLE user_sessions"))
    assert "no-store" in client.get("/about").headers["Cache-Control"]


def test_the_role_is_asked_for(site: Site) -> None:
    assert site.client("alice").get("/review").status_code == 403


# Links


def test_looking_at_a_link_shows_a_button_and_uses_nothing_up(site: Site) -> None:
    path = link_for(site)
    client = site.client()
    assert [client.get(path).status_code for _ in range(2)] == [200, 200]
    assert "<button" in client.get(path).text and not is_signed_in(client)


def test_the_button_signs_in_and_goes_on_to_the_password(site: Site) -> None:
    client = site.client()
    assert post(client, link_for(site)).location == "/account/password"
    assert is_signed_in(client)


def test_a_link_works_once(site: Site) -> None:
    path, client = link_for(site), site.client()
    form = token(client, path)
    post(site.client(), path)
    answer = client.post(path, data={"csrf_token": form})
    assert answer.status_code == 410 and "works once" in answer.text


def test_a_used_link_says_so_before_the_button(site: Site) -> None:
    path = link_for(site)
    post(site.client(), path)
    answer = site.client().get(path)
    assert answer.status_code == 410 and "works once" in answer.text


def test_an_unknown_link_is_a_404(site: Site) -> None:
    assert site.client().get("/link/unknown").status_code == 404


def test_the_address_of_a_link_is_told_to_nobody(site: Site) -> None:
    headers = site.client().get(link_for(site)).headers
    assert headers["Referrer-Policy"] == "no-referrer" and headers["Cache-Control"] == "private, no-store"


# Passwords


def test_the_first_administrator_chooses_address_and_password(site: Site) -> None:
    client = site.client()
    post(client, link_for(site))
    assert post(client, "/account/password", email="Eve@Example.org", password=SECRET).location == "/account"
    assert sign_in(site.client(), "eve@example.org", SECRET).status_code == 302


def test_after_that_there_is_no_first_link(site: Site) -> None:
    client = site.client()
    post(client, link_for(site))
    post(client, "/account/password", email="eve@example.org", password=SECRET)
    with site.database.write() as session:
        assert links.first_admin_link(session, site.config.base_url) is None


@pytest.mark.parametrize("email, password, wrong", [
    ("eve", "short", ["email", "password"]),
    ("eve@example.org", "short", ["password"]),
    ("eve", SECRET, ["email"]),
    (ALICE, SECRET, ["email"]),
    ("", "", ["email", "password"]),
])  # fmt: skip
def test_address_and_password_are_set_together_or_not_at_all(
    site: Site, email: str, password: str, wrong: list[str]
) -> None:
    client = site.client()
    post(client, link_for(site))
    answer = post(client, "/account/password", email=email, password=password)
    assert answer.status_code == 422 and 'role="alert"' in answer.text
    assert re.findall(r'<li><a href="#(\w+)"', answer.text) == wrong
    with site.database.read() as session:
        assert session.scalar(text("SELECT password_hash FROM users WHERE email = 'administrator@localhost'")) is None


def test_an_administrator_without_a_password_is_told_so_and_may_go_on(site: Site) -> None:
    client = site.client()
    post(client, link_for(site))
    assert client.get("/review").status_code == 200
    assert "You have no password yet" in client.get("/account").text


def test_whoever_has_a_password_gives_it_to_set_another(site: Site) -> None:
    client = site.client("alice")
    assert post(client, "/account/password", current=PASSWORD, password=SECRET).location == "/account"
    assert sign_in(site.client(), password=SECRET).status_code == 302


@pytest.mark.parametrize("current", ["", "no such password"])
def test_without_the_present_password_none_is_set(site: Site, current: str) -> None:
    answer = post(site.client("alice"), "/account/password", current=current, password=SECRET)
    assert answer.status_code == 422 and 'href="#current"' in answer.text
    assert sign_in(site.client(), password=SECRET).status_code == 401


def test_whoever_came_by_link_sets_one_without_the_present(site: Site) -> None:
    client = site.client()
    post(client, link_for(site, ALICE))
    assert post(client, "/account/password", password=SECRET).location == "/account"
    assert sign_in(site.client(), password=SECRET).status_code == 302


def test_that_holds_for_one_password(site: Site) -> None:
    client = site.client()
    post(client, link_for(site, ALICE))
    post(client, "/account/password", password=SECRET)
    assert post(client, "/account/password", password="yet another password").status_code == 422


def test_a_new_password_signs_out_everywhere_else(site: Site) -> None:
    elsewhere, client = site.client(), site.client("alice")
    sign_in(elsewhere)
    post(client, "/account/password", current=PASSWORD, password=SECRET)
    assert is_signed_in(client) and not is_signed_in(elsewhere)


def test_the_account_page_says_who_one_is(site: Site) -> None:
    page = site.client("alice").get("/account").text
    assert ALICE in page and "Alice" in page and "Member" in page


def test_the_account_page_names_the_region(site: Site) -> None:
    with site.database.write() as session:
        session.execute(text("UPDATE users SET region_code = 'ITH5' WHERE email = :e"), {"e": ALICE})
    assert "Emilia-Romagna" in site.client("alice").get("/account").text


# Text that outlives a session

TYPED = {
    "title": "Mentors <for> nurses & “friends”",
    "summary": "Línia\r\nACOL",
    "sources-0-url": "https://example.org",
}


def lost_session(site: Site) -> tuple[FlaskClient, TestResponse]:
    """Alice wrote a practice, her session ended, and she sends the form."""
    client = site.client("alice")
    form = token(client, "/submit")
    end_sessions(site)
    return client, client.post("/submit", data={**TYPED, "csrf_token": form})


def test_a_form_sent_after_the_session_ended_meets_the_sign_in_page(site: Site) -> None:
    _, answer = lost_session(site)
    assert answer.status_code == 401
    assert "Your text is kept" in answer.text and hidden(answer, "next") == "/submit"


def test_the_text_comes_back_after_signing_in(site: Site) -> None:
    client, answer = lost_session(site)
    restored = sign_in(client, next=hidden(answer, "next"), kept=hidden(answer, "kept"))
    assert restored.status_code == 200
    assert (
        unescape(restored.text).count(TYPED["title"])
        and "Línia" in restored.text
        and 'action="/submit"' in restored.text
    )


def test_the_form_that_came_back_can_be_sent(site: Site) -> None:
    client, answer = lost_session(site)
    restored = sign_in(client, next=hidden(answer, "next"), kept=hidden(answer, "kept"))
    fresh = re.findall(r'name="csrf_token" value="([^"]+)"', restored.text)[-1]
    assert client.post("/submit", data={**TYPED, "csrf_token": fresh}).status_code == 302


def test_nothing_is_saved_by_coming_back(site: Site) -> None:
    client, answer = lost_session(site)
    sign_in(client, next=hidden(answer, "next"), kept=hidden(answer, "kept"))
    with site.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Practice)) == 0


def test_the_text_outlives_a_wrong_password_too(site: Site) -> None:
    client, answer = lost_session(site)
    again = sign_in(client, password="no such password", next=hidden(answer, "next"), kept=hidden(answer, "kept"))
    assert again.status_code == 401
    assert (hidden(again, "next"), hidden(again, "kept")) == (hidden(answer, "next"), hidden(answer, "kept"))


def test_the_text_outlives_a_lost_cookie(site: Site) -> None:
    answer = site.client().post("/submit", data={**TYPED, "csrf_token": "of another time"})
    assert answer.status_code == 401
    assert ["title", TYPED["title"]] in json.loads(hidden(answer, "kept"))


def test_whoever_signed_in_again_in_another_window_gets_the_form_back_at_once(site: Site) -> None:
    answer = site.client("alice").post("/submit", data={**TYPED, "csrf_token": "of another time"})
    assert answer.status_code == 400
    assert TYPED["title"] in unescape(answer.text) and "It is not saved yet" in answer.text


def test_a_form_of_another_kind_is_not_kept(site: Site) -> None:
    client = site.client("alice")
    form = token(client, "/account/password")
    end_sessions(site)
    answer = client.post("/account/password", data={"current": PASSWORD, "password": SECRET, "csrf_token": form})
    assert answer.status_code == 401 and hidden(answer, "next") == "/account/password"
    assert PASSWORD not in answer.text and SECRET not in answer.text and hidden(answer, "kept") == ""


@pytest.mark.parametrize("text", ["", "x", "{}", "[1]", '["a"]', '[["a"]]', '[["a", 1]]', "[" * 100_000, "null"])
def test_text_that_this_site_did_not_write_is_left_out(site: Site, text: str) -> None:
    answer = sign_in(site.client(), next="/submit", kept=text)
    assert answer.location == "/submit"


@pytest.mark.parametrize("target", ["/account/password", "/about", "/nowhere", "//evil.example", ""])
def test_text_is_given_back_only_to_forms_that_take_it(site: Site, target: str) -> None:
    assert sign_in(site.client(), next=target, kept='[["title", "x"]]').status_code == 302


def test_fields_come_through_in_their_order() -> None:
    fields = MultiDict([("themes", "b"), ("title", "x"), ("themes", "a"), ("summary", "\r\n“é”")])
    assert kept(keep(fields)) == fields


def test_passwords_and_tokens_are_not_carried() -> None:
    assert keep(MultiDict({"csrf_token": "x", "password": "x", "new_Password": "x"})) == "[]"


def test_what_is_too_long_to_carry_is_said(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "KEPT_LIMIT", 100)
    answer = site.client().post("/submit", data={"summary": "é" * 50})
    assert answer.status_code == 401 and "too long to be kept" in answer.text


def test_a_long_text_is_carried_without_growing_on_the_way(site: Site) -> None:
    client, typed = site.client(), "é" * 200_000
    answer = client.post("/submit", data={"summary": typed})
    assert 'enctype="multipart/form-data"' in answer.text  # where an accent takes two bytes, not six
    assert sign_in(client, next="/submit", kept=hidden(answer, "kept")).text.count(typed) == 1
