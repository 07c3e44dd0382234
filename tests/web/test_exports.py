"""Taking a list away: every format holds exactly what the page counts, under the same parameters."""

from __future__ import annotations

import csv
import io
import json
import random
import re
import threading
import zipfile
from typing import Any

import feedparser
import openpyxl
import pytest
import rispy
from flask.testing import FlaskClient
from sqlalchemy import select

from kb.models import Evidence, Level, Practice, Status
from kb.services import publishing
from kb.services.record import KEYS
from kb.web import streaming
from kb.web.exports import FORMATS
from tests import factories
from tests.conftest import Site

SLUG = re.compile(r"/practices/([a-z0-9-]+)")


def of_csv(body: bytes) -> list[str]:
    return [row["slug"] for row in csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline=""))]


def of_xlsx(body: bytes) -> list[str]:
    book = openpyxl.load_workbook(io.BytesIO(body), read_only=True)
    return [str(row[1]) for row in book["practices"].iter_rows(min_row=2, values_only=True)]


def of_json(body: bytes) -> list[str]:
    return [record["slug"] for record in json.loads(body)]


def of_geojson(body: bytes) -> list[str]:
    return [feature["properties"]["slug"] for feature in json.loads(body)["features"]]


def of_jsonld(body: bytes) -> list[str]:
    return [SLUG.search(node["@id"]).group(1) for node in json.loads(body)["hasPart"]]  # type: ignore[union-attr]


def of_ris(body: bytes) -> list[str]:
    return [SLUG.search(str(each)).group(1) for each in rispy.loads(body.decode())]  # type: ignore[union-attr]


def of_bib(body: bytes) -> list[str]:
    return re.findall(r"^\s*url = \{[^}]*/practices/([a-z0-9-]+)", body.decode(), re.MULTILINE)


def of_atom(body: bytes) -> list[str]:
    return [SLUG.search(entry.link).group(1) for entry in feedparser.parse(body).entries]  # type: ignore[union-attr]


READERS = {"csv": of_csv, "xlsx": of_xlsx, "json": of_json, "geojson": of_geojson, "jsonld": of_jsonld, "ris": of_ris,
           "bib": of_bib, "atom": of_atom}  # fmt: skip


def some_queries() -> list[dict[str, Any]]:
    """Twenty queries: words, filters and orders, thrown together by the same dice each time."""
    dice = random.Random(7)
    choices: dict[str, list[Any]] = {
        "q": [
            "talent",
            "housing refugees",
            "emplyment",
            "arts -music",
            "nurses OR doctors",
            "talent xylophone",
            "línia",
        ],
        "country": ["ES", "IT", "DE", "IE", "SE"],
        "theme": ["housing", "labour-inclusion", "education-and-youth"],
        "status": list(Status),
        "level": list(Level),
        "evidence": list(Evidence),
        "year_from": ["2015"],
        "sort": ["title", "updated", "newest", "adopted"],
        "region": ["ES5", "ITH5"],
    }
    queries: list[dict[str, Any]] = [{}]
    while len(queries) < 20:
        names = dice.sample(sorted(choices), dice.randint(1, 3))
        queries.append({name: dice.choice(choices[name]) for name in names})
    return queries


def counted(reader: FlaskClient, query: dict[str, Any]) -> tuple[int, list[str]]:
    """The total, and the slugs that it counts by turning the pages of the API."""
    slugs: list[str] = []
    page = 1
    while True:
        answer = reader.get("/api/v1/practices", query_string={**query, "per_page": 100, "page": page}).get_json()
        slugs += [item["slug"] for item in answer["items"]]
        if answer["links"]["next"] is None:
            return answer["total"], slugs[: answer["total"]]
        page += 1


@pytest.mark.parametrize("query", some_queries(), ids=str)
def test_every_format_holds_exactly_what_the_page_counts(reader: FlaskClient, query: dict[str, Any]) -> None:
    total, slugs = counted(reader, query)
    assert len(slugs) == total
    held = {suffix: READERS[suffix](reader.get(f"/practices.{suffix}", query_string=query).data) for suffix in FORMATS}
    assert held == dict.fromkeys(FORMATS, slugs)


def test_every_format_is_read_here() -> None:
    assert set(READERS) == set(FORMATS)


def test_the_queries_find_something_and_nothing_and_all(reader: FlaskClient) -> None:
    totals = [counted(reader, query)[0] for query in some_queries()]
    assert min(totals) == 0 and max(totals) == 120 and len(set(totals)) > 5


