"""Themes and target groups of the seed: labels and synonyms in the eleven languages of the vocabularies."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

SEED = Path(__file__).resolve().parents[2] / "seed"
LANGUAGES = ["en", "es", "ca", "it", "fr", "de", "pt", "pl", "ro", "sv", "ga"]
LEAST = {"themes": 3, "target_groups": 2}
SHARED = {"ageing", "vieillissement"}
"""Synonyms of two themes: ageing is a matter of health and of demography."""

TOO_GENERAL = {"integration", "inclusion", "migration", "people", "region", "project", "integración", "inclusión"}


def terms(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((SEED / f"{name}.yaml").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", LEAST)
def test_each_term_has_a_label_and_synonyms_in_every_language(name: str) -> None:
    for term in terms(name):
        assert list(term["labels"]) == LANGUAGES == list(term["synonyms"]), term["slug"]
        assert all(term["labels"].values()) and term["labels"]["en"] == term["label"]
        for language, synonyms in term["synonyms"].items():
            assert len(synonyms) >= LEAST[name], (term["slug"], language)


@pytest.mark.parametrize("name", LEAST)
def test_no_synonym_stands_twice_or_says_what_the_label_says(name: str) -> None:
    for term in terms(name):
        for language, synonyms in term["synonyms"].items():
            words = [word.casefold() for word in synonyms]
            assert all(isinstance(word, str) and word == word.strip() for word in synonyms)
            assert len(set(words)) == len(words), (term["slug"], language)
            assert term["labels"][language].casefold() not in words, (term["slug"], language)
            assert not TOO_GENERAL & set(words), (term["slug"], language)


@pytest.mark.parametrize("name", LEAST)
def test_no_word_stands_for_two_terms(name: str) -> None:
    owners: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for term in terms(name):
        for language in LANGUAGES:
            for word in (term["labels"][language], *term["synonyms"][language]):
                owners[language, word.casefold()].add(term["slug"])
    assert {word for (_, word), slugs in owners.items() if len(slugs) > 1} <= SHARED
