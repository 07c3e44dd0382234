"""A practice's life beside the review: put away, archived, offline and back; what a step keeps, whom it tells."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.models import AuditEntry, MailMessage, Practice, Revision, Role, State, User
from kb.services import (
    accounts,
    catalogue,
    lifecycle,
    moderation,
    practices,
    publishing,
    redaction,
    reviewing,
    titles,
    vocabularies,
)
from kb.services.errors import Conflict, Invalid, NotAllowed, NotFound
from tests import factories


def someone(session: Session, name: str, role: Role) -> User:
    return accounts.add_user(session, f"{name}@example.org", role, name=name.title())


@pytest.fixture
def alice(session: Session) -> User:
    return someone(session, "alice", Role.MEMBER)


@pytest.fixture
def bob(session: Session) -> User:
    return someone(session, "bob", Role.EDITOR)


@pytest.fixture
def dora(session: Session) -> User:
    return someone(session, "dora", Role.ADMIN)


def told(session: Session) -> list[tuple[str, str]]:
    session.flush()
    rows = session.execute(select(MailMessage.kind, MailMessage.address).order_by(MailMessage.id))
    return [(kind, address.partition("@")[0]) for kind, address in rows if kind != "practice-waiting"]


def title_shown(session: Session, practice: Practice) -> str:
    session.flush()
    return str(catalogue.get(session, str(practice.slug), "")["title"])


def updating(session: Session, owner: User) -> Practice:
    """A public practice, "Old", with an update, "New", that nobody was sent yet."""
    practice = factories.published(session, owner, title="Old")
    practices.save(session, owner, practice, factories.document(title="New"), dict(factories.CONTACT))
    return practice


# Put away, and taken up again


def test_a_draft_is_put_away_and_taken_up_again_with_its_text(session: Session, alice: User) -> None:
    practice = factories.draft(session, alice, title="Mentors")
    lifecycle.abandon(session, alice, practice)
    assert practice.state == State.WITHDRAWN
    lifecycle.resume(session, alice, practice)
    assert practice.state == State.DRAFT and practices.working_copy(session, practice)["title"] == "Mentors"


def test_a_submission_that_is_put_away_leaves_the_queue(session: Session, alice: User, bob: User) -> None:
    practice = factories.submitted(session, alice)
    lifecycle.abandon(session, alice, practice)
    session.flush()
    assert reviewing.queue(session, bob) == []


def test_what_somebody_reads_in_review_cannot_be_put_away(session: Session, alice: User, bob: User) -> None:
    practice = factories.submitted(session, alice)
    moderation.take(session, bob, practice)
    with pytest.raises(Conflict):
        lifecycle.abandon(session, alice, practice)


def test_an_update_is_given_up_not_put_away(session: Session, alice: User) -> None:
    practice = updating(session, alice)
    with pytest.raises(Conflict):
        lifecycle.abandon(session, alice, practice)
    lifecycle.discard_update(session, alice, practice)
    assert practice.state == State.PUBLISHED and practices.working_copy(session, practice)["title"] == "Old"


def test_what_an_update_said_stays_in_the_history(session: Session, alice: User) -> None:
    practice = updating(session, alice)
    lifecycle.discard_update(session, alice, practice)
    session.flush()
    documents = session.scalars(select(Revision.document).where(Revision.practice_id == practice.id)).all()
    assert "New" in {document["title"] for document in documents}


def test_a_draft_without_a_public_version_has_no_update_to_give_up(session: Session, alice: User) -> None:
    with pytest.raises(Conflict):
        lifecycle.discard_update(session, alice, factories.draft(session, alice))


@pytest.mark.parametrize("step", lifecycle.OWNERS)
def test_a_stranger_makes_no_step_of_the_owner(session: Session, alice: User, bob: User, step: str) -> None:
    practice = factories.draft(session, alice)
    for who in (bob, someone(session, "charlie", Role.MEMBER)):
        with pytest.raises(NotAllowed):
            lifecycle.STEPS[step](session, who, practice)
        with pytest.raises(NotFound):
            lifecycle.get(session, who, practice.id, step)


@pytest.mark.parametrize("step", lifecycle.EDITORS)
def test_only_editors_make_the_steps_of_editors(session: Session, alice: User, step: str) -> None:
    practice = factories.published(session, alice)
    with pytest.raises(NotAllowed):
        lifecycle.STEPS[step](session, alice, practice, "Because")
    with pytest.raises(NotFound):
        lifecycle.get(session, alice, practice.id, step)


# Turned down


def test_a_rejected_submission_can_be_taken_up_again(session: Session, alice: User, bob: User) -> None:
    practice = factories.submitted(session, alice)
    moderation.reject(session, bob, practice, "Not about integration.")
    assert practice.state == State.REJECTED and told(session) == [("practice-rejected", "alice")]
    lifecycle.resume(session, alice, practice)
    assert practice.state == State.DRAFT


def test_turning_down_needs_a_reason(session: Session, alice: User, bob: User) -> None:
    practice = factories.submitted(session, alice)
    with pytest.raises(Invalid):
        moderation.reject(session, bob, practice, " ")
    assert practice.state == State.SUBMITTED


def test_of_a_rejected_update_the_public_version_stays(session: Session, alice: User, bob: User) -> None:
    practice = updating(session, alice)
    practices.submit(session, alice, practice, vocabularies.load(session))
    moderation.reject(session, bob, practice, "The figures are older than those we have.")
    assert (practice.state, practice.version) == (State.PUBLISHED, 1)
    assert practices.working_copy(session, practice)["title"] == title_shown(session, practice) == "Old"


def test_who_turned_an_update_down_may_publish_the_next(session: Session, alice: User, bob: User, dora: User) -> None:
    practice = updating(session, alice)
    practices.submit(session, alice, practice, vocabularies.load(session))
    moderation.reject(session, bob, practice, "Not yet.")
    practices.save(session, alice, practice, factories.document(title="Newer"), None)
    practices.submit(session, alice, practice, vocabularies.load(session))
    moderation.publish(session, bob, practice, vocabularies.load(session))
    assert practice.version == 2


# Handed over and put back


def test_a_review_is_handed_over_and_the_other_editor_told(
    session: Session, alice: User, bob: User, dora: User
) -> None:
    practice = factories.submitted(session, alice)
    moderation.take(session, bob, practice)
    moderation.hand_over(session, bob, practice, dora)
    assert (practice.state, practice.editor_id) == (State.IN_REVIEW, dora.id)
    assert told(session) == [("practice-handed-over", "dora")]


def test_who_takes_a_review_over_is_not_told_so(session: Session, alice: User, bob: User, dora: User) -> None:
    practice = factories.submitted(session, alice)
    moderation.take(session, bob, practice)
    moderation.hand_over(session, dora, practice, dora)
    assert practice.editor_id == dora.id and told(session) == []


def test_a_review_is_handed_to_editors_only_and_not_to_who_has_it(session: Session, alice: User, bob: User) -> None:
    practice = factories.submitted(session, alice)
    moderation.take(session, bob, practice)
    for who in (alice, bob):
        with pytest.raises(Invalid):
            moderation.hand_over(session, bob, practice, who)


def test_a_review_goes_back_into_the_queue(session: Session, alice: User, bob: User) -> None:
    practice = factories.submitted(session, alice)
    moderation.take(session, bob, practice)
    moderation.release(session, bob, practice)
    assert (practice.state, practice.editor_id) == (State.SUBMITTED, None)


# A mend is no writing


def test_an_editor_publishes_what_they_only_mended(session: Session, alice: User, bob: User, dora: User) -> None:
    practice = factories.submitted(session, alice)
    document = factories.document(title="Mentors for nurses, mended")
    revision = publishing.add_revision(session, practice, publishing.RevisionKind.SAVED, document, author_id=bob.id)
    revision.mended = True
    session.flush()
    moderation.publish(session, bob, practice, vocabularies.load(session))
    assert practice.version == 1


# Archived and offline


def test_an_archived_practice_is_in_no_record_but_known_at_its_address(
    session: Session, alice: User, bob: User
) -> None:
    practice = factories.published(session, alice)
    lifecycle.archive(session, bob, practice, "The programme ended in 2024.")
    session.flush()
    assert practice.record is None and lifecycle.archived(session, str(practice.slug)) is practice
    assert told(session) == [("practice-archived", "alice")]
    assert lifecycle.archived_on(session, practice) is not None


@pytest.mark.parametrize(("there", "back"), [("archive", "restore"), ("unpublish", "republish")])
def test_what_comes_back_has_its_version_its_text_and_its_dates(
    session: Session, alice: User, bob: User, there: str, back: str
) -> None:
    practice = factories.published(session, alice, title="As it was")
    assert practice.record is not None
    practice.record.published = practice.record.updated = publishing.now().replace(year=2020)
    before = publishing.as_document(practice.record, "")
    lifecycle.STEPS[there](session, bob, practice, "For a while.")
    session.flush()
    lifecycle.STEPS[back](session, bob, practice)
    session.flush()
    session.expire_all()
    assert catalogue.get(session, str(practice.slug), "") == before
    assert (practice.state, practice.version, practice.was_published) == (State.PUBLISHED, 1, None)
    assert told(session)[1:] == [("practice-published", "alice")]


def test_an_offline_practice_is_not_found(session: Session, alice: User, bob: User) -> None:
    practice = factories.published(session, alice)
    lifecycle.unpublish(session, bob, practice, "Its source is wrong.")
    session.flush()
    assert practice.state == State.WITHDRAWN and lifecycle.archived(session, str(practice.slug)) is None
    with pytest.raises(NotFound):
        catalogue.get(session, str(practice.slug), "")


def test_taking_offline_needs_a_reason_which_is_mailed_and_not_logged(session: Session, alice: User, bob: User) -> None:
    practice = factories.published(session, alice)
    for reason in ("", "  ", "x" * 2001):
        with pytest.raises(Invalid):
            lifecycle.unpublish(session, bob, practice, reason)
    lifecycle.unpublish(session, bob, practice, "Jo Doe is named in it.")
    session.flush()
    mail = session.scalars(select(MailMessage).where(MailMessage.kind == "practice-unpublished")).one()
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "practice.unpublish")).one()
    assert mail.data["message"] == "Jo Doe is named in it." and entry.detail == {"reason": True}


def test_an_update_stays_where_it_is_when_the_practice_goes_offline(session: Session, alice: User, bob: User) -> None:
    practice = updating(session, alice)
    lifecycle.unpublish(session, bob, practice, "At once.")
    assert practice.state == State.DRAFT and practices.working_copy(session, practice)["title"] == "New"
    practices.submit(session, alice, practice, vocabularies.load(session))
    moderation.publish(session, bob, practice, vocabularies.load(session))
    assert title_shown(session, practice) == "New" and practice.version == 2


def test_what_was_put_away_while_offline_comes_back_as_readers_knew_it(
    session: Session, alice: User, bob: User
) -> None:
    practice = updating(session, alice)
    lifecycle.unpublish(session, bob, practice, "At once.")
    lifecycle.abandon(session, alice, practice)
    assert titles.known(session, bob, practice) == "Old"
    lifecycle.republish(session, bob, practice)
    assert practices.working_copy(session, practice)["title"] == title_shown(session, practice) == "Old"


def test_what_was_redacted_comes_back_by_no_way(session: Session, alice: User, bob: User, dora: User) -> None:
    practice = factories.published(session, alice)
    redaction.redact(session, dora, practice.id, 1, "It named a child.")
    session.flush()
    assert lifecycle.possible(session, bob, practice) == lifecycle.possible(session, alice, practice) == []
    for who, step in ((bob, "republish"), (alice, "resume")):
        with pytest.raises(Conflict):
            lifecycle.STEPS[step](session, who, practice)


def test_what_is_archived_or_offline_is_listed_for_editors(session: Session, alice: User, bob: User) -> None:
    away, gone, _public = (factories.published(session, alice, title=title) for title in ("Away", "Gone", "Public"))
    lifecycle.archive(session, bob, away)
    lifecycle.unpublish(session, bob, gone, "Why.")
    session.flush()
    assert {each.title for each in lifecycle.offline(session, bob)} == {"Away", "Gone"}
    with pytest.raises(NotAllowed):
        lifecycle.offline(session, alice)


def test_an_editor_does_not_read_the_draft_of_what_they_took_offline(session: Session, alice: User, bob: User) -> None:
    practice = updating(session, alice)
    lifecycle.unpublish(session, bob, practice, "At once.")
    with pytest.raises(NotFound):
        practices.get(session, bob, practice.id)
    assert titles.known(session, bob, practice) == "Old"


def test_who_adapted_an_archived_practice_still_leads_to_it(session: Session, alice: User, bob: User) -> None:
    practice = factories.published(session, alice, title="The model")
    lifecycle.archive(session, bob, practice)
    session.flush()
    assert catalogue.titles(session, [str(practice.slug)]) == {practice.slug: ("The model", "en")}


@pytest.mark.parametrize(("out", "back"), [("archive", "restore"), ("unpublish", "republish")])
def test_another_editor_shows_an_editors_own_practice_again(
    session: Session, bob: User, dora: User, out: str, back: str
) -> None:
    practice = factories.published(session, bob)
    lifecycle.STEPS[out](session, dora, practice, "Not so.")
    session.flush()
    assert back not in lifecycle.possible(session, bob, practice)
    with pytest.raises(NotAllowed):
        lifecycle.STEPS[back](session, bob, practice, "")
    lifecycle.STEPS[back](session, dora, practice, "")
    assert practice.record is not None


def test_the_only_editor_shows_an_own_practice_again(session: Session, bob: User) -> None:
    practice = factories.published(session, bob)
    lifecycle.archive(session, bob, practice)
    session.flush()
    assert "restore" in lifecycle.possible(session, bob, practice)
    lifecycle.restore(session, bob, practice)
    assert practice.record is not None
