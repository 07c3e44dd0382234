"""Merging duplicates: what goes, what stays, what is refused, and the way back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.models import AuditEntry, Claim, IndexOutbox, MailMessage, Practice, PracticeAuthor, Role, State, User
from kb.services import accounts, claims, lifecycle, merging, practices, versions
from kb.services.errors import Conflict, Moved, NotAllowed, NotFound
from tests import factories

SOURCES = [{"title": "Annual report", "url": "https://example.org/report"}]


def person(session: Session, name: str, role: Role = Role.MEMBER) -> User:
    return accounts.add_user(session, f"{name}@example.org", role)


@pytest.fixture
def alice(session: Session) -> User:
    return person(session, "alice")


@pytest.fixture
def charlie(session: Session) -> User:
    return person(session, "charlie")


@pytest.fixture
def bob(session: Session) -> User:
    return person(session, "bob", Role.EDITOR)


@pytest.fixture
def old(session: Session, alice: User) -> Practice:
    """Alice's, the duplicate."""
    translations = [{"language": "it", "title": "Mentori", "summary": "Mentori per infermieri.", "machine": False}]
    return factories.published(
        session, alice, title="Nurse mentors", sources=SOURCES, translations=translations, place="Bologna"
    )


@pytest.fixture
def new(session: Session, charlie: User) -> Practice:
    """Charlie's, which stays."""
    return factories.published(session, charlie, title="Mentors for nurses")


def authors(session: Session, practice: Practice) -> set[object]:
    return set(session.scalars(select(PracticeAuthor.user_id).where(PracticeAuthor.practice_id == practice.id)))


def told(session: Session, kind: str) -> list[str]:
    return list(session.scalars(select(MailMessage.address).where(MailMessage.kind == kind).order_by("address")))


def test_the_merged_one_is_offline_and_its_address_leads_to_the_other(
    session: Session, bob: User, old: Practice, new: Practice
) -> None:
    merging.merge(session, bob, old, new)
    assert (old.state, old.record, old.merged_into_id) == (State.ARCHIVED, None, new.id)
    for look in (versions.online, versions.read):
        with pytest.raises(Moved) as moved:
            look(session, str(old.slug), *([1] if look is versions.read else []), "")  # type: ignore[operator]
        assert moved.value.slug == new.slug
    assert lifecycle.archived(session, str(old.slug)) is None
    assert session.scalar(select(IndexOutbox.id).where(IndexOutbox.practice_id == old.id)) is not None


def test_whose_it_was_becomes_co_author_of_the_other_and_both_are_told(
    session: Session, alice: User, charlie: User, bob: User, old: Practice, new: Practice
) -> None:
    merging.merge(session, bob, old, new)
    assert authors(session, new) == {alice.id} and new.owner_id == charlie.id
    assert told(session, "practice-merged") == [alice.email]
    assert told(session, "practice-joined") == [charlie.email]


def test_whose_it_was_becomes_the_owner_of_one_without(
    session: Session, alice: User, bob: User, charlie: User, old: Practice
) -> None:
    body = factories.organisation(session, "Region of Example", alice)
    old.organisation_id = body.id
    seed = factories.published(session, title="From public sources")
    claim = claims.make(session, charlie, str(seed.slug), "Mine")
    merging.merge(session, bob, old, seed)
    assert (seed.owner_id, seed.organisation_id) == (alice.id, body.id)
    assert (claim.accepted, claim.answer) == (False, claims.GIVEN)
    merging.undo(session, bob, old)
    assert (seed.owner_id, seed.organisation_id, old.owner_id) == (None, None, alice.id)


def test_the_same_owner_gets_one_mail_and_no_second_part(
    session: Session, alice: User, bob: User, old: Practice
) -> None:
    other = factories.published(session, alice, title="Mine too")
    merging.merge(session, bob, old, other)
    assert authors(session, other) == set()
    assert told(session, "practice-merged") == [alice.email] and told(session, "practice-joined") == []


def test_what_the_other_lacks_is_found(session: Session, bob: User, old: Practice, new: Practice) -> None:
    pair = merging.pair(session, bob, old, new)
    assert {key: len(entries) for key, entries in pair.takeable.items()} == {"sources": 1, "translations": 1}
    assert pair.listed == ["place"]
    assert "title" in pair.differing and "country" not in pair.differing


