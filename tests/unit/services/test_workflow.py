"""From draft to public: who may do what when, and that nothing typed is lost on the way."""

from __future__ import annotations

import itertools

import pytest
from sqlalchemy.orm import Session

from kb.db import Database
from kb.models import Practice, Record, Role, State, User
from kb.services import comments, moderation, practices, vocabularies
from kb.services.errors import Conflict, Invalid, NotAllowed, NotFound
from kb.services.permissions import TRANSITIONS, can, transition
from kb.services.record import shape
from tests.factories import CONTACT, document, draft, person, published, submitted


def people(session: Session) -> tuple[User, User, User]:
    """Alice the author, Bob the editor, Charlie the outsider."""
    return (person(session, "alice@example.org", "member"), person(session, "bob@example.org", "editor"),
            person(session, "charlie@example.org", "member"))  # fmt: skip


def test_a_practice_goes_from_draft_to_public(database: Database) -> None:
    with database.write() as session:
        alice, bob, _charlie = people(session)
        practice = draft(session, alice)
        practices.submit(session, alice, practice, vocabularies.load(session))
        moderation.take(session, bob, practice)
        moderation.publish(session, bob, practice, vocabularies.load(session))
        assert (practice.state, practice.version) == (State.PUBLISHED, 1)
        assert practice.record is not None


def test_a_draft_saves_whatever_was_typed(database: Database) -> None:
    typed = shape({"title": None, "start": "soon", "beneficiaries": "lots", "region": "South Denmark"})
    with database.write() as session:
        alice, *_ = people(session)
        practice = practices.start(session, alice, typed, None)
        assert practices.working_copy(session, practice) == typed


def test_every_save_is_a_revision_and_none_is_changed(database: Database) -> None:
    with database.write() as session:
        alice, *_ = people(session)
        practice = draft(session, alice, title="First")
        practices.save(session, alice, practice, document(title="Second"), None)
        practices.save(session, alice, practice, document(title="Second"), None)
        titles = [r.document["title"] for r in session.scalars(practice.revisions.select())]
    assert titles == ["First", "Second"]


def test_an_incomplete_draft_is_kept_and_not_sent(database: Database) -> None:
    with database.write() as session:
        alice, *_ = people(session)
        practice = practices.start(session, alice, shape({"title": "Half"}), None)
        with pytest.raises(Invalid) as refused:
            practices.submit(session, alice, practice, vocabularies.load(session))
        assert practice.state == State.DRAFT
        assert {"summary", "sources", "contact.email"} <= {problem.field for problem in refused.value.problems}


def test_an_editor_asks_and_the_author_sends_again(database: Database) -> None:
    with database.write() as session:
        alice, bob, _ = people(session)
        practice = submitted(session, alice)
        moderation.request_changes(session, bob, practice, "How many?", {"results": "A number, please."})
        assert practice.state == State.CHANGES_REQUESTED
        [question] = comments.threads(session, practice)["results"]
        assert question.question.body == "A number, please." and question.open
        practices.save(session, alice, practice, document(results="86 pairs."), None)
        practices.submit(session, alice, practice, vocabularies.load(session))
        assert practice.state == State.SUBMITTED


def test_asking_for_changes_needs_a_word_of_why(database: Database) -> None:
    with database.write() as session:
        alice, bob, _ = people(session)
        with pytest.raises(Invalid):
            moderation.request_changes(session, bob, submitted(session, alice), "  ", {"title": " "})


def test_the_public_version_stays_while_an_update_is_written_and_reviewed(database: Database) -> None:
    with database.write() as session:
        alice, bob, _ = people(session)
        practice = published(session, alice)
        practices.save(session, alice, practice, document(title="A better title"), dict(CONTACT))
        practices.submit(session, alice, practice, vocabularies.load(session))
        assert practice.record.title == "Mentors for newly arrived nurses" and practice.version == 1
        moderation.publish(session, bob, practice, vocabularies.load(session))
        assert practice.record.title == "A better title" and practice.version == 2


def test_an_editor_cannot_publish_an_own_submission_when_there_is_another(database: Database) -> None:
    with database.write() as session:
        bob = person(session, "bob@example.org", "editor")
        practice = submitted(session, bob)
        moderation.take(session, bob, practice)
        person(session, "dora@example.org", "admin")
        with pytest.raises(NotAllowed):
            moderation.publish(session, bob, practice, vocabularies.load(session))


def test_the_only_editor_may_publish_an_own_submission(database: Database) -> None:
    with database.write() as session:
        bob = person(session, "bob@example.org", "editor")
        practice = submitted(session, bob)
        moderation.publish(session, bob, practice, vocabularies.load(session))
        assert practice.version == 1


def test_the_second_of_two_decisions_is_told(database: Database) -> None:
    with database.write() as session:
        alice, bob, _ = people(session)
        practice = submitted(session, alice)
        moderation.publish(session, bob, practice, vocabularies.load(session))
        with pytest.raises(Conflict):
            moderation.publish(session, bob, practice, vocabularies.load(session))


def test_what_is_with_the_editors_cannot_be_changed(database: Database) -> None:
    with database.write() as session:
        alice, *_ = people(session)
        practice = submitted(session, alice)
        with pytest.raises(NotAllowed):
            practices.save(session, alice, practice, document(title="Quick change"), None)


def test_a_submission_can_be_taken_back(database: Database) -> None:
    with database.write() as session:
        alice, *_ = people(session)
        practice = submitted(session, alice)
        practices.withdraw(session, alice, practice)
        assert practice.state == State.DRAFT


def test_anothers_draft_does_not_exist(database: Database) -> None:
    with database.write() as session:
        alice, bob, charlie = people(session)
        practice = draft(session, alice)
        for someone in (charlie, bob, None):
            with pytest.raises(NotFound):
                practices.get(session, someone, practice.id)


def test_a_reader_may_not_write(database: Database) -> None:
    with database.write() as session:
        rita = person(session, "rita@example.org", "reader")
        with pytest.raises(NotAllowed):
            draft(session, rita)


def test_a_disabled_person_may_do_nothing(database: Database) -> None:
    with database.write() as session:
        alice, bob, _ = people(session)
        practice = submitted(session, alice)
        alice.active = bob.active = False
        assert not any(
            can(who, action, practice) for who in (alice, bob) for action in ("view", "edit", "withdraw", "publish")
        )


@pytest.mark.parametrize(("action", "state"), list(itertools.product(sorted({t.action for t in TRANSITIONS}), State)))
def test_only_the_table_moves_a_practice(action: str, state: State) -> None:
    practice = Practice(state=state, version=1, owner_id=None)
    admin = User(role=Role.ADMIN, active=True)
    rows = [each for each in TRANSITIONS if each.action == action and state in each.sources]
    assert not can(admin, action, practice) or transition(action, practice) in rows


@pytest.mark.parametrize("record", [None, Record()])
@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize("state", State)
def test_no_two_rows_of_the_table_start_with_one_action_from_one_place(
    state: State, version: int, record: Record | None
) -> None:
    practice = Practice(state=state, version=version, record=record)
    actions = [each.action for each in TRANSITIONS if each.holds(practice)]
    assert len(actions) == len(set(actions))
