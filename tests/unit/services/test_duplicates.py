"""Which practices a draft may be the same as, and who is told of which."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy.orm import Session

from kb.db import Database
from kb.models import Practice, User
from kb.search.port import IndexLost, SearchEngine
from kb.services import catalogue, duplicates, practices
from kb.services.duplicates import Candidate
from kb.services.likeness import Traits, address
from kb.services.publishing import of_record
from kb.services.record import Document, empty
from tests import factories
from tests.conftest import Site

ELSEWHERE = [{"title": "Page", "url": "https://example.net/other"}]


class Asking:
    """A site of one's own, in which drafts are compared."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def publish(self, **changes: Any) -> str:
        with self.site.database.write() as session:
            slug = str(factories.published(session, **changes).slug)
        self.site.drain()
        return slug

    def make(self, how: Any, name: str, **changes: Any) -> Practice:
        with self.site.database.write() as session:
            made: Practice = how(session, self.person(session, name), **changes)
            return made

    def person(self, session: Session, name: str) -> User:
        return session.query(User).filter_by(email=f"{name}@example.org").one()

    def ask(self, name: str | None = None, but: Any = None, **changes: Any) -> list[Candidate]:
        return self.compare(factories.document(**changes), name, but)

    def compare(self, document: Document, name: str | None = None, but: Any = None) -> list[Candidate]:
        with self.site.database.read() as session:
            actor = self.person(session, name) if name else None
            return duplicates.of(session, self.site.parts.engine, document, actor, but)


@pytest.fixture
def asking(site: Site) -> Asking:
    return Asking(site)


def reasons(candidate: Candidate) -> str:
    return "; ".join(map(str, candidate.reasons))


def test_it_works(asking: Asking) -> None:
    slug = asking.publish()
    found = asking.ask(title="Mentoring of nurses who are new", sources=ELSEWHERE)
    assert [each.slug for each in found] == [slug] and found[0].public
    assert "the organisation that leads it" in reasons(found[0]) and "region" in reasons(found[0])


def test_another_practice_of_the_same_region_and_organisation_is_none(asking: Asking) -> None:
    asking.publish()
    found = asking.ask(
        title="Night buses for shift workers", summary="Buses run through the night.", themes=["housing"],
        target_groups=["refugees"], sources=ELSEWHERE, start="1999",
    )  # fmt: skip
    assert found == []


def test_a_translation_is_known_by_region_organisation_and_tags(asking: Asking) -> None:
    slug = asking.publish()
    found = asking.ask(
        title="Mentori per infermieri appena arrivati", language="it", sources=ELSEWHERE,
        summary="Gli ospedali affiancano gli infermieri ai colleghi più esperti.",
    )  # fmt: skip
    assert [each.slug for each in found] == [slug]


def test_a_shared_page_is_named_however_it_is_written(asking: Asking) -> None:
    asking.publish(sources=[{"title": "Page", "url": "https://www.example.org/Nurses/?utm_source=x"}])
    found = asking.ask(sources=[{"title": "The same", "url": "http://example.org/nurses"}])
    assert "the page example.org/nurses" in reasons(found[0])


def test_a_shared_page_finds_a_practice_elsewhere_in_other_words(asking: Asking) -> None:
    slug = asking.publish()
    found = asking.ask(
        title="Mentori per infermieri", language="it", summary="Gli ospedali affiancano gli infermieri ai colleghi.",
        country="AT", region={"code": "AT33", "name": None},
    )  # fmt: skip
    assert [each.slug for each in found] == [slug]


def test_the_practice_itself_is_no_duplicate(asking: Asking) -> None:
    slug = asking.publish()
    with asking.site.database.read() as session:
        own = session.query(Practice).filter_by(slug=slug).one().id
    assert asking.ask(but=own) == []


def test_ones_own_draft_is_found(asking: Asking) -> None:
    asking.make(factories.draft, "alice")
    found = asking.ask("alice")
    assert [(each.public, each.slug, each.mine) for each in found] == [(False, None, True)]


def test_a_colleagues_draft_is_found(asking: Asking) -> None:
    with asking.site.database.write() as session:
        factories.organisation(session, "Region", asking.person(session, "alice"), asking.person(session, "charlie"))
    asking.make(factories.draft, "charlie")
    assert len(asking.ask("alice")) == 1


