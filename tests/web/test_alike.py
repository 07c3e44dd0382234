"""Regions like mine, as officials use them: choosing a region, reading why, keeping one's own."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from kb.services import region_likeness, vocabularies
from tests.conftest import Site

ACOL = "catalonia-acol-line"


def html(client: FlaskClient, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, address
    return answer.text


def test_an_official_of_navarra_finds_acol_and_reads_why(reader: FlaskClient) -> None:
    page = html(reader, "/practices?region_like=ES22")
    assert f'href="/practices/{ACOL}"' in page
    assert "Catalonia is like Navarre: towns and country, on the border, in the mountains, in the same country" in page
    assert "Where from: <b>regions like Navarre</b>" in page
    assert "most alike" in page


def test_what_is_not_known_of_a_region_is_said_with_why_it_is_like_one(reader: FlaskClient) -> None:
    page = html(reader, "/practices?region_like=ES22&country=RS")
    said = "Vojvodina is like Navarre: towns and country, on the border. Whether it lies in the mountains is not known."
    assert said in page


def test_the_own_region_is_not_among_those_like_it(reader: FlaskClient) -> None:
    found = reader.get("/api/v1/practices?region_like=ES22&per_page=100").json["items"]
    assert found
    assert not [each for each in found if (each["region"] or {}).get("code", "").startswith("ES22")]


def test_practices_of_the_most_similar_regions_come_first(reading_site: Site, reader: FlaskClient) -> None:
    with reading_site.database.read() as session:
        vocabulary = vocabularies.load(session)
    alike = region_likeness.alike_codes(vocabulary, ["ES22"])
    slugs = [each["slug"] for each in reader.get("/api/v1/practices?region_like=ES22&per_page=100").json["items"]]
    records = [reader.get(f"/api/v1/practices/{slug}").json for slug in slugs]
    scores = [max(alike.get(code, 0) for code in codes(record)) for record in records]
    assert scores == sorted(scores, reverse=True)
    assert min(scores) >= 1000 * region_likeness.ENOUGH


def codes(record: dict) -> list[str]:  # type: ignore[type-arg]
    return [each["code"] for each in (record["region"], *record["other_regions"]) if each and each["code"]]


def test_it_is_a_filter_like_any_other(reader: FlaskClient) -> None:
    whole = reader.get("/api/v1/practices?region_like=ES22").json
    spain = next(each for each in whole["facets"]["country"] if each["value"] == "ES")
    narrowed = reader.get("/api/v1/practices?region_like=ES22&country=ES").json
    assert 0 < narrowed["total"] == spain["count"] < whole["total"]
    for address in ("/practices.csv", "/practices.atom", "/map", "/coverage"):
        assert reader.get(f"{address}?region_like=ES22").status_code == 200
    rows = reader.get("/practices.json?region_like=ES22").json
    assert len(rows) == whole["total"]


@pytest.mark.parametrize(("asked", "becomes"), [("es22", "ES22"), ("UKM", "x-gb-scotland")])
def test_a_code_written_otherwise_or_retired_leads_to_todays(reader: FlaskClient, asked: str, becomes: str) -> None:
    answer = reader.get(f"/practices?region_like={asked}&theme=housing")
    assert answer.status_code == 302
    assert parse_qs(urlsplit(answer.location).query) == {"region_like": [becomes], "theme": ["housing"]}
    assert reader.get(f"/api/v1/practices?region_like={asked}").status_code == 200


@pytest.mark.parametrize(
    ("asked", "said"),
    [("nowhere", "No region is called “nowhere”."), ("ES", "“ES” is a whole country. Choose one of its regions")],
)
def test_what_is_no_region_is_refused_in_a_sentence(reader: FlaskClient, asked: str, said: str) -> None:
    page = html(reader, f"/practices?region_like={asked}", 400)
    assert said in page
    assert f'href="/regions/like-mine?mine={asked}"' in page
    assert said in reader.get(f"/api/v1/practices?region_like={asked}").json["detail"]


def test_where_too_little_is_known_the_pages_say_so(reader: FlaskClient) -> None:
    said = "Too little is known of Kosovo to say which regions are like it: whether it is urban or rural and"
    for address in ("/practices?region_like=XK00", "/regions/XK00"):
        assert said in html(reader, address)


def test_a_regions_page_shows_practices_from_regions_like_it(reader: FlaskClient) -> None:
    page = html(reader, "/regions/ES22")
    assert "Practices from regions like Navarre" in page
    assert len(re.findall(r"is like Navarre: ", page)) == 4
    assert 'href="/practices?region_like=ES22"' in page
    assert "Regions most like it" in page


def test_a_visitor_chooses_a_region_by_name_and_keeps_the_rest_of_the_search(reader: FlaskClient) -> None:
    page = html(reader, "/practices?q=talent&evidence=monitoring")
    assert 'href="/regions/like-mine?q=talent&amp;evidence=monitoring"' in page
    assert 'name="evidence" value="monitoring"' in html(reader, "/regions/like-mine?q=talent&evidence=monitoring")
    answer = reader.get("/regions/like-mine?mine=navarra&q=talent&evidence=monitoring")
    assert answer.status_code == 302
    assert answer.location == "/practices?q=talent&region_like=ES22&evidence=monitoring"
    assert "Set-Cookie" not in answer.headers


def test_a_country_offers_its_regions_and_a_name_of_several_all_of_them(reader: FlaskClient) -> None:
    page = html(reader, "/regions/like-mine?mine=Spain")
    assert "Spain is a whole country. Choose one of its regions" in page
    assert 'href="/practices?region_like=ES51"' in page
    assert "Which region do you mean by “north”?" in html(reader, "/regions/like-mine?mine=north")


def test_a_name_of_no_region_is_said_beside_the_field_and_stays_in_it(reader: FlaskClient) -> None:
    page = html(reader, "/regions/like-mine?mine=zzzz", 400)
    assert "No region is called “zzzz”" in page
    assert 'value="zzzz"' in page


def test_the_region_of_the_account_is_offered_at_once(seeded_site: Site) -> None:
    client = seeded_site.client("alice")
    sent = {"csrf_token": token(client, "/account"), "name": "Alice", "language": "en", "region": "Navarra"}
    assert client.post("/account", data=sent).status_code == 302
    page = html(client, "/practices")
    assert 'name="region_like" value="ES22"><span>regions like Navarre</span>' in page
    assert 'href="/practices?region_like=ES22"' in html(client, "/regions/like-mine")
    assert 'value="Navarre (ES22)"' in html(client, "/account")


def test_a_region_of_the_account_that_there_is_not_is_refused_with_the_words_kept(seeded_site: Site) -> None:
    client = seeded_site.client("alice")
    sent = {"csrf_token": token(client, "/account"), "name": "Alice B.", "language": "en", "region": "Atlantis"}
    answer = client.post("/account", data=sent)
    assert answer.status_code == 422
    assert "Atlantis" in answer.text
    assert 'value="Alice B."' in answer.text


def test_an_account_form_without_a_region_leaves_it_as_it_is(seeded_site: Site) -> None:
    client = seeded_site.client("alice")
    sent = {"csrf_token": token(client, "/account"), "name": "Alice", "language": "en", "region": "ES22"}
    client.post("/account", data=sent)
    sent = {"csrf_token": token(client, "/account"), "name": "Alice C.", "language": "en"}
    client.post("/account", data=sent)
    assert "Navarre (ES22)" in html(client, "/account")


def test_the_api_ranks_the_regions_like_one_with_reasons(reader: FlaskClient) -> None:
    body = reader.get("/api/v1/regions/ES22/alike").json
    assert body["region"] == {"code": "ES22", "name": "Navarre", "country": "ES", "level": 2}
    catalonia = next(each for each in body["items"] if each["code"] == "ES51")
    assert catalonia["reasons"] == ["intermediate", "border", "mountain", "country"]
    assert body["total"] == len(body["items"])
    assert {each["alike"] for each in body["items"]} == {True}


def test_the_api_compares_a_region_with_others_that_are_named(reader: FlaskClient) -> None:
    body = reader.get("/api/v1/regions/es22/alike?with=EL30&with=ITH1").json
    assert [each["code"] for each in body["items"]] == ["ITH1", "EL30"]
    assert [each["alike"] for each in body["items"]] == [True, False]


@pytest.mark.parametrize(
    ("address", "status", "said"),
    [
        ("nowhere/alike", 404, "No region has the code “nowhere”."),
        ("GR/alike", 400, "is a whole country"),
        ("ES22/alike?with=nowhere", 400, "No region is called “nowhere”."),
        ("ES22/alike?x=1", 400, "There is no parameter called “x”."),
    ],
)
def test_the_api_says_what_is_no_region(reader: FlaskClient, address: str, status: int, said: str) -> None:
    answer = reader.get(f"/api/v1/regions/{address}")
    assert answer.status_code == status
    assert said in answer.json["detail"]


def token(client: FlaskClient, address: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(address).text)
    assert found
    return found[1]
