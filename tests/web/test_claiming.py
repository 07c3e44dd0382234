"""Claiming a practice without an owner: the form, who is sent where, and the editors' list."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from kb.models import Claim, Practice
from kb.services import accounts
from tests import factories
from tests.conftest import Site, token

WHY = "I coordinate it."


@pytest.fixture
def slug(site: Site) -> str:
    """The address of a public practice of nobody."""
    with site.database.write() as session:
        return str(factories.published(session, title="Nobody's nurses").slug)


def claim(site: Site, name: str, slug: str, reason: str = WHY) -> TestResponse:
    client, path = site.client(name), f"/practices/{slug}/claim"
    return client.post(path, data={"csrf_token": token(client, "/account"), "reason": reason})


def decide(site: Site, do: str, answer: str = "") -> TestResponse:
    bob = site.client("bob")
    with site.database.read() as session:
        claim_id = session.scalars(select(Claim.id).where(Claim.decided.is_(None))).one()
    data = {"csrf_token": token(bob, "/review/claims"), "do": do, "answer": answer}
    return bob.post(f"/review/claims/{claim_id}", data=data)


def owner(site: Site, slug: str) -> str | None:
    with site.database.read() as session:
        found = session.scalars(select(Practice).where(Practice.slug == slug)).one().owner
        return found.email if found else None


def test_the_page_of_a_practice_without_an_owner_offers_it(site: Site, slug: str) -> None:
    with site.database.write() as session:
        owned = factories.published(session, accounts.get(session, "alice@example.org"), title="Owned").slug
    assert f'href="/practices/{slug}/claim"' in site.client().get(f"/practices/{slug}").text
    assert "/claim" not in site.client().get(f"/practices/{owned}").text


def test_a_stranger_signs_in_and_comes_back(site: Site, slug: str) -> None:
    answer = site.client().get(f"/practices/{slug}/claim")
    assert answer.status_code == 302 and answer.headers["Location"] == f"/sign-in?next=/practices/{slug}/claim"


def test_a_reason_typed_before_the_session_ended_is_not_lost(site: Site, slug: str) -> None:
    client = site.client()
    csrf = token(client, "/sign-in")
    answer = client.post(f"/practices/{slug}/claim", data={"csrf_token": csrf, "reason": WHY})
    assert answer.status_code == 401 and "Your text is kept" in answer.text


def test_a_reader_is_told_how_to_become_a_member(site: Site, slug: str) -> None:
    answer = site.client("rita").get(f"/practices/{slug}/claim")
    assert answer.status_code == 403 and "Ask the editors to make you a member" in answer.text
    assert claim(site, "rita", slug).status_code == 409


def test_a_claim_goes_to_the_editors(site: Site, slug: str) -> None:
    answer = claim(site, "alice", slug)
    assert answer.status_code == 302 and answer.headers["Location"] == f"/practices/{slug}"
    page = site.client("bob").get("/review/claims").text
    assert WHY in page and "alice@example.org" in page
    assert "You have claimed this practice." in site.client("alice").get(f"/practices/{slug}/claim").text


def test_a_claim_without_a_reason_is_refused_beside_the_field(site: Site, slug: str) -> None:
    answer = claim(site, "alice", slug, " ")
    assert answer.status_code == 422 and answer.text.count('role="alert"') == 1
    assert "Write why it is yours" in answer.text


def test_a_second_claim_is_a_conflict(site: Site, slug: str) -> None:
    claim(site, "alice", slug)
    answer = claim(site, "alice", slug, "Really mine")
    assert answer.status_code == 409 and "You have claimed this practice already" in answer.text


def test_an_editor_confirms_and_the_member_has_the_practice(site: Site, slug: str) -> None:
    claim(site, "alice", slug)
    assert decide(site, "confirm").status_code == 302
    assert owner(site, slug) == "alice@example.org"
    assert "Nobody&#39;s nurses" in site.client("alice").get("/my/practices").text
    assert "Confirmed" in site.client("bob").get("/review/claims").text


def test_an_editor_refuses_with_a_word(site: Site, slug: str) -> None:
    claim(site, "alice", slug)
    refused = decide(site, "refuse")
    assert refused.status_code == 422 and "Say in a sentence why not" in refused.text
    assert decide(site, "refuse", "It is run elsewhere.").status_code == 302
    assert owner(site, slug) is None and "It is run elsewhere." in site.client("dora").get("/review/claims").text


def test_what_cannot_be_confirmed_says_why(site: Site, slug: str) -> None:
    claim(site, "alice", slug)
    with site.database.write() as session:
        practice = session.scalars(select(Practice).where(Practice.slug == slug)).one()
        practice.owner_id = accounts.get(session, "charlie@example.org").id
    answer = decide(site, "confirm", "Fine")
    assert answer.status_code == 409 and "has an owner by now" in answer.text and "Fine</textarea>" in answer.text
