"""Searches that people keep: the same one once, so many at most, one's own only."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from kb.models import Frequency, User
from kb.services import accounts, searches
from kb.services.errors import Conflict, Invalid, NotFound
from kb.services.query import CatalogueQuery
from kb.services.vocabularies import Vocabulary
from tests import factories

HOUSING = CatalogueQuery(theme=("housing",))
SECRET = "k" * 40


@pytest.fixture
def alice(session: Session) -> User:
    return accounts.add_user(session, "alice@example.org", "member")


@pytest.fixture
def charlie(session: Session) -> User:
    return accounts.add_user(session, "charlie@example.org", "member")


def keep(session: Session, user: User, asked: CatalogueQuery = HOUSING, name: str = "Housing") -> Any:
    return searches.keep(session, user, asked, name, ())[0]


def test_it_works(session: Session, alice: User) -> None:
    search, new = searches.keep(session, alice, HOUSING, "Housing", ())
    assert new and (search.name, search.query, search.frequency) == ("Housing", "theme=housing", Frequency.WEEKLY)
    assert searches.of(session, alice) == [search] and searches.count(session, alice) == 1


def test_it_knows_what_it_finds_when_it_is_kept(session: Session, alice: User) -> None:
    practice = factories.published(session)
    search, _new = searches.keep(session, alice, HOUSING, "Housing", [str(practice.id), str(uuid.uuid4())])
    assert searches.known(session, search) == {practice.id: 1}


def test_the_same_search_twice_is_one(session: Session, alice: User) -> None:
    one = CatalogueQuery(q="talent", country=("IT", "ES"))
    first = keep(session, alice, one)
    again, new = searches.keep(session, alice, replace(one, country=("ES", "IT"), sort="title"), "Another name", ())
    assert again is first and not new and again.name == "Housing"


def test_two_people_may_keep_the_same(session: Session, alice: User, charlie: User) -> None:
    assert keep(session, alice) is not keep(session, charlie)


def test_one_too_many_is_refused_in_a_sentence(session: Session, alice: User) -> None:
    for year in range(searches.MOST):
        keep(session, alice, CatalogueQuery(year_from=1900 + year))
    with pytest.raises(Conflict, match="You keep 50 searches already"):
        keep(session, alice)
    keep(session, alice, CatalogueQuery(year_from=1900))  # the same as one of them


def test_a_name_is_one_line_of_limited_length(session: Session, alice: User) -> None:
    search = keep(session, alice, name="Housing\r\nBcc: eve@example.org " + "x" * 200)
    assert search.name.startswith("Housing Bcc: eve@example.org xxx") and len(search.name) == searches.NAME_LIMIT


def test_name_and_frequency_can_be_changed(session: Session, alice: User) -> None:
    search = searches.change(session, alice, keep(session, alice).id, "  Flats ", "daily")
    assert (search.name, search.frequency) == ("Flats", Frequency.DAILY)


@pytest.mark.parametrize(
    ("name", "frequency", "field"), [(" ", "daily", "name"), ("x" * 101, "daily", "name"), ("x", "hourly", "frequency")]
)
def test_what_cannot_be_is_refused_field_by_field(
    session: Session, alice: User, name: str, frequency: str, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        searches.change(session, alice, keep(session, alice).id, name, frequency)
    assert [problem.field for problem in refused.value.problems] == [field]


def test_others_searches_are_not_there(session: Session, alice: User, charlie: User) -> None:
    theirs = keep(session, charlie).id
    for act in (
        lambda: searches.get(session, alice, theirs),
        lambda: searches.change(session, alice, theirs, "Mine", "daily"),
        lambda: searches.go_on(session, alice, theirs, ()),
        lambda: searches.remove(session, alice, theirs),
    ):
        with pytest.raises(NotFound):
            act()


def test_a_search_is_deleted_with_what_it_knew(session: Session, alice: User) -> None:
    practice = factories.published(session)
    search, _new = searches.keep(session, alice, HOUSING, "Housing", [str(practice.id)])
    searches.remove(session, alice, search.id)
    session.flush()
    assert searches.known(session, search) == {} and not searches.of(session, alice)


def test_a_link_opens_its_own_search_and_no_other_thing(session: Session, alice: User) -> None:
    search = keep(session, alice)
    signed = searches.way_out(SECRET, search.id).rpartition("/")[2]
    assert searches.by_link(session, SECRET, signed) is search
    unknown = searches.way_out(SECRET, uuid.uuid4()).rpartition("/")[2]
    for wrong in (signed[:-1], "x" + signed, "é", ".", unknown):
        with pytest.raises(NotFound):
            searches.by_link(session, SECRET, wrong)
    with pytest.raises(NotFound):
        searches.by_link(session, "another secret key, long enough", signed)


QUERIES = st.builds(
    CatalogueQuery,
    q=st.text(st.characters(exclude_categories=("C", "Z")), max_size=20),
    country=st.lists(st.sampled_from(["IT", "ES", "GR"]), unique=True).map(tuple),
    theme=st.lists(st.sampled_from(["housing", "labour-inclusion"]), unique=True).map(tuple),
    region=st.lists(st.sampled_from(["ITH5", "ES51"]), unique=True).map(tuple),
    year_from=st.none() | st.integers(1990, 2000),
    updated_since=st.none() | st.just("2026-01-01"),
    drop=st.lists(st.sampled_from(["theme:housing", "country:IT"]), unique=True).map(tuple),
    sort=st.sampled_from(["relevance", "title"]),
)


@given(asked=QUERIES)
def test_a_kept_search_is_read_as_what_was_kept(asked: CatalogueQuery, vocabulary: Vocabulary) -> None:
    asked = replace(asked, q=asked.q.replace("\ufffd", ""))
    kept = searches.canonical(asked)
    meant = searches.read(kept, vocabulary)
    assert searches.canonical(meant) == kept
    for name in ("country", "theme", "region", "drop"):
        assert set(getattr(meant, name)) == set(getattr(asked, name))
    assert (meant.q, meant.year_from, meant.updated_since) == (asked.q, asked.year_from, asked.updated_since)
