"""Records as Dublin Core for harvesters: what stands in which element, and XML that holds whatever the text says."""

from __future__ import annotations

import re
import uuid
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kb.formats import oai
from kb.formats.about import About, Document
from kb.formats.oai import Item, Resumption
from tests import factories

NAMES = {"oai": "http://www.openarchives.org/OAI/2.0/", "dc": "http://purl.org/dc/elements/1.1/"}
LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
MOMENT = datetime(2026, 11, 22, 10, 0, 5, 999_999, tzinfo=UTC)

ABOUT = About(
    site="Regions & practices",
    base_url="https://kb.example.org",
    title="Regions & practices",
    url="https://kb.example.org/oai",
    made=datetime(2026, 11, 23, 10, 0, tzinfo=UTC),
    language="en",
    term=lambda facet, value: f"{facet}: {value}",
    point=lambda document: None,
)


def public(**changes: Any) -> Document:
    """A record as readers get it."""
    stamped = {
        "id": str(uuid.UUID(int=1)), "slug": "practice-1", "licence": "CC-BY-4.0", "attribution": "Regional health",
        "origin": {"kind": "member", "url": None}, "version": 3, "updated": "2026-11-22T10:00:00Z",
        "url": "https://kb.example.org/practices/practice-1", "region": {"code": "ITH5", "name": "Emilia-Romagna"},
    }  # fmt: skip
    return {**factories.document(), **stamped, **changes}


def read(document: Document) -> list[tuple[str, str | None, str | None]]:
    """The elements of a record: name, text, language."""
    root = ET.fromstring(oai.one(document, ABOUT))
    return [(each.tag.partition("}")[2], each.text, each.get(LANGUAGE)) for each in root]


def texts(document: Document, name: str) -> list[str | None]:
    return [text for tag, text, _language in read(document) if tag == name]


def test_it_works() -> None:
    found = read(public())
    assert ("title", "Mentors for newly arrived nurses", "en") in found
    assert ("date", "2026-11-22", None) in found
    assert ("type", "Text", None) in found
    assert ("language", "en", None) in found
    assert ("relation", "https://example.org/nurses", None) in found


def test_titles_and_summaries_of_translations_say_their_language() -> None:
    translations = [{"language": "it", "title": "Mentori", "summary": "Gli ospedali.", "machine": True}]
    found = read(public(translations=translations))
    assert ("title", "Mentori", "it") in found
    assert ("description", "Gli ospedali.", "it") in found


def test_it_is_identified_by_its_page_and_by_the_address_of_its_version() -> None:
    page = "https://kb.example.org/practices/practice-1"
    assert texts(public(), "identifier") == [page, f"{page}/versions/3"]


def test_themes_and_target_groups_stand_with_name_and_code() -> None:
    subjects = texts(public(), "subject")
    assert subjects == [
        "theme: labour-inclusion", "labour-inclusion", "target_group: migrant-workers", "migrant-workers"
    ]  # fmt: skip


def test_places_and_years_are_its_coverage() -> None:
    regions = [{"country": "FR", "code": "FRK2", "name": "Rhône-Alpes"}, {"country": "IT", "code": None, "name": None}]
    assert texts(public(other_regions=regions, start="2016-05"), "coverage") == [
        "Emilia-Romagna", "ITH5", "Rhône-Alpes", "FRK2", "country: IT", "IT", "country: FR", "FR", "2016-05/.."
    ]  # fmt: skip


def test_its_rights_are_the_licence_and_whom_to_credit() -> None:
    assert texts(public(), "rights") == ["https://creativecommons.org/licenses/by/4.0/", "Regional health"]


def test_nobody_named_wrote_what_was_compiled_from_public_sources() -> None:
    assert texts(public(), "creator") == ["Regional health service"]
    seed = public(origin={"kind": "seed", "url": None})
    assert (texts(seed, "creator"), texts(seed, "contributor")) == ([ABOUT.site], ["Regional health service"])


def test_what_is_not_known_has_no_element() -> None:
    bare = public(region=None, start=None, partners=[], sources=[], original_title=None)
    assert all(text for _name, text, _language in read(bare))


def item(document: Document | None) -> Item:
    return Item(str(uuid.UUID(int=1)), MOMENT, ("theme:housing", "country:IT"), document)


def test_a_deleted_record_says_when_it_went_and_nothing_else() -> None:
    root = ET.fromstring(oai.response(ABOUT, {}, oai.record(item(None), ABOUT)))
    header = root.find(".//oai:header", NAMES)
    assert header is not None and header.get("status") == "deleted"
    assert [each.text for each in header] == [
        "oai:kb.example.org:00000000-0000-0000-0000-000000000001", "2026-11-22T10:00:05Z", "theme:housing", "country:IT"
    ]  # fmt: skip
    assert root.find(".//oai:metadata", NAMES) is None


def test_identifiers_alone_are_listed_without_records() -> None:
    root = ET.fromstring(oai.response(ABOUT, {}, oai.listing("ListIdentifiers", [item(public())], ABOUT, None)))
    assert [each.tag for each in root.find("oai:ListIdentifiers", NAMES) or ()] == [f"{{{NAMES['oai']}}}header"]


def test_a_part_of_a_list_says_where_it_goes_on() -> None:
    root = ET.fromstring(oai.response(ABOUT, {}, oai.listing("ListRecords", [], ABOUT, Resumption("on", 250, 100))))
    token = root.find(".//oai:resumptionToken", NAMES)
    assert token is not None
    assert (token.text, token.attrib) == ("on", {"completeListSize": "250", "cursor": "100"})


def test_a_repository_with_a_domain_says_how_its_identifiers_are_made() -> None:
    said = oai.identify(ABOUT, "office@example.org", MOMENT, "1")
    assert "<sampleIdentifier>oai:kb.example.org:1</sampleIdentifier>" in said
    assert "<earliestDatestamp>2026-11-22T10:00:05Z</earliestDatestamp>" in said


@settings(max_examples=50, deadline=None)
@given(st.text(min_size=1), st.sampled_from(["title", "summary", "place", "attribution", "licence", "language"]))
def test_any_text_makes_a_record_that_is_read_as_it_was_written(text: str, key: str) -> None:
    answer = oai.response(ABOUT, {"set": text, "verb": text}, oai.record(item(public(**{key: text})), ABOUT))
    root = ET.fromstring(answer.encode())
    kept = re.sub("[^\t\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", re.sub("\r\n?", "\n", text))
    kept = re.sub("[\ufdd0-\ufdef\U0001fffe\U0001ffff]", "", kept)
    if kept == text and key != "language":
        assert text in [each.text for each in root.iter()]
