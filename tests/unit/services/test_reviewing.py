"""What is new to an editor, and the queue."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from kb.db import Database
from kb.models import Practice, User
from kb.services import mending, moderation, practices, reviewing, vocabularies
from kb.services.errors import NotAllowed
from kb.services.reviewing import Since, Whose
from tests.factories import CONTACT, document, person, published, submitted


def people(session: Session) -> tuple[User, User, User]:
    """Alice the author, Bob and Dora who edit."""
    return (person(session, "alice@example.org", "member"), person(session, "bob@example.org", "editor"),
            person(session, "dora@example.org", "admin"))  # fmt: skip


def again(session: Session, owner: User, practice: Practice, title: str) -> None:
    """Take a submission back, change it and send it again."""
    practices.withdraw(session, owner, practice)
    practices.save(session, owner, practice, document(title=title), None)
    practices.submit(session, owner, practice, vocabularies.load(session))


def shown(session: Session, editor: User, practice: Practice) -> list[Since]:
    session.flush()
    return [base.since for base in reviewing.bases(session, editor, practice)]


def test_of_a_new_practice_that_nobody_has_read_there_is_only_the_whole(database: Database) -> None:
    with database.write() as session:
        alice, bob, _dora = people(session)
        assert shown(session, bob, submitted(session, alice)) == [Since.WHOLE]


def test_an_editor_who_read_it_sees_what_came_since(database: Database) -> None:
    with database.write() as session:
        alice, bob, dora = people(session)
        practice = submitted(session, alice, title="First")
        reviewing.look(session, bob, practice, practice.revision_count)
        again(session, alice, practice, "Second")
        assert shown(session, bob, practice) == [Since.LOOK, Since.WHOLE]
        base = reviewing.bases(session, bob, practice)[0]
        assert base.document is not None and base.document["title"] == "First"
        assert shown(session, dora, practice) == [Since.WHOLE]


def test_what_is_new_stays_so_when_the_page_is_read_twice(database: Database) -> None:
    with database.write() as session:
        alice, bob, _dora = people(session)
        practice = submitted(session, alice, title="First")
        reviewing.look(session, bob, practice, practice.revision_count)
        again(session, alice, practice, "Second")
        for _ in range(3):
            reviewing.look(session, bob, practice, practice.revision_count)
            assert shown(session, bob, practice) == [Since.LOOK, Since.WHOLE]


def test_a_resubmission_is_compared_with_what_was_asked_about(database: Database) -> None:
    with database.write() as session:
        alice, bob, dora = people(session)
        practice = submitted(session, alice, title="First")
        moderation.request_changes(session, bob, practice, "Another title, please.")
        practices.save(session, alice, practice, document(title="Second"), None)
        practices.submit(session, alice, practice, vocabularies.load(session))
        assert shown(session, dora, practice) == [Since.QUESTIONS, Since.WHOLE]


def test_an_update_is_compared_with_the_public_version(database: Database) -> None:
    with database.write() as session:
        alice, bob, _dora = people(session)
        practice = published(session, alice, title="First")
        practices.save(session, alice, practice, document(title="Second"), dict(CONTACT))
        practices.submit(session, alice, practice, vocabularies.load(session))
        assert shown(session, bob, practice) == [Since.PUBLIC, Since.WHOLE]


def test_ones_own_mend_is_not_new(database: Database) -> None:
    with database.write() as session:
        alice, bob, _dora = people(session)
        practice = submitted(session, alice, title="First")
        reviewing.look(session, bob, practice, practice.revision_count)
        session.flush()
        words = vocabularies.load(session)
        mending.mend(session, bob, practice, words, {"title": "Fist"}, "Typo.", practice.revision_count)
        assert shown(session, bob, practice) == [Since.WHOLE]


def test_a_colleagues_mend_is_new(database: Database) -> None:
    with database.write() as session:
        alice, bob, dora = people(session)
        practice = submitted(session, alice, title="First")
        reviewing.look(session, bob, practice, practice.revision_count)
        session.flush()
        words = vocabularies.load(session)
        mending.mend(session, dora, practice, words, {"title": "Fist"}, "Typo.", practice.revision_count)
        assert shown(session, bob, practice) == [Since.LOOK, Since.WHOLE]


def test_the_queue_has_the_longest_waiting_first_and_who_has_it(database: Database) -> None:
    with database.write() as session:
        alice, bob, dora = people(session)
        first, second = (
            submitted(session, alice, title="First", language="it"),
            submitted(session, alice, title="Second"),
        )
        moderation.take(session, bob, second)
        session.flush()
        rows = reviewing.queue(session, dora)
        assert {row.practice.title: row.language for row in rows} == {"First": "it", "Second": "en"}
        assert [row.practice.id for row in rows if row.is_of(Whose.NOBODY, dora)] == [first.id]
        assert [row.practice.id for row in rows if row.is_of(Whose.MINE, bob)] == [second.id]
        assert sorted(row.since for row in rows) == [row.since for row in rows]


def test_the_queue_counts_open_questions_of_what_is_with_its_author(database: Database) -> None:
    with database.write() as session:
        alice, bob, _dora = people(session)
        practice = submitted(session, alice)
        moderation.request_changes(session, bob, practice, "", {"results": "How many?", "lessons": "None?"})
        session.flush()
        [row] = reviewing.queue(session, bob)
        assert row.questions == 2
        assert row.is_of(Whose.ASKED, bob) and not row.is_of(Whose.ALL, bob)


def test_only_editors_see_the_queue(database: Database) -> None:
    with database.write() as session:
        alice, *_ = people(session)
        with pytest.raises(NotAllowed):
            reviewing.queue(session, alice)
