"""Feeds: read back by feedparser, as any reader of feeds would, whatever the records say."""

from __future__ import annotations

import uuid
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from typing import Any

import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.formats import atom
from kb.formats.about import About, Document
from kb.formats.text import clean
from tests import factories

NAMES = {"atom": "http://www.w3.org/2005/Atom"}

ABOUT = About(
    site="Regions & practices",
    base_url="https://kb.example.org",
    title="Practices about “housing”",
    url="https://kb.example.org/practices?q=housing&country=IT",
    made=datetime(2026, 11, 23, 10, 0, tzinfo=UTC),
    language="en",
    term=lambda facet, value: f"{facet}: {value}",
    point=lambda document: None,
)


def public(number: int = 1, **changes: Any) -> Document:
    """A record as readers get it."""
    stamped = {
        "id": str(uuid.UUID(int=number)), "slug": f"practice-{number}", "licence": "CC-BY-4.0",
        "origin": {"kind": "member", "url": None}, "attribution": "Regional health service",
        "published": "2026-01-02T03:04:05Z",
        "updated": "2026-11-22T10:00:00Z", "url": f"https://kb.example.org/practices/practice-{number}",
    }  # fmt: skip
    return {**factories.document(), **stamped, **changes}


def read(*documents: Document, address: str | None = None) -> Any:
    feed = feedparser.parse("".join(atom.many(documents, ABOUT, address)).encode())
    assert not feed.bozo, feed.get("bozo_exception")
    return feed


def test_it_works() -> None:
    [entry] = read(public()).entries
    assert (entry.title, entry.link) == (
        "Mentors for newly arrived nurses",
        "https://kb.example.org/practices/practice-1",
    )
    assert entry.summary.startswith("Hospitals of the region")
    assert (entry.published, entry.updated) == ("2026-01-02T03:04:05Z", "2026-11-22T10:00:00Z")
    assert entry.author == "Regional health service"
    assert entry.rights == "Regional health service (CC-BY-4.0)"


def test_the_feed_says_what_it_is_of_and_where_the_page_of_it_is() -> None:
    feed = read().feed
    links = {link.rel: (link.href, link.type) for link in feed.links}
    assert links["self"] == ("https://kb.example.org/practices.atom?q=housing&country=IT", "application/atom+xml")
    assert links["alternate"] == (ABOUT.url, "text/html")
    assert feed.title == "Practices about “housing” – Regions & practices"
    assert feed.updated == "2026-11-23T10:00:00Z"


def test_a_feed_with_an_address_of_its_own_says_that() -> None:
    feed = read(address="https://kb.example.org/feed.atom").feed
    assert feed.id == "https://kb.example.org/feed.atom"


def test_an_entry_stays_the_same_one_in_all_its_versions() -> None:
    first, second = (read(public(7, title=title)).entries[0].id for title in ("One title", "Another"))
    assert first == second == f"urn:uuid:{uuid.UUID(int=7)}"


def test_title_and_summary_say_their_language() -> None:
    tree = ET.fromstring("".join(atom.many([public(language="ca")], ABOUT)))
    [entry] = tree.findall("atom:entry", NAMES)
    languages = [
        entry.find(f"atom:{name}", NAMES).get("{http://www.w3.org/XML/1998/namespace}lang")  # type: ignore[union-attr]
        for name in ("title", "summary")
    ]
    assert languages == ["ca", "ca"]


def test_categories_are_themes_target_groups_and_country() -> None:
    tags = read(public()).entries[0].tags
    assert [(tag.term, tag.label) for tag in tags] == [
        ("labour-inclusion", "theme: labour-inclusion"),
        ("migrant-workers", "target_group: migrant-workers"),
        ("IT", "country: IT"),
    ]


def test_the_order_is_that_of_the_query_and_nothing_is_cut_off() -> None:
    numbers = [5, *range(200, 100, -1), 3]
    entries = read(*map(public, numbers)).entries
    assert [int(uuid.UUID(entry.id)) for entry in entries] == numbers


def test_a_feed_of_nothing_is_a_feed() -> None:
    assert read().entries == []


def test_entries_are_written_as_they_come() -> None:
    """Constant memory: the first entry is there before the second record is read."""
    asked: list[int] = []

    def documents() -> Any:
        for number in (1, 2):
            asked.append(number)
            yield public(number)

    pieces = atom.many(documents(), ABOUT)
    next(piece for piece in pieces if "<entry>" in piece)
    assert asked == [1]


HOSTILE = st.text(st.characters(codec=None), min_size=1, max_size=40) | st.sampled_from(
    ["]]>", "<script>alert(1)</script>", "&amp;", "\x00\x0b\x1f", "\ufffe\uffff", "a\ud800b", "\"'"]
)


@given(HOSTILE, HOSTILE, HOSTILE)
def test_whatever_a_record_says_the_feed_is_well_formed(title: str, summary: str, name: str) -> None:
    document = public(title=title, summary=summary, lead_organisation={"name": name, "type": None, "url": None})
    text = "".join(atom.many([document], ABOUT))
    tree = ET.fromstring(text.encode())
    [said] = [each.text or "" for each in tree.findall("atom:entry/atom:title", NAMES)]
    assert said == clean(title)


@pytest.mark.parametrize("url", ["https://example.org/a?b=1&c=2", "https://example.org/<x>"])
def test_the_address_of_an_organisation_is_escaped(url: str) -> None:
    organisation = {"name": "Agency", "type": "agency", "url": url}
    assert read(public(lead_organisation=organisation)).entries[0].author_detail.href == url
