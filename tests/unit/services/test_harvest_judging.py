"""One record of another installation: taken as it is, without what is that base's own, or refused with a reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.services.errors import Invalid
from kb.services.harvest_judging import KEPT_HERE, judge, named
from kb.services.harvest_reading import base_of
from kb.services.record import DOCUMENT_KEYS, KEYS
from kb.services.vocabularies import Vocabulary
from tests import factories

THERE = "https://there.example.eu"


def record(**changes: Any) -> dict[str, Any]:
    """A public record of another installation."""
    whole: dict[str, Any] = {
        **factories.document(licence="CC-BY-4.0", attribution="Regional health service"),
        "id": "4c4b3f6a-8a3c-4a39-9f7e-2a5e8f1d0c11",
        "slug": "mentors-for-nurses",
        "origin": {"kind": "member", "url": None},
        "version": 3,
        "published": "2026-01-02T10:00:00Z",
        "updated": "2026-03-04T10:00:00Z",
        "completeness": 0.5,
        "url": f"{THERE}/practices/mentors-for-nurses",
        **changes,
    }
    return {key: whole[key] for key in (*KEYS, *(set(changes) - set(KEYS)))}


def test_a_record_is_taken_with_what_it_is_there(vocabulary: Vocabulary) -> None:
    taken = judge(record(), THERE, vocabulary)
    assert taken.remote_id == "4c4b3f6a-8a3c-4a39-9f7e-2a5e8f1d0c11"
    assert taken.state == (3, "2026-03-04T10:00:00Z")
    assert taken.url == f"{THERE}/practices/mentors-for-nurses"
    assert tuple(taken.document) == DOCUMENT_KEYS


@pytest.mark.parametrize("key", KEYS)
def test_what_is_that_bases_own_is_dropped(vocabulary: Vocabulary, key: str) -> None:
    said = record(editor_note="Seen.", last_verified="2026-01-01", review_due="2027-07-01")
    taken = judge(said, THERE, vocabulary).document
    if key in DOCUMENT_KEYS:
        assert taken[key] == ([] if key in KEPT_HERE[:2] else None if key in KEPT_HERE else said[key])
    else:
        assert key not in taken


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"themes": ["no-such-theme"]}, "no-such-theme"),
        ({"region": {"code": "ZZ99", "name": None}}, "ZZ99"),
        ({"language": "tlh"}, "language"),
        ({"title": None}, "title"),
        ({"password": "x"}, "password"),
        ({"actions": "word " * 5000}, "20000"),
        ({"slug": "../../admin"}, "slug"),
        ({"id": "1"}, "UUID"),
        ({"version": None}, "version"),
        ({"updated": "yesterday"}, "yesterday"),
        ({"sources": {"url": "x"}}, "list"),
        ({"budget_eur": 1e400}, "number"),
    ],
)
def test_a_record_that_cannot_be_is_refused_with_the_reason(
    vocabulary: Vocabulary, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Invalid, match=reason):
        judge(record(**changes), THERE, vocabulary)


@pytest.mark.parametrize("data", [None, [], "text", 7, [{}]])
def test_what_is_no_record_is_refused(vocabulary: Vocabulary, data: Any) -> None:
    with pytest.raises(Invalid, match="group of fields"):
        judge(data, THERE, vocabulary)


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)//practices/mentors-for-nurses", "https://there.example.eu/other", "/practices/x", None, 7,
     ["x"], "https://[/practices/mentors-for-nurses"],
)  # fmt: skip
def test_an_address_that_is_no_practices_own_is_not_kept(vocabulary: Vocabulary, url: Any) -> None:
    assert judge(record(url=url), THERE, vocabulary).url == f"{THERE}/practices/mentors-for-nurses"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://[", "", "data:text/html,x"])
def test_a_document_without_a_web_address_is_no_link(vocabulary: Vocabulary, url: str) -> None:
    file = {"title": "Report", "url": url, "media_type": None, "bytes": None, "sha256": None}
    assert judge(record(attachments=[file]), THERE, vocabulary).document["links"] == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def taken(vocabulary: Vocabulary) -> Callable[[Any], Any]:
    """What is taken of a record."""
    return lambda said: judge(said, THERE, vocabulary)


@settings(deadline=None)
@given(key=st.sampled_from(KEYS), value=JSON)
def test_whatever_a_field_says_is_taken_or_refused_in_words(taken: Callable[[Any], Any], key: str, value: Any) -> None:
    said = record(**{key: value})
    assert isinstance(named(said), str)
    try:
        taken(said)
    except Invalid as invalid:
        assert all(str(problem.message) for problem in invalid.problems)


# The address of an installation


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("https://There.example.eu/", "https://there.example.eu"),
        (" http://there.example.eu:80 ", "http://there.example.eu"),
        ("https://there.example.eu:8443/kb/", "https://there.example.eu:8443/kb"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_an_installation_has_one_address(typed: str, kept: str) -> None:
    assert base_of(typed) == kept


@pytest.mark.parametrize(
    "typed",
    ["there.example.eu", "ftp://there.example.eu", "https://u:p@there.example.eu", "https://x/?a=b", "http://["],
)
def test_what_is_no_address_of_an_installation_is_refused(typed: str) -> None:
    with pytest.raises(Invalid, match="not the address of an installation"):
        base_of(typed)
