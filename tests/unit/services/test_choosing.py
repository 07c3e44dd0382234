"""Practices that an address chooses: which are there, which are not and why, and those that moved."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.db import Database
from kb.models import Practice, User
from kb.services import choosing, lifecycle, merging, shortlists
from kb.services.errors import Conflict, Gone, Invalid, NotFound
from tests import factories

BASE = "http://kb.example.org"


def some(session: Session, *titles: str) -> list[Practice]:
    """Public practices of Alice, with an editor to look after them."""
    alice = factories.person(session, "alice@example.org", "member")
    return [factories.published(session, alice, title=title) for title in titles]


def bob(session: Session) -> User:
    return factories.person(session, "bob@example.org", "editor")


def test_the_order_of_the_address_is_kept(database: Database) -> None:
    with database.write() as session:
        some(session, "One", "Two")
        choice = choosing.choose(session, ["two", "one"], BASE)
    assert (choice.slugs, choice.missing, choice.canonical) == (["two", "one"], (), True)


def test_a_practice_that_is_named_twice_is_chosen_once(database: Database) -> None:
    with database.write() as session:
        some(session, "One")
        choice = choosing.choose(session, ["one", "", "one"], BASE)
    assert choice.slugs == ["one"] and not choice.canonical


def test_one_that_was_merged_is_the_other(database: Database) -> None:
    with database.write() as session:
        one, two = some(session, "One", "Two")
        merging.merge(session, bob(session), one, two)
        session.flush()
        choice = choosing.choose(session, ["one", "two"], BASE)
    assert choice.slugs == ["two"] and not choice.canonical and not choice.missing


def test_one_in_the_archive_is_there_and_says_so(database: Database) -> None:
    with database.write() as session:
        (one,) = some(session, "One")
        lifecycle.archive(session, bob(session), one, "Nobody answers.")
        session.flush()
        (chosen,) = choosing.choose(session, ["one"], BASE).chosen
    assert chosen.archived and chosen.slug == "one"


def test_what_is_offline_or_was_never_there_is_named(database: Database) -> None:
    with database.write() as session:
        one, _two = some(session, "One", "Two")
        lifecycle.unpublish(session, bob(session), one, "An error.")
        session.flush()
        choice = choosing.choose(session, ["one", "two", "nowhere"], BASE)
    assert choice.slugs == ["two"] and choice.canonical
    assert [(each.slug, type(each.refused)) for each in choice.missing] == [("one", NotFound), ("nowhere", NotFound)]
    assert "“nowhere”" in str(choice.missing[1].refused)
    assert not any(isinstance(each.refused, Gone) for each in choice.missing)


@pytest.mark.parametrize("slug", ["\x00", "😀", "a" * 300, "One", "%", "../one", "one;"])
def test_what_can_be_no_slug_is_named_and_looked_up_nowhere(database: Database, slug: str) -> None:
    with database.write() as session:
        some(session, "One")
        choice = choosing.choose(session, [slug, " one "], BASE)
        assert shortlists.remove(session, bob(session), [slug]) == 0
    assert choice.slugs == ["one"]
    assert [(each.slug, type(each.refused)) for each in choice.missing] == [(slug, NotFound)]


def test_an_address_of_too_many_is_not_looked_up(database: Database) -> None:
    with database.read() as session, pytest.raises(Invalid):
        choosing.choose(session, [f"p-{n}" for n in range(choosing.LOOKED_UP + 1)], BASE)


# The shortlist of an account


def test_what_is_kept_stays_in_the_order_in_which_it_was_chosen(database: Database) -> None:
    with database.write() as session:
        some(session, "One", "Two", "Three")
        person = bob(session)
        assert shortlists.keep(session, person, ["two", "one"]) == 2
        assert shortlists.keep(session, person, ["one", "three"]) == 1
        assert shortlists.slugs(session, person) == ["two", "one", "three"]
        assert shortlists.count(session, person) == 3


def test_one_that_was_merged_is_kept_and_taken_off_as_the_other(database: Database) -> None:
    with database.write() as session:
        one, two = some(session, "One", "Two")
        person = bob(session)
        shortlists.keep(session, person, ["one"])
        merging.merge(session, person, one, two)
        session.flush()
        assert choosing.choose(session, shortlists.slugs(session, person), BASE).slugs == ["two"]
        assert shortlists.remove(session, person, ["two"]) == 1
        shortlists.keep(session, person, ["one"])
        assert shortlists.slugs(session, person) == ["two"]


def test_nothing_is_kept_that_nobody_can_read(database: Database) -> None:
    with database.write() as session:
        alice = factories.person(session, "alice@example.org", "member")
        draft = factories.draft(session, alice)
        with pytest.raises(NotFound):
            shortlists.keep(session, alice, [str(draft.id), "nowhere"])


def test_more_than_the_shortlist_holds_adds_nothing_and_says_so(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shortlists, "MOST", 2)
    with database.write() as session:
        some(session, "One", "Two", "Three")
        person = bob(session)
        shortlists.keep(session, person, ["one"])
        with pytest.raises(Conflict, match="up to 2 practices and has 1"):
            shortlists.keep(session, person, ["two", "three"])
        assert shortlists.slugs(session, person) == ["one"]


def test_what_another_person_keeps_is_theirs(database: Database) -> None:
    with database.write() as session:
        some(session, "One")
        person = bob(session)
        alice = session.scalars(select(User).where(User.email == "alice@example.org")).one()
        shortlists.keep(session, person, ["one"])
        assert shortlists.slugs(session, alice) == [] and shortlists.remove(session, alice, ["one"]) == 0
        assert shortlists.slugs(session, person) == ["one"]
