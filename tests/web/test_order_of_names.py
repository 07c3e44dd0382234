"""Names stand in one order everywhere: an accented letter beside the plain one, not behind the last of the alphabet."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask.testing import FlaskClient

from kb.services.vocabularies import by_name, fold

LEDGER = re.compile(r'<li>\s*(?:<span>)?<a[^>]*>(.*?)</a>.*?<span class="num">([\d.\s\u202f\u00a0]+)')


def test_an_accent_changes_no_place() -> None:
    assert by_name(["Finnland", "Deutschland", "Dänemark"]) == ["Dänemark", "Deutschland", "Finnland"]
    assert by_name([(2, "Zypern"), (1, "Österreich")], lambda each: each[1])[0] == (1, "Österreich")


@pytest.mark.parametrize("language", ["de", "fr"])
def test_the_countries_without_a_theme_stand_by_name(reader: FlaskClient, language: str) -> None:
    page = reader.get(f"/coverage?lang={language}").text
    lists = [unescape(found).split(", ") for found in re.findall(r"</summary>([^<]+)</details>", page)]
    assert len(lists) > 5
    assert all(names == sorted(names, key=fold) for names in lists)


@pytest.mark.parametrize("language", ["de", "fr"])
@pytest.mark.parametrize("path", ["/", "/themes", "/regions", "/themes/housing", "/practices"])
def test_what_has_the_same_number_stands_by_name(reader: FlaskClient, path: str, language: str) -> None:
    page = reader.get(f"{path}?lang={language}").text
    for block in re.findall(
        r'<(?:ul class="ledger|fieldset class="facet").*?</(?:ul|fieldset)>', page, flags=re.DOTALL
    ):
        found = [(unescape(name), int(re.sub(r"\D", "", count))) for name, count in LEDGER.findall(block)]
        numbers = {count for _name, count in found}
        for number in numbers:
            names = [name for name, count in found if count == number]
            assert names == sorted(names, key=fold)
