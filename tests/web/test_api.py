"""The JSON API: shapes to the letter, refusals as problem+json, and submitting with a token."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.services import accounts
from kb.services.record import KEYS
from kb.web.templating import host
from tests import stack
from tests.conftest import Site, configure
from tests.factories import CONTACT, document
from tests.processes import serving

ITEM = ["slug", "title", "summary", "language", "country", "region", "themes", "target_groups", "status", "evidence",
        "start", "end", "updated", "version", "url", "score", "matched", "highlights"]  # fmt: skip


def test_a_list_has_the_shape_of_the_contract(reader: FlaskClient) -> None:
    answer = reader.get("/api/v1/practices?q=talent&per_page=5").get_json()
    assert list(answer) == [
        "total",
        "page",
        "per_page",
        "sort",
        "did_you_mean",
        "expanded_to",
        "partial",
        "items",
        "facets",
        "links",
    ]
    assert list(answer["items"][0]) == ITEM
    assert {
        "country",
        "theme",
        "target_group",
        "status",
        "level",
        "evidence",
        "funding",
        "language",
        "region_type",
        "year",
    } <= set(answer["facets"])
    assert list(answer["facets"]["country"][0]) == ["value", "label", "count", "selected"]
    assert "<mark>" in answer["items"][0]["highlights"]["title"]


def test_one_practice_is_the_whole_record(reader: FlaskClient) -> None:
    assert tuple(reader.get("/api/v1/practices/catalonia-acol-line").get_json()) == KEYS


def test_pages_are_linked(reader: FlaskClient) -> None:
    links = reader.get("/api/v1/practices?country=ES&per_page=5&page=2").get_json()["links"]
    assert "page=1" in links["prev"] and "page=3" in links["next"] and "country=ES" in links["self"]


@pytest.mark.parametrize("path", ["themes", "target-groups"])
def test_a_vocabulary_is_whole(reader: FlaskClient, path: str) -> None:
    answer = reader.get(f"/api/v1/{path}").get_json()
    assert answer["total"] == len(answer["items"]) == 21 and answer["items"][0]["labels"]["de"]


def test_regions_have_code_edition_and_names(reader: FlaskClient) -> None:
    items = {item["code"]: item for item in reader.get("/api/v1/regions").get_json()["items"]}
    assert items["EL303"]["country"] == "GR" and items["x-gb-scotland"]["edition"] == "local"
    assert items["ES51"]["synonyms"]["fr"] == ["Catalogne"] and items["ES"]["synonyms"] == {}


@pytest.mark.parametrize(
    "query",
    ["country=XX", "page=0", "per_page=1000", "sort=foo", "theme=nope", "year_from=abc", "region=ZZ99", "what=ever",
     "q=" + "a" * 10_000],
)  # fmt: skip
def test_a_bad_parameter_is_a_problem_with_a_sentence(reader: FlaskClient, query: str) -> None:
    answer = reader.get("/api/v1/practices?" + query)
    assert answer.status_code == 400 and answer.content_type == "application/problem+json"
    assert answer.get_json()["detail"] and answer.get_json()["status"] == 400


@pytest.mark.parametrize(
    "query",
    ["q=%00", "q=%ff%fe", "q=%22open", "q=(((", "q=title:", "q=-", "q=*", "q=%F0%9F%98%80", "q=AND%20OR",
     "q=a%5Eb~2", "q=%5B", "country=",
     "q=%ED%A0%80", "country=%00", "q=" + "%22" * 200],
)  # fmt: skip
def test_an_odd_query_gets_an_answer(reader: FlaskClient, query: str) -> None:
    for path in ("/practices", "/api/v1/practices"):
        assert reader.get(f"{path}?{query}").status_code in (200, 400)


def test_an_unknown_address_is_a_problem_too(reader: FlaskClient) -> None:
    for path in ("practices/no-such", "nothing"):
        answer = reader.get(f"/api/v1/{path}")
        assert answer.status_code == 404 and answer.content_type == "application/problem+json"


def test_any_page_may_read_the_api(reader: FlaskClient) -> None:
    assert reader.get("/api/v1/practices").headers["Access-Control-Allow-Origin"] == "*"


def test_the_api_sets_no_cookie(site: Site) -> None:
    assert "Set-Cookie" not in site.client("alice").get("/api/v1/practices").headers


# Submitting


def post(site: Site, record: Any, token: str | None = None, draft: bool = False) -> Any:
    """Send a record with Alice's token, or another."""
    if token is None:
        with site.database.write() as session:
            token = accounts.new_token(session, "alice@example.org")
    headers = {"Authorization": f"Bearer {token}"}
    return site.client().post("/api/v1/practices" + ("?draft=1" if draft else ""), json=record, headers=headers)