@pytest.mark.parametrize("who", [None, "rita", "alice", "bob", "dora"])
def test_nobody_elses_draft_is_ever_told(asking: Asking, who: str | None) -> None:
    asking.make(factories.draft, "charlie")
    assert asking.ask(who) == []


@pytest.mark.parametrize(("who", "many"), [(None, 0), ("rita", 0), ("alice", 0), ("bob", 1), ("dora", 1)])
def test_what_waits_is_told_to_editors_alone(asking: Asking, who: str | None, many: int) -> None:
    asking.make(factories.submitted, "charlie")
    assert len(asking.ask(who)) == many


def test_a_practice_without_an_owner_can_be_claimed(asking: Asking) -> None:
    asking.publish()
    assert asking.ask()[0].unclaimed


def test_no_more_are_named_than_one_takes_in(asking: Asking) -> None:
    for _ in range(5):
        asking.publish()
    assert len(asking.ask()) == duplicates.MOST


def test_an_empty_draft_resembles_nothing(asking: Asking) -> None:
    asking.publish()
    assert asking.compare(empty(), "alice") == []


def test_whatever_was_typed_into_a_draft_is_borne(asking: Asking) -> None:
    asking.publish()
    typed = {
        **empty(), "title": "%_\\'\"" * 500, "summary": "x" * 20_000, "language": "zz", "country": "Nowhere",
        "region": {"code": "'; --", "name": None}, "lead_organisation": {"name": "%", "type": None, "url": None},
        "start": "soon", "sources": [{"title": None, "url": "http://["}, {"title": "T", "url": None}],
        "links": [{"title": None, "url": f"https://example.org/{n}%_"} for n in range(100)],
        "translations": [{"language": None, "title": None, "summary": None, "machine": None}],
    }  # fmt: skip
    assert asking.compare(typed, "bob") == []


def test_without_an_index_region_and_organisation_still_find(asking: Asking, monkeypatch: Any) -> None:
    slug = asking.publish()

    def lost(*_arguments: Any) -> None:
        raise IndexLost

    monkeypatch.setattr(asking.site.parts.engine, "search", lost)
    assert [each.slug for each in asking.ask()] == [slug]


def test_a_working_copy_is_compared_as_it_stands_now(asking: Asking) -> None:
    practice = asking.make(factories.draft, "alice", title="Something else", summary="About buses.", sources=ELSEWHERE)
    with asking.site.database.write() as session:
        alice, kept = asking.person(session, "alice"), session.get_one(Practice, practice.id)
        practices.save(session, alice, kept, factories.document(), None)
    assert len(asking.ask("alice")) == 1


@pytest.mark.parametrize(
    ("url", "compared"),
    [
        ("https://www.example.org/a/", "example.org/a"),
        ("http://example.org/a?id=1&utm_source=x", "example.org/a?id=1"),
        ("http://example.org/?utm_source=x", None),
        ("https://example.org/", None),
        ("http://[", None),
        (None, None),
    ],
)
def test_addresses_are_compared_without_what_says_nothing(url: str | None, compared: str | None) -> None:
    assert address(url) == compared


@pytest.fixture
def drafts(seeded_database: Database) -> Iterator[list[Document]]:
    with seeded_database.read() as session:
        yield [of_record(each) for each in catalogue.every(session, "")]


def test_hardly_any_two_practices_of_the_seed_are_taken_for_one(drafts: list[Document]) -> None:
    traits = [Traits(draft) for draft in drafts]
    alike = [a for i, a in enumerate(traits) for b in traits[:i] if a.likeness(b).whole >= duplicates.LEAST]
    assert len(alike) <= 6  # 4 of 7140 pairs when it was measured


def test_an_engine_is_asked_once(asking: Asking, monkeypatch: Any) -> None:
    engine: SearchEngine = asking.site.parts.engine
    asked: list[Any] = []
    search = engine.search
    monkeypatch.setattr(engine, "search", lambda query: asked.append(query) or search(query))
    asking.ask("bob")
    assert len(asked) == 1
