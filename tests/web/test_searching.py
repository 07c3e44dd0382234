"""Asking: operators, other languages, slips of the pen, and what the page says about them."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any
from urllib.parse import parse_qs

import pytest
from flask.testing import FlaskClient

from kb.web.pages import SEARCHES
from tests import factories
from tests.conftest import Site

Answer = dict[str, Any]


def ask(reader: FlaskClient, question: str, **params: str) -> Answer:
    return reader.get("/api/v1/practices", query_string={"q": question, **params}).get_json()


def page(reader: FlaskClient, question: str, **params: Any) -> str:
    return reader.get("/practices", query_string={"q": question, **params}).get_data(as_text=True)


def slugs(answer: Answer) -> list[str]:
    return [item["slug"] for item in answer["items"][: answer["total"]]]


def every(test: Callable[[Answer], bool]) -> Callable[[Answer], bool]:
    return lambda answer: all(test(item) for item in answer["items"][: answer["total"]])


EXPECTED: dict[str, Callable[[Answer], bool]] = {
    "housing refugees": lambda a: not a["partial"] and "amsterdam-startblok-mixed-housing" in slugs(a),
    '"welcome centre"': lambda a: "zagreb-action-plan-and-welcome-centre" in slugs(a) and a["total"] < 5,
    "refugees -children": lambda a: "vastra-gotaland-refugee-health-checks" not in slugs(a) and a["total"] > 10,
    "nurses OR doctors": lambda a: slugs(a)[0] == "wales-refugee-doctors" and a["total"] > 3,
    "entrepr*": lambda a: "nantes-singa-entrepreneurs" in slugs(a)[:3],
    "title:talent": every(lambda item: {"title", "original_title"} & set(item["matched"]) != set()),
    "housing country:IT": every(lambda item: item["country"] == "IT"),
    'theme:"labour inclusion" mentors': every(lambda item: "labour-inclusion" in item["themes"]),
    'region:"Bavaria"': every(lambda item: item["region"]["code"].startswith("DE2")),
    "arts year:2018..2022": every(lambda item: item["start"][:4] <= "2022" and (item["end"] or "9")[:4] >= "2018"),
    "linia acol": lambda a: slugs(a)[0] == "catalonia-acol-line",
    "Arbeitsmarkt Integration": lambda a: {"theme": "labour-inclusion"} in a["expanded_to"],
    "rynek pracy": lambda a: {"theme": "labour-inclusion"} in a["expanded_to"] and a["total"] > 20,
    "emplyment": lambda a: a["did_you_mean"] == "employment" and a["total"] > 20,
}
"""What each example of the help page has to find."""


def test_every_example_of_the_help_page_is_tried_here() -> None:
    assert set(EXPECTED) == {each.question for each in SEARCHES}


@pytest.mark.parametrize("question", list(EXPECTED))
def test_an_example_of_the_help_page_finds_what_it_says(reader: FlaskClient, question: str) -> None:
    answer = ask(reader, question)
    assert answer["total"] > 0
    assert EXPECTED[question](answer)


def test_the_help_page_links_every_example(reader: FlaskClient) -> None:
    addresses = re.findall(r'href="/practices\?([^"]*)"', reader.get("/help").get_data(as_text=True))
    linked = {parse_qs(unescape(address))["q"][0] for address in addresses if "q=" in address}
    for each in SEARCHES:
        assert each.question in linked


@pytest.mark.parametrize("question", ["inserción laboral", "inclusione lavorativa", "Arbeitsmarktintegration"])
def test_a_label_in_another_language_finds_what_is_tagged_so(reader: FlaskClient, question: str) -> None:
    answer = ask(reader, question)
    assert answer["expanded_to"] == [{"theme": "labour-inclusion"}]
    assert not answer["partial"]
    assert all("labour-inclusion" in item["themes"] for item in answer["items"])
    assert all("themes" in item["matched"] for item in answer["items"])


def test_the_page_says_what_else_was_searched_and_how_to_leave_it_out(reader: FlaskClient) -> None:
    html = page(reader, "housing italy")
    assert "Also searched:" in html
    assert "the theme <b>Housing</b>" in html
    assert "the country <b>Italy</b>" in html
    assert 'href="/practices?q=housing+italy&amp;drop=theme%3Ahousing"' in html
    assert 'href="/practices?q=housing+italy&amp;drop=theme%3Ahousing&amp;drop=country%3AIT"' in html


def test_what_is_left_out_can_be_taken_in_again(reader: FlaskClient) -> None:
    html = page(reader, "rynek pracy", drop="theme:labour-inclusion")
    assert "Also searched" not in html
    assert "Left out of this search:" in html
    assert 'href="/practices?q=rynek+pracy"' in html
    dropped = ask(reader, "rynek pracy", drop="theme:labour-inclusion")
    assert dropped["expanded_to"] == []
    assert dropped["total"] < ask(reader, "rynek pracy")["total"]


@pytest.mark.parametrize("drop", ["housing", "theme:nonsense", "status:running", "theme:", ":"])
def test_what_nobody_can_mean_cannot_be_left_out(reader: FlaskClient, drop: str) -> None:
    response = reader.get("/api/v1/practices", query_string={"q": "housing", "drop": drop})
    assert response.status_code == 400
    assert response.get_json()["detail"]


def test_where_nothing_is_found_the_likely_question_is_answered(reader: FlaskClient) -> None:
    html = page(reader, "emplyment")
    assert "Nothing was found for “emplyment”." in html
    assert 'href="/practices?q=employment"><b>employment</b>' in html
    assert ask(reader, "emplyment")["total"] == ask(reader, "employment")["total"]


def test_where_something_is_found_the_likely_question_is_offered(reader: FlaskClient) -> None:
    html = page(reader, "integracion")
    assert "Did you mean" in html
    assert 'href="/practices?q=integration"><b>integration</b>' in html
    assert ask(reader, "integracion")["did_you_mean"] == "integration"


def test_a_question_without_slips_is_taken_at_its_word(reader: FlaskClient) -> None:
    assert ask(reader, "talent")["did_you_mean"] is None
    assert ask(reader, "qwrtzpsdfg")["did_you_mean"] is None
    assert ask(reader, '"emplyment"')["total"] == 0


def test_a_better_spelling_keeps_the_rest_of_the_question(reader: FlaskClient) -> None:
    answer = ask(reader, "entreprenuers nantes country:fr")
    assert answer["did_you_mean"] == "entrepreneurs nantes country:fr"


def test_the_page_names_the_filter_to_drop_and_what_that_would_find(reader: FlaskClient) -> None:
    html = page(reader, "talent", country="PL", theme="housing")
    without = ask(reader, "talent", theme="housing")["total"]
    assert ask(reader, "talent", country="PL", theme="housing")["total"] == 0
    assert f'Without Country: Poland</a> <span class="meta">({without} practice' in html


def test_one_filter_that_leaves_nothing_is_named_too(reader: FlaskClient) -> None:
    html = page(reader, "talent", country="GR")
    assert "Without Country: Greece</a>" in html
    assert "Remove all filters" not in html


def test_a_result_says_where_it_answers_the_question(reader: FlaskClient) -> None:
    html = page(reader, "housing italy")
    assert re.search(r'class="why">Found in: [^<]*the theme Housing', html)
    (first, *_) = ask(reader, "línia ACOL")["items"]
    assert first["matched"][0] == "title"


def test_a_practice_found_by_a_tag_alone_shows_its_beginning(reader: FlaskClient) -> None:
    item = ask(reader, "rynek pracy")["items"][0]
    assert "<mark>" not in item["highlights"]["text"]
    assert item["highlights"]["text"][:40].replace("&#x27;", "'") == item["summary"][:40]


def test_a_passage_has_at_most_240_characters(reader: FlaskClient) -> None:
    for item in ask(reader, "refugees work")["items"]:
        text = re.sub(r"</?mark>", "", item["highlights"]["text"])
        assert len(re.sub(r"&#?\w+;", "x", text)) <= 240


def test_regions_whose_type_is_not_known_are_counted(site: Site) -> None:
    with site.database.write() as session:
        for number in range(2):
            factories.published(session, title=f"Somewhere {number}", region=None, level="national")
        factories.published(session, title="In a town", region={"code": "AT13"}, country="AT")
    site.drain()
    html = page(site.client(), "", region_type=["urban", "rural"])
    assert "2 practices are left out: the type of their regions is not known" in html
    assert re.search(r'Not known</span><span class="num">2<', html)
    assert "left out" not in page(site.client(), "")


def test_similar_practices_are_of_other_regions_and_not_the_practice_itself(reader: FlaskClient) -> None:
    html = reader.get("/practices/catalonia-acol-line").get_data(as_text=True)
    similar = html.partition('id="similar"')[2]
    linked = re.findall(r'href="/practices/([\w-]+)"', similar)
    assert len(linked) == 3
    assert "catalonia-acol-line" not in linked


@pytest.mark.parametrize(
    "question", ["Menschen ohne Papiere", "huisvesting voor vluchtelingen", "mediatori sanitari", "sauna", "thee aand"]
)
def test_words_of_another_language_are_no_slips(reader: FlaskClient, question: str) -> None:
    assert ask(reader, question)["did_you_mean"] is None


@pytest.mark.parametrize(
    ("question", "meant"),
    [
        ("how to attract nurces to rural areas", "how to attract nurses to rural areas"),
        ("e-lerning", "learning"),
        ("inclusione lavorattiva", "inclusione lavorativa"),
        ("emplyment entreprenuers", "employment entrepreneurs"),
    ],
)
def test_slips_in_longer_questions_are_understood(reader: FlaskClient, question: str, meant: str) -> None:
    assert ask(reader, question)["did_you_mean"] == meant


@pytest.mark.parametrize(
    ("question", "country"), [("Turkey", "TR"), ("UK", "GB"), ("Czech Republic", "CZ"), ("w Polsce", "PL")]
)
def test_countries_are_known_by_the_names_that_people_use(reader: FlaskClient, question: str, country: str) -> None:
    assert {"country": country} in ask(reader, question)["expanded_to"]


def test_either_of_two_names_finds_what_is_tagged_so(reader: FlaskClient) -> None:
    assert ask(reader, "vivienda OR Wohnen")["total"] == ask(reader, "vivienda")["total"]


def test_what_is_tagged_first_goes_before_whatever_else_is_learned(reader: FlaskClient) -> None:
    items = ask(reader, "zatrudnienie uchodźców")["items"]
    primary = [
        item["themes"][0] == "labour-inclusion" for item in items if item["matched"] == ["themes", "target_groups"]
    ]
    assert primary == sorted(primary, reverse=True)


@pytest.mark.parametrize("question", ["South Tyrol", "Deutschland", "Sweden", "acol residence permit"])
def test_every_result_says_why_it_is_there(reader: FlaskClient, question: str) -> None:
    assert all(item["matched"] for item in ask(reader, question)["items"])


def test_what_was_understood_is_said_where_filters_leave_nothing(reader: FlaskClient) -> None:
    answer = ask(reader, "emplyment", country="MT", theme="housing")
    assert answer["total"] == 0
    assert answer["did_you_mean"] == "employment"


def test_a_value_that_two_words_mean_is_named_once(reader: FlaskClient) -> None:
    assert ask(reader, "women and girls")["expanded_to"].count({"target_group": "women"}) == 1
