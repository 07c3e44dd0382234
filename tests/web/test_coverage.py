"""What is missing: theme by country, whose every figure is the total of a search and whose gaps are what is left."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests import factories
from tests.conftest import Site
from tests.web.test_map import api, table
from tests.web.test_reading import page, text

KEYS = ["total", "pairs", "empty", "themes", "countries"]


def coverage(client: FlaskClient, query: str = "") -> dict[str, Any]:
    return dict(client.get(f"/api/v1/coverage?{query}").get_json())


def pairs(answer: dict[str, Any]) -> dict[tuple[str, str], int]:
    return {(theme["value"], code): n for theme in answer["themes"] for code, n in theme["countries"].items()}


def test_the_answer_has_its_shape(reader: FlaskClient) -> None:
    answer = coverage(reader)
    assert list(answer) == KEYS
    assert list(answer["themes"][0]) == ["value", "label", "count", "countries", "missing"]
    assert list(answer["countries"][0]) == ["value", "label", "count"]


def test_every_pair_is_the_total_of_its_search(reader: FlaskClient) -> None:
    found = pairs(coverage(reader))
    totals = {(theme, code): api(reader, f"/practices?theme={theme}&country={code}")["total"] for theme, code in found}
    assert totals == found and len(found) > 200


def test_what_is_called_missing_finds_nothing(reader: FlaskClient) -> None:
    rarest = min(coverage(reader)["themes"], key=lambda theme: theme["count"])
    assert rarest["missing"]
    for code in rarest["missing"]:
        assert api(reader, f"/practices?theme={rarest['value']}&country={code}")["total"] == 0


@pytest.mark.parametrize("query", ["", "q=talent", "evidence=monitoring", "region_type=rural&status=running"])
def test_the_totals_are_those_of_facets_and_of_the_map(reader: FlaskClient, query: str) -> None:
    answer, facets = coverage(reader, query), api(reader, f"/practices?{query}")["facets"]
    countries = {each["value"]: each["count"] for each in answer["countries"]}
    assert countries == {each["value"]: each["count"] for each in facets["country"] if each["count"]}
    assert countries == {code: row.count for code, row in table(page(reader, f"/map?{query}")).items()}
    themes = {each["value"]: each["count"] for each in facets["theme"]}
    assert all(each["count"] == themes.get(each["value"], 0) for each in answer["themes"])
    assert answer["total"] == api(reader, f"/practices?{query}")["total"]


def test_pairs_and_gaps_add_up(reader: FlaskClient) -> None:
    answer = coverage(reader)
    assert answer["pairs"] == len(answer["themes"]) * len(answer["countries"])
    assert answer["empty"] == answer["pairs"] - len(pairs(answer))
    for theme in answer["themes"]:
        assert len(theme["countries"]) + len(theme["missing"]) == len(answer["countries"])


def test_a_chosen_theme_or_country_leaves_its_own_row_or_column(reader: FlaskClient) -> None:
    answer = coverage(reader, "theme=housing&country=IT&country=ES")
    assert [theme["value"] for theme in answer["themes"]] == ["housing"]
    assert {country["value"] for country in answer["countries"]} == {"IT", "ES"}
    assert answer["total"] == api(reader, "/practices?theme=housing&country=IT&country=ES")["total"]


def test_a_chosen_theme_is_held_against_all_countries_that_have_any_practice(reader: FlaskClient) -> None:
    everything, housing = coverage(reader), coverage(reader, "theme=housing")
    assert housing["countries"] == everything["countries"]
    assert housing["themes"] == [each for each in everything["themes"] if each["value"] == "housing"]


def test_a_chosen_country_without_practices_lacks_every_theme(reader: FlaskClient) -> None:
    answer = coverage(reader, "country=GE")
    assert answer["countries"] == [{"value": "GE", "label": "Georgia", "count": 0}]
    assert answer["empty"] == answer["pairs"] == len(answer["themes"])
    assert "21 of 21 pairs of theme and country hold no practice" in text(page(reader, "/coverage?country=GE"))


def test_the_api_refuses_a_parameter_that_there_is_not(reader: FlaskClient) -> None:
    answer = reader.get("/api/v1/coverage?colour=red")
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")


def test_labels_are_in_the_language_that_is_asked_for(reader: FlaskClient) -> None:
    assert "Italien" in {each["label"] for each in coverage(reader, "lang=de")["countries"]}


def test_anybody_may_read_it_from_anywhere(reader: FlaskClient) -> None:
    assert reader.get("/api/v1/coverage").headers["Access-Control-Allow-Origin"] == "*"


def test_the_table_of_the_page_has_every_figure_of_the_api(reader: FlaskClient) -> None:
    html, answer = page(reader, "/coverage"), coverage(reader)
    links = re.findall(r'href="/practices\?country=(\w\w)&theme=([\w-]+)">[^<]+</a>(?: (\d+))?', html)
    assert {(theme, code): int(n or 1) for code, theme, n in links} == pairs(answer)
    table = html.partition('id="h-t"')[2].partition("</section>")[0]
    without = re.findall(r"<summary>(\d+) countries without it<", table)
    assert sorted(map(int, without)) == sorted(len(each["missing"]) for each in answer["themes"])


def test_the_matrix_has_a_number_for_each_pair_and_a_ring_for_each_gap(reader: FlaskClient) -> None:
    html, answer = page(reader, "/coverage"), coverage(reader)
    cells = re.findall(r'country=(\w\w)&theme=([\w-]+)" tabindex="-1"><rect[^>]+/><text[^>]+>(\d+)</text>', html)
    assert {(theme, code): int(n) for code, theme, n in cells} == pairs(answer)
    rings = "".join(re.findall(r'<path class="hole" d="([^"]*)"', html))
    assert rings.count("M") == answer["empty"]


def test_the_findings_are_said_in_sentences(reader: FlaskClient) -> None:
    said, answer = text(page(reader, "/coverage")), coverage(reader)
    assert f"{answer['empty']} of {answer['pairs']} pairs of theme and country hold no practice" in said
    rare = [each["label"] for each in answer["themes"] if 4 * len(each["countries"]) < len(answer["countries"])]
    assert f"{len(rare)} themes are known from fewer than one country in four" in said
    assert all(name in said for name in rare)
    once = [each for each in answer["countries"] if each["count"] == 1]
    assert f"{len(once)} countries have one practice only" in said


def test_countries_from_which_there_is_nothing_yet_are_named(reader: FlaskClient) -> None:
    assert re.search(r"From these there is none yet: .*Georgia", text(page(reader, "/coverage")))


def test_no_draft_is_in_any_number(site: Site) -> None:
    with site.database.write() as session:
        alice = session.query(factories.User).filter_by(email="alice@example.org").one()
        factories.published(session)
        factories.draft(session, alice, country="ES", region={"code": "ES51", "name": None}, themes=["housing"])
        factories.submitted(session, alice, country="FR", region={"code": "FR10", "name": None}, themes=["housing"])
    site.drain()
    assert pairs(coverage(site.client())) == {("labour-inclusion", "IT"): 1}


def test_without_any_practice_the_page_says_so(site: Site) -> None:
    said = page(site.client(), "/coverage")
    assert "No practice fits this yet." in text(said) and 'class="matrix"' not in said
    assert coverage(site.client())["pairs"] == 0


def test_the_whole_page_may_be_indexed_and_a_narrowed_one_not(reader: FlaskClient) -> None:
    assert "noindex" not in page(reader, "/coverage")
    assert '<meta name="robots" content="noindex, follow">' in page(reader, "/coverage?country=IT")
