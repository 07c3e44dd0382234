"""Coming in over the web: invitations and open registration, and what their answers do not tell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from kb.models import Registration, User
from kb.services import accounts, invitations, passwords
from kb.services.invitations import Offer
from tests import stack
from tests.conftest import Site, configure, token
from tests.letters import letters, link

MAYA = "maya@example.org"
SECRET = "harbour lantern reykjavik"
WISH = {"name": "Maya Berg", "email": MAYA, "organisation": "City of Ghent", "region": "Emilia-Romagna",
        "reason": "To write down our mentoring scheme.", "password": SECRET}  # fmt: skip


def _site(folder: Path, **env: str) -> Iterator[Site]:
    site = Site(configure(folder, **env))
    yield site
    site.close()


@pytest.fixture
def open_site(peopled_folder: Path, tmp_path: Path) -> Iterator[Site]:
    """A site where anybody may ask for an account."""
    yield from _site(stack.copy(peopled_folder, tmp_path / "data"), KB_OPEN_REGISTRATION="on")


@pytest.fixture
def limited(peopled_folder: Path, tmp_path: Path) -> Iterator[Site]:
    """The same with its limits on."""
    folder = stack.copy(peopled_folder, tmp_path / "data")
    yield from _site(folder, KB_OPEN_REGISTRATION="on", KB_LIMITS="on")


def invite(site: Site, role: str = "member", **more: str) -> str:
    """Have Dora invite Maya; returns the path of the link."""
    with site.database.write() as session:
        dora = accounts.get(session, "dora@example.org")
        invitations.invite(session, dora, Offer(MAYA, role, **more), site.config.base_url)  # type: ignore[arg-type]
    return link(site.database, "invitation")


def post(client: FlaskClient, path: str, page: str | None = None, **fields: str) -> TestResponse:
    return client.post(path, data={**fields, "csrf_token": token(client, page or path)})


def bare(answer: TestResponse, email: str) -> bytes:
    """A page without the address that was typed."""
    assert email.encode() in answer.data
    return answer.data.replace(email.encode(), b"")


# By invitation


def test_the_link_says_who_invites_to_what(site: Site) -> None:
    page = site.client().get(invite(site, name="Maya Berg", organisation="City of Ghent", region="ITH5")).text
    for word in ("Dora", MAYA, "Member", "City of Ghent", "Emilia-Romagna", 'value="Maya Berg"'):
        assert word in page


def test_the_page_is_kept_by_no_cache_and_tells_its_address_to_nobody(site: Site) -> None:
    answer = site.client().get(invite(site))
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_accepting_signs_in_and_leads_to_ones_practices(site: Site) -> None:
    client, path = site.client(), invite(site)
    answer = post(client, path, name="Maya Berg", password=SECRET)
    assert (answer.status_code, answer.location) == (302, "/my/practices")
    page = client.get(answer.location).text
    assert "Welcome, Maya Berg" in page and MAYA in page


@pytest.mark.parametrize(("role", "where"), [("reader", "/"), ("editor", "/review")])
def test_others_are_led_to_where_their_work_begins(site: Site, role: str, where: str) -> None:
    assert post(site.client(), invite(site, role), name="Maya", password=SECRET).location == where


def test_looking_uses_nothing_up(site: Site) -> None:
    path = invite(site)
    assert [site.client().get(path).status_code for _ in range(3)] == [200] * 3


def test_what_is_wrong_is_said_and_the_name_kept_but_not_the_password(site: Site) -> None:
    answer = post(site.client(), invite(site), name="Maya Berg", password="short")
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text and 'value="Maya Berg"' in answer.text and "short" not in answer.text


def test_a_password_made_of_the_own_address_is_refused(site: Site) -> None:
    assert post(site.client(), invite(site), name="Maya", password="maya@example.org").status_code == 422


def test_used_up_it_says_so(site: Site) -> None:
    path = invite(site)
    post(site.client(), path, name="Maya", password=SECRET)
    answer = site.client().get(path)
    assert answer.status_code == 410 and "used already" in answer.text and "/sign-in" in answer.text


def test_somebody_signed_in_is_told_that_it_makes_another_account(site: Site) -> None:
    assert "alice@example.org" in site.client("alice").get(invite(site)).text


def test_the_account_speaks_the_language_of_the_page(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = site.config.data_dir
    polyglot = Site(configure(folder, KB_LANGUAGES="en,de"))
    try:
        path = invite(polyglot)
        client = polyglot.client()
        client.post(f"{path}?lang=de", data={"name": "Maya", "password": SECRET, "csrf_token": token(client, path)})
        with polyglot.database.read() as session:
            assert accounts.get(session, MAYA).language == "de"
    finally:
        polyglot.close()


# By registration


def test_where_registration_is_closed_the_page_says_how_to_get_an_account(site: Site) -> None:
    answer = site.client().get("/register")
    assert (
        answer.status_code == 200
        and "by invitation" in answer.text
        and "<form action" not in answer.text.split("<main")[1]
    )


def test_where_registration_is_closed_nothing_is_taken(site: Site) -> None:
    assert post(site.client(), "/register", "/sign-in", **WISH).status_code == 403
    assert letters(site.database) == []


def test_a_wish_is_confirmed_by_the_button_of_the_mail(open_site: Site) -> None:
    client = open_site.client()
    assert post(client, "/register", **WISH).status_code == 200
    path = link(open_site.database, "registration-confirm")
    page = client.get(path)
    assert "Maya Berg" in page.text and page.headers["Referrer-Policy"] == "no-referrer"
    assert "An editor reads what you wrote" in post(client, path, password=WISH["password"]).text
    assert client.get(path).status_code == 410
    with open_site.database.read() as session:
        row = session.scalars(select(Registration)).one()
        assert row.confirmed is not None and row.region_code == "ITH5"


def test_the_link_of_somebody_elses_wish_takes_another_password(open_site: Site) -> None:
    client = open_site.client()
    post(client, "/register", **WISH)
    post(open_site.client(), "/register", **{**WISH, "password": "quite another horse 7"})
    page = post(client, link(open_site.database, "registration-confirm"), password=WISH["password"])
    assert page.status_code == 422 and "This is not the password" in page.text and 'role="alert"' in page.text
    with open_site.database.read() as session:
        assert session.scalars(select(Registration)).one().confirmed is None


def test_a_known_address_gets_the_same_answer_but_for_the_address(open_site: Site) -> None:
    unknown, known = open_site.client(), open_site.client()
    first = post(unknown, "/register", **WISH)
    second = post(known, "/register", **{**WISH, "email": "alice@example.org"})
    assert first.status_code == second.status_code == 200
    assert bare(first, MAYA) == bare(second, "alice@example.org")
    kept = {"Content-Length", "Set-Cookie", "X-Request-ID"}
    assert [h for h in first.headers if h[0] not in kept] == [h for h in second.headers if h[0] not in kept]
    assert [each.kind for each in letters(open_site.database)] == ["registration-confirm", "registration-known"]


@pytest.mark.parametrize("email", [MAYA, "alice@example.org"])
def test_a_password_is_hashed_whether_or_not_the_address_is_known(
    open_site: Site, monkeypatch: pytest.MonkeyPatch, email: str
) -> None:
    counting = Counting(passwords.hasher)
    client = open_site.client()
    page = token(client, "/register")
    monkeypatch.setattr(passwords, "hasher", counting)
    client.post("/register", data={**WISH, "email": email, "csrf_token": page})
    assert counting.hashed == 1 and counting.verified == 0


@pytest.mark.parametrize("email", ["alice@example.org", MAYA])
def test_a_password_is_verified_at_sign_in_whether_or_not_the_address_is_known(
    open_site: Site, monkeypatch: pytest.MonkeyPatch, email: str
) -> None:
    counting = Counting(passwords.hasher)
    client = open_site.client()
    page = token(client, "/sign-in")
    monkeypatch.setattr(passwords, "hasher", counting)
    answer = client.post("/sign-in", data={"email": email, "password": "not this one", "csrf_token": page})
    assert answer.status_code == 401 and counting.verified == 1


class Counting:
    """A real hasher that counts its work."""

    def __init__(self, hasher: PasswordHasher) -> None:
        self._hasher = hasher
        self.hashed = self.verified = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._hasher, name)

    def hash(self, password: bytes) -> str:
        self.hashed += 1
        return self._hasher.hash(password)

    def verify(self, password_hash: str, password: bytes) -> bool:
        self.verified += 1
        return self._hasher.verify(password_hash, password)


def test_everything_wrong_is_said_and_everything_typed_kept(open_site: Site) -> None:
    typed = {**WISH, "email": "nobody", "region": "Emilia Romagnola", "name": "", "password": "short"}
    answer = post(open_site.client(), "/register", **typed)
    assert answer.status_code == 422 and letters(open_site.database) == []
    wrong = set(re.findall(r'<li><a href="#(\w+)">', answer.text))
    assert wrong == {"name", "email", "region", "password"}
    assert "Did you mean Emilia-Romagna (ITH5)" in answer.text
    for text in ('value="nobody"', 'value="Emilia Romagnola"', "To write down our mentoring scheme.", "City of Ghent"):
        assert text in answer.text
    assert 'value="short"' not in answer.text


def test_too_many_from_one_place_are_told_when_to_come_back(limited: Site) -> None:
    client = limited.client()
    answers = [post(client, "/register", **WISH).status_code for _ in range(6)]
    assert answers == [200] * 5 + [429]
    refused = post(client, "/register", **WISH)
    assert int(refused.headers["Retry-After"]) > 0 and "City of Ghent" in refused.text


def test_the_limit_is_the_same_for_a_known_address(limited: Site) -> None:
    client = limited.client()
    answers = [post(client, "/register", **{**WISH, "email": "alice@example.org"}).status_code for _ in range(6)]
    assert answers == [200] * 5 + [429]


def test_whoever_is_signed_in_is_led_to_their_account(open_site: Site) -> None:
    assert open_site.client("alice").get("/register").location == "/account"


def test_no_account_is_made_before_an_editor_decided(open_site: Site) -> None:
    client = open_site.client()
    post(client, "/register", **WISH)
    post(client, link(open_site.database, "registration-confirm"))
    with open_site.database.read() as session:
        assert session.scalar(select(func.count()).select_from(User).where(User.email == MAYA)) == 0
