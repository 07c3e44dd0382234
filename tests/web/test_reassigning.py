"""Reassigning on the pages: choose, look, do; nothing is done before it was looked at."""

from __future__ import annotations

import re
import uuid

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from kb.models import Practice
from kb.services import accounts
from tests import factories
from tests.conftest import Site, token

PATH = "/review/reassign"


@pytest.fixture
def ids(site: Site) -> dict[str, uuid.UUID]:
    """Public practices: two of Alice's and one of nobody, and a draft of hers."""
    with site.database.write() as session:
        alice = accounts.get(session, "alice@example.org")
        made = [factories.published(session, alice, title=title) for title in ("One", "Two")]
        made += [factories.published(session, title="Nobody's"), factories.draft(session, alice, title="Hidden")]
        return {each.title: each.id for each in made}


def post(site: Site, *chosen: uuid.UUID, **typed: str) -> TestResponse:
    bob = site.client("bob")
    ticked = [str(each) for each in chosen]
    data = {"csrf_token": token(bob, PATH), "part": "owner", "to": "charlie@example.org", "practice": ticked, **typed}
    return bob.post(PATH, data=data)


def owners(site: Site) -> dict[str, str | None]:
    with site.database.read() as session:
        return {each.title: each.owner.email if each.owner else None for each in session.scalars(select(Practice))}


def stamp(page: str) -> str:
    found = re.search(r'name="stamp" value="([0-9a-f]+)"', page)
    assert found
    return found.group(1)


def test_the_list_is_narrowed_down_and_shows_no_draft(site: Site, ids: dict[str, uuid.UUID]) -> None:
    bob = site.client("bob")
    assert all(str(ids[title]) in bob.get(PATH).text for title in ("One", "Two", "Nobody's"))
    assert str(ids["Hidden"]) not in bob.get(PATH).text
    page = bob.get(f"{PATH}?ownerless=y").text
    assert str(ids["Nobody's"]) in page and str(ids["One"]) not in page
    assert str(ids["Two"]) in bob.get(f"{PATH}?owner=alice&q=two").text


def test_a_look_comes_first_and_does_nothing(site: Site, ids: dict[str, uuid.UUID]) -> None:
    before = owners(site)
    answer = post(site, ids["One"], ids["Two"], do="look")
    assert answer.status_code == 200 and "2 practices get a new owner: Charlie" in answer.text
    assert owners(site) == before


def test_what_was_looked_at_is_done(site: Site, ids: dict[str, uuid.UUID]) -> None:
    looked = post(site, ids["One"], ids["Nobody's"], do="look").text
    answer = post(site, ids["One"], ids["Nobody's"], do="carry-out", stamp=stamp(looked))
    assert answer.status_code == 302
    assert owners(site) == {"One": "charlie@example.org", "Two": "alice@example.org", "Nobody's": "charlie@example.org",
                            "Hidden": "alice@example.org"}  # fmt: skip
    assert "One" in site.client("charlie").get("/my/practices").text


def test_nothing_is_done_without_a_look_or_with_an_old_one(site: Site, ids: dict[str, uuid.UUID]) -> None:
    assert post(site, ids["One"], do="carry-out").status_code == 409
    looked = post(site, ids["One"], do="look").text
    answer = post(site, ids["One"], ids["Two"], do="carry-out", stamp=stamp(looked))
    assert answer.status_code == 409 and "Something changed meanwhile" in answer.text
    assert owners(site)["One"] == "alice@example.org"


def test_all_that_are_listed_can_be_ticked_at_once(site: Site, ids: dict[str, uuid.UUID]) -> None:
    bob = site.client("bob")
    data = {"csrf_token": token(bob, PATH), "part": "owner", "to": "Charlie", "all": "y", "do": "look",
            "listed": [str(ids["One"]), str(ids["Two"])]}  # fmt: skip
    assert "2 practices get a new owner" in bob.post(PATH, data=data).text


def test_what_is_wrong_is_said_with_what_was_ticked_and_typed_kept(site: Site, ids: dict[str, uuid.UUID]) -> None:
    answer = post(site, ids["One"], do="look", to="nobody@example.org")
    assert answer.status_code == 422 and answer.text.count('role="alert"') == 1
    assert f'value="{ids["One"]}" checked' in answer.text and 'value="nobody@example.org"' in answer.text
    empty = post(site, do="look")
    assert empty.status_code == 422 and "Choose at least one practice." in empty.text


def test_the_way_back_keeps_what_was_ticked(site: Site, ids: dict[str, uuid.UUID]) -> None:
    answer = post(site, ids["Two"], do="back")
    assert answer.status_code == 200 and f'value="{ids["Two"]}" checked' in answer.text


def test_a_draft_cannot_be_smuggled_in(site: Site, ids: dict[str, uuid.UUID]) -> None:
    answer = post(site, ids["Hidden"], do="look")
    assert answer.status_code == 422 and "Hidden" not in answer.text
    assert post(site, do="look", practice="nonsense").status_code == 422
