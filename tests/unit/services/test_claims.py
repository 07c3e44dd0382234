"""Claims: who may make one, who decides, and what a confirmation gives."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.models import AuditEntry, Claim, MailMessage, Practice, PracticeAuthor, Role, State, User
from kb.services import accounts, authors, claims, history, leaving, permissions, practices
from kb.services.errors import Conflict, Invalid, NotAllowed, NotFound
from tests import factories

WHY = "I coordinate it at the ministry."


def person(session: Session, name: str, role: Role) -> User:
    return accounts.add_user(session, f"{name}@example.org", role)


@pytest.fixture
def alice(session: Session) -> User:
    return person(session, "alice", Role.MEMBER)


@pytest.fixture
def charlie(session: Session) -> User:
    return person(session, "charlie", Role.MEMBER)


@pytest.fixture
def bob(session: Session) -> User:
    return person(session, "bob", Role.EDITOR)


@pytest.fixture
def practice(session: Session) -> Practice:
    """A public practice of nobody."""
    return factories.published(session)


def make(session: Session, actor: User, practice: Practice, reason: str = WHY) -> Claim:
    return claims.make(session, actor, str(practice.slug), reason)


def told(session: Session, kind: str) -> list[str]:
    return list(session.scalars(select(MailMessage.address).where(MailMessage.kind == kind).order_by("address")))


def test_editors_are_told_of_a_claim(session: Session, alice: User, bob: User, practice: Practice) -> None:
    make(session, alice, practice)
    assert told(session, "claim-made") == [bob.email]
    assert [claim.user for claim in claims.open_claims(session)] == [alice]


def test_a_reader_claims_nothing(session: Session, practice: Practice) -> None:
    with pytest.raises(NotAllowed):
        make(session, person(session, "rita", Role.READER), practice)


def test_what_has_an_owner_cannot_be_claimed(session: Session, alice: User, charlie: User) -> None:
    with pytest.raises(Conflict):
        make(session, charlie, factories.published(session, alice))


def test_what_is_not_public_is_unknown(session: Session, alice: User, charlie: User) -> None:
    factories.draft(session, alice).slug = "hidden"
    with pytest.raises(NotFound):
        claims.make(session, charlie, "hidden", WHY)


@pytest.mark.parametrize("reason", ["", " \n", "x" * 2001])
def test_a_claim_needs_a_reason_of_reasonable_length(
    session: Session, alice: User, practice: Practice, reason: str
) -> None:
    with pytest.raises(Invalid) as refused:
        make(session, alice, practice, reason)
    assert refused.value.problems[0].field == "reason"


def test_nobody_claims_twice_while_one_waits(session: Session, alice: User, bob: User, practice: Practice) -> None:
    first = make(session, alice, practice)
    with pytest.raises(Conflict):
        make(session, alice, practice)
    claims.decide(session, bob, first.id, False, "Who are you?")
    assert make(session, alice, practice, "The coordinator.") is not first


def test_a_confirmation_gives_the_practice_to_the_member_and_their_organisation(
    session: Session, alice: User, charlie: User, bob: User, practice: Practice
) -> None:
    body = factories.organisation(session, "Region of Example", alice, charlie)
    claims.decide(session, bob, make(session, alice, practice).id, True)
    assert (practice.owner_id, practice.organisation_id) == (alice.id, body.id)
    assert permissions.can(charlie, "edit", practice)
    assert told(session, "claim-accepted") == [alice.email]


def test_a_confirmation_refuses_the_other_claims_with_a_sentence(
    session: Session, alice: User, charlie: User, bob: User, practice: Practice
) -> None:
    mine, other = make(session, alice, practice), make(session, charlie, practice)
    claims.decide(session, bob, mine.id, True, "Welcome.")
    assert (other.accepted, other.answer, other.decider_id) == (False, claims.GIVEN, bob.id)
    assert told(session, "claim-given") == [charlie.email]
    assert claims.open_claims(session) == []


def test_a_refusal_needs_a_word_and_gives_nothing(session: Session, alice: User, bob: User, practice: Practice) -> None:
    claim = make(session, alice, practice)
    with pytest.raises(Invalid):
        claims.decide(session, bob, claim.id, False, " ")
    claims.decide(session, bob, claim.id, False, "Another unit runs it.")
    assert practice.owner_id is None
    [mail] = session.scalars(select(MailMessage).where(MailMessage.kind == "claim-refused"))
    assert (mail.address, mail.data["message"]) == (alice.email, "Another unit runs it.")


def test_a_claim_is_decided_once_and_by_editors(
    session: Session, alice: User, charlie: User, bob: User, practice: Practice
) -> None:
    claim = make(session, alice, practice)
    with pytest.raises(NotAllowed):
        claims.decide(session, charlie, claim.id, True)
    with pytest.raises(NotFound):
        claims.decide(session, bob, uuid.uuid4(), True)
    claims.decide(session, bob, claim.id, True)
    with pytest.raises(Conflict):
        claims.decide(session, bob, claim.id, False, "No.")


def test_an_editors_own_claim_is_another_editors_to_decide(session: Session, bob: User, practice: Practice) -> None:
    claim = make(session, bob, practice)
    erin = person(session, "erin", Role.EDITOR)
    with pytest.raises(NotAllowed):
        claims.decide(session, bob, claim.id, True)
    claims.decide(session, erin, claim.id, True)
    assert practice.owner_id == bob.id


def test_who_is_no_member_any_more_becomes_no_owner(
    session: Session, alice: User, bob: User, practice: Practice
) -> None:
    claim = make(session, alice, practice)
    alice.role = Role.READER
    with pytest.raises(Conflict):
        claims.decide(session, bob, claim.id, True)
    assert practice.owner_id is None


def test_a_practice_that_found_an_owner_meanwhile_keeps_them(
    session: Session, alice: User, charlie: User, bob: User, practice: Practice
) -> None:
    claim = make(session, alice, practice)
    practice.owner_id = charlie.id
    with pytest.raises(Conflict):
        claims.decide(session, bob, claim.id, True)
    assert practice.owner_id == charlie.id


def test_the_log_holds_no_reason(session: Session, alice: User, bob: User, practice: Practice) -> None:
    claims.decide(session, bob, make(session, alice, practice).id, False, "Not you.")
    entries = list(session.scalars(select(AuditEntry).where(AuditEntry.action.startswith("claim"))))
    assert [entry.action for entry in entries] == ["claim.make", "claim.decide"]
    assert not any("ministry" in str(entry.detail) or "Not you" in str(entry.detail) for entry in entries)


def test_who_leaves_claims_nothing_any_more(session: Session, alice: User, bob: User) -> None:
    old, open_one = (factories.published(session, title=title) for title in ("Old one", "Open one"))
    decided = make(session, alice, old)
    claims.decide(session, bob, decided.id, False, "No.")
    make(session, alice, open_one)
    leaving.leave(session, alice)
    session.refresh(decided)
    assert claims.open_claims(session) == [] and decided.reason == ""


def handed_in(session: Session, alice: User) -> Practice:
    """A public practice that Alice gave up while an update of hers was not sent."""
    practice = factories.published(session, alice, title="As readers know it")
    practices.save(session, alice, practice, factories.document(title="Not sent"), dict(factories.CONTACT))
    authors.give_up(session, alice, practice)
    session.flush()
    session.expire(practice, ["owner"])
    return practice


def test_who_claims_a_practice_gets_what_is_public_and_no_contact_of_who_had_it(
    session: Session, alice: User, charlie: User, bob: User
) -> None:
    practice = handed_in(session, alice)
    claims.decide(session, bob, make(session, charlie, practice).id, True)
    session.flush()
    assert practices.working_copy(session, practice)["title"] == "As readers know it"
    assert (practice.state, practice.contact) == (State.PUBLISHED, None)


def test_the_history_keeps_what_was_never_public_from_who_claimed_it_and_from_the_editors(
    session: Session, alice: User, charlie: User, bob: User
) -> None:
    practice = handed_in(session, alice)
    claims.decide(session, bob, make(session, charlie, practice).id, True)
    session.flush()
    assert [history.numbers(session, who, practice) for who in (charlie, bob)] == [[3, 1], [3, 1]]
    assert history.numbers(session, alice, practice) == [3, 2, 1]
    assert [step.changed for step in history.page(session, charlie, practice).items] == [None, None]
    with pytest.raises(NotFound):
        history.read(session, charlie, practice, 2)


def test_what_is_written_after_a_claim_is_in_the_history(
    session: Session, alice: User, charlie: User, bob: User
) -> None:
    practice = handed_in(session, alice)
    claims.decide(session, bob, make(session, charlie, practice).id, True)
    practices.save(session, charlie, practice, factories.document(title="Charlie's own"), None)
    session.flush()
    assert history.numbers(session, bob, practice) == [4, 3, 1]


def test_a_co_author_who_claims_a_practice_goes_on_with_the_update(
    session: Session, alice: User, charlie: User, bob: User
) -> None:
    practice = handed_in(session, alice)
    practice.authors.append(PracticeAuthor(user_id=charlie.id))
    session.flush()
    claims.decide(session, bob, make(session, charlie, practice).id, True)
    assert practices.working_copy(session, practice)["title"] == "Not sent"
    assert practice.contact is not None


def test_what_an_editor_offers_comes_without_the_update_of_who_had_it(
    session: Session, alice: User, charlie: User, bob: User
) -> None:
    practice = handed_in(session, alice)
    authors.offer(session, bob, practice, "owner", charlie.email, "https://kb.example")
    url = session.scalars(select(MailMessage).where(MailMessage.kind == "offer-owner")).one().data["url"]
    authors.accept(session, charlie, url.rpartition("/")[2])
    assert practices.working_copy(session, practice)["title"] == "As readers know it"
