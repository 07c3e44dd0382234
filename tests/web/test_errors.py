"""When something is wrong: a sentence and a way on, the right status, and nothing of the inside."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from kb.services.errors import TooMany
from tests.conftest import Site
from tests.web.test_reading import page


@pytest.mark.parametrize("address", ["/regions/XX99", "/countries/QQ", "/themes/nope", "/practices/nope", "/nope"])
def test_an_unknown_address_is_a_404_with_a_sentence_and_a_search(reader: FlaskClient, address: str) -> None:
    html = page(reader, address, 404)
    assert re.search(r'role="alert"><p class="lead mb-2">[^<]+\.</p>', html)
    assert 'role="search"' in html


@pytest.mark.parametrize("address", ["/sign-in", "/oai", "/practices/catalonia-acol-line/report"])
@pytest.mark.parametrize("part", ["form-data", 'form-data; filename="a.txt"', "form-data; name"])
def test_a_form_with_a_part_without_a_name_is_refused(reader: FlaskClient, address: str, part: str) -> None:
    body = f"--x\r\nContent-Disposition: {part}\r\n\r\nvalue\r\n--x--\r\n"
    assert reader.post(address, data=body, content_type="multipart/form-data; boundary=x").status_code == 400


def test_a_service_that_refuses_for_now_says_when_to_come_back(
    reading_site: Site, reader: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise TooMany("Wait.", 17)

    monkeypatch.setattr("kb.services.catalogue.figures", refuse)
    answer = reader.get("/about")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "17")


def test_a_fault_of_ours_is_a_500_with_a_number_and_no_trace(
    reader: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kb.services.catalogue.figures", lambda *_: 1 / 0)
    html = page(reader, "/about", 500)
    assert re.search(r"Number of the fault: [0-9a-f]{12}", html)
    assert "ZeroDivisionError" not in html and "Traceback" not in html


def test_the_error_page_needs_no_database(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    client = site.client("bob")

    def broken(*_: Any) -> None:
        raise OperationalError("select", {}, Exception("disk I/O error"))

    monkeypatch.setattr(site.parts.database, "reading_session", broken)
    html = page(client, "/about", 500)
    assert "Something broke here" in html
    assert "disk I/O error" not in html


def test_a_host_that_is_not_ours_is_a_400(reader: FlaskClient) -> None:
    answer = reader.get("/about", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert "evil.example" not in answer.get_data(as_text=True)


def test_a_method_that_a_page_does_not_take_is_a_405_that_says_which_it_does(reader: FlaskClient) -> None:
    answer = reader.delete("/themes")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


def test_too_much_text_is_a_413(reader: FlaskClient) -> None:
    assert reader.post("/sign-in", data={"email": "x" * 5_000_000}).status_code == 413


def test_a_form_without_its_token_is_a_400_that_says_what_to_do(site: Site) -> None:
    answer = site.client("alice").post("/account/password", data={"password": "y"})
    assert answer.status_code == 400
    assert "load the page again" in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("ask", "status"),
    [
        (lambda client: client.get("/api/v1/practices?country=XX&foo=1"), 400),
        (lambda client: client.get("/api/v1/practices/nope"), 404),
        (lambda client: client.get("/api/v2/nope"), 404),
        (lambda client: client.delete("/api/v1/practices"), 405),
    ],
)
def test_the_api_answers_errors_as_problems(
    reader: FlaskClient, ask: Callable[[FlaskClient], Any], status: int
) -> None:
    answer = ask(reader)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    problem = json.loads(answer.get_data())
    assert problem["status"] == status
    assert {"type", "title", "detail"} <= set(problem)
    if "errors" in problem:
        assert {each["field"] for each in problem["errors"]} == {"country", "foo"}


def test_a_wrong_filter_can_be_left_out_and_the_rest_kept(reader: FlaskClient) -> None:
    html = reader.get("/practices?q=talent&country=ES&year_from=abc").get_data(as_text=True)
    assert 'href="/practices?q=talent&amp;country=ES"' in html
