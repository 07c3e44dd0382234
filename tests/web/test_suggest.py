"""Suggestions over HTTP: their shape, their addresses, and that nothing leaks through them."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from kb.models import User
from tests import factories, stack
from tests.conftest import Site, configure


def suggestions(client: FlaskClient, text: str, **params: str) -> list[dict[str, str]]:
    answer = client.get("/suggest", query_string={"q": text, "lang": "en", **params})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return list(answer.get_json()["suggestions"])


def test_it_works(reader: FlaskClient) -> None:
    answer = reader.get("/suggest?q=vivienda&lang=en&utm_source=x")
    assert answer.get_json() == {
        "q": "vivienda",
        "suggestions": [
            {
                "kind": "theme",
                "label": "Housing",
                "lang": "en",
                "detail": "15 practices",
                "url": "/themes/housing",
                "kind_label": "Theme",
                "found_by": {"text": "Vivienda", "lang": "es"},
            }
        ],
    }
    assert answer.headers["Cache-Control"] == "private, max-age=60"
    assert answer.headers["Vary"] == "Accept-Language, Cookie"
    assert "Set-Cookie" not in answer.headers


def test_the_language_is_that_of_the_page(peopled_folder: Path, tmp_path: Path) -> None:
    site = Site(configure(stack.copy(peopled_folder, tmp_path / "data"), KB_LANGUAGES="en,es"))
    with site.database.write() as session:
        factories.published(session, themes=["housing"])
    site.drain()
    client = site.client()
    assert suggestions(client, "vivienda")[0]["label"] == "Housing"
    assert suggestions(client, "vivienda", lang="es")[0]["label"] == "Vivienda"
    answer = client.get("/suggest?q=housing", headers={"Accept-Language": "es"})
    assert answer.get_json()["suggestions"][0]["found_by"] == {"text": "Housing", "lang": "en"}
    site.close()


@pytest.mark.parametrize("text", ["tal", "catal", "emilia", "roma", "city", "esp", "wom"])
def test_every_suggestion_leads_to_a_page_with_something_on_it(reader: FlaskClient, text: str) -> None:
    found = suggestions(reader, text)
    assert found
    for each in found:
        page = reader.get(each["url"])
        assert page.status_code == 200, each
        empty = "no practice yet" in (each["detail"] or "")
        assert each["kind"] == "practice" or empty or 'class="hit' in page.get_data(as_text=True), each


@stack.whoosh_only("Which names there are is read from the files of its segments.")
def test_every_place_and_organisation_can_be_found_word_for_word(reading_site: Site, reader: FlaskClient) -> None:
    held = [segment.columns.completions for segment in reading_site.parts.engine._look().segments]
    names = [name for kind in ("place", "organisation") for each in held for name in each[kind].names]
    lost = [
        name
        for name in names[:: max(1, len(names) // 60)]
        if reader.get("/api/v1/practices", query_string={"q": '"{}"'.format(name.replace('"', " "))}).get_json()[
            "total"
        ]
        == 0
    ]
    assert lost == []


@pytest.mark.parametrize(
    "query", ["", "q=", "q=a", "q=%00", "q=%ff%fe", "q=%ed%a0%80", "q=%F0%9F%A6%84", f"q={'h' * 10_000}", "q=tal&q=zz"]
)
def test_no_input_breaks_it(reader: FlaskClient, query: str) -> None:
    answer = reader.get(f"/suggest?{query}")
    assert answer.status_code == 200
    assert answer.get_json()["suggestions"] == [] or query == "q=tal&q=zz"
    assert len(answer.get_data()) < 8000


def test_who_is_signed_in_gets_an_answer_of_their_own(site: Site) -> None:
    assert site.client("alice").get("/suggest?q=hous").headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("who", [None, "alice", "bob", "dora"])
def test_a_draft_is_not_suggested_by_title_place_or_organisation(site: Site, who: str | None) -> None:
    with site.database.write() as session:
        alice = session.query(User).filter_by(email="alice@example.org").one()
        hidden = {
            "place": "Xyloburg",
            "lead_organisation": {"name": "Xylophone Society", "type": "ngo", "url": None},
            "original_title": "Xylofon",
        }
        factories.draft(session, alice, title="Xylem draft", **hidden)
        factories.submitted(session, alice, title="Xylem submission", **hidden)
        factories.published(session, alice, title="Xenial practice", place="Xenopolis")
    site.drain()
    client = site.client(who)
    assert {each["label"] for each in suggestions(client, "xe")} >= {"Xenial practice", "Xenopolis"}
    for text in ("xy", "xyl", "xylem", "xyloburg", "society xylo", "xylofon"):
        assert suggestions(client, text) == []


def test_the_search_boxes_of_the_site_have_suggestions_and_the_finder_of_regions_has_none(reader: FlaskClient) -> None:
    assert reader.get("/").get_data(as_text=True).count('data-suggest="/suggest"') == 1
    assert reader.get("/themes").get_data(as_text=True).count('data-suggest="/suggest"') == 1
    regions = reader.get("/regions").get_data(as_text=True)
    assert 'role="search"' in regions and "data-suggest" not in regions
