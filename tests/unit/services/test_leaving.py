"""Leaving: what goes with a person and what stays."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.models import (
    ApiToken,
    AuditEntry,
    Contact,
    HalfSignIn,
    Invitation,
    MailMessage,
    OneTimeLink,
    Practice,
    RecoveryCode,
    Revision,
    Role,
    State,
    User,
    UserSession,
)
from kb.services import (
    accounts,
    half_sign_ins,
    invitations,
    leaving,
    links,
    moderation,
    organisations,
    permissions,
    practices,
    second_factor,
    sessions,
    vocabularies,
)
from kb.services.errors import Conflict, Gone, NotAllowed
from kb.services.values import is_email
from tests import factories


@pytest.fixture
def alice(session: Session) -> User:
    return accounts.add_user(session, "alice@example.org", Role.MEMBER, name="Alice Doe")


@pytest.fixture
def bob(session: Session) -> User:
    return accounts.add_user(session, "bob@example.org", Role.EDITOR, name="Bob")


def texts(session: Session, practice: Practice) -> list[object]:
    session.flush()
    session.expire_all()
    statement = select(Revision.document).where(Revision.practice_id == practice.id).order_by(Revision.number)
    return [document.get("title") for document in session.scalars(statement)]


def test_nothing_of_the_person_is_left_in_the_row(session: Session, alice: User) -> None:
    leaving.leave(session, alice)
    session.flush()
    assert (alice.name, alice.password_hash, alice.totp_secret, alice.region_code) == ("", None, None, None)
    assert alice.active is False and alice.deleted is not None and alice.organisation_id is None


def test_the_address_is_one_that_no_form_takes(session: Session, alice: User) -> None:
    leaving.leave(session, alice)
    session.flush()
    assert alice.email == f"deleted-{alice.id}@invalid" and not is_email(alice.email)


def test_the_address_is_free_for_a_new_account(session: Session, alice: User) -> None:
    leaving.leave(session, alice)
    assert accounts.add_user(session, "alice@example.org", Role.MEMBER).id != alice.id


@pytest.mark.parametrize("table", [UserSession, HalfSignIn, ApiToken, OneTimeLink, RecoveryCode])
def test_sessions_tokens_links_and_codes_go(session: Session, alice: User, table: type) -> None:
    sessions.open_session(session, alice)
    half_sign_ins.begin(session, alice)
    accounts.new_token(session, alice.email)
    links.sign_in_link(session, alice.email, "")
    second_factor.renew_codes(session, alice)
    session.flush()
    assert session.scalar(select(table).limit(1)) is not None
    leaving.leave(session, alice)
    assert session.scalar(select(table).limit(1)) is None


def test_mail_to_the_person_goes_and_one_last_tells_the_old_address(session: Session, alice: User) -> None:
    accounts.set_password(session, alice, "harbour lantern reykjavik")
    leaving.leave(session, alice)
    [last] = session.scalars(select(MailMessage).where(MailMessage.address == "alice@example.org"))
    assert last.kind == "account-deleted" and last.user_id is None


def test_invitations_of_the_address_go(session: Session, alice: User) -> None:
    session.add(Invitation(token_hash="x", email=alice.email, role=Role.MEMBER, expires=leaving.now()))
    session.flush()
    leaving.leave(session, alice)
    assert session.scalar(select(Invitation).limit(1)) is None


def test_invitations_that_the_person_sent_stop_working(session: Session, bob: User) -> None:
    address = invitations.invite(session, bob, invitations.Offer("eve@example.org", Role.MEMBER, "Eve"), "")
    leaving.leave(session, bob)
    with pytest.raises(Gone):
        invitations.check(session, address.rpartition("/")[2])


def test_the_address_is_contact_nowhere_any_more(session: Session, alice: User, bob: User) -> None:
    hers, others = factories.published(session, alice), factories.published(session, bob)
    practices.keep_contact(hers, factories.CONTACT)
    practices.keep_contact(others, {**factories.CONTACT, "email": "Alice@example.org "})
    session.flush()
    leaving.leave(session, alice)
    assert list(session.scalars(select(Contact.practice_id))) == [hers.id]


def test_a_public_practice_stays_and_the_editors_look_after_it(session: Session, alice: User, bob: User) -> None:
    practice = factories.published(session, alice)
    leaving.leave(session, alice)
    assert practice.record is not None and practice.owner_id is None
    assert permissions.can(bob, "edit", practice)


def test_a_submission_stays_and_can_be_published(session: Session, alice: User, bob: User) -> None:
    practice = factories.submitted(session, alice)
    leaving.leave(session, alice)
    moderation.publish(session, bob, practice, vocabularies.load(session))
    assert practice.state == State.PUBLISHED


def test_a_draft_is_emptied_and_out_of_sight(session: Session, alice: User, bob: User) -> None:
    practice = factories.draft(session, alice, title="Between me and myself")
    leaving.leave(session, alice)
    assert texts(session, practice) == [None] and practice.title == ""
    assert practice.state == State.WITHDRAWN and not permissions.can(bob, "view", practice)
    assert session.get(Contact, practice.id) is None


def test_a_draft_that_colleagues_share_stays_with_them(session: Session, alice: User) -> None:
    body = organisations.named(session, None, "Town of X")
    assert body is not None
    colleague = accounts.add_user(session, "carol@example.org", Role.MEMBER)
    alice.organisation_id = colleague.organisation_id = body.id
    session.flush()
    practice = factories.draft(session, alice, title="Ours")
    leaving.leave(session, alice)
    assert texts(session, practice) == ["Ours"] and permissions.can(colleague, "edit", practice)


def test_changes_to_a_public_practice_that_were_not_sent_go(session: Session, alice: User) -> None:
    practice = factories.published(session, alice, title="As readers know it")
    practices.save(session, alice, practice, factories.document(title="Not sent yet"), None)
    session.flush()
    leaving.leave(session, alice)
    assert texts(session, practice) == ["As readers know it", None, "As readers know it"]
    assert practice.state == State.PUBLISHED
    assert practices.working_copy(session, practice)["title"] == "As readers know it"


def test_a_review_that_the_person_began_is_free_for_others(session: Session, alice: User, bob: User) -> None:
    practice = factories.submitted(session, alice)
    moderation.take(session, bob, practice)
    session.flush()
    leaving.leave(session, bob)
    session.expire(practice)
    assert practice.editor_id is None and practice.state == State.IN_REVIEW


def test_the_last_administrator_cannot_leave(session: Session) -> None:
    dora = accounts.add_user(session, "dora@example.org", Role.ADMIN)
    with pytest.raises(Conflict):
        leaving.leave(session, dora)


def test_an_administrator_who_is_not_the_last_can_leave(session: Session) -> None:
    dora = accounts.add_user(session, "dora@example.org", Role.ADMIN)
    accounts.add_user(session, "dan@example.org", Role.ADMIN).password_hash = "there is one"
    leaving.leave(session, dora)
    assert dora.deleted is not None


def test_an_administrator_without_a_password_does_not_stand_in_for_the_last(session: Session) -> None:
    dora = accounts.add_user(session, "dora@example.org", Role.ADMIN)
    accounts.add_user(session, "dan@example.org", Role.ADMIN)
    with pytest.raises(Conflict):
        leaving.leave(session, dora)


def test_an_administrator_erases_somebody_who_asked_for_it(session: Session, alice: User) -> None:
    dora = accounts.add_user(session, "dora@example.org", Role.ADMIN)
    leaving.erase(session, dora, alice.id)
    assert alice.deleted is not None and alice.name == ""
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "user.delete")).one()
    assert (entry.user_id, entry.object_id) == (dora.id, str(alice.id))


def test_an_editor_erases_nobody(session: Session, alice: User, bob: User) -> None:
    with pytest.raises(NotAllowed):
        leaving.erase(session, bob, alice.id)


def test_an_administrator_leaves_through_their_own_page(session: Session) -> None:
    dora = accounts.add_user(session, "dora@example.org", Role.ADMIN)
    with pytest.raises(Conflict, match="your account page"):
        leaving.erase(session, dora, dora.id)


def test_leaving_is_in_the_audit_log_without_a_name(session: Session, alice: User) -> None:
    leaving.leave(session, alice, actor=alice)
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "user.delete")).one()
    assert entry.user_id == alice.id and entry.detail == {}


def test_the_address_stands_nowhere_in_the_base_but_on_the_last_mail(session: Session, alice: User, bob: User) -> None:
    practices.keep_contact(factories.published(session, bob), {**factories.CONTACT, "email": alice.email})
    session.add(Invitation(token_hash="x", email=alice.email, role=Role.MEMBER, expires=leaving.now()))
    session.flush()
    leaving.leave(session, alice)
    session.flush()
    found = []
    for table in User.metadata.sorted_tables:
        for row in session.execute(select(table)).mappings():
            found += [table.name for value in row.values() if "alice@example.org" in str(value).lower()]
    assert found == ["mail_messages"]
