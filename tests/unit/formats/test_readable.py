"""A practice as Markdown and as a briefing in Word: all of it there, nothing of it taken for a sign of the format."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from typing import Any

import pytest
from docx import Document as read_word
from docx.document import Document as WordDocument
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from kb.formats import docx, markdown
from kb.formats.about import Document
from kb.formats.telling import HEADINGS
from kb.formats.text import line, plain
from tests.unit.formats.publics import ABOUT, BASE, HOSTILE, NAMES, SEED, WRITTEN, public

RICH: dict[str, Any] = {
    "original_title": "Mentori", "place": "Ravenna", "evidence": "monitoring", "beneficiaries": 1200,
    "budget_eur": 250000, "budget_year": 2022, "authority_role": "leader", "end": "2023-05",
    "context": "Few nurses stayed.", "objectives": "- Stay\n- Learn", "results": "**86** pairs.",
    "difficulties": "Shifts.", "lessons": "Begin [early](https://example.org/early).", "transferability": "A hospital.",
    "partners": [{"name": "Union", "type": "ngo", "url": "https://union.example.org"}],
    "other_regions": [{"country": "SI", "code": "SI04", "name": "Zahodna Slovenija"}],
    "indicators": [{"name": "Pairs", "baseline": "3", "value": "86", "unit": "pairs", "year": 2022, "url": None}],
    "funding": [{"source": "ESF", "amount_eur": 1500, "note": "one call"}],
    "links": [{"title": "Film", "url": "https://example.org/film"}],
    "images": [{"title": "Two", "url": "/files/a.png", "media_type": "image/png", "bytes": 1, "sha256": "a",
                "alt": "Two nurses", "credit": "Ann"}],
    "attachments": [{"title": "Guide", "url": "/files/b.pdf", "media_type": "application/pdf", "bytes": 1,
                     "sha256": "b"}],
    "adapted_from": [{"slug": "older", "changes": "Other wards."}], "editor_note": "Figures by the hospital.",
    "translations": [{"language": "it", "title": "Mentori per infermieri", "summary": "Coppie.", "machine": True}],
    "last_verified": "2026-10-01", "review_due": "2028-04-01",
}  # fmt: skip

SAID = (
    "Mentors for newly arrived nurses", "Ravenna", "monitoring", "1,200", "€250,000", "May 2023", "Few nurses stayed.",
    "Stay", "pairs.", "Shifts.", "Union", "SI04", "86 pairs", "€1,500", "one call", "Programme page",
    "Figures by the hospital.", "CC-BY-4.0", "Regional health service", f"{BASE}/practices/practice-1/versions/3",
)  # fmt: skip
"""Words that both formats hold of RICH."""


def tokens(text: str) -> list[Any]:
    """What a reader of Markdown that takes HTML makes of a text."""
    return MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)


def inner(text: str) -> list[Any]:
    return [child for token in tokens(text) for child in token.children or []]


def titles(text: str) -> list[tuple[str, str]]:
    made = tokens(text)
    return [(each.tag, made[at + 1].content) for at, each in enumerate(made) if each.type == "heading_open"]


# Markdown


@pytest.mark.parametrize("words", [*SAID, "Mentori", "Two nurses", "Ann", "older", "Coppie.", "1 October 2026"])
def test_markdown_says_what_the_record_says(words: str) -> None:
    said = " ".join(plain(part) for part in markdown.one(public(**RICH), ABOUT).split("\n"))
    assert words in said or words in markdown.one(public(**RICH), ABOUT)


def test_files_of_the_site_have_whole_addresses() -> None:
    text = markdown.one(public(**RICH), ABOUT)
    assert f"<{BASE}/files/a.png>" in text and f"<{BASE}/files/b.pdf>" in text


def test_what_is_not_reported_says_so() -> None:
    assert "## What was learnt\n\n*Not reported*" in markdown.one(public(), ABOUT)


def test_why_a_practice_stopped_comes_first() -> None:
    heads = [title for _tag, title in titles(markdown.one(public(status="discontinued", difficulties="Money."), ABOUT))]
    assert heads.index("Why it stopped") < heads.index("What was done") and "What was difficult" not in heads


@given(st.dictionaries(st.sampled_from(list(HEADINGS)), HOSTILE.filter(lambda text: text.strip())))
@settings(max_examples=80, deadline=None)
def test_no_text_brings_html_or_pictures(texts: dict[str, str]) -> None:
    text = markdown.one(public(**texts), ABOUT)
    kinds = {each.type for each in [*tokens(text), *inner(text)]}
    assert not kinds & {"html_block", "html_inline", "image"}


@pytest.mark.parametrize(
    "text",
    [
        "# One\n## Two\n#### Four", "Under\n===", "Under\n---", "Under\n-", "```\nopen", "~~~~\nopen\n~~~",
        "<script>alert(1)</script>", "\\<b>bold</b>", "<!-- open", "![a](http://x.org/y.png)", "\\![a](http://x.org)",
    ],
)  # fmt: skip
def test_the_headings_are_those_of_the_text_whatever_a_field_holds(text: str) -> None:
    made = markdown.one(public(context=text), ABOUT)
    heads = [title for tag, title in titles(made) if tag in ("h1", "h2")]
    expected = [title for tag, title in titles(markdown.one(public(context="Plain."), ABOUT)) if tag in ("h1", "h2")]
    assert heads == expected
    assert not {each.type for each in [*tokens(made), *inner(made)]} & {"html_block", "html_inline", "image"}


@given(NAMES)
@settings(deadline=None)
def test_a_title_is_a_title_whatever_its_signs(title: str) -> None:
    made = tokens(f"# {markdown.escaped(title)}\n")
    assert [each.type for each in made][:1] == ["heading_open"]
    assert all(each.type == "text" for each in made[1].children or [] if each.type != "text_special")
    assert "".join(each.content for each in made[1].children or []).split() == line(title).split()


@given(WRITTEN)
@settings(deadline=None)
def test_plain_text_makes_nothing_but_paragraphs(text: str) -> None:
    assert {each.type for each in tokens(markdown.paragraphs(text))} <= {"paragraph_open", "inline", "paragraph_close"}


def test_an_archived_practice_says_so_under_its_title() -> None:
    text = markdown.one(public(), replace(ABOUT, notice="In the archive since 3 May."))
    assert text.split("\n\n")[1] == "> In the archive since 3 May."


# Word


def word(document: Document, **about: Any) -> WordDocument:
    return read_word(io.BytesIO(docx.one(document, replace(ABOUT, **about))))


def words(made: WordDocument) -> str:
    """All that a briefing says, links included."""
    cells = [cell.text for table in made.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(paragraph.text for paragraph in made.paragraphs), *cells])


@pytest.fixture(scope="module")
def briefing() -> WordDocument:
    return word(public(**RICH))


@pytest.mark.parametrize("said", SAID)
def test_a_briefing_says_what_the_record_says(briefing: WordDocument, said: str) -> None:
    assert said in words(briefing)


def test_the_headings_of_a_briefing_are_headings(briefing: WordDocument) -> None:
    heads = [(p.style.name, p.text) for p in briefing.paragraphs if p.style and p.style.name.startswith("Heading")]
    assert heads[0] == ("Heading 1", "Mentors for newly arrived nurses")
    assert ("Heading 2", "What was done") in heads and ("Heading 2", "Cite and reuse") in heads


def test_a_briefing_is_in_the_readers_language_and_the_record_in_its_own() -> None:
    made = word(public(language="ca"), language="es")
    assert made.core_properties.language == "es"
    assert 'w:lang w:val="ca"' in made.paragraphs[0]._p.xml
    assert {each.get(f"{{{each.nsmap['w']}}}val") for each in made.styles.element.iter("{*}lang")} == {"es"}


def test_a_briefing_opens_with_the_title_as_its_reader_knows_it() -> None:
    shown = {"title": "Mentori", "summary": "Coppie.", "language": "it", "summary_language": "it", "machine": True}
    made = read_word(io.BytesIO(docx.one(public(), replace(ABOUT, language="it"), shown)))
    assert [p.text for p in made.paragraphs[:3]] == ["Mentori", "Mentors for newly arrived nurses", "Coppie."]
    assert "translated by a machine" in made.paragraphs[3].text and "w:lang" not in made.paragraphs[0]._p.xml


def test_a_briefing_names_its_author_and_version(briefing: WordDocument) -> None:
    core = briefing.core_properties
    assert (core.author, core.version) == ("Regional health service", "3")
    assert word(public(**SEED)).core_properties.author == ABOUT.site


def test_links_lead_to_the_web_and_to_nothing_else() -> None:
    made = word(public(actions="[a](https://a.example.org) [b](mailto:b@example.org) [c](javascript:x) [d](/e)"))
    addresses = [rel.target_ref for rel in made.part.rels.values() if rel.is_external]
    assert "https://a.example.org" in addresses and all(each.startswith(("https://", "mailto:")) for each in addresses)


def test_lists_and_emphasis_stay() -> None:
    made = word(public(actions="- **One**\n- Two\n\n3. Three\n4. Four"))
    assert [p.text for p in made.paragraphs if p.style and p.style.name == "List Bullet"] == ["One", "Two"]
    assert {"3. Three", "4. Four"} <= {p.text for p in made.paragraphs}
    assert any(run.bold and run.text == "One" for p in made.paragraphs for run in p.runs)


def test_a_long_story_is_cut_at_the_end_of_a_sentence_and_says_so() -> None:
    long = "Pairs meet every week for one hour. " * 50
    story = [p.text for p in word(public(**dict.fromkeys(HEADINGS, long))).paragraphs if p.text.startswith("Pairs")]
    assert len(story) == 7 and all(text.endswith("hour. […]") or text.endswith("hour.") for text in story)
    assert sum(len(text.split()) for text in story) <= docx.STORY + 7 * 1


def test_short_texts_are_whole() -> None:
    assert "[…]" not in "".join(p.text for p in word(public(**RICH)).paragraphs[:-1])


@given(st.lists(st.integers(0, 400), max_size=7), st.integers(0, 600))
@settings(deadline=None)
def test_room_is_shared_so_that_no_text_gets_more_than_it_needs_or_than_there_is(lengths: list[int], room: int) -> None:
    given_ = docx.shared(lengths, room)
    assert all(got <= length for got, length in zip(given_, lengths, strict=True)) and sum(given_) <= room
    if sum(lengths) <= room:
        assert given_ == lengths


@given(WRITTEN, st.integers(0, 60))
@settings(deadline=None)
def test_what_is_shortened_is_a_beginning_within_its_room(text: str, room: int) -> None:
    whole = docx.blocks(text, ABOUT)
    short = docx.shortened(whole, room)
    told = "".join(piece.text for block in short for piece in block.pieces)
    assert sum(block.words for block in short) <= room + 1
    assert "".join(piece.text for block in whole for piece in block.pieces).startswith(
        told.removesuffix(docx.CUT).removesuffix("…") if told.endswith(docx.CUT) else told
    )


@given(NAMES, WRITTEN, WRITTEN)
@settings(max_examples=15, deadline=None)
def test_a_briefing_holds_any_text(title: str, summary: str, text: str) -> None:
    made = word(
        public(title=title, summary=summary, actions=text, sources=[{"title": title, "url": f"https://e.org/{title}"}])
    )
    assert made.paragraphs[0].text.split() == line(title).split()


def test_a_briefing_is_the_same_file_whenever_it_is_made() -> None:
    assert docx.one(public(**RICH), ABOUT) == docx.one(public(**RICH), ABOUT)
    assert zipfile.ZipFile(io.BytesIO(docx.one(public(), ABOUT))).testzip() is None


def test_entries_of_a_short_list_stay_together() -> None:
    figures = [
        {"name": f"F{n}", "baseline": None, "value": "1", "unit": None, "year": None, "url": None} for n in (1, 2)
    ]
    made = word(public(indicators=figures, original_title="Titolo"))
    entries = [each for each in made.paragraphs if each.text.startswith(("F1", "F2"))]
    assert [bool(each.paragraph_format.keep_with_next) for each in entries] == [True, False]
    [title] = [each for each in made.paragraphs if each.text == "Titolo"]
    assert title.paragraph_format.space_after