# What surrounds it


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_file_has_its_type_and_a_name_with_the_day(reader: FlaskClient, suffix: str) -> None:
    answer = reader.get(f"/practices.{suffix}?q=talent")
    assert answer.content_type == FORMATS[suffix].media_type
    assert re.search(rf"filename=practices-talent-\d{{4}}-\d\d-\d\d\.{suffix}$", answer.headers["Content-Disposition"])
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert "Set-Cookie" not in answer.headers


def test_the_page_names_every_format_in_headers_and_head(reader: FlaskClient) -> None:
    answer = reader.get("/practices?q=talent&country=ES")
    links = answer.headers.getlist("Link")
    page = answer.get_data(as_text=True)
    for each in FORMATS.values():
        where = f"/practices.{each.suffix}?q=talent&country=ES"
        assert any(f'{where}>; rel="alternate"; type="{each.mimetype}"' in link for link in links)
        assert f'<link rel="alternate" type="{each.mimetype}" href="{where.replace("&", "&amp;")}"' in page
        assert page.count(f'href="{where.replace("&", "&amp;")}"') >= 2


@pytest.mark.parametrize("address", ["/themes/housing", "/countries/ES", "/regions/ITH5"])
def test_lists_of_a_theme_a_country_and_a_region_can_be_taken_away_too(reader: FlaskClient, address: str) -> None:
    page = reader.get(address).get_data(as_text=True)
    (where,) = re.findall(r'href="(/practices\.xlsx\?[^"]+)"', page)
    assert reader.get(where.replace("&amp;", "&")).status_code == 200


def test_a_value_that_nobody_knows_is_refused_in_a_sentence(reader: FlaskClient) -> None:
    answer = reader.get("/practices.csv?country=XX")
    assert answer.status_code == 400
    assert "No country is called “XX”." in answer.get_data(as_text=True)


def test_an_alias_leads_to_the_canonical_address(reader: FlaskClient) -> None:
    answer = reader.get("/practices.csv?country=EL&sort=title")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/practices.csv?country=GR&sort=title")


def test_there_is_no_other_format(reader: FlaskClient) -> None:
    assert reader.get("/practices.doc").status_code == 404


def test_the_page_asked_for_does_not_matter(reader: FlaskClient) -> None:
    assert len(of_csv(reader.get("/practices.csv?page=3&per_page=5").data)) == 120


def test_json_holds_whole_records(reader: FlaskClient) -> None:
    assert {tuple(record) for record in reader.get("/practices.json?country=ES").get_json()} == {KEYS}


def test_the_api_names_the_table_of_its_query(reader: FlaskClient) -> None:
    links = reader.get("/api/v1/practices?country=ES&per_page=2").get_json()["links"]
    assert links["csv"].endswith("/practices.csv?country=ES")


def test_drafts_and_contacts_are_in_no_format(site: Site) -> None:
    with site.database.write() as session:
        alice = factories.person(session, "maya@example.org", "member")
        factories.draft(session, alice, title="Hidden draft")
        factories.submitted(session, alice, title="Waiting text")
        factories.published(session, alice, title="For readers")
    site.drain()
    for suffix in FORMATS:
        body = site.client().get(f"/practices.{suffix}").data
        assert READERS[suffix](body) == ["for-readers"]
        for secret in (b"Hidden", b"Waiting", factories.CONTACT["email"].encode(), b"maya@"):
            assert secret not in body


def test_a_file_that_nobody_finished_reading_holds_nothing(site: Site) -> None:
    for _ in range(3):
        answer = site.client().get("/practices.csv", buffered=False)
        answer.close()
        site.client().head("/practices.xlsx")
    assert site.database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


@pytest.fixture
def one_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "_free", threading.Semaphore(1))


@pytest.mark.usefixtures("one_at_once")
def test_while_as_many_lists_as_may_be_are_on_their_way_the_next_waits(reader: FlaskClient) -> None:
    first = reader.get("/practices.json")
    iterator = first.iter_encoded()
    next(iterator)
    refused = reader.get("/practices.csv")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "60") and "a minute" in refused.text
    for _rest in iterator:
        pass
    assert reader.get("/practices.csv").status_code == 200


@pytest.mark.usefixtures("one_at_once")
def test_who_goes_away_early_leaves_the_place_to_the_next(reader: FlaskClient) -> None:
    for _ in range(3):
        answer = reader.get("/practices.json", buffered=False)
        assert answer.status_code == 200
        answer.close()
        reader.head("/practices.csv")


