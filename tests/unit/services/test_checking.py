"""What a record must be: each rule of the contract, and that nothing is refused without a sentence."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.services.checking import check, check_contact, check_draft
from kb.services.errors import Invalid
from kb.services.record import DOCUMENT_KEYS, EDITORS_ONLY, GROUPS, LISTS, NUMBERS, YES_OR_NO, shape, shape_contact
from kb.services.vocabularies import Vocabulary
from tests.factories import document


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
        ("context", "[x](javascript:alert(1))", "context"),
        ("results", "See <FILE:///etc/passwd>", "results"),
        ("actions", "[x][1]\n\n[1]: data:text/html,x", "actions"),
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


@pytest.mark.parametrize("key", ["summary", "editor_note"])
def test_a_text_without_spaces_is_no_single_word(vocabulary: Vocabulary, key: str) -> None:
    assert key not in problems(vocabulary, title="", **{key: "x" * 1500})
    assert problems(vocabulary, **{key: "x" * 1501})[key].endswith("it has 1501 characters, the limit is 1500.")


def test_a_translated_summary_without_spaces_is_no_single_word(vocabulary: Vocabulary) -> None:
    entry = {"language": "en", "title": "Mentors", "summary": "x" * 2251}
    sentence = problems(vocabulary, translations=[entry])["translations.0.summary"]
    assert sentence == "Shorten “Summary”: it has 2251 characters, the limit is 2250."


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


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        ("title", 12345, "12345"),
        ("summary", 5, "5"),
        ("start", 2016, "2016"),
        ("start", 2016.0, "2016"),
        ("place", 2.5, "2.5"),
        ("last_verified", 20260101, "20260101"),
        ("beneficiaries", 120, 120),
        ("budget_eur", 2.5, 2.5),
        ("budget_eur", "a lot", "a lot"),
        ("themes", [7], ["7"]),
    ],
)
def test_a_number_becomes_text_where_text_is_meant(field: str, value: Any, kept: Any) -> None:
    shaped = shape({field: value})[field]
    assert shaped == kept and type(shaped) is type(kept)


def test_a_number_in_a_list_becomes_text_where_text_is_meant() -> None:
    shaped = shape(
        {
            "indicators": [{"name": 1, "baseline": 86, "value": 2.5, "unit": 3, "year": 2018}],
            "translations": [{"language": "en", "title": 7, "machine": True}],
            "lead_organisation": {"name": 112},
        }
    )
    assert list(shaped["indicators"][0].values()) == ["1", "86", "2.5", "3", 2018, None]
    assert shaped["translations"][0]["title"] == "7" and shaped["translations"][0]["machine"] is True
    assert shaped["lead_organisation"]["name"] == "112"


@pytest.mark.parametrize("value", [True, False, float("nan"), float("inf"), float("-inf"), 2**70])
@pytest.mark.parametrize("field", ["title", "start", "beneficiaries", "budget_eur"])
def test_what_is_neither_text_nor_a_finite_number_is_refused(field: str, value: Any) -> None:
    with pytest.raises(Invalid) as refused:
        shape({field: value})
    assert [problem.field for problem in refused.value.problems] == [field]


def test_numbers_where_text_is_meant_may_be_published(vocabulary: Vocabulary) -> None:
    clean = check(document(title=12345, summary=5, start=2016), vocabulary)
    assert (clean["title"], clean["summary"], clean["start"]) == ("12345", "5", "2016")


def test_a_document_kept_before_its_kinds_were_settled_is_checked_all_the_same(vocabulary: Vocabulary) -> None:
    kept = {**document(), "start": 2016, "translations": [{"language": "en", "title": 7, "summary": 5}]}
    assert check(kept, vocabulary)["translations"][0]["summary"] == "5"


def test_a_line_holds_no_line_breaks() -> None:
    shaped = shape(
        {
            "title": "One\n two\r\n\tthree\u2028four",
            "place": "10\u00a0km",
            "links": [{"title": "A\nB", "url": None}],
            "funding": [{"note": "A\nB"}],
            "region": "IT\nH5",
        }
    )
    assert shaped["title"] == "One two three four" and shaped["place"] == "10\u00a0km"
    assert shaped["links"][0]["title"] == shaped["funding"][0]["note"] == "A B" and shaped["region"]["code"] == "IT H5"


def test_a_long_text_keeps_its_line_breaks() -> None:
    long = {"summary": "A\nB", "actions": "A\n\nB", "editor_note": "A\nB"}
    shaped = shape({**long, "translations": [{"summary": "A\nB"}], "adapted_from": [{"changes": "A\nB"}]})
    assert {key: shaped[key] for key in long} == long
    assert shaped["translations"][0]["summary"] == shaped["adapted_from"][0]["changes"] == "A\nB"


def test_a_key_that_cannot_be_printed_is_refused_readably() -> None:
    with pytest.raises(Invalid) as refused:
        shape({"\ud800": 1, "x" * 5000: 1, "region": {"\ud800k": 1}})
    assert [problem.field for problem in refused.value.problems] == ["?", "x" * 80, "region.k"]
    assert str(refused.value).encode()


@pytest.mark.parametrize("key", ["last_verified", "review_due"])
@pytest.mark.parametrize("text", ["20260101", "2026-W01-1", "2026-1-1", "2026-02-30", "２０２６-01-01"])
def test_a_date_has_one_form(vocabulary: Vocabulary, key: str, text: str) -> None:
    assert key in problems(vocabulary, **{key: text})
    assert check(document(**{key: "2026-01-01"}), vocabulary)[key] == "2026-01-01"


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("start", "２０２１"),
        ("beneficiaries", "１２"),
        ("budget_year", "２０２１"),
        ("budget_eur", "１２"),
        ("budget_eur", "1_0"),
    ],
)
def test_digits_are_those_of_the_keyboard(vocabulary: Vocabulary, field: str, text: str) -> None:
    assert field in problems(vocabulary, **{field: text})


IMAGE = {"title": "A", "url": "https://a.example/b.png", "media_type": "image/png", "bytes": 9, "sha256": "A" * 64,
         "alt": "A map", "credit": None}  # fmt: skip
ATTACHMENT = {"title": None, "url": "/files/ab/report.pdf", "media_type": "application/pdf", "bytes": "10485760",
              "sha256": None}  # fmt: skip


def test_images_and_attachments_that_keep_the_rules_pass(vocabulary: Vocabulary) -> None:
    clean = check(document(images=[IMAGE], attachments=[ATTACHMENT]), vocabulary)
    assert clean["images"] == [{**IMAGE, "sha256": "a" * 64}]
    assert clean["attachments"] == [{**ATTACHMENT, "bytes": 10485760}]


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("url", None),
        ("url", "http://[x"),
        ("url", "javascript:alert(1)"),
        ("url", "/admin"),
        ("url", "/files/../admin"),
        ("url", "//a.example/files/b"),
        ("media_type", "text/html"),
        ("bytes", 10 * 1024 * 1024 + 1),
        ("bytes", -1),
        ("bytes", "big"),
        ("sha256", "abc"),
        ("sha256", "g" * 64),
    ],
)
@pytest.mark.parametrize(("key", "entry"), [("images", IMAGE), ("attachments", ATTACHMENT)])
def test_a_file_that_breaks_a_rule_is_named(
    vocabulary: Vocabulary, key: str, entry: dict[str, Any], part: str, value: Any
) -> None:
    assert set(problems(vocabulary, **{key: [{**entry, part: value}]})) == {f"{key}.0.{part}"}


def test_each_list_of_files_takes_its_own_kinds(vocabulary: Vocabulary) -> None:
    assert "images.0.media_type" in problems(vocabulary, images=[{**IMAGE, "media_type": "application/pdf"}])
    assert "attachments.0.media_type" in problems(vocabulary, attachments=[{**ATTACHMENT, "media_type": "image/png"}])


def test_a_contact_is_tidied() -> None:
    given = {"role": " Project\n officer\x00 ", "email": "a@example.org ", "name": 7, "consent": True}
    assert shape_contact(given) == {
        "role": "Project officer", "email": "a@example.org", "name": "7", "consent": True
    }  # fmt: skip


@pytest.mark.parametrize("contact", [{"role": "x" * 2001}, {"name": float("nan")}, {"\ud800": 1}, [], "Sam"])
def test_a_contact_that_cannot_be_kept_is_refused(contact: Any) -> None:
    with pytest.raises(Invalid) as refused:
        shape_contact(contact)
    assert str(refused.value).encode()


@pytest.mark.parametrize(
    ("key", "value"), [("role", "x" * 201), ("name", "x" * 201), ("email", "x" * 250 + "@example.org")]
)
def test_a_contact_too_long_is_refused_and_never_cut(key: str, value: str) -> None:
    contact = {"role": "Officer", "email": "a@example.org", "name": "Sam", "consent": False, key: value}
    assert (shape_contact(contact) or {})[key] == value
    with pytest.raises(Invalid) as refused:
        check_contact(contact)
    assert [problem.field for problem in refused.value.problems] == [f"contact.{key}"]
    assert str(len(value)) in str(refused.value)


def test_what_editors_set_is_part_of_the_record() -> None:
    assert set(EDITORS_ONLY) <= set(DOCUMENT_KEYS)


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
ENTRIES = st.lists(
    VALUES | st.dictionaries(st.sampled_from(["name", "url", "title", "code"]), VALUES, max_size=3), max_size=3
)
ANYTHING = VALUES | ENTRIES | st.dictionaries(st.sampled_from(["name", "code", "type"]), VALUES, max_size=3)


@settings(max_examples=150, deadline=None)
@given(data=st.dictionaries(st.sampled_from([*DOCUMENT_KEYS, "contact", "other"]), ANYTHING, max_size=12))
def test_nothing_sent_raises_anything_but_a_refusal(vocabulary: Vocabulary, data: dict[str, Any]) -> None:
    try:
        check(shape(data), vocabulary)
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


GROUP_OF = {**GROUPS, **LISTS}
RECORDS = st.fixed_dictionaries(
    {},
    optional={
        key: VALUES if key not in GROUP_OF
        else st.dictionaries(st.sampled_from(GROUP_OF[key]), VALUES) if key in GROUPS
        else st.lists(st.dictionaries(st.sampled_from(GROUP_OF[key]), VALUES), max_size=2)
        for key in DOCUMENT_KEYS
    },
)  # fmt: skip


def leaves(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a document with the key that it stands under."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from leaves(part, f"{key}.{name}".lstrip("."))
    elif isinstance(value, list):
        for part in value:
            yield from leaves(part, key)
    else:
        yield key, value


@settings(max_examples=200, deadline=None)
@given(data=RECORDS)
def test_after_shaping_each_value_is_of_its_kind(vocabulary: Vocabulary, data: dict[str, Any]) -> None:
    try:
        shaped = shape(data)
    except Invalid:
        return
    for key, value in leaves(shaped):
        numeric = key in NUMBERS and type(value) in (int, float) and math.isfinite(value)
        assert value is None or isinstance(value, str) or numeric or (key in YES_OR_NO and isinstance(value, bool))
    with suppress(Invalid):
        check(shaped, vocabulary)


def test_an_address_without_its_scheme_gets_one(vocabulary: Vocabulary) -> None:
    clean = check(document(sources=[{"title": "A", "url": "www.donegal.ie/arts"}]), vocabulary)
    assert clean["sources"][0]["url"] == "https://www.donegal.ie/arts"


def test_a_missing_region_is_one_problem_and_not_two(vocabulary: Vocabulary) -> None:
    assert set(problems(vocabulary, region=None, country=None)) == {"region"}


def test_a_region_is_found_with_or_without_its_hyphen(vocabulary: Vocabulary) -> None:
    assert check(document(region="emilia romagna"), vocabulary)["region"]["code"] == "ITH5"
