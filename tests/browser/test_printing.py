"""On paper: a practice is a briefing of two pages, a list of results can be read, and nothing to press is printed."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from pypdf import PdfReader

from tests.browser.conftest import OpenPage

LONGEST = (
    "catalonia-acol-line",
    "thuringia-anonymous-health-voucher",
    "vastra-gotaland-foreign-graduates",
    "arad-cross-border-labour-market",
)
"""The seed's practices with the most to print."""

CONTROLS = (
    "Sign in",
    "Submit a practice",
    "On this page",
    "Claim it",
    "Report an error",
    "Show the",
    "Sort by",
    "Menu",
)


def printed(page: Any) -> list[str]:
    """The text of each page of paper, its white space evened out."""
    sheets = PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True))).pages
    for sheet in sheets:
        assert [round(float(side) / 72 * 25.4) for side in sheet.mediabox[2:]] == [210, 297]
    return [" ".join(sheet.extract_text().split()) for sheet in sheets]


@pytest.mark.parametrize("slug", LONGEST)
def test_a_practice_is_a_briefing_of_two_pages(reading_url: str, page: Any, slug: str) -> None:
    page.goto(f"{reading_url}/practices/{slug}?lang=en")
    assert len(printed(page)) == 2


def test_a_briefing_says_where_and_when_it_was_printed_and_where_sources_lead(reading_url: str, page: Any) -> None:
    page.goto(f"{reading_url}/practices/catalonia-acol-line?lang=en")
    text = " ".join(printed(page))
    assert re.search(r"Version 1, published on \d+ \w+ \d{4}\. Printed on \d+ \w+ \d{4} from", text)
    assert text.replace(" ", "").count("/practices/catalonia-acol-line") >= 2
    assert "https://interregeurope.eu/salam" in text
    assert "regions/ES51" not in text
    assert [word for word in CONTROLS if word in text] == []


def test_a_list_of_results_prints_its_question_filters_and_practices(reading_url: str, page: Any) -> None:
    page.goto(f"{reading_url}/practices?q=talent&country=ES&lang=en")
    text = " ".join(printed(page))
    for words in ("Search results for “talent”", "4 practices", "Country: Spain", "Bizkaia Talent", "Printed on"):
        assert words in text
    assert [word for word in CONTROLS if word in text] == []


def test_paper_is_white_whatever_the_screen_is(reading_url: str, open_page: OpenPage) -> None:
    page = open_page(scheme="dark")
    page.goto(f"{reading_url}/practices/catalonia-acol-line")
    page.emulate_media(media="print", color_scheme="dark")
    ground, ink = page.evaluate(
        "['--kb-paper', '--kb-ink'].map(name => getComputedStyle(document.documentElement).getPropertyValue(name))"
    )
    assert (ground, ink) == ("#fff", "#191d1d")
