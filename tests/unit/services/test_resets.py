"""A forgotten password, and a change of address."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from kb.db import Database
from kb.models import AuditEntry, MailMessage, OneTimeLink, User
from kb.services import accounts, links, resets, sessions
from kb.services.errors import Gone, Invalid, NotFound
from tests import factories
from tests.letters import letters, token

ALICE, NEW, SECRET, SITE = "alice@example.org", "alice@new.example", "harbour lantern reykjavik", "https://kb.example"


@pytest.fixture
def alice(database: Database) -> Iterator[User]:
    with database.write() as session:
        user = factories.person(session, ALICE, "member")
    yield user


def ask_reset(database: Database, email: str = ALICE) -> None:
    with database.write() as session:
        resets.ask_reset(session, email, SITE)


def ask_address(database: Database, user: User, email: str = NEW) -> None:
    with database.write() as session:
        resets.ask_address(session, user, email, SITE)


def reset(database: Database, secret: str) -> User:
    with database.write() as session:
        return resets.reset(session, secret, SECRET)


def confirm(database: Database, secret: str) -> User:
    with database.write() as session:
        return resets.confirm_address(session, secret)


def count(database: Database, table: type) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def expire(database: Database) -> None:
    with database.write() as session:
        session.execute(update(OneTimeLink).values(expires=datetime.now(UTC) - timedelta(seconds=1)))


# A forgotten password


def test_a_reset_mails_a_link_that_sets_a_password(database: Database, alice: User) -> None:
    ask_reset(database, " Alice@Example.org")
    assert [(each.kind, each.address) for each in letters(database)] == [("reset", ALICE)]
    reset(database, token(database, "reset"))
    with database.read() as session:
        assert accounts.authenticate(session, ALICE, SECRET).id == alice.id
        assert session.get_one(User, alice.id).confirmed is not None


def test_somebody_without_a_password_yet_gets_one_so(database: Database) -> None:
    with database.write() as session:
        accounts.add_user(session, ALICE, "member")
    ask_reset(database)
    assert reset(database, token(database, "reset")).email == ALICE


def test_a_reset_ends_every_session(database: Database, alice: User) -> None:
    with database.write() as session:
        opened = sessions.open_session(session, alice)
    ask_reset(database)
    reset(database, token(database, "reset"))
    with database.read() as session:
        assert sessions.found(session, opened)[0] is None


def test_the_person_is_told_that_the_password_changed(database: Database, alice: User) -> None:
    ask_reset(database)
    reset(database, token(database, "reset"))
    assert [each.kind for each in letters(database)] == ["reset", "password-changed"]


def test_a_reset_link_works_once(database: Database, alice: User) -> None:
    ask_reset(database)
    reset(database, token(database, "reset"))
    with pytest.raises(Gone):
        reset(database, token(database, "reset"))


def test_a_reset_uses_up_the_links_mailed_before(database: Database, alice: User) -> None:
    ask_reset(database)
    first = token(database, "reset")
    ask_reset(database)
    reset(database, token(database, "reset"))
    with pytest.raises((Gone, NotFound)):
        reset(database, first)


def test_an_earlier_link_still_works_so_that_nobody_can_stop_it_by_asking(database: Database, alice: User) -> None:
    ask_reset(database)
    first = token(database, "reset")
    ask_reset(database)
    assert reset(database, first).id == alice.id


def test_a_reset_link_ends_after_an_hour(database: Database, alice: User) -> None:
    ask_reset(database)
    with database.read() as session:
        link = session.scalars(select(OneTimeLink)).one()
        assert link.expires - link.created == timedelta(hours=1)
    expire(database)
    with pytest.raises(Gone, match="an hour"):
        reset(database, token(database, "reset"))


@pytest.mark.parametrize("whose", ["nobody", "disabled", "deleted"])
def test_nobody_is_mailed_who_has_no_open_account(database: Database, alice: User, whose: str) -> None:
    with database.write() as session:
        user = session.get_one(User, alice.id)
        user.active = whose != "disabled"
        user.deleted = datetime.now(UTC) if whose == "deleted" else None
    ask_reset(database, "nobody@example.org" if whose == "nobody" else ALICE)
    assert letters(database) == [] and count(database, OneTimeLink) == 0


def test_the_first_administrator_without_an_address_gets_no_mail(database: Database) -> None:
    with pytest.raises(Invalid):
        ask_reset(database, accounts.PLACEHOLDER)
    assert letters(database) == []


def test_the_same_statements_run_whether_or_not_the_address_is_known(database: Database, alice: User) -> None:
    known = factories.statements(database, lambda: ask_reset(database))
    unknown = factories.statements(database, lambda: ask_reset(database, "nobody@example.org"))
    assert known == unknown and any("INSERT INTO mail_messages" in each for each in known)


def test_the_audit_log_does_not_name_the_address(database: Database, alice: User) -> None:
    ask_reset(database)
    ask_reset(database, "nobody@example.org")
    with database.read() as session:
        asked = session.scalars(select(AuditEntry).where(AuditEntry.action == "reset.ask")).all()
    assert [each.object_id for each in asked] == [str(alice.id), "nobody"]


def test_disabled_meanwhile_a_link_does_not_work(database: Database, alice: User) -> None:
    ask_reset(database)
    with database.write() as session:
        accounts.disable(session, ALICE)
    with pytest.raises((Gone, NotFound)):
        reset(database, token(database, "reset"))


def test_a_weak_password_is_refused_and_the_link_still_works(database: Database, alice: User) -> None:
    ask_reset(database)
    with database.write() as session, pytest.raises(Invalid):
        resets.reset(session, token(database, "reset"), "short")
    assert reset(database, token(database, "reset")).id == alice.id


def test_a_reset_link_signs_nobody_in_by_itself(database: Database, alice: User) -> None:
    ask_reset(database)
    with database.write() as session, pytest.raises(NotFound):
        links.use_link(session, token(database, "reset"))


def test_links_long_gone_are_swept(database: Database, alice: User) -> None:
    ask_reset(database)
    with database.write() as session:
        session.execute(update(OneTimeLink).values(expires=datetime.now(UTC) - timedelta(days=2)))
    ask_reset(database)
    assert count(database, OneTimeLink) == 1


# Another address


def test_an_address_holds_once_it_is_confirmed(database: Database, alice: User) -> None:
    ask_address(database, alice)
    with database.read() as session:
        assert session.get_one(User, alice.id).email == ALICE
    assert [(each.kind, each.address) for each in letters(database)] == [("address-confirm", NEW)]
    confirm(database, token(database, "address-confirm"))
    with database.read() as session:
        user = session.get_one(User, alice.id)
        assert user.email == NEW and user.confirmed is not None


def test_the_old_address_is_told(database: Database, alice: User) -> None:
    ask_address(database, alice)
    confirm(database, token(database, "address-confirm"))
    told = letters(database)[-1]
    assert (told.kind, told.address, told.data) == ("address-changed", ALICE, {"address": NEW})


def test_links_mailed_to_the_old_address_work_no_more(database: Database, alice: User) -> None:
    ask_reset(database)
    ask_address(database, alice)
    confirm(database, token(database, "address-confirm"))
    with pytest.raises(NotFound):
        reset(database, token(database, "reset"))


def test_only_the_newest_wish_counts(database: Database, alice: User) -> None:
    ask_address(database, alice)
    first = token(database, "address-confirm")
    ask_address(database, alice, "alice@third.example")
    with pytest.raises(NotFound):
        confirm(database, first)


def test_an_address_of_somebody_else_gets_no_link(database: Database, alice: User) -> None:
    with database.write() as session:
        factories.person(session, NEW, "reader")
    ask_address(database, alice)
    assert count(database, MailMessage) == 0 and count(database, OneTimeLink) == 0


def test_the_same_statements_run_whether_or_not_the_address_is_somebody_elses(database: Database, alice: User) -> None:
    with database.write() as session:
        factories.person(session, NEW, "reader")
    taken = factories.statements(database, lambda: ask_address(database, alice))
    free = factories.statements(database, lambda: ask_address(database, alice, "free@example.org"))
    assert taken == free


def test_an_address_taken_meanwhile_is_not_given_twice(database: Database, alice: User) -> None:
    ask_address(database, alice)
    with database.write() as session:
        factories.person(session, NEW, "reader")
    with pytest.raises(Gone):
        confirm(database, token(database, "address-confirm"))


@pytest.mark.parametrize("email", ["nonsense", ALICE, "two@at@example.org"])
def test_what_is_no_new_address_is_refused(database: Database, alice: User, email: str) -> None:
    with pytest.raises(Invalid):
        ask_address(database, alice, email)


def test_a_link_for_an_address_sets_no_password(database: Database, alice: User) -> None:
    ask_address(database, alice)
    with pytest.raises(NotFound):
        reset(database, token(database, "address-confirm"))


def test_an_address_link_ends_after_a_day(database: Database, alice: User) -> None:
    ask_address(database, alice)
    expire(database)
    with pytest.raises(Gone, match="24 hours"):
        confirm(database, token(database, "address-confirm"))
