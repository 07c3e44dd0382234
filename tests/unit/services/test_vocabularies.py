"""Regions by every name that they are known by."""

from __future__ import annotations

import pytest

from kb.services import catalogue
from kb.services.vocabularies import Vocabulary


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("Baviera", "DE2"), ("Bawaria", "DE2"), ("Bavière", "DE2"), ("Freistaat Bayern", "DE2"),
        ("Cataluña", "ES51"), ("Katalonien", "ES51"), ("Catalogne", "ES51"), ("catalunya", "ES51"),
        ("País Vasco", "ES21"), ("Euskadi", "ES21"), ("Basque Country", "ES21"), ("Baskien", "ES21"),
        ("Lombardei", "ITC4"), ("Toscane", "ITI1"), ("Südtirol", "ITH1"), ("Alto Adige", "ITH1"),
        ("South Tyrol", "ITH1"), ("Trentino", "ITH2"), ("Schlesien", "PL22"), ("województwo śląskie", "PL22"),
        ("Donegal", "IE041"), ("Dún na nGall", "IE041"), ("co. galway", "IE042"), ("Waterford", "IE052"),
        ("Wien", "AT13"), ("Vienna", "AT13"), ("Viena", "AT13"), ("Flandre", "BE2"), ("Wallonie", "BE3"),
        ("Scania", "SE224"), ("Skåne", "SE224"), ("Aland Islands", "FI2"), ("Ahvenanmaa", "FI2"),
        ("Brabant", "NL41"), ("Region Syddanmark", "DK03"), ("Comunidad Valenciana", "ES52"), ("Asturias", "ES12"),
        ("Varsavia", "PL91"), ("Malopolska", "PL21"), ("Praga", "CZ01"),
        ("Lwów", "x-ua-lviv-oblast"), ("Escocia", "x-gb-scotland"),
    ],
)  # fmt: skip
def test_a_region_is_meant_by_its_name_in_another_language(vocabulary: Vocabulary, typed: str, code: str) -> None:
    meant = vocabulary.find_region(typed)
    assert meant is not None and code in vocabulary.lineage(meant) and vocabulary.regions[meant].level - 2 <= len(code)
    assert code in catalogue.find_regions(vocabulary, typed, "en")[:2]


def test_a_name_of_a_region_is_not_another_ones_synonym(vocabulary: Vocabulary) -> None:
    assert "Vienne" in vocabulary.regions["AT13"].synonyms["fr"]
    assert vocabulary.find_region("Vienne") == "FRI34"
    assert catalogue.find_regions(vocabulary, "Vienne", "en")[:2] == ["FRI34", "AT13"]


def test_a_synonym_of_several_regions_means_none_but_finds_all(vocabulary: Vocabulary) -> None:
    assert vocabulary.find_region("Erdély") is None
    assert catalogue.find_regions(vocabulary, "erdely", "hu") == ["RO11", "RO12"]


def test_a_synonym_with_a_slip_is_near_its_region_once(vocabulary: Vocabulary) -> None:
    similar = vocabulary.similar_regions("Katalonia")
    assert similar[0] == "ES51" and len(similar) == len(set(similar)) <= 3


@pytest.mark.parametrize(
    ("code", "typed", "synonym"),
    [("IE041", "donegal", "Donegal"), ("DE2", "Bayern", None), ("DE2", "Bawar", "Bawaria")],
)
def test_a_region_says_by_which_synonym_it_was_found(
    vocabulary: Vocabulary, code: str, typed: str, synonym: str | None
) -> None:
    assert vocabulary.regions[code].called(typed) == synonym
