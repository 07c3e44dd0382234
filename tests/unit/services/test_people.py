"""What administrators may do to accounts and organisations, and what nobody may."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.db import Database
from kb.models import ApiToken, AuditEntry, Invitation, Organisation, User, UserSession
from kb.services import accounts, invitations, organisations, people, sessions
from kb.services.errors import Conflict, Invalid, NotAllowed, NotFound
from kb.services.invitations import Offer
from kb.services.organisations import Card
from kb.services.people import Change, Wanted
from tests import factories


@pytest.fixture(autouse=True)
def folks(database: Database) -> None:
    with database.write() as session:
        for name, role in (("alice", "member"), ("bob", "editor"), ("dora", "admin")):
            accounts.add_user(session, f"{name}@example.org", role, name.title())


def get(session: Session, name: str) -> User:
    return accounts.get(session, f"{name}@example.org")


def as_is(person: User, **changes: str) -> Change:
    return Change(changes.get("name", person.name), changes.get("role", person.role), changes.get("organisation", ""),
                  changes.get("region"))  # fmt: skip


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_only_administrators_see_and_change_people(database: Database, who: str) -> None:
    with database.write() as session:
        actor, alice = get(session, who), get(session, "alice")
        for deed in (people.get, people.disable, people.enable, people.end_sessions):
            with pytest.raises(NotAllowed):
                deed(session, actor, alice.id)
        with pytest.raises(NotAllowed):
            people.change(session, actor, alice.id, as_is(alice, role="admin"))
        with pytest.raises(NotAllowed):
            people.page(session, actor, Wanted())


def test_people_are_found_whatever_their_accents(database: Database) -> None:
    with database.write() as session:
        accounts.add_user(session, "e@example.org", "reader", "Élodie Ångström")
        found = people.page(session, get(session, "dora"), Wanted("elodie ANG"))
        assert [person.email for person in found.items] == ["e@example.org"]


def test_the_last_administrator_stays_one(database: Database) -> None:
    with database.write() as session:
        dora, other = get(session, "dora"), accounts.add_user(session, "max@example.org", "admin", "Max")
        people.change(session, dora, other.id, as_is(other, role="member"))  # one of two may go
        with pytest.raises(Conflict, match="your own role"):
            people.change(session, dora, dora.id, as_is(dora, role="editor"))
        with pytest.raises(Conflict, match="disable yourself"):
            people.disable(session, dora, dora.id)
        people.change(session, dora, dora.id, as_is(dora, name="Dora Doe"))  # other things of one's own may change


def test_somebody_disabled_loses_sessions_and_tokens(database: Database) -> None:
    with database.write() as session:
        alice, dora = get(session, "alice"), get(session, "dora")
        sessions.open_session(session, alice)
        accounts.new_token(session, "alice@example.org")
        people.disable(session, dora, alice.id)
        for table in (UserSession, ApiToken):
            assert session.scalars(select(table).where(table.user_id == alice.id)).all() == []


def test_doing_again_what_is_done_leaves_no_trace(database: Database) -> None:
    with database.write() as session:
        alice, dora = get(session, "alice"), get(session, "dora")
        count = len(session.scalars(select(AuditEntry)).all())
        people.enable(session, dora, alice.id)
        people.change(session, dora, alice.id, as_is(alice))
        assert len(session.scalars(select(AuditEntry)).all()) == count


def test_the_log_holds_no_personal_data_of_a_change(database: Database) -> None:
    with database.write() as session:
        alice, dora = get(session, "alice"), get(session, "dora")
        people.change(session, dora, alice.id, as_is(alice, name="Alice Secret", role="editor"))
        entries = session.scalars(select(AuditEntry).where(AuditEntry.user_id == dora.id)).all()
        assert {entry.action: entry.detail for entry in entries} == {
            "user.role": {"before": "member", "after": "editor"},
            "user.change": {"changed": ["name"]},
        }


def test_all_that_is_wrong_with_a_change_is_said(database: Database) -> None:
    with database.write() as session:
        alice, dora = get(session, "alice"), get(session, "dora")
        with pytest.raises(Invalid) as raised:
            people.change(session, dora, alice.id, Change("x" * 201, "king", "y" * 201, "XX"))
        assert [each.field for each in raised.value.problems] == ["name", "role", "region", "organisation"]


def test_last_seen_is_the_last_visit_or_deed(database: Database) -> None:
    with database.write() as session:
        alice, dora = get(session, "alice"), get(session, "dora")
        assert people.last_seen(session, [alice, dora]) == {}
        sessions.open_session(session, alice)
        session.flush()
        seen = people.last_seen(session, [alice, dora])
        assert set(seen) == {alice.id} and seen[alice.id] <= datetime.now(UTC)


def test_invitations_stand_in_one_state_each(database: Database) -> None:
    with database.write() as session:
        bob = get(session, "bob")
        for n in range(4):
            invitations.invite(session, bob, Offer(f"n{n}@example.org", "reader"), "")
        session.flush()
        opened, taken, expired, accepted = session.scalars(select(Invitation).order_by(Invitation.email))
        invitations.withdraw(session, bob, taken.id)
        expired.expires = accepted.accepted = datetime(2020, 1, 1, tzinfo=UTC)
        session.flush()
        wanted = {"open": opened, "withdrawn": taken, "expired": expired, "accepted": accepted}
        for state, invitation in wanted.items():
            assert [each.id for each in invitations.page(session, bob, state).items] == [invitation.id]
            assert invitations.state(invitation) == state
        assert invitations.page(session, bob).total == 4
        with pytest.raises(NotAllowed):
            invitations.page(session, get(session, "alice"))


# Organisations


def test_only_administrators_manage_organisations(database: Database) -> None:
    with database.write() as session:
        bob = get(session, "bob")
        with pytest.raises(NotAllowed):
            organisations.add(session, bob, Card("Town"))
        with pytest.raises(NotAllowed):
            organisations.listed(session, bob)


def test_organisations_are_counted_with_their_people_and_practices(database: Database) -> None:
    with database.write() as session:
        alice, dora = get(session, "alice"), get(session, "dora")
        town = organisations.add(session, dora, Card(" Town  of X ", "agency", "DE2", "https://example.org"))
        organisations.add(session, dora, Card("Another"))
        practice = factories.published(session, alice)
        alice.organisation_id = practice.organisation_id = town.id
        session.flush()
        listed = [(each.organisation.name, each.people, each.practices) for each in organisations.listed(session, dora)]
        assert listed == [("Another", 0, 0), ("Town of X", 1, 1)]


def test_a_merged_organisation_is_gone_and_its_invitations_moved(database: Database) -> None:
    with database.write() as session:
        dora = get(session, "dora")
        old, new = (organisations.add(session, dora, Card(name)) for name in ("Old", "New"))
        session.flush()
        invitations.invite(session, dora, Offer("n@example.org", "reader", organisation="Old"), "")
        session.flush()
        organisations.merge(session, dora, old.id, new.id)
        session.flush()
        assert session.scalars(select(Invitation.organisation_id)).all() == [new.id]
        assert session.scalars(select(Organisation.name)).all() == ["New"]
        with pytest.raises(NotFound):
            organisations.get(session, dora, old.id)
        with pytest.raises(NotFound):
            organisations.merge(session, dora, uuid.uuid4(), new.id)
