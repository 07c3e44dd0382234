"""The page of the API, made from its document."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

from flask.testing import FlaskClient

from kb.services.record import KEYS
from kb.services.tokens import PREFIX
from tests.conftest import Site
from tests.web.test_api_writing import Program


def document(reader: FlaskClient) -> dict[str, Any]:
    return dict(reader.get("/api/v1/openapi.json").get_json())


def operations(reader: FlaskClient) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document(reader)["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_every_operation_stands_on_the_page(reader: FlaskClient) -> None:
    page = unescape(reader.get("/api").text)
    for path, method, operation in operations(reader):
        assert f"{method.upper()} {path}" in page and operation["summary"] in page


def test_every_field_of_a_record_stands_on_the_page(reader: FlaskClient) -> None:
    page = reader.get("/api").text
    assert [key for key in KEYS if f"<code>{key}</code>" not in page] == []


def test_whatever_the_document_refers_to_is_in_it(reader: FlaskClient) -> None:
    text, whole = reader.get("/api/v1/openapi.json").text, document(reader)
    for reference in set(re.findall(r'"#/components/(\w+)/([\w-]+)"', text)):
        assert reference[1] in whole["components"][reference[0]]


def test_whatever_is_in_the_document_is_referred_to(reader: FlaskClient) -> None:
    text, whole = reader.get("/api/v1/openapi.json").text, document(reader)
    named = {f'"#/components/{kind}/{name}"' for kind, parts in whole["components"].items() for name in parts}
    assert {name for name in named if name not in text and "/securitySchemes/" not in name} == set()


def test_only_writing_and_ones_own_need_a_token(reader: FlaskClient) -> None:
    secured = {(path, method) for path, method, operation in operations(reader) if "security" in operation}
    assert secured == {(path, method) for path, method, _ in operations(reader) if method != "get" or "/my/" in path}


def test_examples_name_this_site(reader: FlaskClient) -> None:
    assert unescape(reader.get("/api").text).count("http://127.0.0.1:8000/api/v1/practices") >= 4


def test_the_page_is_linked_in_the_foot(reader: FlaskClient) -> None:
    assert 'href="/api"' in reader.get("/about").text and PREFIX in reader.get("/api").text


def test_the_recipe_of_the_page_sends_a_practice_to_the_editors(site: Site) -> None:
    """Its steps, each as it stands there; only what is in capitals is filled in."""
    page = unescape(site.client().get("/api").text)
    draft = re.search(r"-d '(\{[^']*\})'", page)
    record = re.search(r"<pre><code>(\{.*?\n\})</code>", page, re.DOTALL)
    assert draft and record and "/api/v1/my/practices/ID" in page and "-d @practice.json" in page
    program = Program(site)
    made = program.ask("POST", "practices?draft=1", json.loads(draft[1])).get_json()
    read = program.get(f"my/practices/{made['id']}")
    sent = program.put(f"practices/{made['id']}", json.loads(record[1]), read.headers["ETag"])
    assert sent.status_code == 200 and sent.get_json()["state"] == "submitted"
