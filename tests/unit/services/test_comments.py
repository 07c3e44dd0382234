"""Comments on fields: asked with a decision, answered, settled, and moved out of the reviews of the release before."""

from __future__ import annotations

import json
import uuid

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from kb.db import Database
from kb.models import AuditEntry, Comment, MailMessage, Practice, User
from kb.services import comments, moderation, practices, setup, vocabularies
from kb.services.errors import Invalid, NotAllowed, NotFound
from tests.factories import document, downgrade, person, submitted


def asked(session: Session, **questions: str) -> tuple[User, User, Practice, Comment]:
    """Alice, Bob, her submission that he gave back with questions, and the first of those."""
    alice, bob = person(session, "alice@example.org", "member"), person(session, "bob@example.org", "editor")
    practice = submitted(session, alice)
    moderation.request_changes(session, bob, practice, "", questions or {"results": "How many?"})
    [thread] = next(iter(comments.threads(session, practice).values()))
    return alice, bob, practice, thread.question


def test_questions_come_in_the_order_of_the_record(database: Database) -> None:
    with database.write() as session:
        *_, practice, _question = asked(session, results="How many?", title="Shorter?", nope="poison")
        assert list(comments.threads(session, practice)) == ["title", "results"]


def test_a_question_knows_its_review_and_its_version(database: Database) -> None:
    with database.write() as session:
        _alice, bob, practice, question = asked(session)
        review = practices.last_review(session, practice)
        assert review is not None
        assert (question.review_id, question.revision_number, question.author_id) == (review.id, 2, bob.id)


def test_an_author_answers_with_the_form(database: Database) -> None:
    with database.write() as session:
        alice, _bob, practice, question = asked(session)
        stranger = str(uuid.uuid4())
        typed = {str(question.id): " 86 pairs. ", stranger: "no such question", "nonsense": "x"}
        comments.answer_each(session, alice, practice, typed)
        session.flush()
        [thread] = comments.threads(session, practice)["results"]
        assert [each.body for each in thread.answers] == ["86 pairs."] and thread.open


def test_a_blank_answer_of_the_form_is_none(database: Database) -> None:
    with database.write() as session:
        alice, _bob, practice, question = asked(session)
        comments.answer_each(session, alice, practice, {str(question.id): " \n "})
        session.flush()
        [thread] = comments.threads(session, practice)["results"]
        assert thread.answers == ()


def test_an_answer_without_a_word_is_refused(database: Database) -> None:
    with database.write() as session:
        _alice, bob, practice, question = asked(session)
        with pytest.raises(Invalid):
            comments.answer(session, bob, practice, question.id, "  ")


def test_an_answer_that_is_too_long_names_its_box(database: Database) -> None:
    with database.write() as session:
        alice, _bob, practice, question = asked(session)
        with pytest.raises(Invalid) as refused:
            comments.answer(session, alice, practice, question.id, "x" * 5001)
        assert refused.value.problems[0].field == f"answer-{question.id}"


def test_an_outsider_does_not_answer(database: Database) -> None:
    with database.write() as session:
        *_, practice, question = asked(session)
        charlie = person(session, "charlie@example.org", "member")
        with pytest.raises(NotAllowed):
            comments.answer(session, charlie, practice, question.id, "Me too")


def test_an_author_does_not_settle(database: Database) -> None:
    with database.write() as session:
        alice, _bob, practice, question = asked(session)
        with pytest.raises(NotAllowed):
            comments.settle(session, alice, practice, question.id)
        assert question.resolved is None


def test_an_editor_settles_and_reopens(database: Database) -> None:
    with database.write() as session:
        _alice, bob, practice, question = asked(session)
        comments.settle(session, bob, practice, question.id)
        session.flush()
        assert question.resolver_id == bob.id and comments.open_counts(session, [practice.id]) == {}
        comments.reopen(session, bob, practice, question.id)
        session.flush()
        assert question.resolver_id is None and comments.open_counts(session, [practice.id]) == {practice.id: 1}


def test_settling_twice_is_noted_once(database: Database) -> None:
    with database.write() as session:
        _alice, bob, practice, question = asked(session)
        comments.settle(session, bob, practice, question.id)
        comments.settle(session, bob, practice, question.id)
        session.flush()
        noted = session.scalars(select(AuditEntry.action).where(AuditEntry.action == "comment.settle")).all()
        assert noted == ["comment.settle"]


