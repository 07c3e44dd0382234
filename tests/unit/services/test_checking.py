"""What a record must be: each rule of the contract, and that nothing is refused without a sentence."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.db import Database
from kb.services import vocabularies
from kb.services.checking import check, check_contact, check_draft
from kb.services.errors import Invalid
from kb.services.record import DOCUMENT_KEYS, LISTS, shape
from kb.services.vocabularies import Vocabulary
from tests.factories import document


@pytest.fixture
def vocabulary(database: Database) -> Vocabulary:
    with database.read() as session:
        return vocabularies.load(session)


def problems(vocabulary: Vocabulary, **changes: Any) -> dict[str, str]:
    """The sentences that a document gets, by field."""
    with pytest.raises(Invalid) as refused:
        check(document(**changes), vocabulary)
    return {problem.field: str(problem.message) for problem in refused.value.problems}


def test_a_complete_document_passes(vocabulary: Vocabulary) -> None:
    assert check(document(), vocabulary)["region"] == {"code": "ITH5", "name": "Emilia-Romagna"}


@pytest.mark.parametrize(
    ("field", "value", "at"),
    [
        ("title", None, "title"),
        ("title", "ab", "title"),
        ("title", "x" * 101, "title"),
        ("language", None, "language"),
        ("language", "xx", "language"),
        ("summary", None, "summary"),
        ("summary", "word " * 101, "summary"),
        ("context", "word " * 151, "context"),
        ("actions", None, "actions"),
        ("actions", "word " * 401, "actions"),
        ("results", "word " * 251, "results"),
        ("lessons", "word " * 201, "lessons"),
        ("country", "XX", "country"),
        ("country", "FR", "country"),
        ("region", None, "region"),
        ("region", "ZZ99", "region"),
        ("region", "IT", "region"),
        ("level", None, "level"),
        ("level", "galactic", "level"),
        ("authority_role", "boss", "authority_role"),
        ("lead_organisation", None, "lead_organisation.name"),
        ("lead_organisation", {"name": "A", "type": "club", "url": None}, "lead_organisation.type"),
        ("partners", [{"name": "A", "url": "ftp://a.example"}], "partners.0.url"),
        ("start", "soon", "start"),
        ("start", "2021-13", "start"),
        ("end", "2020", "end"),
        ("status", "busy", "status"),
        ("evidence", "hearsay", "evidence"),
        ("beneficiaries", "many", "beneficiaries"),
        ("beneficiaries", -1, "beneficiaries"),
        ("budget_eur", "1.234", "budget_eur"),
        ("budget_year", "20", "budget_year"),
        ("indicators", [{"value": "3"}], "indicators.0.name"),
        ("funding", [{"source": "lottery"}], "funding.0.source"),
        ("funding", [{"note": "gift"}], "funding.0.source"),
        ("themes", [], "themes"),
        ("themes", ["nope"], "themes"),
        ("target_groups", [], "target_groups"),
        ("sources", [], "sources"),
        ("sources", [{"title": "A"}], "sources.0.url"),
        ("sources", [{"title": "A", "url": "javascript:alert(1)"}], "sources.0.url"),
        ("licence", "mine", "licence"),
        ("last_verified", "yesterday", "last_verified"),
        ("translations", [{"language": "xx", "title": "A"}], "translations.0.language"),
        ("images", [{"title": "A", "url": "https://a.example/b.png"}], "images.0.alt"),
    ],
)
def test_a_broken_rule_is_named_at_its_field(vocabulary: Vocabulary, field: str, value: Any, at: str) -> None:
    assert at in problems(vocabulary, **{field: value})


def test_all_problems_are_found_at_once(vocabulary: Vocabulary) -> None:
    assert {"title", "themes", "country"} <= set(problems(vocabulary, title="", themes=["nope"], country="XX"))


def test_the_sentence_says_by_how_much_a_text_is_too_long(vocabulary: Vocabulary) -> None:
    sentence = problems(vocabulary, summary="word " * 104)["summary"]
    assert sentence == "Shorten “Summary”: it has 104 words, the limit is 100."


def test_a_region_that_is_nearly_right_gets_a_suggestion(vocabulary: Vocabulary) -> None:
    assert "(DK03)" in problems(vocabulary, country="DK", region="Sydanmark")["region"]


def test_a_region_may_be_named_instead_of_coded(vocabulary: Vocabulary) -> None:
    assert check(document(region="Emilia-Romagna", country=None), vocabulary)["region"]["code"] == "ITH5"


def test_the_country_follows_from_the_region(vocabulary: Vocabulary) -> None:
    assert check(document(country=None, region="EL303"), vocabulary)["country"] == "GR"


def test_a_country_that_contradicts_the_region_is_refused(vocabulary: Vocabulary) -> None:
    assert "Emilia-Romagna" in problems(vocabulary, country="ES")["country"]


def test_a_national_practice_needs_no_region(vocabulary: Vocabulary) -> None:
    assert check(document(level="national", region=None), vocabulary)["region"] is None


def test_a_retired_code_becomes_its_successor(vocabulary: Vocabulary) -> None:
    assert check(document(region="NL31", country="NL"), vocabulary)["region"]["code"] == "NL35"


def test_eurostats_code_for_a_country_becomes_the_iso_code(vocabulary: Vocabulary) -> None:
    assert check(document(region="EL303", country="EL"), vocabulary)["country"] == "GR"


def test_numbers_typed_as_text_become_numbers(vocabulary: Vocabulary) -> None:
    clean = check(document(beneficiaries="1 200", budget_eur="2232176.90", budget_year="2019"), vocabulary)
    assert (clean["beneficiaries"], clean["budget_eur"], clean["budget_year"]) == (1200, 2232176.9, 2019)


def test_none_and_not_reported_are_two_things(vocabulary: Vocabulary) -> None:
    assert check(document(evidence="none"), vocabulary)["evidence"] == "none"
    assert check(document(evidence=None), vocabulary)["evidence"] is None


def test_an_unknown_key_is_refused_by_name() -> None:
    with pytest.raises(Invalid) as refused:
        shape({"titel": "A"})
    assert refused.value.problems[0].field == "titel"


def test_what_the_software_sets_is_ignored() -> None:
    assert "version" not in shape({"title": "A", "version": 7})


def test_a_field_past_the_cap_is_refused() -> None:
    with pytest.raises(Invalid):
        shape({"context": "x" * 20_001})


def test_empty_entries_go() -> None:
    assert shape({"partners": [{"name": ""}, {"name": "A"}]})["partners"] == [{"name": "A", "type": None, "url": None}]


def test_a_draft_needs_a_title_and_a_language() -> None:
    with pytest.raises(Invalid) as refused:
        check_draft(shape({}))
    assert {problem.field for problem in refused.value.problems} == {"title", "language"}


@pytest.mark.parametrize("contact", [None, {"role": "", "email": ""}, {"role": "Officer", "email": "nowhere"}])
def test_a_member_must_name_a_contact(contact: dict[str, Any] | None) -> None:
    with pytest.raises(Invalid):
        check_contact(contact)


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
ENTRIES = st.lists(
    VALUES | st.dictionaries(st.sampled_from(["name", "url", "title", "code"]), VALUES, max_size=3), max_size=3
)
ANYTHING = VALUES | ENTRIES | st.dictionaries(st.sampled_from(["name", "code", "type"]), VALUES, max_size=3)


@settings(max_examples=150, deadline=None)
@given(data=st.dictionaries(st.sampled_from([*DOCUMENT_KEYS, "contact", "other"]), ANYTHING, max_size=12))
def test_nothing_sent_raises_anything_but_a_refusal(vocabulary_once: Vocabulary, data: dict[str, Any]) -> None:
    try:
        check(shape(data), vocabulary_once)
    except Invalid as refused:
        assert refused.problems and all(str(problem.message) for problem in refused.problems)


@settings(max_examples=100, deadline=None)
@given(data=st.dictionaries(st.sampled_from(DOCUMENT_KEYS), ANYTHING, max_size=12))
def test_shaping_twice_changes_nothing(data: dict[str, Any]) -> None:
    try:
        once = shape(data)
    except Invalid:
        return
    assert shape(once) == once and set(once) == set(DOCUMENT_KEYS)
    assert all(isinstance(once[key], list) for key in LISTS)


@pytest.fixture(scope="module")
def vocabulary_once(bare_folder: Any) -> Vocabulary:
    database = Database(f"sqlite:///{bare_folder / 'kb.sqlite'}")
    with database.read() as session:
        vocabulary = vocabularies.load(session)
    database.close()
    return vocabulary
