"""Deleting one's account over the web: what is asked before, and what is left after."""

from __future__ import annotations

import time
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from kb.models import User
from kb.services import accounts, second_factor
from tests import factories
from tests.conftest import Site, configure, token
from tests.factories import PASSWORD


def leave(client: FlaskClient, **fields: str) -> TestResponse:
    return client.post("/account/delete", data={**fields, "csrf_token": token(client, "/account/delete")})


def user(session: Any, name: str) -> User:
    return session.scalars(select(User).where(User.email == f"{name}@example.org")).one()  # type: ignore[no-any-return]


def is_there(site: Site, name: str) -> bool:
    with site.database.read() as session:
        return accounts.find(session, f"{name}@example.org") is not None


def test_the_password_deletes_the_account_and_signs_out(site: Site) -> None:
    client = site.client("alice")
    answer = leave(client, current=PASSWORD)
    assert answer.status_code == 302 and not is_there(site, "alice")
    assert "Your account is deleted" in client.get("/").get_data(as_text=True)
    assert client.get("/account").status_code == 302


def test_it_signs_out_everywhere(site: Site) -> None:
    elsewhere = site.client("alice")
    site.forget("alice")
    leave(site.client("alice"), current=PASSWORD)
    assert elsewhere.get("/account").status_code == 302


def test_nobody_can_sign_in_with_it_any_more(site: Site) -> None:
    leave(site.client("alice"), current=PASSWORD)
    client = site.client()
    data = {"email": "alice@example.org", "password": PASSWORD, "csrf_token": token(client, "/sign-in")}
    assert client.post("/sign-in", data=data).status_code == 401


def test_a_wrong_password_deletes_nothing(site: Site) -> None:
    answer = leave(site.client("alice"), current="wrong")
    assert answer.status_code == 422 and "not your present password" in answer.get_data(as_text=True)
    assert is_there(site, "alice")


def test_guesses_are_limited(site: Site) -> None:
    limited = Site(configure(site.config.data_dir, KB_LIMITS="on"))
    client = limited.client("alice")
    answers = [leave(client, current="wrong") for _ in range(11)]
    assert answers[-1].status_code == 429 and "Retry-After" in answers[-1].headers
    limited.close()


def test_a_second_factor_is_asked_for_too(site: Site) -> None:
    secret, client = second_factor.new_secret(), site.client("alice")
    with site.database.write() as session:
        step = int(time.time()) // second_factor.STEP
        person = user(session, "alice")
        person.totp_secret, person.totp_used = secret, step - 2
    assert leave(client, current=PASSWORD).status_code == 422
    assert is_there(site, "alice")
    code = second_factor.code_at(secret, int(time.time()) // second_factor.STEP)
    assert leave(client, current=PASSWORD, code=code).status_code == 302
    assert not is_there(site, "alice")


def test_the_last_administrator_is_told_what_to_do_first(site: Site) -> None:
    client = site.client("dora")
    text = client.get("/account/delete").get_data(as_text=True)
    assert "You are the last administrator" in text and "Delete my account" not in text
    answer = client.post("/account/delete", data={"current": PASSWORD, "csrf_token": token(client, "/account")})
    assert answer.status_code == 409 and is_there(site, "dora")


def test_an_editor_sees_a_submission_of_someone_who_left(site: Site) -> None:
    with site.database.write() as session:
        practice = factories.submitted(session, user(session, "alice"), title="Still waits")
    leave(site.client("alice"), current=PASSWORD)
    bob = site.client("bob")
    for page in ("/review", f"/review/{practice.id}"):
        text = bob.get(page).get_data(as_text=True)
        assert "Still waits" in text and "alice@" not in text.lower() and "deleted-" not in text


def test_the_audit_log_names_someone_who_left(site: Site) -> None:
    leave(site.client("alice"), current=PASSWORD)
    text = site.client("dora").get("/admin/audit").get_data(as_text=True)
    assert "someone who left" in text and "Alice" not in text


def test_the_last_mail_goes_out(site: Site) -> None:
    leave(site.client("alice"), current=PASSWORD)
    site.parts.postman.deliver()
    [mail] = (site.config.data_dir / "mail").glob("*.eml")
    text = mail.read_text()
    assert "To: alice@example.org" in text and "deleted" in text
