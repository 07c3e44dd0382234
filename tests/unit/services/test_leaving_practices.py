"""What becomes of somebody's practices when they leave, wherever those stand in the workflow."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.models import AuditEntry, Practice, Revision, Role, State, User
from kb.services import accounts, leaving, lifecycle, moderation, permissions, practices, vocabularies
from tests import factories


@pytest.fixture
def alice(session: Session) -> User:
    return accounts.add_user(session, "alice@example.org", Role.MEMBER)


@pytest.fixture
def bob(session: Session) -> User:
    return accounts.add_user(session, "bob@example.org", Role.EDITOR)


def updating(session: Session, owner: User) -> Practice:
    practice = factories.published(session, owner, title="Old")
    practices.save(session, owner, practice, factories.document(title="New"), dict(factories.CONTACT))
    session.flush()
    return practice


def texts(session: Session, practice: Practice) -> list[object]:
    session.flush()
    session.expire_all()
    statement = select(Revision.document).where(Revision.practice_id == practice.id).order_by(Revision.number)
    return [document.get("title") for document in session.scalars(statement)]


def left(session: Session) -> list[str]:
    session.flush()
    return [
        entry.object_id for entry in session.scalars(select(AuditEntry).where(AuditEntry.action == "practice.leave"))
    ]


def test_an_update_that_was_given_up_goes_too(session: Session, alice: User) -> None:
    practice = updating(session, alice)
    lifecycle.discard_update(session, alice, practice)
    leaving.leave(session, alice)
    assert texts(session, practice) == ["Old", None, None, "Old"] and practice.state == State.PUBLISHED


def test_what_was_taken_offline_keeps_the_text_that_readers_knew(session: Session, alice: User, bob: User) -> None:
    practice = updating(session, alice)
    lifecycle.unpublish(session, bob, practice, "At once.")
    leaving.leave(session, alice)
    assert texts(session, practice) == ["Old", None, "Old"] and practice.state == State.WITHDRAWN
    assert permissions.can(bob, "republish", practice)


def test_an_archived_practice_stays_in_the_archive(session: Session, alice: User, bob: User) -> None:
    practice = factories.published(session, alice, title="Old")
    lifecycle.archive(session, bob, practice)
    leaving.leave(session, alice)
    assert texts(session, practice) == ["Old"] and practice.state == State.ARCHIVED and practice.owner_id is None


@pytest.mark.parametrize("state", [State.WITHDRAWN, State.REJECTED])
def test_what_was_put_away_or_turned_down_is_emptied_where_it_is(
    session: Session, alice: User, bob: User, state: State
) -> None:
    practice = factories.submitted(session, alice)
    if state == State.WITHDRAWN:
        lifecycle.abandon(session, alice, practice)
    else:
        moderation.reject(session, bob, practice, "Not here.")
    leaving.leave(session, alice)
    assert set(texts(session, practice)) == {None} and practice.state == state
    assert lifecycle.possible(session, bob, practice) == []


def test_each_practice_that_moves_is_in_the_log(session: Session, alice: User, bob: User) -> None:
    draft, update = factories.draft(session, alice), updating(session, alice)
    waits = factories.submitted(session, alice)
    leaving.leave(session, alice)
    assert set(left(session)) == {str(draft.id), str(update.id)} and waits.state == State.SUBMITTED


def test_an_editor_goes_on_with_what_was_sent_in_by_somebody_who_left(session: Session, alice: User, bob: User) -> None:
    practice, words = factories.submitted(session, alice), vocabularies.load(session)
    leaving.leave(session, alice)
    moderation.request_changes(session, bob, practice, "Which month?")
    practices.save(session, bob, practice, factories.document(start="2021-10"), None)
    practices.submit(session, bob, practice, words)
    moderation.publish(session, bob, practice, words)
    assert practice.state == State.PUBLISHED


def test_what_was_sent_in_by_somebody_who_left_goes_nowhere_where_nobody_sees_it(
    session: Session, alice: User, bob: User
) -> None:
    practice = factories.submitted(session, alice)
    leaving.leave(session, alice)
    assert not permissions.can(bob, "withdraw", practice) and not permissions.can(bob, "abandon", practice)


def test_a_rejected_submission_of_somebody_who_left_is_emptied(session: Session, alice: User, bob: User) -> None:
    practice = factories.submitted(session, alice)
    leaving.leave(session, alice)
    moderation.reject(session, bob, practice, "Not here.")
    assert set(texts(session, practice)) == {None} and (practice.title, practice.contact) == ("", None)


def test_a_rejected_submission_that_colleagues_share_keeps_its_text(session: Session, alice: User, bob: User) -> None:
    factories.organisation(session, "City", alice, accounts.add_user(session, "carol@example.org", Role.MEMBER))
    practice = factories.submitted(session, alice)
    leaving.leave(session, alice)
    moderation.reject(session, bob, practice, "Not here.")
    assert None not in texts(session, practice)


def test_a_draft_that_colleagues_share_is_not_the_editors(session: Session, alice: User, bob: User) -> None:
    factories.organisation(session, "City", alice, accounts.add_user(session, "carol@example.org", Role.MEMBER))
    practice = factories.draft(session, alice)
    leaving.leave(session, alice)
    assert not permissions.can(bob, "view", practice) and not permissions.can(bob, "edit", practice)


def test_a_submission_that_waits_is_still_decided(session: Session, alice: User, bob: User) -> None:
    practice = factories.submitted(session, alice)
    leaving.leave(session, alice)
    moderation.publish(session, bob, practice, vocabularies.load(session))
    assert practice.state == State.PUBLISHED