def test_a_token_submits_and_nobody_sees_it_yet(site: Site) -> None:
    answer = post(site, {**document(), "contact": CONTACT})
    assert answer.status_code == 201 and answer.get_json()["state"] == "submitted" and answer.headers["Location"]
    site.drain()
    assert site.client().get("/api/v1/practices").get_json()["total"] == 0
    assert "Mentors" in site.client("bob").get("/review").get_data(as_text=True)


def test_a_bare_region_code_is_understood(site: Site) -> None:
    assert post(site, {**document(), "region": "ITH5", "country": None, "contact": CONTACT}).status_code == 201


def test_a_draft_may_be_incomplete(site: Site) -> None:
    assert post(site, {"title": "Half", "language": "en"}, draft=True).get_json()["state"] == "draft"


def test_what_is_wrong_is_listed_by_field(site: Site) -> None:
    answer = post(site, {**document(title=None), "themes": ["nope"], "country": "XX"})
    assert answer.status_code == 422 and answer.content_type == "application/problem+json"
    assert {"title", "themes", "country"} <= {each["field"] for each in answer.get_json()["errors"]}
    assert all(each["message"] for each in answer.get_json()["errors"])


def test_an_unknown_key_is_refused_by_name(site: Site) -> None:
    answer = post(site, {**document(), "titel": "x"})
    assert answer.status_code == 422 and answer.get_json()["errors"][0]["field"] == "titel"


@pytest.mark.parametrize("token", ["", "nope", "kbt_" + "x" * 40])
def test_a_wrong_token_is_refused(site: Site, token: str) -> None:
    assert post(site, document(), token=token or " ").status_code == 401


def test_a_cookie_is_no_token(site: Site) -> None:
    assert site.client("alice").post("/api/v1/practices", json=document()).status_code == 401


@pytest.mark.parametrize(("body", "kind", "status"), [("{", "application/json", 400), ("[]", "application/json", 400),
                                                      ("a=b", "application/x-www-form-urlencoded", 415)])  # fmt: skip
