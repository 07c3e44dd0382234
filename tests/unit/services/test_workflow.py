"""From draft to public: who may do what when, and that nothing typed is lost on the way."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kb.db import Database
from kb.models import Practice, Revision, RevisionKind, Role, State, User
from kb.services import comments, moderation, practices, vocabularies
from kb.services.errors import Conflict, Invalid, NotAllowed, NotFound, ServiceError
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
    assert not can(admin, action, practice) or transition(action, state) is not None


class Workflow(RuleBasedStateMachine):
    """Random people do random things to one practice."""

    database: Database
    counter = itertools.count()

    def __init__(self) -> None:
        super().__init__()
        n = next(self.counter)
        with self.database.write() as session:
            self.alice = person(session, f"a{n}@example.org", "member").id
            self.bob = person(session, f"b{n}@example.org", "editor").id
            self.charlie = person(session, f"c{n}@example.org", "member").id
            self.practice = draft(session, session.get(User, self.alice)).id
        self.revisions = 1
        self.saves = 0

    @rule(
        who=st.sampled_from(["alice", "bob", "charlie"]),
        what=st.sampled_from(["submit", "withdraw", "take", "ask", "publish"]),
    )
    def act(self, who: str, what: str) -> None:
        with self.database.write() as session:
            actor, practice = session.get(User, getattr(self, who)), session.get(Practice, self.practice)
            before = practice.state
            vocabulary = vocabularies.load(session)
            steps = {
                "submit": lambda: practices.submit(session, actor, practice, vocabulary),
                "withdraw": lambda: practices.withdraw(session, actor, practice),
                "take": lambda: moderation.take(session, actor, practice),
                "ask": lambda: moderation.request_changes(session, actor, practice, "Why?"),
                "publish": lambda: moderation.publish(session, actor, practice, vocabulary),
            }
            name = "request-changes" if what == "ask" else what
            try:
                steps[what]()
            except ServiceError:
                assert practice.state == before
            else:
                step = transition(name, before)
                assert step is not None and practice.state == step.target
                self.revisions += what in ("submit", "publish")

    @rule(who=st.sampled_from(["alice", "charlie"]))
    def save(self, who: str) -> None:
        self.saves += 1
        with self.database.write() as session:
            actor, practice = session.get(User, getattr(self, who)), session.get(Practice, self.practice)
            try:
                practices.save(session, actor, practice, document(title=f"Title {self.saves}"), None)
                self.revisions += 1
            except NotAllowed:
                pass

    @invariant()
    def no_revision_is_lost(self) -> None:
        with self.database.read() as session:
            practice = session.get(Practice, self.practice)
            held = session.scalar(
                select(func.count()).select_from(Revision).where(Revision.practice_id == self.practice)
            )
            assert held == practice.revision_count == self.revisions

    @invariant()
    def readers_see_exactly_the_published_version(self) -> None:
        with self.database.read() as session:
            practice = session.get(Practice, self.practice)
            last = session.scalar(
                select(Revision).where(Revision.practice_id == self.practice, Revision.kind == RevisionKind.PUBLISHED)
                .order_by(Revision.number.desc()).limit(1)
            )  # fmt: skip
            assert (practice.record is None) == (last is None)
            if last is not None:
                assert practice.record.title == last.document["title"] and practice.version == last.version


def test_random_people_cannot_break_the_workflow(database: Database) -> None:
    machine = type("Machine", (Workflow,), {"database": database})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=10, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
