"""A public list is sent again only where something changed, and always where something did."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from flask.testing import FlaskClient

from kb.models import Practice
from kb.services import accounts, freshness, lifecycle, redaction, vocabularies
from tests import factories
from tests.conftest import Site

SEARCH = "/practices?q=nurses"
PAGES = (SEARCH, "/practices", "/themes", "/themes/labour-inclusion", "/regions/ITH5", "/countries/IT", "/coverage")


@pytest.fixture
def practice(site: Site) -> Practice:
    """A public one of Alice's."""
    with site.database.write() as session:
        practice = factories.published(session, accounts.get(session, "alice@example.org"))
    site.drain()
    return practice


def etag(client: FlaskClient, path: str = SEARCH) -> str:
    return client.get(path).headers["ETag"]


def again(client: FlaskClient, path: str, known: str) -> int:
    return client.get(path, headers={"If-None-Match": known}).status_code


@pytest.mark.parametrize("path", PAGES)
def test_a_list_that_is_known_is_not_sent_again(site: Site, practice: Practice, path: str) -> None:
    client = site.client()
    first = client.get(path)
    answer = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert first.status_code == 200 and first.headers["ETag"].startswith('W/"')
    assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", first.headers["ETag"])
    for each in (first, answer):
        assert each.headers["Cache-Control"] == "no-cache"
        assert {"Accept-Language", "Cookie"} <= set(each.vary)


def publish(site: Site, practice: Practice) -> None:
    with site.database.write() as session:
        factories.published(session, title="Another one")


def archive(site: Site, practice: Practice) -> None:
    with site.database.write() as session:
        editor = accounts.get(session, "bob@example.org")
        lifecycle.archive(session, editor, session.get_one(Practice, practice.id))


def take_offline(site: Site, practice: Practice) -> None:
    with site.database.write() as session:
        editor = accounts.get(session, "bob@example.org")
        lifecycle.unpublish(session, editor, session.get_one(Practice, practice.id), "It was a double.")


def redact(site: Site, practice: Practice) -> None:
    with site.database.write() as session:
        admin = accounts.get(session, "dora@example.org")
        redaction.redact(session, admin, practice.id, practice.version, "It named a child.")


def verify(site: Site, practice: Practice) -> None:
    with site.database.write() as session:
        editor = accounts.get(session, "bob@example.org")
        freshness.still_correct(session, editor, session.get_one(Practice, practice.id), date(2030, 1, 1))


def edit_a_vocabulary(site: Site, practice: Practice) -> None:
    with site.database.write() as session:
        vocabularies.moved(session)


CHANGES = (publish, archive, take_offline, redact, verify, edit_a_vocabulary)


@pytest.mark.parametrize("change", CHANGES, ids=lambda each: each.__name__)
def test_after_a_change_the_list_is_another_at_once(
    site: Site, practice: Practice, change: Callable[[Site, Practice], None]
) -> None:
    client = site.client()
    before = etag(client)
    change(site, practice)
    assert again(client, SEARCH, before) == 200  # before the index has followed
    between = etag(client)
    site.drain()
    assert again(client, SEARCH, before) == 200
    if change not in (verify, edit_a_vocabulary):
        assert again(client, SEARCH, between) == 200  # the index has followed


def test_each_language_has_its_own(site: Site, practice: Practice) -> None:
    client = site.client()
    known = etag(client, SEARCH)
    answer = client.get(SEARCH, headers={"If-None-Match": known, "Accept-Language": "de"})
    assert answer.status_code == 200 and 'lang="de"' in answer.get_data(as_text=True)
    client.get("/language/de?to=/practices")
    assert again(client, SEARCH, known) == 200


def test_each_address_has_its_own(site: Site, practice: Practice) -> None:
    client = site.client()
    assert again(client, "/practices?q=nurses&page=1", etag(client)) == 200


@pytest.mark.parametrize("path", PAGES)
def test_whoever_is_signed_in_gets_their_own_page_unmarked(site: Site, practice: Practice, path: str) -> None:
    known = etag(site.client(), path)
    answer = site.client("alice").get(path, headers={"If-None-Match": known})
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "private, no-store")
    assert "ETag" not in answer.headers and "Sign out" in answer.get_data(as_text=True)


def test_a_star_is_no_edition(site: Site, practice: Practice) -> None:
    assert again(site.client(), SEARCH, "*") == 200


def test_what_is_no_page_has_no_mark(site: Site) -> None:
    client = site.client()
    for path, status in (("/practices?page=9", 404), ("/practices?country=uk", 302), ("/practices?country=Oz", 400)):
        answer = client.get(path)
        assert answer.status_code == status and "ETag" not in answer.headers


def test_a_visitors_search_takes_two_statements(site: Site, practice: Practice) -> None:
    client = site.client()
    client.get(SEARCH)  # the vocabularies are read once
    said = factories.statements(site.database, lambda: client.get("/practices?q=nurses&theme=labour-inclusion"))
    assert len([each for each in said if each != "BEGIN"]) == 2


def test_a_page_that_is_known_takes_one_statement(site: Site, practice: Practice) -> None:
    client = site.client()
    known = etag(client)
    said = factories.statements(site.database, lambda: client.get(SEARCH, headers={"If-None-Match": known}))
    assert len([each for each in said if each != "BEGIN"]) == 1
