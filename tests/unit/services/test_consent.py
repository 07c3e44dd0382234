"""Consent of a named contact: when it was given, when it was taken back, by whom."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.models import AuditEntry, Contact, Practice, Role, User
from kb.services import accounts, catalogue, consent, practices
from kb.services.errors import NotFound
from tests import factories

AGREED = {**factories.CONTACT, "consent": True}


@pytest.fixture
def alice(session: Session) -> User:
    return accounts.add_user(session, "alice@example.org", Role.MEMBER)


@pytest.fixture
def practice(session: Session, alice: User) -> Practice:
    return factories.published(session, alice)


def kept(practice: Practice, **changes: Any) -> Contact:
    practices.keep_contact(practice, {**AGREED, **changes})
    assert practice.contact is not None
    return practice.contact


def test_consent_is_dated_when_it_is_given(practice: Practice) -> None:
    contact = kept(practice)
    assert contact.given is not None and contact.withdrawn is None


def test_without_consent_there_is_no_date(practice: Practice) -> None:
    contact = kept(practice, consent=False)
    assert contact.given is None and contact.withdrawn is None


def test_saving_again_keeps_the_date(practice: Practice) -> None:
    given = kept(practice).given
    assert kept(practice, role="Another role").given is given


def test_another_name_gives_consent_anew(practice: Practice) -> None:
    given = kept(practice).given
    assert kept(practice, name="Kim Roe").given is not given


def test_clearing_the_box_dates_the_withdrawal(practice: Practice) -> None:
    given = kept(practice).given
    contact = kept(practice, consent=False)
    assert contact.withdrawn is not None and contact.given is given


def test_consent_given_again_is_not_withdrawn(practice: Practice) -> None:
    kept(practice)
    kept(practice, consent=False)
    assert kept(practice).withdrawn is None


def test_the_person_named_finds_where(session: Session, practice: Practice) -> None:
    kept(practice, email="Charlie@Example.org ")
    charlie = accounts.add_user(session, "charlie@example.org", Role.READER)
    [naming] = consent.namings(session, charlie)
    assert naming.practice_id == practice.id and naming.slug == practice.slug and naming.given


def test_the_title_of_anothers_draft_is_not_told(session: Session, alice: User) -> None:
    draft = factories.draft(session, alice, title="Between us")
    kept(draft, email="charlie@example.org")
    charlie = accounts.add_user(session, "charlie@example.org", Role.READER)
    [naming] = consent.namings(session, charlie)
    assert naming.title is None and naming.slug is None


def test_the_person_named_withdraws_and_is_gone(session: Session, practice: Practice) -> None:
    contact = kept(practice, email="charlie@example.org")
    charlie = accounts.add_user(session, "charlie@example.org", Role.READER)
    consent.withdraw(session, charlie, practice.id)
    session.flush()
    assert (contact.name, contact.email, contact.consent) == ("", "", False) and contact.withdrawn
    assert consent.namings(session, charlie) == []


def test_readers_see_nothing_of_who_withdrew(session: Session, alice: User, practice: Practice) -> None:
    kept(practice)
    consent.withdraw(session, alice, practice.id)
    session.flush()
    assert catalogue.contact(session, alice, str(practice.slug)) is None


def test_an_editor_withdraws_for_somebody_who_asked(session: Session, practice: Practice) -> None:
    contact = kept(practice)
    consent.withdraw(session, accounts.add_user(session, "bob@example.org", Role.EDITOR), practice.id)
    assert contact.name == ""


def test_an_outsider_withdraws_nothing(session: Session, practice: Practice) -> None:
    contact = kept(practice)
    with pytest.raises(NotFound):
        consent.withdraw(session, accounts.add_user(session, "charlie@example.org", Role.MEMBER), practice.id)
    assert contact.name == "Sam Doe"


def test_an_editor_does_not_reach_the_contact_of_a_draft(session: Session, alice: User) -> None:
    draft = factories.draft(session, alice)
    with pytest.raises(NotFound):
        consent.withdraw(session, accounts.add_user(session, "bob@example.org", Role.EDITOR), draft.id)


def test_a_withdrawal_is_in_the_audit_log_without_a_name(session: Session, alice: User, practice: Practice) -> None:
    kept(practice)
    consent.withdraw(session, alice, practice.id)
    session.flush()
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "contact.withdraw")).one()
    assert entry.user_id == alice.id and entry.detail == {}