def test_a_question_of_another_practice_is_not_found(database: Database) -> None:
    with database.write() as session:
        alice, bob, _practice, question = asked(session)
        other = submitted(session, alice, title="Another practice")
        with pytest.raises(NotFound):
            comments.settle(session, bob, other, question.id)


def test_publishing_settles_what_was_asked_and_leaves_what_comes_with_it(database: Database) -> None:
    with database.write() as session:
        alice, bob, practice, question = asked(session)
        practices.save(session, alice, practice, document(results="86 pairs."), None)
        practices.submit(session, alice, practice, vocabularies.load(session))
        moderation.publish(session, bob, practice, vocabularies.load(session), asked={"lessons": "Next time, more."})
        session.flush()
        session.refresh(question)
        assert question.resolver_id == bob.id
        assert list(comments.still_open(comments.threads(session, practice))) == ["lessons"]


def test_an_author_who_has_the_practice_in_hand_is_told_of_an_editors_answer(database: Database) -> None:
    with database.write() as session:
        _alice, bob, practice, question = asked(session)
        comments.answer(session, bob, practice, question.id, "An estimate would do.")
        session.flush()
        told = session.scalars(select(MailMessage).where(MailMessage.kind == "practice-answered")).one()
        assert told.address == "alice@example.org" and told.data["message"] == "An estimate would do."


def test_nobody_is_told_of_an_answer_while_the_practice_is_with_the_editors(database: Database) -> None:
    with database.write() as session:
        alice, bob, practice, question = asked(session)
        practices.submit(session, alice, practice, vocabularies.load(session))
        comments.answer(session, bob, practice, question.id, "Thank you.")
        session.flush()
        assert session.scalar(select(MailMessage).where(MailMessage.kind == "practice-answered")) is None


def test_the_log_holds_no_word_of_a_comment(database: Database) -> None:
    with database.write() as session:
        alice, _bob, practice, question = asked(session)
        comments.answer(session, alice, practice, question.id, "A secret figure")
        session.flush()
        assert "secret" not in json.dumps([entry.detail for entry in session.scalars(select(AuditEntry))])


def _review(session: Session, practice_id: str, editor_id: str, comments_json: str) -> None:
    """A review as the release before kept it."""
    session.execute(
        text(
            "INSERT INTO reviews (id, practice_id, revision_number, editor_id, decision, message, comments, created) "
            "VALUES (:id, :practice, 2, :editor, 'changes-requested', '', :comments, '2026-01-02 03:04:05')"
        ),
        {"id": uuid.uuid4().hex, "practice": practice_id, "editor": editor_id, "comments": comments_json},
    )


@pytest.mark.parametrize(("state", "published", "still_open"), [
    ("changes-requested", None, True), ("published", 2, False), ("draft", 2, False), ("archived", 2, False),
    ("changes-requested", 1, True),
])  # fmt: skip
def test_comments_of_the_release_before_become_rows(
    database: Database, state: str, published: int | None, still_open: bool
) -> None:
    downgrade(database, "0004")
    practice_id, editor_id = uuid.uuid4(), uuid.uuid4()
    with database.write() as session:
        session.execute(
            text("INSERT INTO users (id, email, name, role, active, created, language, notify) "
                 "VALUES (:id, 'old@example.org', '', 'editor', 1, '2026-01-01', 'en', 1)"), {"id": editor_id.hex},
        )  # fmt: skip
        session.execute(
            text("INSERT INTO practices (id, slug, origin, state, version, revision_count, title, created, changed) "
                 "VALUES (:id, 'old', 'member', :state, 1, 1, 'Old', '2026-01-01', '2026-01-01')"),
            {"id": practice_id.hex, "state": state},
        )  # fmt: skip
        if published:
            session.execute(
                text("INSERT INTO revisions (id, practice_id, number, kind, version, document, created) "
                     "VALUES (:id, :practice, :number, 'published', 1, '{}', '2026-01-01')"),
                {"id": uuid.uuid4().hex, "practice": practice_id.hex, "number": published},
            )  # fmt: skip
        _review(session, practice_id.hex, editor_id.hex, '{"results": "How many?", "title": "Shorter?"}')
        _review(session, practice_id.hex, editor_id.hex, "{}")
    setup.migrate(database)
    with database.read() as session:
        practice = session.get_one(Practice, practice_id)
        found = comments.threads(session, practice)
        assert {field: each[0].question.body for field, each in found.items()} == {
            "title": "Shorter?",
            "results": "How many?",
        }
        question = found["results"][0]
        assert question.question.author_id == editor_id and question.open is still_open
        assert question.question.created.isoformat() == "2026-01-02T03:04:05+00:00"
