"""Open registration: asked for, confirmed by mail, decided by an editor."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from kb.db import Database
from kb.models import AuditEntry, Registration, Role, User
from kb.services import accounts, passwords, registrations
from kb.services.errors import Conflict, Gone, Invalid, NotAllowed, NotFound
from kb.services.registrations import Wish
from tests import factories
from tests.letters import letters, token

SECRET, SITE = "harbour lantern reykjavik", "https://kb.example"
WISH = Wish("maya@example.org", "Maya Berg", "City of Ghent", "ITH5", "To write down our mentoring scheme.", "de")


@pytest.fixture
def people(database: Database) -> Iterator[dict[str, User]]:
    """Alice, Bob and Dora."""
    with database.write() as session:
        roles = {"alice": "member", "bob": "editor", "dora": "admin"}
        made = {name: factories.person(session, f"{name}@example.org", role) for name, role in roles.items()}
    yield made


def ask(database: Database, wish: Wish = WISH, secret: str = SECRET) -> None:
    hashed = passwords.hashed(secret)
    with database.write() as session:
        registrations.ask(session, registrations.check(wish), hashed, SITE)


def confirm(database: Database, secret: str | None = None) -> uuid.UUID:
    with database.write() as session:
        return registrations.confirm(session, secret or token(database, "registration-confirm"), SITE).id


def decide(
    database: Database, actor: User, which: uuid.UUID, accepted: bool = True, role: str = "member"
) -> User | None:
    with database.write() as session:
        return registrations.decide(session, actor, which, accepted, role=role, organisation="Ghent", base_url=SITE)


def rows(database: Database) -> list[Registration]:
    with database.read() as session:
        return list(session.scalars(select(Registration)))


def test_a_wish_is_kept_and_a_link_mailed(database: Database) -> None:
    ask(database)
    (row,), (mail,) = rows(database), letters(database)
    assert (row.email, row.organisation, row.confirmed) == (WISH.email, "City of Ghent", None)
    assert (mail.kind, mail.address, mail.language) == ("registration-confirm", WISH.email, "de")
    assert row.expires - row.created == timedelta(days=3)


def test_an_address_with_an_account_gets_a_mail_that_says_so_and_nothing_is_kept(
    database: Database, people: dict[str, User]
) -> None:
    ask(database, replace(WISH, email="Alice@example.org"))
    (mail,) = letters(database)
    assert (mail.kind, mail.address, mail.data) == (
        "registration-known",
        "alice@example.org",
        {"url": f"{SITE}/sign-in"},
    )
    assert rows(database) == []


def test_the_same_statements_run_whether_or_not_the_address_is_known(
    database: Database, people: dict[str, User]
) -> None:
    known = factories.statements(database, lambda: ask(database, replace(WISH, email="alice@example.org")))
    unknown = factories.statements(database, lambda: ask(database))
    assert known == unknown


def test_nobody_waits_before_the_address_is_confirmed(database: Database, people: dict[str, User]) -> None:
    ask(database)
    with database.read() as session:
        assert registrations.waiting(session) == []
    confirm(database)
    with database.read() as session:
        assert [each.email for each in registrations.waiting(session)] == [WISH.email]


def test_the_editors_are_told_once_it_is_confirmed(database: Database, people: dict[str, User]) -> None:
    ask(database)
    confirm(database)
    told = letters(database, "registration-waiting")
    assert {each.address for each in told} == {"bob@example.org", "dora@example.org"}
    assert told[0].data == {"name": "Maya Berg", "url": f"{SITE}/admin/registrations"}


def test_an_editor_who_wants_no_such_mail_gets_none(database: Database, people: dict[str, User]) -> None:
    with database.write() as session:
        session.get_one(User, people["bob"].id).notify = False
    ask(database)
    confirm(database)
    assert [each.address for each in letters(database, "registration-waiting")] == ["dora@example.org"]


def test_looking_confirms_nothing(database: Database) -> None:
    ask(database)
    with database.read() as session:
        registrations.look(session, token(database, "registration-confirm"))
    assert rows(database)[0].confirmed is None


def test_confirmed_it_cannot_be_confirmed_again(database: Database) -> None:
    ask(database)
    confirm(database)
    with pytest.raises(Gone, match="confirmed already"):
        confirm(database)


def test_of_several_the_newest_counts(database: Database) -> None:
    ask(database)
    first = token(database, "registration-confirm")
    ask(database, replace(WISH, organisation="City of Liège"))
    with pytest.raises(NotFound):
        confirm(database, first)
    confirm(database)
    assert [each.organisation for each in rows(database)] == ["City of Liège"]


def test_one_confirmed_later_takes_the_place_of_one_that_waits(database: Database) -> None:
    ask(database)
    confirm(database)
    ask(database, replace(WISH, organisation="City of Liège"))
    confirm(database)
    with database.read() as session:
        assert [each.organisation for each in registrations.waiting(session)] == ["City of Liège"]


def test_accepted_it_becomes_an_account(database: Database, people: dict[str, User]) -> None:
    ask(database)
    made = decide(database, people["bob"], confirm(database))
    assert made is not None
    with database.read() as session:
        user = accounts.authenticate(session, WISH.email, SECRET)
        assert (user.id, user.name, user.role, user.region_code) == (made.id, "Maya Berg", Role.MEMBER, "ITH5")
        assert (user.language, user.organisation and user.organisation.name) == ("de", "Ghent")
        assert user.confirmed is not None
    assert letters(database)[-1].kind == "registration-accepted"


def test_refused_the_person_is_told_and_what_they_typed_is_gone(database: Database, people: dict[str, User]) -> None:
    ask(database)
    assert decide(database, people["bob"], confirm(database), accepted=False) is None
    told = letters(database)[-1]
    assert (told.kind, told.address, told.language) == ("registration-refused", WISH.email, "de")
    (row,) = rows(database)
    kept = f"{row.email}{row.name}{row.organisation}{row.reason}{row.password_hash}{row.region_code or ''}"
    assert (row.accepted, row.decider_id, kept) == (False, people["bob"].id, "")


def test_a_decision_is_made_once(database: Database, people: dict[str, User]) -> None:
    ask(database)
    which = confirm(database)
    decide(database, people["bob"], which, accepted=False)
    with pytest.raises(Conflict):
        decide(database, people["dora"], which)


def test_a_member_decides_nothing(database: Database, people: dict[str, User]) -> None:
    ask(database)
    with pytest.raises(NotAllowed):
        decide(database, people["alice"], confirm(database))


@pytest.mark.parametrize("role", ["editor", "admin", "boss"])
def test_a_registration_makes_no_editor(database: Database, people: dict[str, User], role: str) -> None:
    ask(database)
    with pytest.raises(Invalid):
        decide(database, people["dora"], confirm(database), role=role)


def test_one_that_is_not_confirmed_cannot_be_decided(database: Database, people: dict[str, User]) -> None:
    ask(database)
    with pytest.raises(NotFound):
        decide(database, people["bob"], rows(database)[0].id)


def test_an_account_made_meanwhile_is_not_made_twice(database: Database, people: dict[str, User]) -> None:
    ask(database)
    which = confirm(database)
    with database.write() as session:
        factories.person(session, WISH.email, "reader")
    with pytest.raises(Conflict):
        decide(database, people["bob"], which)


def test_the_link_ends_after_three_days_and_the_row_is_swept(database: Database) -> None:
    ask(database)
    with database.write() as session:
        session.execute(update(Registration).values(expires=datetime.now(UTC) - timedelta(seconds=1)))
    with pytest.raises(Gone, match="3 days"):
        confirm(database)
    with database.write() as session:
        assert registrations.sweep(session) == 1


def test_one_that_waits_for_an_editor_is_not_swept(database: Database) -> None:
    ask(database)
    confirm(database)
    with database.write() as session:
        session.execute(update(Registration).values(expires=datetime.now(UTC) - timedelta(days=9)))
        assert registrations.sweep(session) == 0


def test_one_that_no_editor_decides_is_swept_in_the_end(database: Database) -> None:
    ask(database)
    confirm(database)
    with database.write() as session:
        session.execute(update(Registration).values(confirmed=datetime.now(UTC) - timedelta(days=181)))
        assert registrations.sweep(session) == 1


def test_what_is_left_of_a_decided_one_is_swept_after_a_month(database: Database, people: dict[str, User]) -> None:
    ask(database)
    decide(database, people["bob"], confirm(database), accepted=False)
    with database.write() as session:
        assert registrations.sweep(session) == 0
        session.execute(update(Registration).values(decided=datetime.now(UTC) - timedelta(days=31)))
        assert registrations.sweep(session) == 1


def test_everything_missing_is_said_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        registrations.check(Wish("nobody", " ", "", None, "x" * 2001, "en"))
    assert [each.field for each in refused.value.problems] == ["email", "name", "organisation", "reason"]


def test_the_audit_log_names_nobody(database: Database, people: dict[str, User]) -> None:
    ask(database)
    decide(database, people["bob"], confirm(database), accepted=False)
    with database.read() as session:
        said = "".join(f"{each.object_id}{each.detail}" for each in session.scalars(select(AuditEntry)))
    assert "maya" not in said.lower()
