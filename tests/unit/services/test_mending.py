"""Mending a typo: what may be mended, that the author is told, and that nothing else moves."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.db import Database
from kb.models import AuditEntry, MailMessage, Practice, Revision, RevisionKind, State, User
from kb.services import mending, moderation, practices, vocabularies
from kb.services.errors import Conflict, Invalid, NotAllowed
from tests.factories import CONTACT, document, draft, person, submitted


def sent(session: Session, **changes: Any) -> tuple[User, User, Practice]:
    """Alice, Bob, and her submission."""
    alice, bob = person(session, "alice@example.org", "member"), person(session, "bob@example.org", "editor")
    return alice, bob, submitted(session, alice, **changes)


def mend(session: Session, actor: User, practice: Practice, note: str = "A typo.", **typed: str) -> Revision:
    texts = {path.replace("__", "."): text for path, text in typed.items()}
    return mending.mend(session, actor, practice, vocabularies.load(session), texts, note, practice.revision_count)


def test_a_mended_text_is_a_version_of_its_own_with_its_note(database: Database) -> None:
    with database.write() as session:
        _alice, bob, practice = sent(session, title="Mentors for nurzes")
        revision = mend(session, bob, practice, title="Mentors for nurses")
        assert (revision.kind, revision.mended, revision.note) == (RevisionKind.SAVED, True, "A typo.")
        assert (practice.title, practice.state) == ("Mentors for nurses", State.SUBMITTED)


def test_the_text_before_is_kept(database: Database) -> None:
    with database.write() as session:
        _alice, bob, practice = sent(session, title="Mentors for nurzes")
        mend(session, bob, practice, title="Mentors for nurses")
        titles = [each.document["title"] for each in session.scalars(practice.revisions.select())]
        assert titles[-2:] == ["Mentors for nurzes", "Mentors for nurses"]


def test_parts_of_entries_can_be_mended(database: Database) -> None:
    with database.write() as session:
        _alice, bob, practice = sent(session)
        mend(session, bob, practice, sources__0__title="The programme’s page", lead_organisation__name="Health service")
        after = practices.working_copy(session, practice)
        assert after["sources"] == [{"title": "The programme’s page", "url": "https://example.org/nurses"}]
        assert after["lead_organisation"] == {"name": "Health service", "type": "agency", "url": None}


def test_an_editor_can_add_a_remark(database: Database) -> None:
    with database.write() as session:
        _alice, bob, practice = sent(session)
        assert mending.texts(practices.working_copy(session, practice))["editor_note"] == ""
        mend(session, bob, practice, editor_note="See also Turin.")
        assert practices.working_copy(session, practice)["editor_note"] == "See also Turin."


def test_what_is_empty_or_chosen_from_a_list_is_not_the_editors_to_fill(database: Database) -> None:
    with database.write() as session:
        _alice, bob, practice = sent(session)
        with pytest.raises(Invalid):
            mend(session, bob, practice, results="Invented.", level="national", country="FR")
        assert practices.working_copy(session, practice)["results"] is None


def test_the_author_is_told_with_the_note(database: Database) -> None:
    with database.write() as session:
        _alice, bob, practice = sent(session)
        mend(session, bob, practice, note="Two letters changed places.", summary="Hospitals pair nurses.")
        session.flush()
        told = session.scalars(select(MailMessage).where(MailMessage.kind == "practice-mended")).one()
        assert told.address == "alice@example.org" and told.data["message"] == "Two letters changed places."


def test_the_log_says_which_fields_and_no_text(database: Database) -> None:
    with database.write() as session:
        _alice, bob, practice = sent(session)
        mend(session, bob, practice, summary="Hospitals pair nurses.")
        session.flush()
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "practice.mend")).one()
        assert entry.user_id == bob.id and entry.detail == {"fields": ["summary"]}


def test_a_mend_needs_a_note(database: Database) -> None:
    with database.write() as session:
        _alice, bob, practice = sent(session)
        with pytest.raises(Invalid) as refused:
            mend(session, bob, practice, note=" ", summary="Hospitals pair nurses.")
        assert [problem.field for problem in refused.value.problems] == ["note"]


def test_a_mend_that_changes_nothing_is_refused(database: Database) -> None:
    with database.write() as session:
        _alice, bob, practice = sent(session)
        with pytest.raises(Invalid):
            mend(session, bob, practice, title=f" {practice.title} ")
        assert practice.revision_count == 2


def test_a_mend_cannot_break_the_record(database: Database) -> None:
    with database.write() as session:
        _alice, bob, practice = sent(session)
        with pytest.raises(Invalid) as refused:
            mend(session, bob, practice, summary="", sources__0__url="nowhere")
        assert {problem.field for problem in refused.value.problems} == {"summary", "sources.0.url"}


def test_a_mend_of_what_was_changed_meanwhile_is_refused(database: Database) -> None:
    with database.write() as session:
        _alice, bob, practice = sent(session)
        seen = practice.revision_count
        mend(session, bob, practice, title="Mentors for nurses")
        with pytest.raises(Conflict):
            mending.mend(session, bob, practice, vocabularies.load(session), {"title": "Mine"}, "Mine", seen)


def test_what_is_back_with_its_author_is_not_mended(database: Database) -> None:
    with database.write() as session:
        _alice, bob, practice = sent(session)
        moderation.request_changes(session, bob, practice, "Why?")
        with pytest.raises(Conflict):
            mend(session, bob, practice, title="Mentors for nurses")


def test_only_editors_mend(database: Database) -> None:
    with database.write() as session:
        alice, _bob, practice = sent(session)
        with pytest.raises(NotAllowed):
            mend(session, alice, practice, title="Mentors for nurses")


def test_a_draft_is_nobodys_to_mend(database: Database) -> None:
    with database.write() as session:
        alice, bob, _practice = sent(session)
        with pytest.raises(Conflict):
            mend(session, bob, draft(session, alice, title="Still mine"), title="Yours")


def test_an_editor_who_mended_may_publish(database: Database) -> None:
    with database.write() as session:
        _alice, bob, practice = sent(session)
        person(session, "dora@example.org", "admin")
        mend(session, bob, practice, title="Mentors for nurses")
        moderation.publish(session, bob, practice, vocabularies.load(session))
        assert practice.record is not None and practice.record.title == "Mentors for nurses"


@pytest.mark.parametrize("typed", [
    {"summary": "Clinics of the whole region bring new nurses together with older ones for many months."},
    {"lead_organisation__name": "Another service"},
    {"sources__0__url": "https://example.com/mine"},
    {"summary": "Hospitals of the region pair newly arrived nurses with senior colleagues for 3 years."},
])  # fmt: skip
def test_an_editor_who_changed_more_than_typos_does_not_publish_it(database: Database, typed: dict[str, str]) -> None:
    with database.write() as session:
        _alice, bob, practice = sent(session)
        person(session, "dora@example.org", "admin")
        mend(session, bob, practice, **typed)
        with pytest.raises(NotAllowed):
            moderation.publish(session, bob, practice, vocabularies.load(session))


def test_another_editor_publishes_what_was_changed_much(database: Database) -> None:
    with database.write() as session:
        _alice, bob, practice = sent(session)
        dora = person(session, "dora@example.org", "admin")
        mend(session, bob, practice, lead_organisation__name="Another service")
        moderation.publish(session, dora, practice, vocabularies.load(session))
        assert practice.state == State.PUBLISHED


def test_many_small_mends_are_together_a_large_one(database: Database) -> None:
    with database.write() as session:
        _alice, bob, practice = sent(session)
        person(session, "dora@example.org", "admin")
        mend(session, bob, practice, title="Guides for newly arrived doctors")
        mend(session, bob, practice, actions="Teams talk weekly; the clinic counts the hours as training.")
        mend(session, bob, practice, title="Guides for some older doctors")
        with pytest.raises(NotAllowed):
            moderation.publish(session, bob, practice, vocabularies.load(session))


def test_the_editors_own_remark_may_be_long(database: Database) -> None:
    with database.write() as session:
        _alice, bob, practice = sent(session)
        person(session, "dora@example.org", "admin")
        mend(session, bob, practice, editor_note="Compare the 3 practices of Turin, which began in the same year.")
        moderation.publish(session, bob, practice, vocabularies.load(session))
        assert practice.state == State.PUBLISHED


def test_mends_of_the_version_before_do_not_count_for_the_next(database: Database) -> None:
    with database.write() as session:
        alice, bob, practice = sent(session)
        dora = person(session, "dora@example.org", "admin")
        mend(session, bob, practice, lead_organisation__name="Another service")
        moderation.publish(session, dora, practice, vocabularies.load(session))
        practices.save(session, alice, practice, document(title="An update"), dict(CONTACT))
        practices.submit(session, alice, practice, vocabularies.load(session))
        moderation.publish(session, bob, practice, vocabularies.load(session))
        assert practice.version == 2
