"""The API as it is read: fields, versions, marks and 304, pages linked, what other sites' scripts may do."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from kb.models import Practice, Record
from kb.services import freshness
from kb.services.freshness import Dates
from kb.services.record import KEYS
from tests import factories
from tests.conftest import Site

PATHS = ("practices", "practices/catalonia-acol-line", "practices/catalonia-acol-line/versions",
         "practices/catalonia-acol-line/versions/1", "facets", "themes", "target-groups", "regions", "coverage",
         "openapi.json")  # fmt: skip


def test_a_list_has_exactly_the_fields_that_were_asked_for(reader: FlaskClient) -> None:
    answer = reader.get("/api/v1/practices?fields=results,slug,title&per_page=3").get_json()
    assert [list(item) for item in answer["items"]] == [["slug", "title", "results"]] * 3


def test_a_field_of_a_list_is_that_of_the_whole_record(reader: FlaskClient) -> None:
    [item] = reader.get(f"/api/v1/practices?fields={','.join(KEYS)}&per_page=1").get_json()["items"]
    assert tuple(item) == KEYS and item == reader.get(f"/api/v1/practices/{item['slug']}").get_json()


def test_one_record_has_exactly_the_fields_that_were_asked_for(reader: FlaskClient) -> None:
    answer = reader.get("/api/v1/practices/catalonia-acol-line?fields=themes&fields=country").get_json()
    assert list(answer) == ["country", "themes"]


def test_the_fields_are_kept_from_page_to_page(reader: FlaskClient) -> None:
    links = reader.get("/api/v1/practices?fields=slug,title&per_page=5").get_json()["links"]
    assert "fields=slug" in links["next"] and "fields=slug" in links["self"]


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("practices?fields=slug,colour", "colour"),
        ("practices/catalonia-acol-line?fields=contact", "contact"),
        ("practices?fields=score", "score"),
        ("practices?country=", "country"),
        ("practices?fields=", "fields"),
        ("practices/catalonia-acol-line?colour=red", "colour"),
        ("themes?colour=red", "colour"),
        ("regions?q=x", "q"),
        ("practices/catalonia-acol-line/versions?page=1", "page"),
        ("openapi.json?colour=red", "colour"),
    ],
)
def test_what_there_is_not_is_named(reader: FlaskClient, path: str, named: str) -> None:
    answer = reader.get(f"/api/v1/{path}")
    assert answer.status_code == 400 and answer.content_type == "application/problem+json"
    assert [each["field"] for each in answer.get_json()["errors"]] in ([named], ["fields"])
    assert f"“{named}”" in answer.get_json()["detail"]


@pytest.mark.parametrize("path", PATHS)
def test_what_did_not_change_is_not_sent_again(reader: FlaskClient, path: str) -> None:
    first = reader.get(f"/api/v1/{path}")
    again = reader.get(f"/api/v1/{path}", headers={"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code, again.data) == (200, 304, b"")
    assert again.headers["ETag"] == first.headers["ETag"] and "Cookie" not in again.vary


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_says_how_long_it_took_and_that_it_must_be_asked_about(reader: FlaskClient, path: str) -> None:
    headers = reader.get(f"/api/v1/{path}").headers
    assert re.fullmatch(r"app;dur=\d+\.\d", headers["Server-Timing"])
    assert headers["Cache-Control"] == "public, no-cache"


@pytest.mark.parametrize("path", PATHS)
def test_a_mark_does_not_depend_on_the_time_that_the_answer_took(reader: FlaskClient, path: str) -> None:
    marks = {reader.get(f"/api/v1/{path}").headers["ETag"] for _ in range(2)}
    assert len(marks) == 1


@pytest.mark.parametrize("path", PATHS)
def test_the_head_is_that_of_the_whole(reader: FlaskClient, path: str) -> None:
    head = reader.head(f"/api/v1/{path}")
    assert head.status_code == 200 and head.data == b""
    assert head.headers["ETag"] == reader.get(f"/api/v1/{path}").headers["ETag"]


def test_a_compressed_answer_is_recognised_too(reader: FlaskClient) -> None:
    first = reader.get("/api/v1/themes", headers={"Accept-Encoding": "gzip"})
    assert first.headers["Content-Encoding"] == "gzip"
    again = reader.get("/api/v1/themes", headers={"Accept-Encoding": "gzip", "If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304


def test_a_record_says_when_it_changed_and_is_not_sent_to_who_has_it_since(reader: FlaskClient) -> None:
    first = reader.get("/api/v1/practices?fields=slug&per_page=1").get_json()["items"][0]["slug"]
    path = f"/api/v1/practices/{first}/versions/1"
    modified = reader.get(path).headers["Last-Modified"]
    assert reader.get(path, headers={"If-Modified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"}).status_code == 200
    assert modified.endswith("GMT")


def test_who_asks_by_date_hears_that_a_practice_is_still_correct(site: Site) -> None:
    with site.database.write() as session:
        practice = factories.published(session)
        slug, id_ = practice.slug, practice.id
    site.drain()
    client, paths = site.client(), [f"/api/v1/practices/{slug}", f"/api/v1/practices/{slug}/versions"]

    def long_ago() -> None:  # what changed just now is sent whatever the date says
        with site.database.write() as session:
            session.execute(update(Record).values(datestamp=datetime(2026, 1, 1, tzinfo=UTC)))

    long_ago()
    headers = {"If-Modified-Since": client.get(paths[0]).headers["Last-Modified"]}
    assert [client.get(path, headers=headers).status_code for path in paths] == [304, 304]
    with site.database.write() as session:
        freshness.put(session.get_one(Practice, id_), Dates.from_today(date(2026, 11, 23)))
    assert [client.get(path, headers=headers).status_code for path in paths] == [200, 200]


def test_long_addresses_of_neighbouring_pages_are_in_the_body_alone(reader: FlaskClient) -> None:
    short, long = (reader.get("/api/v1/practices", query_string={"q": q, "per_page": 1}) for q in ("work", "ω" * 200))
    assert 'rel="last"' in short.headers["Link"] and "Link" not in long.headers
    assert long.get_json()["links"]["self"]


def test_a_change_gets_another_mark(site: Site) -> None:
    client = site.client()
    before = {path: client.get(f"/api/v1/{path}").headers["ETag"] for path in ("practices", "facets", "themes")}
    with site.database.write() as session:
        factories.published(session)
    site.drain()
    for path, mark in before.items():
        assert client.get(f"/api/v1/{path}", headers={"If-None-Match": mark}).status_code == 200


def test_what_changed_just_now_is_sent_whatever_the_date_says(site: Site) -> None:
    with site.database.write() as session:
        factories.published(session)
    site.drain()
    client = site.client()
    modified = client.get("/api/v1/practices").headers["Last-Modified"]
    assert client.get("/api/v1/practices", headers={"If-Modified-Since": modified}).status_code == 200


def links(answer: Any) -> dict[str, str]:
    return {rel: url for url, rel in re.findall(r'<([^>]+)>; rel="(\w+)"', answer.headers["Link"])}


def test_the_header_names_the_pages_around_this_one(reader: FlaskClient) -> None:
    answer = reader.get("/api/v1/practices?per_page=50&page=2&sort=title")
    said, body = links(answer), answer.get_json()
    assert said["prev"] == body["links"]["prev"] and said["next"] == body["links"]["next"]
    assert "page=1" in said["first"] and f"page={-(-body['total'] // 50)}" in said["last"]


def test_by_the_links_one_comes_to_every_practice_once(reader: FlaskClient) -> None:
    address: str | None = "/api/v1/practices?per_page=50&sort=title&fields=slug"
    seen: list[str] = []
    while address:
        answer = reader.get(address)
        seen += [item["slug"] for item in answer.get_json()["items"]]
        address = links(answer).get("next")
    assert len(seen) == len(set(seen)) == reader.get("/api/v1/practices").get_json()["total"]


def test_versions_are_listed_and_each_is_whole(reader: FlaskClient) -> None:
    answer = reader.get("/api/v1/practices/catalonia-acol-line/versions").get_json()
    assert (answer["total"], answer["items"][0]["version"]) == (1, 1)
    version = reader.get("/api/v1/practices/catalonia-acol-line/versions/1").get_json()
    assert tuple(version) == KEYS and answer["title"] == version["title"]


def test_a_version_that_there_is_not_is_a_problem(reader: FlaskClient) -> None:
    for number in ("2", "0", "99999999999999999999"):
        answer = reader.get(f"/api/v1/practices/catalonia-acol-line/versions/{number}")
        assert answer.status_code == 404 and answer.content_type == "application/problem+json"


def test_facets_are_those_of_the_list(reader: FlaskClient) -> None:
    query = "?q=talent&country=ES"
    answer, whole = reader.get(f"/api/v1/facets{query}").get_json(), reader.get(f"/api/v1/practices{query}").get_json()
    assert (answer["total"], answer["facets"]) == (whole["total"], whole["facets"])


def test_only_what_was_updated_since(site: Site) -> None:
    with site.database.write() as session:
        factories.published(session)
    site.drain()
    totals = [
        site.client().get(f"/api/v1/practices?updated_since={day}").get_json()["total"]
        for day in ("2001-01-01", "2001-01-01T00:00:00.5Z", "2999-01-01")
    ]
    assert totals == [1, 1, 0]


def test_a_browser_that_asks_first_may_read(reader: FlaskClient) -> None:
    answer = reader.options("/api/v1/practices", headers={"Access-Control-Request-Method": "GET"})
    assert answer.status_code == 200 and answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"
    allowed = answer.headers["Access-Control-Allow-Headers"]
    assert "If-None-Match" in allowed and "Authorization" not in allowed


@pytest.mark.parametrize("path", ["practices", "practices/nobody", "nothing"])
def test_scripts_of_other_sites_read_marks_links_and_limits(reader: FlaskClient, path: str) -> None:
    headers = reader.get(f"/api/v1/{path}").headers
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert {"ETag", "Link", "RateLimit-Remaining"} <= set(headers["Access-Control-Expose-Headers"].split(", "))


def test_no_list_of_fields_breaks_the_api(reader: FlaskClient) -> None:
    @settings(max_examples=30, deadline=None, database=None)
    @given(names=st.lists(st.sampled_from(KEYS) | st.text(max_size=5), min_size=1, max_size=5))
    def try_one(names: list[str]) -> None:
        answer = reader.get("/api/v1/practices", query_string={"fields": ",".join(names), "per_page": 1})
        assert answer.status_code in (200, 400)
        if answer.status_code == 200:
            assert set(answer.get_json()["items"][0]) <= set(KEYS)

    try_one()
