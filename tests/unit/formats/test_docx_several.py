"""Several practices in Word: tables with heads, languages, what is in them, and nothing that any text could break."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace

import pytest
from docx import Document as read_word
from docx.document import Document as WordDocument
from docx.oxml.ns import qn
from hypothesis import given, settings

from kb.formats import briefing, docx_several
from kb.formats.briefing import Briefing
from kb.formats.comparison import Column
from kb.formats.telling import HEADINGS
from tests.unit.formats.publics import ABOUT, BASE, NAMES, WRITTEN, public
from tests.unit.formats.test_comparison import column
from tests.unit.formats.test_readable import RICH

QUESTION = "How do we keep nurses?"

PAIR = [
    column(public(1, **RICH), adoptions=("Navarra: adapting",)),
    column(public(2, title="Parelles d’infermeres", language="ca", transferability="Cal un acord.")),
]


def read(made: bytes) -> WordDocument:
    return read_word(io.BytesIO(made))


def words(made: WordDocument) -> str:
    cells = [cell.text for table in made.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(paragraph.text for paragraph in made.paragraphs), *cells])


def headings(made: WordDocument, style: str) -> list[str]:
    return [each.text for each in made.paragraphs if each.style and each.style.name == style]


def runs_in(made: WordDocument, language: str) -> str:
    """All words that are marked as being in a language."""
    marked = [
        run
        for run in made.element.body.iter(qn("w:r"))
        if run.rPr is not None and run.rPr.find(qn("w:lang")) is not None
    ]
    return " ".join(run.text for run in marked if run.rPr.find(qn("w:lang")).get(qn("w:val")) == language)


@pytest.fixture(scope="module")
def comparison() -> WordDocument:
    return read(docx_several.compared(PAIR, replace(ABOUT, title="Comparison: two")))


@pytest.fixture(scope="module")
def made() -> WordDocument:
    return read(docx_several.briefed(Briefing(PAIR, QUESTION, "The council"), replace(ABOUT, title=QUESTION)))


def test_a_comparison_names_its_columns_on_every_page_of_every_table(comparison: WordDocument) -> None:
    for table in comparison.tables:
        assert table._tbl.tblPr.find(qn("w:tblCaption")) is not None
        assert table.rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None
        assert [cell.text for cell in table.rows[0].cells] == ["Fact", PAIR[0].title, PAIR[1].title]


def test_a_comparison_says_of_each_row_whether_it_is_the_same(comparison: WordDocument) -> None:
    named = [row.cells[0] for table in comparison.tables for row in table.rows[1:]]
    marked = {cell.text for cell in named if cell._tc.tcPr.find(qn("w:tcBorders")) is not None}
    assert marked == {"Evidence", "Paid by", "Role of the region"}
    assert {"Level (the same)", "Conditions", "Taken up by"} <= {cell.text for cell in named}
    assert "Both: level: level regional; status: status running; " in words(comparison)


def test_a_comparison_lies_across_the_sheet(comparison: WordDocument) -> None:
    section = comparison.sections[0]
    assert section.page_width and section.page_height and section.page_width > section.page_height


def test_a_text_in_another_language_is_marked_wherever_it_stands(comparison: WordDocument, made: WordDocument) -> None:
    assert "Cal un acord." in runs_in(comparison, "ca") and "Parelles" in runs_in(comparison, "ca")
    assert "Cal un acord." in runs_in(made, "ca") and "Parelles" in runs_in(made, "ca")


@pytest.mark.parametrize(
    "said",
    [
        QUESTION, "For: The council", "Made on 23 November 2026", "Mentors for newly arrived nurses", "1,200",
        "€250,000 in 2022", "evidence monitoring", "86 pairs.", "A hospital.", "Begin early.", "Navarra: adapting",
        "Sources: [1].", "[1] Programme page", "(Version 3).", "CC-BY-4.0", "Not reported: What came of it",
        f"{BASE}/practices/practice-1/versions/3", "Figures by the hospital.",
    ],
)  # fmt: skip
def test_a_briefing_has_what_a_council_needs(made: WordDocument, said: str) -> None:
    assert said in words(made)


def test_a_briefing_is_structured(made: WordDocument) -> None:
    assert headings(made, "Title") == [QUESTION]
    heads = headings(made, "Heading 1")
    assert heads == ["At a glance", PAIR[0].title, PAIR[1].title, "Sources", "Cite and reuse"]
    table = made.tables[0]
    assert next(cell.text for cell in table.rows[0].cells) == "Practice"
    assert table.rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None


def test_each_practice_of_a_briefing_begins_a_page(made: WordDocument) -> None:
    titles = [each for each in made.paragraphs if each.text in (PAIR[0].title, PAIR[1].title)]
    assert [each.paragraph_format.page_break_before for each in titles] == [True, True]


def test_a_briefing_says_of_itself_what_it_is(made: WordDocument) -> None:
    core = made.core_properties
    assert (core.title, core.author, core.language) == (QUESTION, ABOUT.site, "en")
    assert core.identifier == ABOUT.url and core.comments == ""


def test_the_long_texts_of_a_practice_fit_a_page() -> None:
    long = "Pairs meet every week for one hour. " * 50
    told = read(docx_several.briefed(Briefing([column(public(**dict.fromkeys(HEADINGS, long)))]), ABOUT))
    story = [each.text for each in told.paragraphs if each.text.startswith("Pairs")]
    assert len(story) == len(briefing.STORY) and all("[…]" in text for text in story)
    assert sum(len(text.split()) for text in story) <= docx_several.STORY + len(story)


def test_the_longer_the_editors_note_the_shorter_the_texts_beside_it() -> None:
    long = "Pairs meet every week for one hour. " * 50
    texts = dict.fromkeys(HEADINGS, long)
    notes = ("", "One word follows another. " * 25)
    told = [
        words(read(docx_several.briefed(Briefing([column(public(**texts, editor_note=each))]), ABOUT)))
        for each in notes
    ]
    assert abs(len(told[0].split()) - len(told[1].split())) < 20


def test_a_source_of_two_practices_has_one_number() -> None:
    other = {"title": "Other", "url": "https://example.org/other"}
    shared = public()["sources"]
    columns = [column(public(1)), column(public(2, sources=[other, *shared]))]
    sources, own = briefing.numbered(columns)
    assert [each.number for each in sources] == [1, 2] and own == [[1], [2, 1]]


def test_why_a_practice_stopped_comes_first() -> None:
    named = briefing.headings(public(status="discontinued"), ABOUT)
    assert next(iter(named)) == "difficulties" and named["difficulties"] == "Why it stopped"


@given(NAMES, WRITTEN)
@settings(max_examples=5)
def test_any_text_and_any_question_make_a_file_that_opens(name: str, text: str) -> None:
    columns: list[Column] = [
        column(public(title=name, results=text, sources=[{"title": name, "url": f"https://e.org/{name}"}]))
    ]
    about = replace(ABOUT, title=name, url=f"{BASE}/briefing?question={name}")
    for made in (docx_several.briefed(Briefing(columns, name, text), about), docx_several.compared(columns * 2, about)):
        assert read(made).paragraphs and zipfile.ZipFile(io.BytesIO(made)).testzip() is None
