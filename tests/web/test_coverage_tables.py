"""The tables of what is there and what is missing: every figure is the total of the search that it leads to."""

from __future__ import annotations

import csv
import io
import re
from itertools import product
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.models import Evidence, RegionType, Status, Theme
from kb.services import catalogue, coverage, query, vocabularies
from kb.services.coverage import LAYOUTS, Layout, Table
from kb.services.query import CatalogueQuery
from kb.services.vocabularies import Vocabulary
from tests import factories
from tests.conftest import Site
from tests.web.test_map import api
from tests.web.test_reading import page, text

CROSSED = [each for each in LAYOUTS.values() if each.columns]

QUERIES = ("", "q=women", "status=running&region_type=rural", "theme=housing&country=IT&country=ES",
           "evidence=monitoring&target_group=refugees", "year_from=2015&year_to=2018", "q=zzzz")  # fmt: skip

FIGURE = re.compile(
    r'<a href="(/practices(?:\?[^"]*)?)">(?:(?P<inside>\d+)<span class="visually-hidden">'  # a cell of a grid
    r'|[^<]+</a> <span class="num">(?P<after>\d+)<span'  # a value of a list
    r'|[^<]+</a></th><td class="r num"[^>]*>(?P<row>\d+)<'  # a row of a table
    r"|(?P<whole>\d+)</a></td>)"  # the sum under a grid
)
FINDING = re.compile(r'<span class="num">(\d+)</span><p><a href="(/practices\?[^"]+)">')
BESIDE = re.compile(r'<a href="(/practices\?[^"]+)">[^<\d]+</a>(?: (\d+))?(?=, <a|</td>)')


def total(site: Site, address: str) -> int:
    """What the search at an address finds."""
    vocabulary = words(site)
    asked = query.parse(parse_qsl(urlsplit(address).query), vocabulary).query
    return catalogue.total(site.parts.engine, vocabulary, asked)


def words(site: Site) -> Vocabulary:
    """The vocabularies as the site knows them."""
    with site.database.read() as session:
        return site.parts.vocabularies.get(session)


def figures(html: str) -> list[tuple[str, int]]:
    """Every figure of the page with the address that it leads to."""
    tables = html.partition('id="h-t"')[2]
    found = [(match[1], int(match["inside"] or match["after"] or match["row"] or match["whole"]))
             for match in FIGURE.finditer(tables)]  # fmt: skip
    found += [(url, int(number)) for number, url in FINDING.findall(html)]
    return found + [(url, int(number or 1)) for url, number in BESIDE.findall(tables)]


@pytest.mark.parametrize("asked", QUERIES)
def test_every_figure_of_the_page_is_the_total_of_its_search(reading_site: Site, asked: str) -> None:
    found = figures(page(reading_site.client(), f"/coverage?{asked}"))
    assert len(found) > 300 or asked
    totals = {url: total(reading_site, url) for url, _number in found}
    assert [(url, number, totals[url]) for url, number in found if number != totals[url]] == []


themes = st.sampled_from(["housing", "labour-inclusion", "language-learning", "entrepreneurship"])
queries = st.builds(
    CatalogueQuery,
    q=st.sampled_from(["", "women", "talent", "refugees -children", "houssing"]),
    country=st.lists(st.sampled_from(["IT", "ES", "DE", "GE"]), max_size=2, unique=True).map(tuple),
    region=st.sampled_from([(), ("ES51",), ("SE",), ("ITC", "DE")]),
    theme=st.lists(themes, max_size=2, unique=True).map(tuple),
    target_group=st.lists(st.sampled_from(["refugees", "women"]), max_size=1).map(tuple),
    status=st.lists(st.sampled_from([str(each) for each in Status]), max_size=2, unique=True).map(tuple),
    evidence=st.lists(st.sampled_from([str(each) for each in Evidence]), max_size=2, unique=True).map(tuple),
    region_type=st.lists(st.sampled_from([str(each) for each in RegionType]), max_size=2, unique=True).map(tuple),
    year_from=st.sampled_from([None, None, 2010, 2018]),
    year_to=st.sampled_from([None, None, 2020, 2023]),
)


def chosen(asked: CatalogueQuery, layout: Layout, row: str, column: str | None = None) -> CatalogueQuery:
    """The query with a row, and a column, of a table chosen."""
    params = {"year_from": int(row), "year_to": int(row)} if layout.rows == "year" else {layout.rows: (row,)}
    return CatalogueQuery(
        **{**vars(asked), **params, **({layout.columns: (column,)} if layout.columns and column else {})}
    )


