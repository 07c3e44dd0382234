"""A forgotten password and another address over the web, and what their answers do not tell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kb.models import User
from kb.services import accounts
from tests import factories, stack
from tests.conftest import Site, configure, token
from tests.letters import letters, link

ALICE, NOBODY, NEW = "alice@example.org", "nobody@example.org", "alice@new.example"
SECRET = "harbour lantern reykjavik"


@pytest.fixture
def limited(peopled_folder: Path, tmp_path: Path) -> Iterator[Site]:
    """A site with its limits on."""
    site = Site(configure(stack.copy(peopled_folder, tmp_path / "data"), KB_LIMITS="on"))
    yield site
    site.close()


def post(client: FlaskClient, path: str, **fields: str) -> TestResponse:
    return client.post(path, data={**fields, "csrf_token": token(client, path)})


def bare(answer: TestResponse, email: str) -> bytes:
    """A page without the address that was typed, and without the tokens of its forms, which say when they were made."""
    assert email.encode() in answer.data
    return re.sub(rb'(name="csrf_token" value=")[^"]*', rb"\1", answer.data.replace(email.encode(), b""))


def is_signed_in(client: FlaskClient) -> bool:
    return client.get("/account").status_code == 200


def can_sign_in(site: Site, email: str, password: str) -> bool:
    return post(site.client(), "/sign-in", email=email, password=password).status_code == 302


# A forgotten password


def test_a_known_address_gets_the_same_answer_but_for_the_address(site: Site) -> None:
    known, unknown = (post(site.client(), "/reset", email=email) for email in (ALICE, NOBODY))
    assert known.status_code == unknown.status_code == 200
    assert bare(known, ALICE) == bare(unknown, NOBODY)
    kept = {"Content-Length", "Set-Cookie", "X-Request-ID"}
    assert [h for h in known.headers if h[0] not in kept] == [h for h in unknown.headers if h[0] not in kept]
    assert [each.address for each in letters(site.database)] == [ALICE]


def test_the_link_sets_a_password_and_signs_in(site: Site) -> None:
    client = site.client()
    post(client, "/reset", email=ALICE)
    path = link(site.database, "reset")
    assert ALICE in client.get(path).text
    answer = post(client, path, password=SECRET)
    assert (answer.status_code, answer.location) == (302, "/my/practices")
    assert (
        is_signed_in(client) and can_sign_in(site, ALICE, SECRET) and not can_sign_in(site, ALICE, factories.PASSWORD)
    )


def test_wherever_else_the_person_was_signed_in_they_are_signed_out(site: Site) -> None:
    elsewhere, here = site.client("alice"), site.client()
    post(here, "/reset", email=ALICE)
    post(here, link(site.database, "reset"), password=SECRET)
    assert not is_signed_in(elsewhere) and is_signed_in(here)


def test_looking_uses_nothing_up(site: Site) -> None:
    post(site.client(), "/reset", email=ALICE)
    path = link(site.database, "reset")
    assert [site.client().get(path).status_code for _ in range(3)] == [200] * 3


def test_used_up_it_says_so_and_where_to_ask_anew(site: Site) -> None:
    post(site.client(), "/reset", email=ALICE)
    path = link(site.database, "reset")
    post(site.client(), path, password=SECRET)
    answer = site.client().get(path)
    assert answer.status_code == 410 or answer.status_code == 404
    assert 'href="/reset"' in answer.text


def test_the_page_of_the_link_is_kept_by_no_cache_and_tells_its_address_to_nobody(site: Site) -> None:
    post(site.client(), "/reset", email=ALICE)
    answer = site.client().get(link(site.database, "reset"))
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_a_weak_password_is_refused_and_not_shown(site: Site) -> None:
    post(site.client(), "/reset", email=ALICE)
    answer = post(site.client(), link(site.database, "reset"), password="alice@example.org")
    assert answer.status_code == 422 and 'role="alert"' in answer.text and 'type="password" value=""' in answer.text


def test_what_is_no_address_is_kept_and_refused(site: Site) -> None:
    answer = post(site.client(), "/reset", email="alice at example")
    assert answer.status_code == 422 and 'value="alice at example"' in answer.text and 'role="alert"' in answer.text


def test_asked_for_too_often_the_answer_is_the_same_and_no_mail_goes(limited: Site) -> None:
    client = limited.client()
    answers = [post(client, "/reset", email=ALICE) for _ in range(7)]
    assert {(each.status_code, each.data) for each in answers} == {(200, answers[0].data)}
    assert len(letters(limited.database)) == 5


def test_a_disabled_person_gets_no_mail(site: Site) -> None:
    with site.database.write() as session:
        accounts.disable(session, ALICE)
    assert post(site.client(), "/reset", email=ALICE).status_code == 200
    assert letters(site.database) == []


def test_a_reset_link_opens_nothing_as_a_sign_in_link(site: Site) -> None:
    post(site.client(), "/reset", email=ALICE)
    secret = link(site.database, "reset").rsplit("/", 1)[1]
    assert site.client().get(f"/link/{secret}").status_code == 404


# Another address


def ask(site: Site, email: str = NEW, password: str = factories.PASSWORD) -> TestResponse:
    return post(site.client("alice"), "/account/address", email=email, current=password)


def test_an_address_holds_once_the_mailed_link_is_used(site: Site) -> None:
    assert ask(site).status_code == 200
    assert can_sign_in(site, ALICE, factories.PASSWORD) and not can_sign_in(site, NEW, factories.PASSWORD)
    stranger, path = site.client(), link(site.database, "address-confirm")
    assert NEW in stranger.get(path).text
    assert post(stranger, path).status_code == 302
    assert can_sign_in(site, NEW, factories.PASSWORD) and not can_sign_in(site, ALICE, factories.PASSWORD)


def test_confirming_signs_nobody_in(site: Site) -> None:
    ask(site)
    stranger = site.client()
    post(stranger, link(site.database, "address-confirm"))
    assert not is_signed_in(stranger)


def test_the_address_of_somebody_else_gets_the_same_answer(site: Site) -> None:
    free, taken = ask(site), ask(site, "bob@example.org")
    assert free.status_code == taken.status_code == 200
    assert bare(free, NEW) == bare(taken, "bob@example.org")
    assert [each.address for each in letters(site.database)] == [NEW]


def test_the_password_is_asked_for(site: Site) -> None:
    answer = ask(site, password="not this one")
    assert answer.status_code == 422 and f'value="{NEW}"' in answer.text and "not this one" not in answer.text
    assert letters(site.database) == []


def test_somebody_without_a_password_is_told_to_set_one(site: Site) -> None:
    client = site.client("alice")
    with site.database.write() as session:
        accounts.get(session, ALICE).password_hash = None
    page = client.get("/account/address").text.split("<main")[1]
    assert 'href="/account/password"' in page and 'name="current"' not in page


def test_too_many_wishes_are_told_when_to_come_back(limited: Site) -> None:
    client = limited.client("alice")
    answers = [
        post(client, "/account/address", email=f"a{n}@new.example", current=factories.PASSWORD) for n in range(6)
    ]
    assert [each.status_code for each in answers] == [200] * 5 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_a_link_whose_person_left_is_gone(site: Site) -> None:
    ask(site)
    with site.database.write() as session:
        session.query(User).filter_by(email=ALICE).one().active = False
    answer = site.client().get(link(site.database, "address-confirm"))
    assert answer.status_code == 410