def test_a_body_that_is_no_record_is_refused(site: Site, body: str, kind: str, status: int) -> None:
    with site.database.write() as session:
        token = accounts.new_token(session, "alice@example.org")
    answer = site.client().post(
        "/api/v1/practices", data=body, content_type=kind, headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.status_code == status and answer.content_type == "application/problem+json"


# Cookies, languages, long addresses


@pytest.fixture
def german_site(peopled_folder: Path, tmp_path: Path) -> Iterator[Site]:
    """An app without practices, in English and German."""
    site = Site(configure(stack.copy(peopled_folder, tmp_path / "data"), KB_LANGUAGES="en,de"))
    yield site
    site.close()


def test_cookies_change_nothing_in_the_api(german_site: Site) -> None:
    paths = ["/api/v1/practices", "/api/v1/themes", "/api/v1/practices/no-such", "/api/v1/nothing"]
    alice, stranger = german_site.client("alice"), german_site.client()
    alice.set_cookie("lang", "de")
    for path in paths:
        with_cookies, without = alice.get(path), stranger.get(path)
        assert with_cookies.data == without.data
        for answer in (with_cookies, without):
            assert "Accept-Language" in answer.vary and "Cookie" not in answer.vary
            assert "Set-Cookie" not in answer.headers
    assert alice.get("/api/v1/themes", headers={"Accept-Language": "de"}).data != stranger.get("/api/v1/themes").data


def test_pages_still_remember_who_is_signed_in_and_the_language(german_site: Site) -> None:
    alice = german_site.client("alice")
    alice.set_cookie("lang", "de")
    alice.get("/api/v1/themes")
    answer = alice.get("/")
    assert 'lang="de"' in answer.get_data(as_text=True) and "private" in answer.headers["Cache-Control"]
    assert {"Accept-Language", "Cookie"} <= set(answer.vary)


def test_links_name_the_formats_there_are(reader: FlaskClient) -> None:
    links = reader.get("/api/v1/practices?country=ES&page=2&per_page=5").get_json()["links"]
    assert list(links) == ["self", "next", "prev", "csv"]
    assert links["csv"].endswith("/practices.csv?country=ES")


def test_a_question_of_ten_thousand_characters_gets_a_sentence_from_the_real_server(
    bare_folder: Path, tmp_path: Path
) -> None:
    with serving(stack.copy(bare_folder, tmp_path / "data")) as server:
        for question in ("a" * 10_000, "%F0%9F%98%80" * 10_000):
            status, text = server.get("/api/v1/practices?q=" + question)
            assert status == 400 and "10000 characters" in json.loads(text)["detail"]
        status, _text = server.get("/api/v1/practices?q=" + "a" * 200_000)
        assert status == 414


def post_raw(site: Site, body: str | bytes, draft: bool = False) -> Any:
    """Send a body as it is, with Alice's token."""
    with site.database.write() as session:
        token = accounts.new_token(session, "alice@example.org")
    return site.client().post(
        "/api/v1/practices" + ("?draft=1" if draft else ""),
        data=body,
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )


@pytest.mark.parametrize(
    "body", ["[" * 200_000, '{"title":' * 100_000, '{"title": ' + "9" * 5000 + "}", b'{"a": "\xff"}']
)
def test_a_body_that_cannot_be_read_is_a_problem_with_a_sentence(site: Site, body: str | bytes) -> None:
    answer = post_raw(site, body)
    assert answer.status_code == 400 and answer.content_type == "application/problem+json"
    assert answer.get_json()["detail"]


@pytest.mark.parametrize("draft", [False, True])
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"title": NaN, "language": "en"}', "title"),
        ('{"title": "A b c", "language": "en", "budget_eur": -Infinity}', "budget_eur"),
        ('{"title": "A b c", "language": "en", "beneficiaries": 1e999}', "beneficiaries"),
        ('{"title": "A b c", "language": "en", "evidence": true}', "evidence"),
        ('{"title": "A b c", "language": "en", "contact": {"role": NaN}}', "contact.role"),
        ('{"\\ud800": 1}', "?"),
        ('{"lead_organisation": {"\\ud800": 1}}', "lead_organisation.?"),
    ],
)
def test_a_value_that_cannot_be_kept_is_named_by_its_field(site: Site, body: str, field: str, draft: bool) -> None:
    answer = post_raw(site, body, draft)
    assert answer.status_code == 422 and [each["field"] for each in answer.get_json()["errors"]] == [field]


def test_numbers_where_text_is_meant_are_taken(site: Site) -> None:
    sent = {
        **document(), "title": 12345, "summary": 5, "start": 2016, "contact": CONTACT,
        "translations": [{"language": "en", "title": 7, "summary": 5, "machine": False}],
        "indicators": [{"name": "Contracts", "value": 86}],
    }  # fmt: skip
    assert post(site, sent).status_code == 201


def test_a_file_with_a_harmful_address_is_refused(site: Site) -> None:
    for url in ("http://[x", "javascript:alert(1)"):
        answer = post(site, {**document(), "attachments": [{"url": url}], "contact": CONTACT})
        assert answer.status_code == 422 and answer.get_json()["errors"][0]["field"] == "attachments.0.url"


def test_a_refusal_for_want_of_a_token_is_a_sentence(site: Site) -> None:
    assert "valid token" in post(site, document(), token=" ").get_json()["detail"]


@pytest.mark.parametrize("address", ["http://[x", "javascript:alert(1)", "", "http://a\u2100b"])
def test_the_host_of_a_broken_address_is_nothing(address: str) -> None:
    assert host(address) == ""


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.sampled_from(KEYS), inner),
    max_leaves=8,
)


def test_no_body_breaks_the_api(site: Site) -> None:
    with site.database.write() as session:
        headers = {"Authorization": "Bearer " + accounts.new_token(session, "alice@example.org")}
    client = site.client()

    @settings(max_examples=60, deadline=None, database=None)
    @given(data=st.dictionaries(st.sampled_from([*KEYS, "contact", "\ud800"]), JUNK, max_size=6), draft=st.booleans())
    def try_one(data: dict[str, Any], draft: bool) -> None:
        body = {"title": "A b c", "language": "en", **data}
        answer = client.post(
            f"/api/v1/practices?draft={int(draft)}",
            data=json.dumps(body),
            content_type="application/json",
            headers=headers,
        )
        assert answer.status_code in (201, 400, 422, 429)

    try_one()
