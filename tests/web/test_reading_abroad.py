"""Reading in another language than the text's, and what a page advises where nothing is found."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from tests import factories
from tests.conftest import Site

ACOL = "/practices/catalonia-acol-line"


def page(client: FlaskClient, path: str) -> str:
    """A page that is there."""
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


def test_a_practice_says_that_its_text_is_in_another_language(reader: FlaskClient) -> None:
    assert (
        "inglese" in re.search(r'<p class="meta">[^<]*</p>\s*<div class="notice">', page(reader, f"{ACOL}?lang=it"))[0]
    )


def test_a_practice_in_the_language_of_the_page_says_nothing_of_it(reader: FlaskClient) -> None:
    assert "The text is in" not in page(reader, ACOL)


def test_a_translated_practice_says_what_is_not_translated(site: Site) -> None:
    with site.database.write() as session:
        there = [{"language": "en", "title": "Mentors", "summary": "Mentors meet nurses.", "machine": False}]
        slug = factories.published(session, language="ca", translations=there).slug
    site.drain()
    html = page(site.client(), f"/practices/{slug}")
    assert "The rest of the text is in Catalan." in html


def test_the_model_of_a_practice_is_named_in_its_own_language(site: Site) -> None:
    with site.database.write() as session:
        model = factories.published(session, title="Mentors per a infermeres", language="ca").slug
        copy = factories.published(session, title="A copy", adapted_from=[{"slug": model, "changes": None}]).slug
    site.drain()
    assert f'href="/practices/{model}" lang="ca">Mentors per a infermeres</a>' in page(
        site.client(), f"/practices/{copy}"
    )


def test_where_nothing_fits_the_first_advice_is_to_leave_out_what_is_too_much(reader: FlaskClient) -> None:
    html = page(reader, "/practices?q=zzzqqq&country=ES")
    advice = html[html.index('id="found"') :]
    first = re.search(r'<li><a href="([^"]+)">([^<]+)</a> <span class="meta">\((\d+) practices\)', advice)
    assert first and first[1] == "/practices?country=ES" and first[2] == "Without the words “zzzqqq”"
    assert f"{first[3]} practices</title>" not in html and int(first[3]) > 1
    assert f">{first[3]} practices<" in page(reader, "/practices?country=ES")


def test_where_nothing_fits_there_is_nothing_to_sort_or_to_map(reader: FlaskClient) -> None:
    html = page(reader, "/practices?q=zzzqqq&country=ES")
    assert "Sort by" not in html and "Map of these results" not in html


def test_the_map_of_the_results_is_none_of_their_orders(reader: FlaskClient) -> None:
    html = page(reader, "/practices?q=talent")
    orders = html[html.index('id="sorts"') : html.index('id="chips"')]
    assert "Map of these results" in html and "Map of these results" not in orders


@pytest.mark.parametrize("language", ["de", "fr", "ro", "ga", "en", "it", "ca"])
def test_the_first_example_is_in_the_readers_language(reader: FlaskClient, language: str) -> None:
    html = page(reader, f"/?lang={language}")
    line = html[html.index('class="line"') :].partition("</p>")[0]
    examples = re.findall(r"<a [^>]*>", line)
    assert len(examples) == 4
    assert "lang=" not in examples[0] and all("lang=" in each for each in examples[1:])


def test_every_part_of_the_page_on_privacy_is_in_its_contents(reader: FlaskClient) -> None:
    html = page(reader, "/privacy")
    contents = html[html.index('class="toc"') :].partition("</nav>")[0]
    assert re.findall(r'href="#(p-\w+)"', contents) == re.findall(r'<h2 id="(p-\w+)"', html)


def test_a_country_without_practices_leads_on(reader: FlaskClient) -> None:
    html = page(reader, "/countries/JP")
    main = html[html.index("<main") : html.index("</main>")]
    assert all(f'href="{way}"' in main for way in ("/regions", "/map", "/themes", "/submit"))


def test_a_count_of_countries_without_a_theme_says_what_it_opens(reader: FlaskClient) -> None:
    html = page(reader, "/coverage")
    name = re.sub(r"<[^>]+>", "", re.search(r'<details class="lacking"><summary>(.*?)</summary>', html)[1])
    assert re.fullmatch(r"\d+ countries without it: .+", name)


def test_what_is_counted_as_recommended_is_named(reader: FlaskClient) -> None:
    html = page(reader, ACOL)
    assert re.search(r"\d of 9 recommended fields are reported(: |; missing:)", html)
