"""Still correct: dates that belong to the practice, and who is asked or told when, by a clock that moves."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from kb.db import Database
from kb.models import AuditEntry, MailMessage, Practice, Revision, RevisionKind, Role, State, User
from kb.services import (
    authors,
    catalogue,
    freshness,
    lifecycle,
    moderation,
    practices,
    publishing,
    reminding,
    vocabularies,
)
from kb.services.checking import check
from kb.services.errors import NotAllowed, NotFound
from kb.services.freshness import review_after
from kb.services.reminding import Reminded, remind
from tests import factories
from tests.factories import document, organisation, person, published, submitted

DUE = date(2026, 6, 1)


@pytest.fixture
def people(database: Database) -> dict[str, User]:
    """Alice and Charlie write, Bob and Erin edit, Rita reads."""
    roles = {"alice": "member", "charlie": "member", "bob": "editor", "erin": "editor", "rita": "reader"}
    with database.write() as session:
        return {name: person(session, f"{name}@example.org", role) for name, role in roles.items()}


Make = Callable[..., uuid.UUID]


@pytest.fixture
def make(database: Database, people: dict[str, User]) -> Make:
    """Makes a public practice that is due on a day; its id."""

    def made(owner: str | None = "alice", due: date | None = DUE, **changes: Any) -> uuid.UUID:
        last = due - timedelta(days=548) if due else None
        dates = {"last_verified": last.isoformat() if last else None, "review_due": due.isoformat() if due else None}
        with database.write() as session:
            whose = session.merge(people[owner]) if owner else None
            return published(session, whose, **dates, **changes).id

    return made


def at(day: int, hour: int = 3) -> datetime:
    """Some days after the look was due."""
    return datetime(DUE.year, DUE.month, DUE.day, hour, tzinfo=UTC) + timedelta(days=day)


def run(database: Database, day: int, hour: int = 3) -> Reminded:
    """The daily run on some day."""
    with database.write() as session:
        return remind(session, at(day, hour))


def mails(database: Database) -> list[tuple[str, str]]:
    """Who was told what since the last call."""
    with database.write() as session:
        found = [(m.kind, m.address.partition("@")[0]) for m in session.scalars(select(MailMessage))]
        session.execute(delete(MailMessage))
        return sorted(found)


# The dates


@pytest.mark.parametrize(
    ("day", "due"),
    [("2026-11-23", "2028-05-23"), ("2026-06-30", "2027-12-30"), ("2026-07-01", "2028-01-01"),
     ("2026-08-31", "2028-02-29"), ("2025-08-31", "2027-02-28"), ("2026-12-31", "2028-06-30")],
)  # fmt: skip
def test_the_next_look_is_due_after_eighteen_months(day: str, due: str) -> None:
    assert review_after(date.fromisoformat(day)).isoformat() == due


def test_an_editors_publication_verifies_the_practice_and_stands_in_its_record(
    database: Database, people: dict[str, User]
) -> None:
    with database.write() as session:
        practice = submitted(session, session.merge(people["alice"]))
        moderation.publish(session, session.merge(people["bob"]), practice, vocabularies.load(session))
        session.flush()
        today = datetime.now(UTC).date()
        assert practice.last_verified in (today, today - timedelta(days=1))
        assert practice.review_due == review_after(practice.last_verified)
        record = catalogue.get(session, str(practice.slug), "")
    assert (record["last_verified"], record["review_due"]) == (
        practice.last_verified.isoformat(), practice.review_due.isoformat(),
    )  # fmt: skip


def test_an_import_keeps_the_dates_that_it_brings_and_none_where_it_brings_none(database: Database, make: Make) -> None:
    with_dates, without = make(), make(due=None, title="Another")
    with database.read() as session:
        assert session.get(Practice, with_dates).review_due == DUE
        assert session.get(Practice, with_dates).record.review_due == DUE
        held = session.get(Practice, without)
        assert (held.last_verified, held.review_due) == (None, None)


def test_the_software_publishing_again_keeps_the_dates(database: Database, make: Make) -> None:
    key = make()
    with database.write() as session:
        practice = session.get(Practice, key)
        publishing.publish(session, practice, check(document(title="Anew"), vocabularies.load(session)))
        assert practice.review_due == practice.record.review_due == DUE


def test_the_dates_are_in_no_version(database: Database, make: Make) -> None:
    make()
    with database.read() as session:
        (held,) = session.scalars(select(Revision.document).where(Revision.kind == RevisionKind.PUBLISHED))
    assert held["last_verified"] is None and held["review_due"] is None


def test_what_comes_out_of_the_archive_has_the_dates_that_it_had(
    database: Database, make: Make, people: dict[str, User]
) -> None:
    key = make()
    with database.write() as session:
        bob, practice = session.merge(people["bob"]), session.get(Practice, key)
        lifecycle.archive(session, bob, practice, "Ended")
        lifecycle.restore(session, bob, practice)
        assert practice.record.review_due == DUE


# Still correct


def say(session: Session, who: User, key: uuid.UUID, today: date = date(2026, 6, 15)) -> Practice:
    """Somebody says that a practice is still correct."""
    practice = session.get(Practice, key)
    freshness.still_correct(session, session.merge(who), practice, today)
    return practice


@pytest.mark.parametrize("name", ["alice", "bob"])
def test_owner_and_editor_say_so_without_a_new_version(
    database: Database, make: Make, people: dict[str, User], name: str
) -> None:
    key = make()
    with database.write() as session:
        before = session.get(Practice, key).record.updated
        practice = say(session, people[name], key)
        assert (practice.last_verified, practice.review_due) == (date(2026, 6, 15), date(2027, 12, 15))
        assert practice.record.last_verified == date(2026, 6, 15)
        assert (practice.version, practice.revision_count, practice.record.updated) == (1, 1, before)
    with database.read() as session:
        (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.action == "practice.verify"))
        assert (entry.object_id, entry.user_id) == (str(key), people[name].id)


def test_a_colleague_says_so(database: Database, make: Make, people: dict[str, User]) -> None:
    with database.write() as session:
        organisation(session, "Region", session.merge(people["alice"]), session.merge(people["charlie"]))
    with database.read() as session:
        people.update({name: session.get(User, people[name].id) for name in ("alice", "charlie")})
    key = make()
    with database.write() as session:
        assert say(session, people["charlie"], key).last_verified == date(2026, 6, 15)


@pytest.mark.parametrize("name", ["charlie", "rita"])
def test_nobody_else_says_so(database: Database, make: Make, people: dict[str, User], name: str) -> None:
    key = make()
    with database.write() as session:
        with pytest.raises(NotAllowed):
            say(session, people[name], key)
        with pytest.raises(NotFound):
            freshness.verifiable(session, session.merge(people[name]), key)


def test_a_draft_is_not_verified(database: Database, people: dict[str, User]) -> None:
    with database.write() as session:
        alice = session.merge(people["alice"])
        with pytest.raises(NotAllowed):
            freshness.still_correct(session, alice, factories.draft(session, alice), DUE)


def test_a_practice_with_an_update_in_work_is_verified_as_readers_see_it(
    database: Database, make: Make, people: dict[str, User]
) -> None:
    key = make()
    with database.write() as session:
        alice, practice = session.merge(people["alice"]), session.get(Practice, key)
        practices.save(session, alice, practice, document(title="Being written"), None)
        assert practice.state == State.DRAFT
        for name in ("alice", "bob"):
            say(session, people[name], key, date(2026, 7, 1))
        assert practice.state == State.DRAFT and practice.last_verified == date(2026, 7, 1)


def test_the_button_pressed_twice_says_it_once(database: Database, make: Make, people: dict[str, User]) -> None:
    key = make()
    with database.write() as session:
        for _ in range(2):
            say(session, people["alice"], key)
    with database.read() as session:
        assert len(session.scalars(select(AuditEntry).where(AuditEntry.action == "practice.verify")).all()) == 1


# Reminders


def test_an_owner_is_asked_when_it_is_due_again_after_thirty_days_and_then_the_editors_are_told(
    database: Database, make: Make
) -> None:
    make()
    said = {}
    for day in range(-2, 130):
        run(database, day)
        if told := mails(database):
            said[day] = told
    assert said == {
        0: [("practice-review-due", "alice")],
        30: [("practice-review-due", "alice")],
        60: [("practices-stale", "bob"), ("practices-stale", "erin")],
    }


def test_a_second_run_on_the_same_day_tells_nobody(database: Database, make: Make) -> None:
    make()
    assert [run(database, 0, hour) for hour in (3, 3, 23)] == [Reminded(1, 0), Reminded(0, 0), Reminded(0, 0)]
    assert [run(database, 30, hour) for hour in (1, 4)] == [Reminded(1, 0), Reminded(0, 0)]
    assert [run(database, 60, hour) for hour in (1, 4)] == [Reminded(0, 1), Reminded(0, 0)]


def test_a_run_that_comes_late_gives_the_owner_their_time_first(database: Database, make: Make) -> None:
    make()
    assert [run(database, day) for day in (200, 229, 230)] == [Reminded(1, 0), Reminded(0, 0), Reminded(0, 1)]


def test_whoever_says_so_is_asked_no_more_until_the_next_look(
    database: Database, make: Make, people: dict[str, User]
) -> None:
    key = make()
    run(database, 0)
    with database.write() as session:
        say(session, people["alice"], key, DUE + timedelta(days=10))
    assert [run(database, day) for day in (30, 60, 500)] == [Reminded(0, 0)] * 3
    assert run(database, 10 + 549) == Reminded(1, 0)


def test_practices_without_an_owner_go_to_the_editors_at_once_in_one_mail(database: Database, make: Make) -> None:
    make(owner=None, title="First")
    make(owner=None, title="Second")
    assert run(database, 0) == Reminded(0, 2)
    with database.read() as session:
        told = list(session.scalars(select(MailMessage).order_by(MailMessage.address)))
    assert [(mail.kind, mail.address) for mail in told] == [
        ("practices-stale", "bob@example.org"), ("practices-stale", "erin@example.org"),
    ]  # fmt: skip
    assert told[0].data["number"] == 2 and told[0].data["message"] == "– First\n– Second"
    assert run(database, 1) == Reminded(0, 0)


@pytest.mark.parametrize("gone", ["disabled", "deleted", "a reader now"])
def test_an_owner_who_can_no_longer_answer_is_not_asked(
    database: Database, make: Make, people: dict[str, User], gone: str
) -> None:
    make()
    with database.write() as session:
        alice = session.merge(people["alice"])
        alice.active = gone != "disabled"
        alice.role = Role.READER if gone == "a reader now" else alice.role
        alice.deleted = at(0) if gone == "deleted" else None
    assert run(database, 0) == Reminded(0, 1)


def test_a_new_owner_is_asked_before_the_editors_are_told_again(
    database: Database, make: Make, people: dict[str, User]
) -> None:
    key = make(owner=None)
    assert run(database, 0) == Reminded(0, 1)
    with database.write() as session:
        authors.give(session, session.get(Practice, key), session.merge(people["alice"]), stays=False)
    assert [run(database, day) for day in (70, 99, 100)] == [Reminded(1, 0), Reminded(0, 0), Reminded(0, 1)]


def test_many_at_once_are_one_mail(database: Database, make: Make) -> None:
    for n in range(reminding.APART + 1):
        make(title=f"Practice {n}")
    assert run(database, 0) == Reminded(reminding.APART + 1, 0)
    assert mails(database) == [("practices-review-due", "alice")]


def test_seed_records_and_what_is_offline_or_with_the_editors_are_left_alone(
    database: Database, make: Make, people: dict[str, User]
) -> None:
    make(owner=None, due=None, title="Never verified")
    archived, sent = make(title="Archived"), make(title="Sent")
    with database.write() as session:
        alice, bob = session.merge(people["alice"]), session.merge(people["bob"])
        lifecycle.archive(session, bob, session.get(Practice, archived), "Ended")
        practice = session.get(Practice, sent)
        practices.save(session, alice, practice, document(title="Sent anew"), dict(factories.CONTACT))
        practices.submit(session, alice, practice, vocabularies.load(session), quietly=True)
        session.execute(delete(MailMessage))
    assert run(database, 100) == Reminded(0, 0)


def test_editors_who_want_no_such_mail_get_none(database: Database, make: Make, people: dict[str, User]) -> None:
    make(owner=None)
    with database.write() as session:
        session.merge(people["bob"]).notify = False
    run(database, 0)
    assert mails(database) == [("practices-stale", "erin")]


def test_reminders_are_in_the_audit_log_without_a_person(database: Database, make: Make) -> None:
    make()
    for day in (0, 60):
        run(database, day)
    with database.read() as session:
        entries = list(
            session.scalars(select(AuditEntry).where(AuditEntry.action.in_(("practice.remind", "practice.escalate"))))
        )
    assert [(entry.action, entry.user_id, entry.detail) for entry in entries] == [
        ("practice.remind", None, {}), ("practice.escalate", None, {}),
    ]  # fmt: skip