def test_what_the_other_lacks_waits_in_an_update_of_it(
    session: Session, bob: User, old: Practice, new: Practice
) -> None:
    merging.merge(session, bob, old, new, take=True)
    document = practices.working_copy(session, new)
    assert [each["url"] for each in document["sources"]] == ["https://example.org/nurses", SOURCES[0]["url"]]
    assert [each["language"] for each in document["translations"]] == ["it"]
    assert new.state == State.DRAFT and new.record is not None and len(new.record.sources) == 1


def test_nothing_is_merged_into_one_of_which_an_update_is_in_work(
    session: Session, charlie: User, bob: User, old: Practice, new: Practice
) -> None:
    practices.save(session, charlie, new, factories.document(title="Charlie's own words"), None)
    for step in (merging.pair, merging.merge):
        with pytest.raises(Conflict, match="An update of the practice that stays is in work"):
            step(session, bob, old, new)
    assert old.merged_into_id is None and authors(session, new) == set()


def test_an_address_that_differs_by_a_slash_is_the_same_source(
    session: Session, alice: User, bob: User, new: Practice
) -> None:
    sources = [{"title": "The page", "url": "https://Example.org/nurses/"}]
    twin = factories.published(session, alice, title="A twin", sources=sources)
    assert merging.pair(session, bob, twin, new).takeable == {}


def test_itself_chains_and_loops_are_refused(session: Session, bob: User, old: Practice, new: Practice) -> None:
    third = factories.published(session, title="A third one")
    with pytest.raises(Conflict):
        merging.merge(session, bob, old, old)
    merging.merge(session, bob, old, new)
    for one, other in ((new, old), (third, old), (old, third), (new, third)):
        with pytest.raises(Conflict):
            merging.merge(session, bob, one, other)
    merging.merge(session, bob, third, new)
    assert [each.title for each in merging.merged_here(session, new)] == ["A third one", "Nurse mentors"]


def test_one_of_which_an_update_is_in_work_is_not_merged(
    session: Session, alice: User, bob: User, old: Practice, new: Practice
) -> None:
    practices.save(session, alice, old, factories.document(title="More words"), None)
    with pytest.raises(Conflict):
        merging.merge(session, bob, old, new)


def test_only_editors_merge_and_undo(session: Session, alice: User, bob: User, old: Practice, new: Practice) -> None:
    with pytest.raises(NotAllowed):
        merging.merge(session, alice, old, new)
    merging.merge(session, bob, old, new)
    with pytest.raises(NotAllowed):
        merging.undo(session, alice, old)


def test_a_draft_is_nothing_to_merge(session: Session, alice: User, bob: User, new: Practice) -> None:
    draft = factories.draft(session, alice)
    with pytest.raises(NotFound):
        merging.get(session, bob, draft.id)
    with pytest.raises(Conflict):
        merging.merge(session, bob, new, draft)


def test_undone_it_is_online_as_it_was_and_the_parts_are_taken_back(
    session: Session, bob: User, old: Practice, new: Practice
) -> None:
    before = versions.online(session, str(old.slug), "").document
    merging.merge(session, bob, old, new)
    merging.undo(session, bob, old)
    assert versions.online(session, str(old.slug), "").document == before
    assert authors(session, new) == set() and old.state == State.PUBLISHED
    with pytest.raises(Conflict):
        merging.undo(session, bob, old)
    merging.merge(session, bob, old, new)


def test_claims_of_the_merged_one_are_refused_with_a_sentence(
    session: Session, charlie: User, bob: User, new: Practice
) -> None:
    seed = factories.published(session, title="From public sources")
    claim: Claim = claims.make(session, person(session, "eve"), str(seed.slug), "Mine")
    merging.merge(session, bob, seed, new)
    assert (claim.accepted, claim.answer) == (False, claims.MERGED)
    assert told(session, "claim-merged") == ["eve@example.org"]


def test_the_log_says_into_which_and_back(session: Session, bob: User, old: Practice, new: Practice) -> None:
    merging.merge(session, bob, old, new)
    merging.undo(session, bob, old)
    of_it = (AuditEntry.object_id == str(old.id), AuditEntry.action.endswith("merge"))
    entries = list(session.scalars(select(AuditEntry).where(*of_it).order_by(AuditEntry.id)))
    assert [(entry.action, entry.detail["into"]) for entry in entries] == [
        ("practice.merge", str(new.id)), ("practice.unmerge", str(new.id))
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["mentors-for-nurses", "https://x.eu/practices/mentors-for-nurses", "NURSES for"])
def test_the_other_is_found_by_its_address_or_words_of_its_title(
    session: Session, old: Practice, new: Practice, text: str
) -> None:
    assert merging.find(session, text, old) == [new]
    assert merging.find(session, " ", old) == [] and merging.find(session, "%", old) == []


