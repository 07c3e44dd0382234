"""Whoever finds a hole in a site is told whom to tell, as RFC 9116 has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from kb.formats.text import iso
from tests import stack
from tests.conftest import Site, configure

ReaderOf = Callable[..., FlaskClient]
SITE = "https://practices.example.org"


@pytest.fixture
def reader_of(peopled_folder: Path, tmp_path: Path) -> Iterator[ReaderOf]:
    """A stranger's browser on a site with certain settings."""
    made: list[Site] = []

    def reader(**env: str) -> FlaskClient:
        folder = stack.copy(peopled_folder, tmp_path / "data")
        made.append(Site(configure(folder, KB_BASE_URL=SITE, **env)))
        return made[-1].client()

    yield reader
    for site in made:
        site.close()


def _fields(reader: FlaskClient) -> dict[str, str]:
    answer = reader.get("/.well-known/security.txt", base_url=SITE)
    assert answer.status_code == 200
    assert answer.content_type == "text/plain; charset=utf-8"
    lines = [line.split(": ", 1) for line in answer.text.splitlines()]
    assert len({name for name, _ in lines}) == len(lines)
    return {name: value for name, value in lines}


def test_it_works(reader_of: ReaderOf) -> None:
    fields = _fields(reader_of(KB_CONTROLLER="Region of Somewhere, Main Street 1, privacy@somewhere.example"))
    assert list(fields) == ["Contact", "Expires", "Preferred-Languages", "Canonical", "Policy"]
    assert fields["Contact"] == "mailto:privacy@somewhere.example"
    assert fields["Canonical"] == f"{SITE}/.well-known/security.txt"


def test_it_may_be_relied_on_for_half_a_year_and_never_for_more_than_one(reader_of: ReaderOf) -> None:
    expires, now = _fields(reader_of())["Expires"], datetime.now(UTC)
    assert iso(now + timedelta(days=150)) < expires < iso(now + timedelta(days=365))


@pytest.mark.parametrize("controller", ["", "Region of Somewhere, Main Street 1"])
def test_where_no_address_of_mail_is_set_the_page_that_says_who_answers_is_named(
    reader_of: ReaderOf, controller: str
) -> None:
    reader = reader_of(KB_CONTROLLER=controller)
    contact = _fields(reader)["Contact"]
    assert contact == f"{SITE}/about"


def test_an_address_of_mail_cannot_begin_a_line_or_a_parameter(reader_of: ReaderOf) -> None:
    fields = _fields(reader_of(KB_CONTROLLER="a?subject=x&cc@somewhere.example"))
    assert fields["Contact"] == "mailto:a%3Fsubject%3Dx%26cc@somewhere.example"


@pytest.mark.parametrize(("languages", "said"), [("it,en,de", "it, en"), ("en,it", "en"), ("de", "de, en")])
def test_the_sites_first_language_and_english_are_read(reader_of: ReaderOf, languages: str, said: str) -> None:
    assert _fields(reader_of(KB_LANGUAGES=languages))["Preferred-Languages"] == said


def test_the_policy_is_there_and_says_whom_to_tell(reader_of: ReaderOf) -> None:
    reader = reader_of(KB_CONTROLLER="privacy@somewhere.example")
    address = _fields(reader)["Policy"]
    assert address == f"{SITE}/security-policy.txt"
    policy = reader.get("/security-policy.txt", base_url=SITE)
    assert policy.content_type == "text/plain; charset=utf-8"
    assert "Tell: mailto:privacy@somewhere.example\n" in policy.text
