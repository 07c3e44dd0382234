"""The feed of the whole base, as a feed reader meets it."""

from __future__ import annotations

from typing import Any

import feedparser
from flask.testing import FlaskClient

from tests import factories
from tests.conftest import Site


def feed(client: FlaskClient, address: str = "/feed.atom") -> Any:
    answer = client.get(address)
    assert answer.status_code == 200 and answer.content_type == "application/atom+xml; charset=utf-8"
    read = feedparser.parse(answer.data)
    assert not read.bozo, read.get("bozo_exception")
    return read


def test_it_works(reader: FlaskClient) -> None:
    read = feed(reader)
    assert len(read.entries) == 50
    changed = [entry.updated for entry in read.entries]
    assert changed == sorted(changed, reverse=True) and read.feed.updated == changed[0]


def test_an_entry_leads_to_the_page_of_its_practice(reader: FlaskClient) -> None:
    entry = feed(reader).entries[0]
    path = entry.link.removeprefix("http://127.0.0.1:8000")
    assert entry.title in reader.get(path).get_data(as_text=True)


def test_what_did_not_change_is_not_sent_again(reader: FlaskClient) -> None:
    tag = reader.get("/feed.atom").headers["ETag"]
    again = reader.get("/feed.atom", headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")


def test_a_reader_of_feeds_gets_no_cookie(reader: FlaskClient) -> None:
    assert "Set-Cookie" not in reader.get("/feed.atom").headers


def test_every_page_leads_to_the_feed(reader: FlaskClient) -> None:
    for address in ("/", "/practices", "/nowhere"):
        page = reader.get(address).get_data(as_text=True)
        assert 'rel="alternate" type="application/atom+xml"' in page
        assert page.count('href="/feed.atom"') == 2


def test_labels_are_in_the_language_asked_for(reader: FlaskClient) -> None:
    read = feed(reader, "/feed.atom?lang=es")
    assert read.feed.language == "es"
    assert {tag.label for entry in read.entries for tag in entry.tags if tag.term == "IT"} == {"Italia"}


def test_a_base_without_practices_has_a_feed(site: Site) -> None:
    assert feed(site.client()).entries == []


def test_no_draft_is_in_the_feed(site: Site) -> None:
    with site.database.write() as session:
        factories.submitted(session, factories.person(session, "walt@example.org", "member"))
    assert feed(site.client()).entries == []