def mails(session: Session) -> list[tuple[str, str]]:
    rows = session.execute(select(MailMessage.kind, MailMessage.address).order_by(MailMessage.kind, "address"))
    return [(kind, address.partition("@")[0]) for kind, address in rows]


def test_all_who_write_one_of_the_two_get_one_mail_each(
    session: Session, alice: User, charlie: User, bob: User, old: Practice, new: Practice
) -> None:
    erin, finn, gail = (person(session, name) for name in ("erin", "finn", "gail"))
    old.authors.extend(PracticeAuthor(user_id=each.id) for each in (erin, gail))
    new.authors.extend(PracticeAuthor(user_id=each.id) for each in (finn, gail))
    session.flush()
    merging.merge(session, bob, old, new)
    assert mails(session) == [
        ("practice-joined", "charlie"), ("practice-joined", "finn"),
        ("practice-merged", "alice"), ("practice-merged", "erin"), ("practice-merged", "gail"),
    ]  # fmt: skip


def test_a_co_author_who_becomes_the_owner_is_told_once_of_everything_after(
    session: Session, alice: User, bob: User, old: Practice
) -> None:
    seed = factories.published(session, title="From public sources")
    seed.authors.append(PracticeAuthor(user_id=alice.id))
    session.flush()
    merging.merge(session, bob, old, seed)
    assert (seed.owner_id, authors(session, seed)) == (alice.id, set())
    lifecycle.unpublish(session, bob, seed, "At once.")
    assert mails(session) == [("practice-merged", "alice"), ("practice-unpublished", "alice")]


def test_undone_a_co_author_who_became_the_owner_is_a_co_author_again(
    session: Session, alice: User, bob: User, old: Practice
) -> None:
    seed = factories.published(session, title="From public sources")
    seed.authors.append(PracticeAuthor(user_id=alice.id))
    session.flush()
    merging.merge(session, bob, old, seed)
    merging.undo(session, bob, old)
    session.flush()
    assert (seed.owner_id, authors(session, seed)) == (None, {alice.id})


def test_what_is_taken_over_waits_for_who_becomes_the_owner(
    session: Session, alice: User, bob: User, old: Practice
) -> None:
    seed = factories.published(session, title="From public sources")
    merging.merge(session, bob, old, seed, take=True)
    assert (seed.owner_id, seed.state) == (alice.id, State.DRAFT)
    assert len(practices.working_copy(session, seed)["sources"]) == 2


def test_a_part_that_was_given_anew_since_is_not_taken_back(
    session: Session, alice: User, bob: User, old: Practice, new: Practice
) -> None:
    merging.merge(session, bob, old, new)
    new.authors.clear()
    session.flush()
    new.authors.append(PracticeAuthor(user_id=alice.id, added=datetime.now(UTC)))
    session.flush()
    merging.undo(session, bob, old)
    session.flush()
    assert authors(session, new) == {alice.id}


def test_the_log_says_of_the_one_that_stays_whose_it_becomes(
    session: Session, alice: User, bob: User, old: Practice
) -> None:
    seed = factories.published(session, title="From public sources")
    merging.merge(session, bob, old, seed)
    merging.undo(session, bob, old)
    given = (AuditEntry.object_id == str(seed.id), AuditEntry.action == "practice.reassign")
    entries = session.scalars(select(AuditEntry).where(*given).order_by(AuditEntry.id))
    assert [(entry.detail["from"], entry.detail["to"]) for entry in entries] == [
        (None, str(alice.id)), (str(alice.id), None)
    ]  # fmt: skip


def test_an_editor_undoes_the_merge_of_their_own_practice_only_where_there_is_no_other(
    session: Session, bob: User, new: Practice
) -> None:
    dora = person(session, "dora", Role.ADMIN)
    own = factories.published(session, bob, title="Bob's own")
    merging.merge(session, dora, own, new)
    with pytest.raises(NotAllowed):
        merging.undo(session, bob, own)
    dora.active = False
    merging.undo(session, bob, own)
    assert own.record is not None
