"""Whoever finds a hole in a site is told whom to tell, as RFC 9116 has it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from kb import create_app
from kb.formats.text import iso
from tests.conftest import configure

SITE = "https://practices.example.org"


def _reader(folder: Path, **env: str) -> FlaskClient:
    return create_app(configure(folder, KB_BASE_URL=SITE, **env)).test_client()


def _fields(reader: FlaskClient) -> dict[str, str]:
    answer = reader.get("/.well-known/security.txt", base_url=SITE)
    assert answer.status_code == 200
    assert answer.content_type == "text/plain; charset=utf-8"
    lines = [line.split(": ", 1) for line in answer.text.splitlines()]
    assert len({name for name, _ in lines}) == len(lines)
    return {name: value for name, value in lines}


def test_it_works(tmp_path: Path) -> None:
    fields = _fields(_reader(tmp_path, KB_CONTROLLER="Region of Somewhere, Main Street 1, privacy@somewhere.example"))
    assert list(fields) == ["Contact", "Expires", "Preferred-Languages", "Canonical", "Policy"]
    assert fields["Contact"] == "mailto:privacy@somewhere.example"
    assert fields["Canonical"] == f"{SITE}/.well-known/security.txt"


def test_it_may_be_relied_on_for_half_a_year_and_never_for_more_than_one(tmp_path: Path) -> None:
    expires, now = _fields(_reader(tmp_path))["Expires"], datetime.now(UTC)
    assert iso(now + timedelta(days=150)) < expires < iso(now + timedelta(days=365))


@pytest.mark.parametrize("controller", ["", "Region of Somewhere, Main Street 1"])
def test_where_no_address_of_mail_is_set_the_page_that_says_who_answers_is_named(
    tmp_path: Path, controller: str
) -> None:
    reader = _reader(tmp_path, KB_CONTROLLER=controller)
    contact = _fields(reader)["Contact"]
    assert contact == f"{SITE}/about"


def test_an_address_of_mail_cannot_begin_a_line_or_a_parameter(tmp_path: Path) -> None:
    fields = _fields(_reader(tmp_path, KB_CONTROLLER="a?subject=x&cc@somewhere.example"))
    assert fields["Contact"] == "mailto:a%3Fsubject%3Dx%26cc@somewhere.example"


@pytest.mark.parametrize(("languages", "said"), [("it,en,de", "it, en"), ("en,it", "en"), ("de", "de, en")])
def test_the_sites_first_language_and_english_are_read(tmp_path: Path, languages: str, said: str) -> None:
    assert _fields(_reader(tmp_path, KB_LANGUAGES=languages))["Preferred-Languages"] == said


def test_the_policy_is_there_and_says_whom_to_tell(tmp_path: Path) -> None:
    reader = _reader(tmp_path, KB_CONTROLLER="privacy@somewhere.example")
    address = _fields(reader)["Policy"]
    assert address == f"{SITE}/security-policy.txt"
    policy = reader.get("/security-policy.txt", base_url=SITE)
    assert policy.content_type == "text/plain; charset=utf-8"
    assert "Tell: mailto:privacy@somewhere.example\n" in policy.text
