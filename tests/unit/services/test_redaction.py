"""The text of a version is taken away: what goes with it, what stays, and what readers find."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from kb.models import Comment, IndexOutbox, MailMessage, Practice, Review, Revision, RevisionKind, Role, State, User
from kb.services import (
    accounts,
    catalogue,
    changes,
    comments,
    moderation,
    practices,
    publishing,
    redaction,
    versions,
    vocabularies,
)
from kb.services.checking import check
from kb.services.errors import Conflict, Gone, Invalid, NotAllowed, NotFound
from tests import factories

WHY = "It named a child."


@pytest.fixture
def alice(session: Session) -> User:
    return accounts.add_user(session, "alice@example.org", Role.MEMBER)


@pytest.fixture
def dora(session: Session) -> User:
    return accounts.add_user(session, "dora@example.org", Role.ADMIN)


@pytest.fixture
def practice(session: Session, alice: User) -> Practice:
    """Published twice: "One", then, over a draft, "Two"."""
    practice = factories.published(session, alice, title="One")
    practices.save(session, alice, practice, factories.document(title="Draft of two"), factories.CONTACT)
    publishing.publish(session, practice, check(factories.document(title="Two"), vocabularies.load(session)))
    session.flush()
    return practice


def titles(session: Session, practice: Practice) -> list[object]:
    session.flush()
    session.expire_all()
    statement = select(Revision.document).where(Revision.practice_id == practice.id).order_by(Revision.number)
    return [document.get("title") for document in session.scalars(statement)]


def test_an_old_version_is_emptied_and_the_newest_stays(session: Session, dora: User, practice: Practice) -> None:
    redaction.redact(session, dora, practice.id, 1, WHY)
    assert titles(session, practice) == [None, "Draft of two", "Two"]
    assert catalogue.get(session, str(practice.slug), "")["title"] == "Two"


def test_who_asks_by_date_is_told_of_an_old_version_too(session: Session, dora: User, practice: Practice) -> None:
    before = changes.of_versions(session, practice)
    redaction.redact(session, dora, practice.id, 1, WHY)
    session.flush()
    assert changes.of_versions(session, practice) >= before and changes.of(practice) == before
    session.execute(update(Revision).values(redacted=datetime(2030, 1, 1, tzinfo=UTC)))
    assert changes.of_versions(session, practice) == datetime(2030, 1, 1, tzinfo=UTC)


def test_an_emptied_version_answers_with_the_reason(session: Session, dora: User, practice: Practice) -> None:
    redaction.redact(session, dora, practice.id, 1, WHY)
    with pytest.raises(Gone, match=WHY):
        versions.read(session, str(practice.slug), 1, "")


def test_the_drafts_that_led_to_a_version_are_emptied_too(session: Session, dora: User, practice: Practice) -> None:
    redaction.redact(session, dora, practice.id, 2, WHY)
    assert titles(session, practice) == ["One", None, None]


def test_what_was_written_since_the_newest_version_goes_with_it(
    session: Session, alice: User, dora: User, practice: Practice
) -> None:
    practices.save(session, alice, practice, factories.document(title="Draft of three"), None)
    session.flush()
    redaction.redact(session, dora, practice.id, 2, WHY)
    assert titles(session, practice) == ["One", None, None, None]
    assert practices.working_copy(session, practice)["title"] is None


def test_with_its_newest_version_a_practice_goes_offline(session: Session, dora: User, practice: Practice) -> None:
    redaction.redact(session, dora, practice.id, 2, WHY)
    session.flush()
    assert practice.record is None and practice.state == State.WITHDRAWN
    assert practice.title == "" and practice.contact is None
    with pytest.raises(Gone, match=WHY):
        catalogue.get(session, str(practice.slug), "")


@pytest.mark.parametrize("number", [1, 2])
def test_an_offline_practice_shows_none_of_its_versions(
    session: Session, dora: User, practice: Practice, number: int
) -> None:
    redaction.redact(session, dora, practice.id, 2, WHY)
    with pytest.raises(Gone):
        versions.read(session, str(practice.slug), number, "")
    with pytest.raises(Gone):
        versions.listed(session, str(practice.slug))


def test_the_index_is_asked_to_look_again(session: Session, dora: User, practice: Practice) -> None:
    session.query(IndexOutbox).delete()
    redaction.redact(session, dora, practice.id, 2, WHY)
    session.flush()
    assert practice.id in session.scalars(select(IndexOutbox.practice_id)).all()


@pytest.mark.parametrize("role", [Role.MEMBER, Role.EDITOR])
def test_only_administrators_may(session: Session, practice: Practice, role: Role) -> None:
    with pytest.raises(NotAllowed):
        redaction.redact(session, accounts.add_user(session, "x@example.org", role), practice.id, 1, WHY)


@pytest.mark.parametrize(("version", "reason", "fields"), [
    (1, "  ", ["reason"]), (None, WHY, ["version"]), (7, "", ["version", "reason"]), (1, "x" * 501, ["reason"]),
])  # fmt: skip
def test_a_version_and_a_reason_are_asked_for(
    session: Session, dora: User, practice: Practice, version: int | None, reason: str, fields: list[str]
) -> None:
    with pytest.raises(Invalid) as refused:
        redaction.redact(session, dora, practice.id, version, reason)
    assert [problem.field for problem in refused.value.problems] == fields


def test_a_version_is_emptied_once(session: Session, dora: User, practice: Practice) -> None:
    redaction.redact(session, dora, practice.id, 1, WHY)
    session.flush()
    with pytest.raises(Conflict):
        redaction.redact(session, dora, practice.id, 1, "Another reason")


def test_a_draft_that_was_never_public_is_not_there_for_it(session: Session, alice: User, dora: User) -> None:
    with pytest.raises(NotFound):
        redaction.redact(session, dora, factories.draft(session, alice).id, 1, WHY)


# What was written about it


def named(session: Session, alice: User) -> tuple[Practice, User]:
    """Published with a name in it, after an editor asked to take it out and Alice answered; and Bob, the editor."""
    bob, words = accounts.add_user(session, "bob@example.org", Role.EDITOR), vocabularies.load(session)
    practice = factories.submitted(session, alice, title="Kim Doe’s mentors")
    moderation.request_changes(session, bob, practice, "Remove Kim Doe", {"title": "Is Kim Doe asked?"})
    session.flush()
    question = session.scalars(select(Comment)).one()
    comments.answer(session, alice, practice, question.id, "Kim Doe agreed")
    practices.submit(session, alice, practice, words)
    moderation.publish(session, bob, practice, words)
    session.flush()
    return practice, bob


def test_the_comments_and_messages_about_an_emptied_version_go_too(session: Session, alice: User, dora: User) -> None:
    practice, _bob = named(session, alice)
    redaction.redact(session, dora, practice.id, 1, WHY)
    session.flush()
    said = [*session.scalars(select(Comment.body)), *session.scalars(select(Review.message))]
    assert said == ["", "", "", ""]


def test_mail_that_waits_holds_the_words_no_more(session: Session, alice: User, dora: User) -> None:
    practice, _bob = named(session, alice)
    redaction.redact(session, dora, practice.id, 1, WHY)
    session.flush()
    mails = session.scalars(select(MailMessage)).all()
    assert mails and all(mail.data == {} and mail.failed for mail in mails)


def test_what_was_written_about_another_version_stays(session: Session, alice: User, dora: User) -> None:
    practice, bob = named(session, alice)
    practices.save(session, alice, practice, factories.document(title="Mentors"), dict(factories.CONTACT))
    practices.submit(session, alice, practice, vocabularies.load(session))
    moderation.publish(session, bob, practice, vocabularies.load(session), "Thank you.")
    session.flush()
    redaction.redact(session, dora, practice.id, 1, WHY)
    session.flush()
    messages = session.scalars(select(Review.message).order_by(Review.revision_number)).all()
    kept = [mail.data for mail in session.scalars(select(MailMessage)) if mail.data]
    assert messages == ["", "", "Thank you."] and {data["title"] for data in kept} == {"Mentors"}


# Versions


def test_a_version_is_the_whole_record_as_it_was(session: Session, practice: Practice) -> None:
    record, current = versions.read(session, str(practice.slug), 1, "https://x")
    assert record["title"] == "One" and record["version"] == 1
    assert record["url"] == f"https://x/practices/{practice.slug}/versions/1"
    assert list(record) == list(catalogue.get(session, str(practice.slug), "")) and current.title == "Two"


def test_the_newest_version_is_what_readers_see(session: Session, practice: Practice) -> None:
    record, _ = versions.read(session, str(practice.slug), 2, "https://x")
    assert record == catalogue.get(session, str(practice.slug), "https://x")


def test_a_version_that_there_is_not_is_not_found(session: Session, practice: Practice) -> None:
    for number in (0, 3):
        with pytest.raises(NotFound):
            versions.read(session, str(practice.slug), number, "")


def test_versions_are_listed_the_newest_first_without_drafts(session: Session, practice: Practice) -> None:
    _, listed = versions.listed(session, str(practice.slug))
    assert [each.number for each in listed] == [2, 1]
    kinds = session.scalars(select(Revision.kind).where(Revision.practice_id == practice.id)).all()
    assert RevisionKind.SAVED in kinds


def test_a_practice_taken_offline_without_a_reason_is_not_found(session: Session, practice: Practice) -> None:
    publishing.unpublish(session, practice)
    session.flush()
    with pytest.raises(NotFound):
        versions.listed(session, str(practice.slug))
