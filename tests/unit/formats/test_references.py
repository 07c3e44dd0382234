"""Citations of practices: in words after two styles, and as files that reference managers' own readers read back."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import bibtexparser
import pytest
import rispy
from bibtexparser.middlewares import LatexDecodingMiddleware
from citeproc import Citation, CitationItem, CitationStylesBibliography, CitationStylesStyle, formatter
from citeproc.source.json import CiteProcJSON
from hypothesis import given, settings

from kb.formats import atom, bibtex, citation, csl, jsonld, oai, ris
from kb.formats.about import Document
from kb.formats.text import line
from tests.unit.formats.publics import ABOUT, BASE, NAMES, SEED, WRITTEN, public

URL = f"{BASE}/practices/practice-1/versions/3"


def entries(*documents: Document) -> list[dict[str, str]]:
    """The entries of a BibTeX file, their text as TeX prints it."""
    library = bibtexparser.parse_string(
        "".join(bibtex.many(documents, ABOUT)), append_middleware=[LatexDecodingMiddleware()]
    )
    assert not library.failed_blocks
    return [{"key": each.key, **{f.key: str(f.value) for f in each.fields}} for each in library.entries]


def references(*documents: Document) -> list[dict[str, Any]]:
    return list(rispy.loads("".join(ris.many(documents, ABOUT))))


# In words


def test_apa_names_the_body_the_day_the_version_and_its_address() -> None:
    assert citation.apa(public(), ABOUT) == (
        "Regional health service. (2026, November 22). Mentors for newly arrived nurses (Version 3). "
        f"Regional integration practices. {URL}"
    )


def test_apa_names_the_site_once_where_only_sources_are_known() -> None:
    assert citation.apa(public(**SEED), ABOUT) == (
        f"Regional integration practices. (2026, November 22). Mentors for newly arrived nurses (Version 3). {URL}"
    )


def test_chicago_names_the_body_the_year_the_version_and_its_address() -> None:
    assert citation.chicago(public(), ABOUT) == (
        "Regional health service. 2026. “Mentors for newly arrived nurses.” Regional integration practices. "
        f"Version 3, November 22. {URL}."
    )


def test_chicago_names_the_site_once_where_only_sources_are_known() -> None:
    assert citation.chicago(public(**SEED), ABOUT) == (
        f"Regional integration practices. 2026. “Mentors for newly arrived nurses.” Version 3, November 22. {URL}."
    )


def test_every_format_cites_the_site_where_only_sources_are_known() -> None:
    record = public(**SEED)
    [entry], [reference], [item] = entries(record), references(record), json.loads(csl.one(record, ABOUT))
    assert entry["author"] == reference["authors"][0] == item["author"][0]["literal"] == ABOUT.site
    feed, dublin = "".join(atom.many([record], ABOUT)), oai.one(record, ABOUT)
    assert f"<author>\n<name>{ABOUT.site}</name>" in feed and f"<dc:creator>{ABOUT.site}<" in dublin
    assert jsonld.node(record, ABOUT)["creator"]["name"] == ABOUT.site


@pytest.mark.parametrize("name", ["Fondazione X.", "Who cares?", "Work!"])
def test_no_stop_follows_a_stop(name: str) -> None:
    record = public(title=name, lead_organisation={"name": name, "type": None, "url": None})
    assert citation.apa(record, ABOUT).startswith(f"{name} (2026, ")
    assert f"“{name}” " in citation.chicago(record, ABOUT)


def test_quotation_marks_in_quotation_marks_are_single() -> None:
    assert "“A ‘house’ and a ‘home’ for all.”" in citation.chicago(
        public(title='A “house” and a "home" for all'), ABOUT
    )


def test_the_title_in_html_stands_in_italics_and_says_its_language() -> None:
    html = citation.apa_html(public(title="Casa & llar", language="ca"), ABOUT)
    assert '<i lang="ca">Casa &amp; llar</i>' in html and f'<a href="{URL}">{URL}</a>' in html


@given(NAMES, NAMES)
@settings(deadline=None)
def test_no_text_brings_markup_into_the_html(title: str, name: str) -> None:
    record = public(title=title, lead_organisation={"name": name, "type": None, "url": None})
    for html in (citation.apa_html(record, ABOUT), citation.chicago_html(record, ABOUT)):
        assert re.sub(r'</?(i|span|a)( lang="en"| href="[^"<>]*")?>', "", html).count("<") == 0


# BibTeX


def test_a_bibtex_entry_says_what_the_record_says() -> None:
    [entry] = entries(public())
    assert (entry["key"], entry["author"]) == ("practice-1.v3", "Regional health service")
    assert (entry["year"], entry["month"], entry["date"]) == ("2026", "nov", "2026-11-22")
    assert (entry["url"], entry["version"], entry["language"]) == (URL, "3", "en")


def test_a_bibtex_entry_of_the_seed_is_the_sites_and_says_where_it_is_from() -> None:
    [entry] = entries(public(**SEED))
    assert entry["author"] == ABOUT.site and "compiled from the sources named" in entry["note"]


@given(NAMES, NAMES, WRITTEN)
@settings(max_examples=60, deadline=None)
def test_bibtex_reads_back_any_text(title: str, name: str, summary: str) -> None:
    first, second = entries(
        public(title=title, summary=summary, lead_organisation={"name": name, "type": None, "url": None}), public(2)
    )
    assert second["title"] == "Mentors for newly arrived nurses"
    for key, text in (("title", title), ("author", name), ("abstract", summary)):
        if paired(text):  # a reader of TeX does not know the names of braces that have no partner
            assert plain(first[key]) == plain(line(text))


def paired(text: str) -> bool:
    return bibtex.escaped(text).count("\\textbrace") == 0


def plain(text: str) -> str:
    """Text as far as the reader keeps it: it makes one space of many, and a circumflex of its own."""
    return " ".join(text.replace("ˆ", "^").split())


@given(WRITTEN)
@settings(deadline=None)
def test_braces_are_in_balance_whatever_the_text(text: str) -> None:
    escaped, depth = bibtex.escaped(text), 0
    for sign in escaped:
        depth += (sign == "{") - (sign == "}")
        assert depth >= 0
    assert depth == 0 and len(escaped.splitlines()) <= 1


def test_an_entry_begins_a_line_and_nothing_else_does() -> None:
    text = "".join(bibtex.many([public(summary="One\n@two{three,\n@four"), public(2)], ABOUT))
    assert text.count("\n@") + text.startswith("@") == 2


# RIS


def test_a_reference_in_ris_says_what_the_record_says() -> None:
    [entry] = references(public())
    assert entry["type_of_reference"] == "ELEC" and entry["authors"] == ["Regional health service"]
    assert entry["title"] == "Mentors for newly arrived nurses" and entry["year"] == "2026"
    assert entry["urls"] == [URL] and "theme labour-inclusion" in entry["keywords"]


def test_reference_managers_find_the_site_as_the_title_of_the_website_and_no_edition() -> None:
    text = ris.one(public(), ABOUT)
    assert f"T2  - {ABOUT.site}\r\n" in text and "N1  - Version 3\r\n" in text and "ET  - " not in text


def test_a_body_with_a_comma_in_its_name_stays_one_name() -> None:
    body = "Ministry of Labour, Migration and Social Affairs"
    record = public(lead_organisation={"name": body, "type": None, "url": None})
    assert references(record)[0]["authors"] == ["Ministry of Labour – Migration and Social Affairs"]
    assert json.loads(csl.one(record, ABOUT))[0]["author"] == [{"literal": body}]
    assert f"author = {{{{{body}}}}}" in bibtex.one(record, ABOUT)


@given(NAMES, NAMES, WRITTEN)
@settings(max_examples=60, deadline=None)
def test_ris_reads_back_any_text(title: str, name: str, summary: str) -> None:
    record = public(title=title, summary=summary, lead_organisation={"name": name, "type": None, "url": None})
    first, second = references(record, public(2))
    assert second["title"] == "Mentors for newly arrived nurses"
    for key, text in (("title", title), ("abstract", summary)):
        assert first.get(key, "").strip() == line(text).strip()
    assert [each.strip() for each in first.get("authors", [])] == (
        [ris.name(line(name))] if line(name) else [ABOUT.site]
    )


def test_a_line_that_looks_like_an_end_ends_nothing() -> None:
    text = "".join(ris.many([public(summary="First\nER  - \nTY  - BOOK"), public(2)], ABOUT))
    assert len(re.findall("^ER  - ", text, re.MULTILINE)) == 2


@given(WRITTEN)
@settings(deadline=None)
def test_every_line_of_ris_is_a_field_whatever_breaks_lines(text: str) -> None:
    written = ris.one(public(title=text, summary=text), ABOUT).splitlines()
    assert all(re.match(r"[A-Z][A-Z0-9]  - ", each) for each in written if each)


# CSL-JSON


def test_a_processor_of_styles_cites_from_csl_json() -> None:
    source = CiteProcJSON(json.loads("".join(csl.many([public()], ABOUT))))
    style = CitationStylesStyle("harvard-cite-them-right", validate=False)
    made = CitationStylesBibliography(style, source, formatter.plain)
    made.register(Citation([CitationItem("practice-1.v3")]))
    [cited] = [str(each) for each in made.bibliography()]
    assert cited.startswith("Regional health service (2026)") and "Mentors for newly arrived nurses" in cited
    assert URL in cited


@given(NAMES)
@settings(deadline=None)
def test_csl_json_holds_any_title(title: str) -> None:
    [item] = json.load(io.StringIO(csl.one(public(title=title), ABOUT)))
    assert item.get("title", "") == line(title)


def test_no_records_are_an_empty_array_of_csl() -> None:
    assert json.loads("".join(csl.many([], ABOUT))) == []


def test_an_archived_practice_says_so_in_every_reference() -> None:
    about = ABOUT.__class__(**{**ABOUT.__dict__, "notice": "In the archive."})
    for writer in (bibtex, ris, csl):
        assert "In the archive." in writer.one(public(), about)
