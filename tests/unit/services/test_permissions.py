"""Who may do what: the tables, the page made from them, and practices that an organisation's members share."""

from __future__ import annotations

import io
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.db import Database
from kb.formats.json import read as read_json
from kb.models import AuditEntry, Practice, Role, State, User
from kb.services import moderation, organisations, practices, vocabularies
from kb.services.errors import NotAllowed, NotFound
from kb.services.importing import Aim, Importer
from kb.services.permissions import ACTIONS, TRANSITIONS, can, owns
from scripts import permissions as script
from scripts import workflow
from tests.factories import CONTACT, document, draft, organisation, person, published, submitted

OF_A_PRACTICE = sorted({each.name for each in ACTIONS if each.states} | {each.action for each in TRANSITIONS})


def office(session: Session) -> tuple[User, User, User]:
    """Alice and Carol of one organisation, and Charlie of another."""
    alice, carol, charlie = (person(session, f"{name}@example.org", "member") for name in ("alice", "carol", "charlie"))
    organisation(session, "Region of Example", alice, carol)
    organisation(session, "Elsewhere", charlie)
    return alice, carol, charlie


# The tables


@pytest.mark.parametrize("made", [script, workflow])
def test_the_pages_of_permissions_and_workflow_are_what_the_tables_say(made: Any) -> None:
    held = made.PAGE.read_text(encoding="utf-8")
    assert held == made.page(), "run: python -m scripts.permissions"


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_the_page_of_permissions_is_linked(page: str) -> None:
    assert "(docs/permissions.md)" in (Path(__file__).parents[3] / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("action", [*OF_A_PRACTICE, *(each.name for each in ACTIONS if not each.states), "unheard-of"])
def test_who_is_signed_out_or_disabled_may_do_nothing(action: str) -> None:
    gone = User(role=Role.ADMIN, active=False)
    nobodys = [Practice(state=state, version=1) for state in State]
    assert not any(can(who, action, practice) for who in (None, gone) for practice in [None, *nobodys])


@pytest.mark.parametrize("role", Role)
def test_what_is_in_no_table_nobody_may_do(role: Role) -> None:
    user = User(role=role, active=True)
    assert not can(user, "unheard-of") and not can(user, "view") and not can(user, "administer", Practice(version=1))


@pytest.mark.parametrize("action", [each.name for each in ACTIONS if not each.states])
def test_a_higher_role_may_do_what_a_lower_one_may(action: str) -> None:
    allowed = [can(User(role=role, active=True), action) for role in Role]
    assert allowed == sorted(allowed)


# Practices of an organisation


@pytest.mark.parametrize(("action", "state"), list(itertools.product(OF_A_PRACTICE, State)))
def test_a_colleague_may_do_what_the_owner_may(database: Database, action: str, state: State) -> None:
    alice, carol = (User(id=key, role=Role.MEMBER, active=True, organisation_id=script.ORGANISATION)
                    for key in (script.OWNER.id, script.ORGANISATION))  # fmt: skip
    practice = Practice(state=state, version=1, owner_id=alice.id, organisation_id=script.ORGANISATION)
    assert can(carol, action, practice) == can(alice, action, practice)


def test_a_practice_is_shared_with_the_organisation_of_who_begins_it(database: Database) -> None:
    with database.write() as session:
        alice, carol, charlie = office(session)
        practice = draft(session, alice)
        assert practice.organisation_id == alice.organisation_id
        assert [owns(who, practice) for who in (alice, carol, charlie, None)] == [True, True, False, False]


def test_people_without_an_organisation_share_nothing(database: Database) -> None:
    with database.write() as session:
        one, two = person(session, "one@example.org", "member"), person(session, "two@example.org", "member")
        practice = draft(session, one)
        assert owns(one, practice) and not owns(two, practice)


def test_a_colleague_edits_submits_and_takes_back_and_the_log_names_them(database: Database) -> None:
    with database.write() as session:
        alice, carol, _ = office(session)
        practice = draft(session, alice)
        practices.save(session, carol, practice, document(title="Carol's words"), {**CONTACT, "role": "Aide"})
        practices.submit(session, carol, practice, vocabularies.load(session))
        practices.withdraw(session, carol, practice)
        session.flush()
        of_hers = (AuditEntry.user_id == carol.id, AuditEntry.action.startswith("practice."))
        log = session.scalars(select(AuditEntry).where(*of_hers).order_by(AuditEntry.id))
        assert [entry.action for entry in log] == ["practice.save", "practice.submit", "practice.withdraw"]
        assert practices.working_copy(session, practice)["title"] == "Carol's words"
        assert practices.contact_of(practice)["role"] == "Aide"
        assert practice.owner_id == alice.id


def test_a_colleague_starts_the_update_of_a_public_practice(database: Database) -> None:
    with database.write() as session:
        alice, carol, _ = office(session)
        practice = published(session, alice)
        practices.save(session, carol, practice, document(title="Better"), None)
        assert practice.state == State.DRAFT


def test_ones_own_practices_are_listed_before_those_of_colleagues(database: Database) -> None:
    with database.write() as session:
        alice, carol, charlie = office(session)
        draft(session, carol, title="Carol's")
        draft(session, alice, title="Alice's first")
        draft(session, carol, title="Carol's newest")
        draft(session, charlie, title="Charlie's")
        listed = {each.title for each in practices.of(session, alice)[1:]}
        assert practices.of(session, alice)[0].title == "Alice's first"
        assert listed == {"Carol's", "Carol's newest"}


def test_a_reader_of_the_organisation_owns_nothing(database: Database) -> None:
    with database.write() as session:
        alice, carol, _ = office(session)
        practice = draft(session, alice)
        own = draft(session, carol)
        carol.role = Role.READER
        assert not owns(carol, practice) and not owns(carol, own) and practices.of(session, carol) == []
        with pytest.raises(NotFound):
            practices.get(session, carol, practice.id)


def test_a_disabled_colleague_owns_nothing(database: Database) -> None:
    with database.write() as session:
        alice, carol, _ = office(session)
        practice = draft(session, alice)
        carol.active = False
        assert not owns(carol, practice)


def test_who_changes_organisation_keeps_their_practice_and_so_does_the_organisation(database: Database) -> None:
    with database.write() as session:
        alice, carol, charlie = office(session)
        practice = draft(session, alice)
        alice.organisation_id = charlie.organisation_id
        assert [owns(who, practice) for who in (alice, carol, charlie)] == [True, True, False]


def test_who_leaves_an_organisation_sees_nothing_of_it_any_more(database: Database) -> None:
    with database.write() as session:
        alice, carol, _ = office(session)
        practice = draft(session, alice)
        carol.organisation_id = None
        assert not owns(carol, practice) and practices.of(session, carol) == []


def test_merged_organisations_share_what_each_had(database: Database) -> None:
    with database.write() as session:
        alice, carol, charlie = office(session)
        dora = person(session, "dora@example.org", "admin")
        practice = draft(session, alice)
        organisations.merge(session, dora, alice.organisation_id, charlie.organisation_id)
    with database.read() as session:
        practice = session.get_one(Practice, practice.id)
        people = [session.get_one(User, who.id) for who in (alice, carol, charlie)]
        assert [owns(who, practice) for who in people] == [True, True, True]


@pytest.mark.parametrize("aim", [Aim.DRAFT, Aim.SUBMITTED, Aim.PUBLISHED])
def test_an_import_in_someones_name_is_shared_with_their_organisation(database: Database, aim: Aim) -> None:
    with database.write() as session:
        alice, *_ = office(session)
    text = json.dumps([{**document(), "contact": CONTACT}]).encode()
    outcome = Importer(database, aim, alice.email, lambda refusal: None).run(lambda: read_json(io.BytesIO(text)))
    with database.read() as session:
        assert outcome.added == 1
        assert session.scalars(select(Practice.organisation_id)).all() == [alice.organisation_id]


def test_an_editor_does_not_publish_what_they_wrote_in_a_colleagues_name(database: Database) -> None:
    with database.write() as session:
        alice, _, _ = office(session)
        bob, dora = person(session, "bob@example.org", "editor"), person(session, "dora@example.org", "admin")
        bob.organisation_id = alice.organisation_id
        practice = draft(session, alice)
        practices.save(session, bob, practice, document(title="Bob's words"), None)
        practices.submit(session, alice, practice, vocabularies.load(session))
        with pytest.raises(NotAllowed):
            moderation.publish(session, bob, practice, vocabularies.load(session))
        moderation.publish(session, dora, practice, vocabularies.load(session))


def test_an_editor_publishes_what_colleagues_wrote_without_them(database: Database) -> None:
    with database.write() as session:
        alice, _, _ = office(session)
        bob, _dora = person(session, "bob@example.org", "editor"), person(session, "dora@example.org", "admin")
        bob.organisation_id = alice.organisation_id
        practice = submitted(session, alice)
        moderation.publish(session, bob, practice, vocabularies.load(session))
        assert practice.version == 1


def test_an_editor_does_not_publish_alone_what_they_changed_in_a_practice_of_nobody(database: Database) -> None:
    with database.write() as session:
        bob, dora = person(session, "bob@example.org", "editor"), person(session, "dora@example.org", "admin")
        practice = published(session)
        practices.save(session, bob, practice, document(title="Bob's words"), dict(CONTACT))
        practices.submit(session, bob, practice, vocabularies.load(session))
        with pytest.raises(NotAllowed):
            moderation.publish(session, bob, practice, vocabularies.load(session))
        moderation.publish(session, dora, practice, vocabularies.load(session))
        assert practice.version == 2