def test_a_feed_of_a_search_changed_when_its_newest_practice_did(reader: FlaskClient) -> None:
    address = "/practices.atom?theme=housing"
    first = reader.get(address)
    updated = [entry.updated for entry in feedparser.parse(first.data).entries]
    assert feedparser.parse(first.data).feed.updated == max(updated)
    assert "no-cache" in first.headers["Cache-Control"]
    for name, value in (
        ("If-None-Match", first.headers["ETag"]),
        ("If-Modified-Since", first.headers["Last-Modified"]),
    ):
        assert reader.get(address, headers={name: value}).status_code == 304
    assert (
        reader.get(address, headers={"If-None-Match": first.headers["ETag"]}).headers["ETag"] == first.headers["ETag"]
    )


def test_a_feed_that_lost_or_won_a_practice_is_another(site: Site) -> None:
    marks = []
    for title in ("One", "Two", None):
        with site.database.write() as session:
            if title:
                factories.published(session, title=title)
            else:
                publishing.unpublish(session, session.scalars(select(Practice).where(Practice.slug == "one")).one())
        site.drain()
        marks.append(site.client().get("/practices.atom").headers["ETag"])
    assert len(set(marks)) == 3
    assert site.client().get("/practices.atom?q=nothing+at+all").status_code == 200


# The snapshot


def test_everything_can_be_downloaded_at_once_and_asked_for_anew_in_vain(reader: FlaskClient) -> None:
    answer = reader.get("/snapshot.zip")
    assert (answer.status_code, answer.mimetype) == (200, "application/zip")
    assert re.search(r"filename=snapshot-\d{4}-\d\d-\d\d\.zip$", answer.headers["Content-Disposition"])
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.read("data/practices.jsonl").count(b"\n") == 120
    again = reader.get("/snapshot.zip", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


# The codebook


def test_the_codebook_explains_every_column(reader: FlaskClient) -> None:
    page = reader.get("/codebook").get_data(as_text=True)
    header = next(csv.reader(io.StringIO(reader.get("/practices.csv?q=qqqq").data.decode("utf-8-sig"))))
    assert re.findall(r'<tr id="c-([a-z_]+)">', page) == header
    assert "no evaluation was made" in page


def test_the_codebook_says_what_each_code_is_called(reader: FlaskClient) -> None:
    page = reader.get("/codebook?lang=en").get_data(as_text=True)
    for column, code in (
        ("evidence", "monitoring"),
        ("themes", "housing"),
        ("country", "ES"),
        ("funding.source", "AMIF"),
    ):
        assert f'<details id="v-{column}">' in page and f"<li><code>{code}</code> " in page
    assert 'id="c-translations.language"' in page


def test_the_codebook_is_a_table_for_programs_too(reader: FlaskClient) -> None:
    rows = list(csv.reader(io.StringIO(reader.get("/codebook.csv").data.decode("utf-8-sig"))))
    assert rows[0] == ["column", "kind", "meaning"] and ["summary", "text"] in [row[:2] for row in rows]


def test_a_workbook_says_where_it_is_from_and_what_its_codes_mean(reader: FlaskClient) -> None:
    book = openpyxl.load_workbook(io.BytesIO(reader.get("/practices.xlsx?q=talent").data), read_only=True)
    about = dict(book["about"].iter_rows(min_row=2, values_only=True))
    assert about["query"] == "Practices: “talent”" and about["address"].endswith("/practices?q=talent")
    assert about["practices"] == len(list(book["practices"].iter_rows(min_row=2))) > 0
    values = list(book["values"].iter_rows(min_row=2, values_only=True))
    assert ("evidence", "monitoring", "Monitoring", "The body that runs it counts") in values


def test_the_name_of_a_file_says_what_was_asked_for_and_stays_short(reader: FlaskClient) -> None:
    said = reader.get("/practices.json?q=zzqq+" + "long+" * 30).headers["Content-Disposition"]
    [words] = re.findall(r"practices-([a-z-]+)-\d{4}", said)
    assert words.startswith("zzqq-long") and len(words) <= 40


@pytest.mark.parametrize("address", ["/practices", "/themes/housing"])
def test_the_codebook_is_found_from_every_list(reader: FlaskClient, address: str) -> None:
    assert reader.get(address).get_data(as_text=True).count('href="/codebook"') == 2