@settings(max_examples=25)
@given(asked=queries, data=st.data())
def test_every_row_and_cell_is_the_total_of_the_query_with_these_values(
    reading_site: Site, asked: CatalogueQuery, data: st.DataObject
) -> None:
    engine, vocabulary = reading_site.parts.engine, words(reading_site)
    tables = coverage.tables(engine, vocabulary, asked)
    for layout in LAYOUTS.values():
        table: Table = tables[layout.name]
        assert table.total == catalogue.total(engine, vocabulary, asked)
        if not table.rows:
            continue
        row = data.draw(st.sampled_from(list(table.rows)))
        assert table.rows[row] == catalogue.total(engine, vocabulary, chosen(asked, layout, row))
        if table.columns:
            column = data.draw(st.sampled_from(list(table.columns)))
            expected = catalogue.total(engine, vocabulary, chosen(asked, layout, row, column))
            assert table.cells.get((row, column), 0) == expected
            assert (column in table.lacking[row]) == (expected == 0)


# The page


def test_a_cell_without_a_practice_says_so_in_words_and_leads_to_the_form(site: Site) -> None:
    publish(site, themes=["housing"], evidence="monitoring")
    html = page(site.client(), "/coverage")
    gaps = re.findall(r'<a class="hole" href="(/submit\?[^"]+)"><span class="visually-hidden">([^<]+)</span>', html)
    assert ("/submit?theme=housing", "No practice: Housing, Mountains. Share yours") in gaps
    assert (
        "/submit?theme=housing&evidence=counterfactual",
        "No practice: Housing, Comparison group. Share yours",
    ) in gaps
    assert all("housing" not in url for url, said in gaps if "Housing, Monitoring" in said)


def test_a_gap_leads_to_a_form_in_which_it_is_chosen(site: Site) -> None:
    html = page(site.client("alice"), "/submit?theme=housing&target_group=refugees&country=IT&evidence=monitoring")
    assert re.search(r'<select[^>]* name="themes".*?<option value="housing" selected>', html, re.DOTALL)
    assert re.search(r'name="target_groups" value="refugees" checked', html)
    assert re.search(r'<option value="IT" selected>', html)
    assert re.search(r'name="evidence" value="monitoring" checked', html)


def test_a_form_is_empty_where_a_link_names_what_nobody_knows(site: Site) -> None:
    html = page(site.client("alice"), "/submit?theme=nothing&target_group=x&country=XX&evidence=some")
    chosen = re.findall(
        r'<option value="([^"]+)" selected', html.partition('id="part-themes"')[2].partition("</section>")[0]
    )
    assert chosen == []


def test_target_groups_that_hardly_any_practice_is_for_are_named(site: Site) -> None:
    publish(site, target_groups=["refugees"])
    said = text(page(site.client(), "/coverage"))
    assert re.search(r"\d+ groups of people that no practice is for: ", said)
    rows = page(site.client(), "/coverage").partition('id="h-g"')[2]
    assert "No country yet" in rows.partition("</table>")[0]


def test_what_ended_or_was_stopped_is_counted_with_its_search(site: Site) -> None:
    for number, status in enumerate((Status.ENDED, Status.DISCONTINUED, Status.RUNNING)):
        publish(site, title=f"Number {number}", status=status, start="2019", end=None if number == 2 else "2021")
    html = page(site.client(), "/coverage")
    found = re.search(r'<span class="num">(\d+)</span><p><a href="([^"]+)">practices ended or were stopped</a>', html)
    assert found and found.groups() == ("2", "/practices?status=ended&status=discontinued")
    assert "ended or were stopped" not in page(site.client(), "/coverage?status=running")


def test_evidence_that_is_not_reported_is_told(site: Site) -> None:
    publish(site, title="Silent", evidence=None)
    publish(site, title="Judged", evidence="external-evaluation")
    said = text(page(site.client(), "/coverage"))
    assert (
        "1 practice was evaluated from outside" in said and "1 practice does not say how its results are known." in said
    )
    assert api(site.client(), "/coverage?table=evidence")["not_reported"] == 1


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_page_leads_to_every_table_as_a_file(reading_site: Site, name: str) -> None:
    html = page(reading_site.client(), "/coverage?theme=housing&lang=de")
    assert f'href="/coverage.csv?theme=housing&table={name}&lang=de"' in html


def test_the_first_rows_of_a_long_table_stand_open_and_a_summary_says_what_follows(reader: FlaskClient) -> None:
    html = page(reader, "/coverage")
    part = html.partition('id="h-t"')[2].partition("</section>")[0]
    assert part.partition('<details class="fold">')[0].count('<th scope="row">') == 5
    assert "<summary>16 more themes</summary>" in part and part.count('<th scope="row">') == 21
    assert "<summary>Theme by evidence: 21 themes, 5 kinds of evidence</summary>" in html


@pytest.mark.parametrize("part", ["h-t", "h-k", "h-g", "h-s", "h-e", "h-st", "h-l", "h-y"])
def test_a_table_begins_with_the_way_to_its_file(reader: FlaskClient, part: str) -> None:
    after = page(reader, "/coverage").partition(f'id="{part}"')[2]
    assert "/coverage.csv?" in re.split(r'<table|<ul class="ledger', after)[0]


# The file


def lines(client: FlaskClient, address: str) -> list[dict[str, str]]:
    answer = client.get(address)
    assert (answer.status_code, answer.mimetype) == (200, "text/csv"), answer.text
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=coverage-")
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


