"""Two languages on one page: each word is marked with its own, and between a name and its value stands one colon."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from kb.services import differences
from kb.services.record import shape
from tests import factories
from tests.conftest import Site

TEMPLATES = Path(__file__).resolve().parents[2] / "kb" / "templates"

OWN_COLON = re.compile(r"(\}\}|endif %\}|</\w+>|hidden\">):\s")
TRANSLATED = re.compile(r"\{% trans.*?endtrans %\}", re.DOTALL)


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_a_template_writes_no_colon_of_its_own(path: Path) -> None:
    """French has a space before it. Mails are sentences; the audit log lists names of fields as they are stored."""
    if path.parent.name != "mail" and path.name not in ("entries.html", "mail.html"):
        assert not OWN_COLON.search(TRANSLATED.sub("", path.read_text(encoding="utf-8")))


def shown(site: Site, before: dict[str, Any], after: dict[str, Any], older: str | None = None) -> str:
    """What an English page shows of the one field in which two documents differ."""
    (field,) = differences.fields(shape(factories.document(**before)), shape(factories.document(**after)))
    with site.app.test_request_context("/?lang=en"):
        module = site.app.jinja_env.get_template("components/difference.html").module
        return str(module.difference(field, "it", older))  # type: ignore[attr-defined]


def test_of_a_text_in_two_languages_each_word_has_its_own(site: Site) -> None:
    html = shown(site, {"results": "Moltes parelles."}, {"results": "Molte coppie."}, older="ca")
    assert '<del><span class="visually-hidden">Removed: </span><span lang="ca">' in html
    assert '<ins><span class="visually-hidden">Added: </span><span lang="it">' in html


def test_a_translation_has_the_language_that_it_is_in(site: Site) -> None:
    entry = {"language": "de", "title": "Mentoren", "summary": "Paare.", "machine": False}
    assert '<span lang="de">' in shown(site, {}, {"translations": [entry]})
    assert '<span lang="de">' in shown(site, {"translations": [entry]}, {})


def test_an_indicator_has_the_language_of_its_text_and_a_partner_none(site: Site) -> None:
    indicator = {"name": "Coppie", "baseline": None, "value": "86", "unit": None, "year": 2024, "url": None}
    assert '<span lang="it">' in shown(site, {}, {"indicators": [indicator]})
    partner = {"name": "Comune di Modena", "type": None, "url": None}
    assert "lang=" not in shown(site, {}, {"partners": [partner]})


def test_only_the_words_of_a_picture_are_in_the_language_of_the_practice(site: Site) -> None:
    entry = {"sha256": "a" * 64, "url": "/files/a.jpg", "title": "Due infermiere", "alt": "Due donne", "credit": "Sam"}
    with site.app.test_request_context("/?lang=en"):
        module = site.app.jinja_env.get_template("components/files.html").module
        html = str(module.pictures([entry], language="it"))  # type: ignore[attr-defined]
    assert '<figure><img lang="it"' in html and '<span lang="it">Due infermiere</span> · Picture: Sam' in html
