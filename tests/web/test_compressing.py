"""What is sent compressed and what never is, and what browsers keep."""

from __future__ import annotations

import gzip
import re

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.conftest import Site

ASKING = {"Accept-Encoding": "gzip, deflate, br"}


def ask(client: FlaskClient, path: str, **headers: str) -> TestResponse:
    return client.get(path, headers={**ASKING, **headers}, buffered=True)  # so that files are closed


def asset(client: FlaskClient, word: str) -> str:
    """The address of a file that the home page names."""
    found = re.search(rf'(?:href|src)="(/[^"]*{word}[^"]*)"', client.get("/").text)
    assert found
    return found.group(1)


@pytest.mark.parametrize("path", ["/", "/practices?q=talent", "/themes", "/api/v1/practices", "/api/v1/regions"])
def test_what_everybody_reads_is_compressed(reading_site: Site, reader: FlaskClient, path: str) -> None:
    plain, packed = reader.get(path), ask(reader, path)
    assert packed.headers["Content-Encoding"] == "gzip" and "Content-Encoding" not in plain.headers
    assert gzip.decompress(packed.data) == plain.data and 3 * len(packed.data) < len(plain.data)
    assert packed.headers["Content-Length"] == str(len(packed.data))
    assert "Accept-Encoding" in packed.headers["Vary"] and "Accept-Encoding" in plain.headers["Vary"]


@pytest.mark.parametrize("path", ["/", "/practices?q=talent", "/submit", "/account"])
def test_no_page_of_somebody_who_is_signed_in_is_compressed(reading_site: Site, path: str) -> None:
    assert "Content-Encoding" not in ask(reading_site.client("alice"), path).headers


@pytest.mark.parametrize("path", ["/sign-in", "/reset", "/practices/catalonia-acol-line/report", "/link/unknown"])
def test_no_page_with_a_token_or_a_secret_is_compressed(reader: FlaskClient, path: str) -> None:
    assert "Content-Encoding" not in ask(reader, path).headers


def test_a_browser_that_refuses_it_gets_the_text(reader: FlaskClient) -> None:
    assert "Content-Encoding" not in ask(reader, "/", **{"Accept-Encoding": "gzip;q=0, br"}).headers


@pytest.mark.parametrize("word", ["bootstrap", "site.css", "site.js", "icon.svg"])
def test_a_file_of_a_known_content_is_kept_for_a_year(reader: FlaskClient, word: str) -> None:
    path = asset(reader, word)
    answer = ask(reader, path)
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "Cookie" not in answer.headers.get("Vary", "")
    if "Content-Encoding" in answer.headers:
        assert gzip.decompress(answer.data) == reader.get(path, buffered=True).data


@pytest.mark.parametrize("query", ["", "?v=", "?v=00000000"])
def test_a_file_by_another_address_is_looked_for_anew(reader: FlaskClient, query: str) -> None:
    path = asset(reader, "site.css").partition("?")[0]
    answer = ask(reader, path + query)
    assert answer.headers["Cache-Control"] == "no-cache" and answer.headers["ETag"].startswith('W/"')
    again = ask(reader, path + query, **{"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_a_file_that_is_not_there_is_not_kept(reader: FlaskClient) -> None:
    answer = ask(reader, "/static/../config.py")
    assert answer.status_code == 404 and "max-age" not in answer.headers.get("Cache-Control", "")