@pytest.mark.parametrize("layout", CROSSED, ids=lambda layout: layout.name)
def test_a_file_has_every_pair_with_codes_and_labels(reading_site: Site, layout: Layout) -> None:
    found = lines(reading_site.client(), f"/coverage.csv?table={layout.name}&lang=es")
    rows, columns = layout.rows, layout.columns
    header = [rows, f"{rows}_label", f"{rows}_practices", columns, f"{columns}_label", f"{columns}_practices"]
    assert list(found[0]) == [*header, "practices", "url"]
    pairs = [(each[rows], each[str(columns)]) for each in found]
    assert pairs == list(product(dict.fromkeys(a for a, _ in pairs), dict.fromkeys(b for _, b in pairs)))
    answer = api(reading_site.client(), f"/coverage?table={layout.name}&lang=es")
    assert sum(each["practices"] == "0" for each in found) == answer["empty"]
    some = [each for each in found if each["practices"] != "0"][:: max(1, len(found) // 20)]
    for each in some:
        assert each["url"].startswith(reading_site.config.base_url)
        assert total(reading_site, each["url"].removeprefix(reading_site.config.base_url)) == int(each["practices"])


@pytest.mark.parametrize("name", ["evidence", "status", "language", "year"])
def test_a_file_of_one_facet_has_a_line_for_each_value(reading_site: Site, name: str) -> None:
    found = lines(reading_site.client(), f"/coverage.csv?table={name}&q=women")
    assert list(found[0]) == [name, f"{name}_label", "practices", "url"]
    named = [each for each in found if each[name]]
    assert all(total(reading_site, each["url"].removeprefix(reading_site.config.base_url)) == int(each["practices"])
               for each in named)  # fmt: skip
    assert all(each[f"{name}_label"] == "Not reported" for each in found if not each[name])


def test_labels_of_a_file_are_in_the_language_of_the_page(reader: FlaskClient) -> None:
    german, english = (lines(reader, f"/coverage.csv?lang={language}") for language in ("de", "en"))
    assert {"Italien"} == {each["country_label"] for each in german if each["country"] == "IT"}
    assert {each["country"] for each in german} == {each["country"] for each in english}


def test_no_label_of_a_file_is_taken_for_a_formula(site: Site) -> None:
    with site.database.write() as session:
        factories.published(session, themes=["housing"])
    site.drain()
    with site.database.write() as session:
        term = session.get_one(Theme, "housing")
        term.labels = {**term.labels, "en": "=HYPERLINK(1)"}
        vocabularies.moved(session)
    found = lines(site.client(), "/coverage.csv?table=theme-country")
    assert {each["theme_label"] for each in found if each["theme"] == "housing"} == {"'=HYPERLINK(1)"}


def test_a_table_that_there_is_not_is_refused_with_those_that_there_are(reader: FlaskClient) -> None:
    answer = reader.get("/coverage.csv?table=colour")
    assert answer.status_code == 400
    assert "There is no table called “colour”. There are: theme-country, theme-region-type" in text(
        page(reader, "/coverage.csv?table=colour", 400)
    )
    answer = reader.get("/api/v1/coverage?table=colour")
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")


def test_a_file_is_open_to_scripts_and_listed_by_nobody(reader: FlaskClient) -> None:
    headers = reader.get("/coverage.csv").headers
    assert headers["Access-Control-Allow-Origin"] == "*" and headers["X-Robots-Tag"] == "noindex"


# The API


def test_the_answer_without_a_table_is_the_one_with_theme_by_country(reader: FlaskClient) -> None:
    assert api(reader, "/coverage?q=talent") == api(reader, "/coverage?q=talent&table=theme-country")


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("theme-region-type", ["total", "pairs", "empty", "themes", "region_types", "not_reported"]),
        ("theme-evidence", ["total", "pairs", "empty", "themes", "evidence", "not_reported"]),
        ("target-group-country", ["total", "pairs", "empty", "target_groups", "countries"]),
        ("evidence", ["total", "evidence", "not_reported"]),
        ("status", ["total", "statuses"]),
        ("language", ["total", "languages"]),
        ("year", ["total", "years"]),
    ],
)
def test_every_table_names_what_it_counts(reader: FlaskClient, name: str, keys: list[str]) -> None:
    answer = api(reader, f"/coverage?table={name}")
    assert list(answer) == keys
    rows: list[dict[str, Any]] = answer[next(key for key in keys if isinstance(answer[key], list))]
    several = keys[4] if "pairs" in keys else None
    assert list(rows[0]) == ["value", "label", "count", *([several, "missing"] if several else [])]


def test_what_says_nothing_of_evidence_and_what_says_something_are_all(reader: FlaskClient) -> None:
    answer = api(reader, "/coverage?table=evidence")
    assert sum(each["count"] for each in answer["evidence"]) + answer["not_reported"] == answer["total"]


def publish(site: Site, **changes: Any) -> None:
    with site.database.write() as session:
        factories.published(session, **changes)
    site.drain()
