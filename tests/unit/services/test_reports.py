"""Reports of errors: what may be in one, who answers, and how long the reporter's address is kept."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.models import AuditEntry, MailMessage, Practice, Report, Role, User
from kb.services import accounts, leaving, reports, retention
from kb.services.errors import Conflict, Invalid, NotAllowed, NotFound
from kb.services.publishing import now
from kb.services.reports import Said
from tests import factories

WRONG = Said("It began in 2017.", email="reader@example.org")


@pytest.fixture
def alice(session: Session) -> User:
    return accounts.add_user(session, "alice@example.org", Role.MEMBER)


@pytest.fixture
def bob(session: Session) -> User:
    return accounts.add_user(session, "bob@example.org", Role.EDITOR)


@pytest.fixture
def practice(session: Session, alice: User) -> Practice:
    return factories.published(session, alice)


def make(session: Session, practice: Practice, said: Said = WRONG, actor: User | None = None) -> Report:
    return reports.make(session, actor, str(practice.slug), said)


def told(session: Session, kind: str) -> list[str]:
    return list(session.scalars(select(MailMessage.address).where(MailMessage.kind == kind).order_by("address")))


@pytest.mark.parametrize(
    ("said", "field"),
    [
        (Said(" \x00 "), "body"),
        (Said("x" * 2001), "body"),
        (Said("x", "secret"), "field"),
        (Said("x", "", "@"), "email"),
    ],
)
def test_what_is_wrong_with_a_report_is_said_beside_its_field(said: Said, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        reports.check(said)
    assert [problem.field for problem in refused.value.problems] == [field]


def test_a_report_on_what_is_not_public_is_refused(session: Session, alice: User) -> None:
    factories.draft(session, alice).slug = "hidden"
    for slug in ("hidden", "nowhere"):
        with pytest.raises(NotFound):
            reports.make(session, None, slug, WRONG)


def test_who_reports_is_not_told_of_it(session: Session, practice: Practice, alice: User, bob: User) -> None:
    make(session, practice, actor=bob)
    assert told(session, "report-made") == [] and told(session, "practice-reported") == [alice.email]
    make(session, practice, Said("More"), actor=alice)
    assert told(session, "report-made") == [bob.email] and told(session, "practice-reported") == [alice.email]


def test_an_editor_who_wants_no_such_mail_gets_none(session: Session, practice: Practice, bob: User) -> None:
    bob.notify = False
    make(session, practice)
    assert told(session, "report-made") == []


def test_open_reports_stand_the_longest_waiting_first(session: Session, practice: Practice, bob: User) -> None:
    late, early, done = (make(session, practice, Said(text)) for text in ("late", "early", "done"))
    early.created -= timedelta(days=1)
    reports.close(session, bob, done.id, "Done.")
    assert reports.open_reports(session) == [early, late]
    assert reports.closed_reports(session).items == [done]


def test_only_editors_answer(session: Session, practice: Practice, alice: User, bob: User) -> None:
    report = make(session, practice)
    with pytest.raises(NotAllowed):
        reports.close(session, alice, report.id, "No.")
    with pytest.raises(NotFound):
        reports.close(session, bob, uuid.uuid4(), "No.")
    reports.close(session, bob, report.id, "Yes.")
    with pytest.raises(Conflict):
        reports.close(session, bob, report.id, "Again.")
    assert told(session, "report-answered") == ["reader@example.org"]


def test_the_log_holds_no_word_and_no_address(session: Session, practice: Practice, bob: User) -> None:
    reports.close(session, bob, make(session, practice).id, "Yes.")
    entries = list(session.scalars(select(AuditEntry).where(AuditEntry.action.startswith("report"))))
    assert [entry.action for entry in entries] == ["report.make", "report.close"]
    assert not any("2017" in str(entry.detail) or "@" in str(entry.detail) for entry in entries)


def test_the_address_goes_thirty_days_after_the_answer(session: Session, practice: Practice, bob: User) -> None:
    waiting, closed = make(session, practice), make(session, practice, Said("Other", email="two@example.org"))
    reports.close(session, bob, closed.id, "Yes.")
    retention.sweep(session, now() + retention.REPORTERS_KEPT - timedelta(hours=1))
    session.refresh(closed)
    assert closed.email == "two@example.org"
    assert retention.sweep(session, now() + retention.REPORTERS_KEPT + timedelta(hours=1)).reporters == 1
    session.refresh(closed)
    assert (closed.email, closed.body, closed.answer) == ("", "Other", "Yes.")
    assert waiting.email == WRONG.email


def test_who_leaves_is_in_no_report(session: Session, practice: Practice, alice: User) -> None:
    charlie = accounts.add_user(session, "charlie@example.org", Role.MEMBER)
    mine = make(session, practice, Said("Mine", email="charlie@example.org"), charlie)
    before = make(session, practice, Said("Signed out", email="charlie@example.org"))
    leaving.leave(session, charlie)
    for report in (mine, before):
        session.refresh(report)
        assert (report.email, report.user_id) == ("", None) and report.body
