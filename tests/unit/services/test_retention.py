"""What is kept for a time is removed when it is over, and not before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kb.models import (
    AuditEntry,
    Base,
    Buffer,
    Form,
    HalfSignIn,
    Invitation,
    LinkPurpose,
    OneTimeLink,
    Practice,
    Role,
    User,
    UserSession,
)
from kb.services import accounts, buffers, half_sign_ins, invitations, links, retention, sessions
from kb.services.outbox import KEPT
from tests import factories

NOW = datetime.now(UTC)


@pytest.fixture
def alice(session: Session) -> User:
    return accounts.add_user(session, "alice@example.org", Role.MEMBER)


def left(session: Session, table: type[Base]) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.mark.parametrize(("days", "kept"), [(13, 1), (15, 0)])
def test_a_session_goes_when_it_has_expired(session: Session, alice: User, days: int, kept: int) -> None:
    sessions.open_session(session, alice)
    session.flush()
    retention.sweep(session, NOW + timedelta(days=days))
    assert left(session, UserSession) == kept


@pytest.mark.parametrize(("minutes", "kept"), [(9, 1), (11, 0)])
def test_a_sign_in_that_waits_for_its_code_goes_when_its_time_is_over(
    session: Session, alice: User, minutes: int, kept: int
) -> None:
    half_sign_ins.begin(session, alice)
    session.flush()
    assert retention.sweep(session, datetime.now(UTC) + timedelta(minutes=minutes)).half_sign_ins == 1 - kept
    assert left(session, HalfSignIn) == kept


@pytest.mark.parametrize(("days", "kept"), [(30, 1), (32, 0)])
def test_a_link_goes_a_month_after_it_was_too_old(session: Session, alice: User, days: int, kept: int) -> None:
    links.new_link(session, LinkPurpose.SIGN_IN, alice)
    session.flush()
    retention.sweep(session, NOW + timedelta(days=days))
    assert left(session, OneTimeLink) == kept


def test_a_link_goes_a_month_after_it_was_used(session: Session, alice: User) -> None:
    links.use_link(session, links.new_link(session, LinkPurpose.SIGN_IN, alice, life=timedelta(days=300)))
    session.flush()
    retention.sweep(session, NOW + retention.LINKS_KEPT + timedelta(hours=1))
    assert left(session, OneTimeLink) == 0


@pytest.mark.parametrize(("after", "kept"), [(-1, 1), (1, 0)])
def test_an_invitation_goes_three_months_after_its_time(session: Session, after: int, kept: int) -> None:
    dora = accounts.add_user(session, "dora@example.org", Role.ADMIN)
    invitations.invite(session, dora, invitations.Offer("eve@example.org", Role.MEMBER), "")
    session.flush()
    retention.sweep(session, NOW + invitations.LIFE + retention.INVITATIONS_KEPT + timedelta(days=after))
    assert left(session, Invitation) == kept


def test_the_audit_log_stays(session: Session, alice: User) -> None:
    before = left(session, AuditEntry)
    retention.sweep(session, NOW + timedelta(days=5000))
    assert before and left(session, AuditEntry) == before


def test_it_says_how_many_of_each_were_removed(session: Session, alice: User) -> None:
    sessions.open_session(session, alice)
    accounts.set_password(session, alice, "harbour lantern reykjavik", keep=None)
    sessions.open_session(session, alice)
    session.flush()
    done = retention.sweep(session, NOW + KEPT)
    assert (done.sessions, done.mail, done.total) == (1, 0, 1)


def typed_by(session: Session, user: User, practice: Practice) -> None:
    buffers.keep(session, user, practice, Form.PRACTICE, [("title", "Mentors")], 1)
    session.flush()


def long_after() -> datetime:
    return datetime.now(UTC) + retention.BUFFERS_KEPT


@pytest.mark.parametrize(("after", "kept"), [(-1, 1), (1, 0)])
def test_what_somebody_typed_and_may_no_longer_write_goes_three_months_after(
    session: Session, alice: User, after: int, kept: int
) -> None:
    typed_by(session, alice, factories.draft(session, alice))
    alice.role = Role.READER
    retention.sweep(session, long_after() + timedelta(hours=after))
    assert left(session, Buffer) == kept


def test_what_its_owner_typed_stays_however_old(session: Session, alice: User) -> None:
    typed_by(session, alice, factories.draft(session, alice))
    assert retention.sweep(session, long_after() + timedelta(days=900)).buffers == 0
    assert left(session, Buffer) == 1


def test_notes_of_who_is_no_editor_any_more_go(session: Session, alice: User) -> None:
    bob = accounts.add_user(session, "bob@example.org", Role.EDITOR)
    practice = factories.submitted(session, alice)
    buffers.keep(session, bob, practice, Form.REVIEW, [("message", "Which source?")], 1)
    bob.role = Role.MEMBER
    session.flush()
    assert retention.sweep(session, long_after() + timedelta(hours=1)).buffers == 1
