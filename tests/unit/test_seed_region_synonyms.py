"""The synonyms of regions in the seed: known codes, no row that says nothing new."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

import pytest
from babel import Locale

from kb.services.checking import LANGUAGES
from kb.services.vocabularies import Vocabulary, country_name, fold

PATH = Path(__file__).resolve().parents[2] / "seed" / "region_synonyms.csv"

Row = tuple[str, str, str]


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    with PATH.open(encoding="utf-8", newline="") as file:
        assert next(file) == "code,language,name\n"
        return [(code, language, name) for code, language, name in csv.reader(file)]


def test_every_code_is_a_region_below_a_country(rows: list[Row], vocabulary: Vocabulary) -> None:
    assert len(rows) > 1000
    assert {code for code, _, _ in rows if vocabulary.regions[code].level == 0} == set()


def test_no_region_has_a_synonym_twice(rows: list[Row]) -> None:
    counts = Counter((code, fold(name)) for code, _, name in rows)
    assert [pair for pair, count in counts.items() if count > 1] == []


def test_no_synonym_is_a_name_that_the_region_or_one_above_it_has(rows: list[Row], vocabulary: Vocabulary) -> None:
    for code, _, name in rows:
        assert fold(name) not in map(fold, vocabulary.regions[code].names), (code, name)
        for above in list(vocabulary.lineage(code))[1:]:
            assert fold(name) not in map(fold, vocabulary.regions[above].names), (code, name)


def test_no_synonym_is_the_name_of_a_country_of_europe(rows: list[Row], vocabulary: Vocabulary) -> None:
    countries = {fold(country_name(code, language)) for code in vocabulary.european for language in LANGUAGES}
    assert [row for row in rows if fold(row[2]) in countries] == []


def test_rows_are_ordered_by_code_and_tidy(rows: list[Row]) -> None:
    codes = [code for code, _, _ in rows]
    assert codes == sorted(codes)
    assert b"\r" not in PATH.read_bytes()
    for code, _, name in rows:
        assert len(name) > 2 and not re.search(r"^\s|\s$|\s\s|[^\S ]|'", name), (code, name)


def test_languages_are_such(rows: list[Row]) -> None:
    for language in {language for _, language, _ in rows}:
        assert language in Locale("en").languages, language


@pytest.mark.parametrize(
    ("code", "counties"),
    {
        "IE041": "Cavan Donegal Leitrim Monaghan Sligo",
        "IE042": "Galway Mayo Roscommon",
        "IE051": "Clare Limerick Tipperary",
        "IE052": "Carlow Kilkenny Waterford Wexford",
        "IE053": "Cork Kerry",
        "IE061": "Dublin",
        "IE062": "Kildare Louth Meath Wicklow",
        "IE063": "Laois Longford Offaly Westmeath",
    }.items(),
)
def test_every_irish_county_stands_with_its_region(rows: list[Row], code: str, counties: str) -> None:
    held = {name for each, _, name in rows if each == code}
    assert {f"County {county}" for county in counties.split()} <= held
