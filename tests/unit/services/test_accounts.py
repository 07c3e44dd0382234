"""Accounts: sign-in, sessions, people, one-time links."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from argon2 import PasswordHasher, extract_parameters
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from kb.db import Base, Database
from kb.models import ApiToken, AuditEntry, OneTimeLink, Role, User, UserSession
from kb.services import accounts, links, passwords, sessions, tokens
from kb.services.errors import Conflict, Gone, Invalid, NotAllowed, NotFound

EMAIL = "alice@example.org"
PASSWORD = "correct horse battery 9"
BASE = "https://practices.example.eu"


class CountingHasher(PasswordHasher):
    """argon2 as cheap as it gets, that counts what it verified and tells when it hashes."""

    verified = 0
    hashing: Callable[[], None] = staticmethod(lambda: None)

    def verify(self, hash: Any, password: Any) -> Any:
        CountingHasher.verified += 1
        return super().verify(hash, password)

    def hash(self, password: Any, *, salt: bytes | None = None) -> str:
        CountingHasher.hashing()
        return super().hash(password, salt=salt)


@pytest.fixture(autouse=True)
def hasher(monkeypatch: pytest.MonkeyPatch) -> type[CountingHasher]:
    monkeypatch.setattr(CountingHasher, "verified", 0)
    monkeypatch.setattr(passwords, "hasher", CountingHasher(time_cost=1, memory_cost=8, parallelism=1))
    return CountingHasher


@pytest.fixture
def alice(session: Session) -> User:
    return accounts.add_user(session, EMAIL, Role.MEMBER, name="Alice", region="ITH5", password=PASSWORD)


def token_of(link: str | None) -> str:
    assert link is not None
    return link.rpartition("/")[2]


def fields_of(refusal: pytest.ExceptionInfo[Invalid]) -> list[str]:
    return [problem.field for problem in refusal.value.problems]


# Adding people


def test_an_account_is_active_and_holds_what_was_given(alice: User) -> None:
    assert (alice.email, alice.role, alice.name, alice.region_code, alice.active) == (
        EMAIL, Role.MEMBER, "Alice", "ITH5", True,
    )  # fmt: skip


def test_the_address_is_kept_in_lower_case(session: Session) -> None:
    assert accounts.add_user(session, " Bob@Example.ORG ", "editor").email == "bob@example.org"


@pytest.mark.parametrize("email", ["", "bob", "bob@", "@example.org", "bob@localhost", "b b@example.org", "b\0@e.org"])
def test_what_is_no_address_is_refused(session: Session, email: str) -> None:
    with pytest.raises(Invalid) as refusal:
        accounts.add_user(session, email, Role.MEMBER)
    assert fields_of(refusal) == ["email"]


def test_an_address_has_one_account(session: Session, alice: User) -> None:
    with pytest.raises(Conflict, match="already"):
        accounts.add_user(session, EMAIL.upper(), Role.EDITOR)


def test_an_unknown_region_is_refused(session: Session) -> None:
    with pytest.raises(Invalid) as refusal:
        accounts.add_user(session, EMAIL, Role.MEMBER, region="XX99")
    assert fields_of(refusal) == ["region"]


def test_a_name_that_is_too_long_is_refused(session: Session) -> None:
    with pytest.raises(Invalid) as refusal:
        accounts.add_user(session, EMAIL, Role.MEMBER, name="a" * 201)
    assert fields_of(refusal) == ["name"]


@pytest.mark.parametrize("password", ["", "a" * 9, "a" * 201])
def test_a_password_too_short_or_too_long_is_refused(session: Session, password: str) -> None:
    with pytest.raises(Invalid) as refusal:
        accounts.add_user(session, EMAIL, Role.MEMBER, password=password)
    assert fields_of(refusal) == ["password"]


# Signing in


def test_address_and_password_sign_in(session: Session, alice: User) -> None:
    assert accounts.authenticate(session, " ALICE@example.org", PASSWORD) is alice


def test_the_password_is_kept_as_argon2id(alice: User) -> None:
    assert alice.password_hash is not None and alice.password_hash.startswith("$argon2id$")


def _nobody(_session: Session) -> tuple[str, str]:
    return "nobody@example.org", PASSWORD


def _wrong_password(_session: Session) -> tuple[str, str]:
    return EMAIL, "another long password"


def _no_password_yet(session: Session) -> tuple[str, str]:
    accounts.add_user(session, "new@example.org", Role.MEMBER)
    return "new@example.org", PASSWORD


def _disabled(session: Session) -> tuple[str, str]:
    accounts.disable(session, EMAIL)
    return EMAIL, PASSWORD


REFUSED = [_nobody, _wrong_password, _no_password_yet, _disabled]


@pytest.mark.parametrize("case", REFUSED)
def test_whoever_may_not_sign_in_gets_the_same_answer(
    session: Session, alice: User, case: Callable[[Session], tuple[str, str]]
) -> None:
    with pytest.raises(NotAllowed) as refusal:
        accounts.authenticate(session, *case(session))
    assert refusal.value.message.text == accounts.SIGN_IN_REFUSED


@pytest.mark.parametrize("case", REFUSED)
def test_whoever_may_not_sign_in_costs_one_verification(
    session: Session, alice: User, hasher: type[CountingHasher], case: Callable[[Session], tuple[str, str]]
) -> None:
    with pytest.raises(NotAllowed):
        accounts.authenticate(session, *case(session))
    assert hasher.verified == 1


@pytest.mark.parametrize("email", ["", "\0", "a" * 5000, "\udcff@example.org"])
def test_an_odd_address_is_an_unknown_one(session: Session, email: str) -> None:
    with pytest.raises(NotAllowed):
        accounts.authenticate(session, email, PASSWORD)


def test_a_hash_for_nobody_costs_what_a_real_one_costs() -> None:
    real = passwords.hasher.hash(PASSWORD)
    assert extract_parameters(passwords.nobodys_hash()) == extract_parameters(real)


def test_an_accent_is_the_same_however_it_was_typed(session: Session) -> None:
    accounts.add_user(session, EMAIL, Role.MEMBER, password="caf\u00e9 del puerto")
    assert accounts.authenticate(session, EMAIL, "cafe\u0301 del puerto")


def test_the_hash_follows_parameters_that_moved(session: Session, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "hasher", PasswordHasher(time_cost=2, memory_cost=8, parallelism=1))
    accounts.renew_hash(session, alice, PASSWORD)
    session.refresh(alice)
    assert alice.password_hash is not None and "t=2" in alice.password_hash
    assert accounts.knows_password(alice, PASSWORD)


def test_a_hash_with_the_present_parameters_stays(session: Session, alice: User) -> None:
    before = alice.password_hash
    accounts.renew_hash(session, alice, PASSWORD)
    session.refresh(alice)
    assert alice.password_hash == before


def test_hashing_holds_no_lock(database: Database, hasher: type[CountingHasher]) -> None:
    """While a password is hashed another connection can write, in each function that hashes."""

    def write_elsewhere() -> None:
        with database.write() as other:
            other.add(AuditEntry(action="test", object_kind="test", object_id="1"))

    with database.write() as session:
        user = accounts.add_user(session, EMAIL, Role.MEMBER)
    hasher.hashing = staticmethod(write_elsewhere)
    try:
        with database.write() as session:
            accounts.set_password(session, user, PASSWORD)
        with database.write() as session:
            accounts.add_user(session, "bob@example.org", Role.MEMBER, password=PASSWORD)
    finally:
        hasher.hashing = staticmethod(lambda: None)
    with database.read() as session:
        assert len(session.scalars(select(AuditEntry).where(AuditEntry.action == "test")).all()) == 2


# Sessions


def test_a_session_tells_whose_it_is(session: Session, alice: User) -> None:
    assert sessions.found(session, sessions.open_session(session, alice))[0] is alice


def test_each_session_has_its_own_token(session: Session, alice: User) -> None:
    assert sessions.open_session(session, alice) != sessions.open_session(session, alice)


def test_an_unknown_token_is_nobody(session: Session, alice: User) -> None:
    assert sessions.found(session, "unknown")[0] is None


def test_a_closed_session_is_nobody(session: Session, alice: User) -> None:
    token = sessions.open_session(session, alice)
    sessions.close_session(session, token)
    session.flush()
    assert sessions.found(session, token)[0] is None


def test_closing_a_session_that_is_not_there_does_nothing(session: Session) -> None:
    sessions.close_session(session, "unknown")


def test_an_expired_session_is_nobody(session: Session, alice: User) -> None:
    token = sessions.open_session(session, alice)
    session.flush()
    session.execute(update(UserSession).values(expires=datetime.now(UTC) - timedelta(seconds=1)))
    assert sessions.found(session, token)[0] is None


def test_a_session_lasts_two_weeks(session: Session, alice: User) -> None:
    sessions.open_session(session, alice)
    session.flush()
    opened = session.scalars(select(UserSession)).one()
    assert opened.expires - opened.created == timedelta(days=14)


def test_expired_sessions_are_swept_at_the_next_sign_in(session: Session, alice: User) -> None:
    sessions.open_session(session, alice)
    session.flush()
    session.execute(update(UserSession).values(expires=datetime.now(UTC) - timedelta(seconds=1)))
    sessions.open_session(session, alice)
    session.flush()
    assert len(session.scalars(select(UserSession.token_hash)).all()) == 1


def test_a_disabled_person_opens_no_session(session: Session, alice: User) -> None:
    accounts.disable(session, EMAIL)
    with pytest.raises(NotAllowed):
        sessions.open_session(session, alice)


def test_all_sessions_of_a_person_end_but_one(session: Session, alice: User) -> None:
    here, elsewhere = sessions.open_session(session, alice), sessions.open_session(session, alice)
    session.flush()
    sessions.close_sessions_of(session, alice, keep=here)
    assert sessions.found(session, here)[0] is alice
    assert sessions.found(session, elsewhere)[0] is None


def test_sessions_of_others_do_not_end(session: Session, alice: User) -> None:
    token = sessions.open_session(session, alice)
    session.flush()
    sessions.close_sessions_of(session, accounts.add_user(session, "bob@example.org", Role.EDITOR))
    assert sessions.found(session, token)[0] is alice


# Changing people


def test_a_role_is_changed(session: Session, alice: User) -> None:
    assert accounts.set_role(session, EMAIL, "editor").role == Role.EDITOR


@pytest.mark.parametrize("change", [
    lambda session: accounts.set_role(session, "nobody@example.org", Role.EDITOR),
    lambda session: accounts.disable(session, "nobody@example.org"),
    lambda session: links.sign_in_link(session, "nobody@example.org", BASE),
    lambda session: accounts.new_token(session, "nobody@example.org"),
])  # fmt: skip
def test_nobody_is_not_found(session: Session, change: Callable[[Session], object]) -> None:
    with pytest.raises(NotFound, match=r"nobody@example\.org"):
        change(session)


def test_disabling_ends_sessions(session: Session, alice: User) -> None:
    token = sessions.open_session(session, alice)
    session.flush()
    accounts.disable(session, EMAIL)
    assert sessions.found(session, token)[0] is None


def test_disabling_ends_tokens(session: Session, alice: User) -> None:
    token = accounts.new_token(session, EMAIL)
    session.flush()
    accounts.disable(session, EMAIL)
    with pytest.raises(tokens.Refused):
        tokens.bearer(session, token)


def test_disabling_ends_links(session: Session, alice: User) -> None:
    token = token_of(links.sign_in_link(session, EMAIL, BASE))
    session.flush()
    accounts.disable(session, EMAIL)
    with pytest.raises(NotFound):
        links.use_link(session, token)


def test_a_new_password_replaces_the_old(session: Session, alice: User) -> None:
    accounts.set_password(session, alice, "a whole new password")
    assert accounts.knows_password(alice, "a whole new password")
    assert not accounts.knows_password(alice, PASSWORD)


def test_a_new_password_ends_all_sessions_but_the_one_it_was_set_in(session: Session, alice: User) -> None:
    here, elsewhere = sessions.open_session(session, alice), sessions.open_session(session, alice)
    session.flush()
    accounts.set_password(session, alice, "a whole new password", keep=here)
    assert sessions.found(session, here)[0] is alice
    assert sessions.found(session, elsewhere)[0] is None


def test_a_new_password_ends_open_links(session: Session, alice: User) -> None:
    token = token_of(links.sign_in_link(session, EMAIL, BASE))
    session.flush()
    accounts.set_password(session, alice, "a whole new password")
    with pytest.raises(NotFound):
        links.check_link(session, token)


def test_an_address_is_changed(session: Session, alice: User) -> None:
    accounts.set_address(session, alice, "Alice@Elsewhere.example")
    assert alice.email == "alice@elsewhere.example"


def test_ones_own_address_may_be_given_again(session: Session, alice: User) -> None:
    accounts.set_address(session, alice, EMAIL)


def test_anothers_address_cannot_be_taken(session: Session, alice: User) -> None:
    bob = accounts.add_user(session, "bob@example.org", Role.EDITOR)
    with pytest.raises(Conflict):
        accounts.set_address(session, bob, EMAIL)


# The first administrator's link


def test_the_first_link_makes_an_administrator_without_a_password(session: Session) -> None:
    user = links.use_link(session, token_of(links.first_admin_link(session, BASE)))
    assert (user.email, user.role, user.password_hash) == (accounts.PLACEHOLDER, Role.ADMIN, None)


def test_a_link_is_an_address_of_the_site(session: Session) -> None:
    assert (links.first_admin_link(session, BASE) or "").startswith(f"{BASE}/link/")


def test_the_next_first_link_takes_up_the_same_account(session: Session) -> None:
    first = links.use_link(session, token_of(links.first_admin_link(session, BASE)))
    assert links.use_link(session, token_of(links.first_admin_link(session, BASE))) is first


def test_a_new_first_link_replaces_the_one_before(session: Session) -> None:
    before = token_of(links.first_admin_link(session, BASE))
    links.first_admin_link(session, BASE)
    with pytest.raises(NotFound):
        links.use_link(session, before)


def test_there_is_no_first_link_once_an_administrator_has_a_password(session: Session) -> None:
    accounts.add_user(session, "dora@example.org", Role.ADMIN, password=PASSWORD)
    assert links.first_admin_link(session, BASE) is None


@pytest.mark.parametrize("role, password", [(Role.ADMIN, None), (Role.EDITOR, PASSWORD)])
def test_there_is_a_first_link_while_no_administrator_can_sign_in(
    session: Session, role: Role, password: str | None
) -> None:
    accounts.add_user(session, "dora@example.org", role, password=password)
    assert links.first_admin_link(session, BASE)


def test_a_disabled_administrator_does_not_count(session: Session) -> None:
    accounts.add_user(session, "dora@example.org", Role.ADMIN, password=PASSWORD)
    accounts.disable(session, "dora@example.org")
    assert links.first_admin_link(session, BASE)


def test_a_first_link_stops_when_an_administrator_got_a_password_meanwhile(session: Session) -> None:
    token = token_of(links.first_admin_link(session, BASE))
    accounts.add_user(session, "dora@example.org", Role.ADMIN, password=PASSWORD)
    with pytest.raises(Gone, match="an administrator by now"):
        links.use_link(session, token)


# Links in general


def test_a_sign_in_link_signs_its_person_in(session: Session, alice: User) -> None:
    assert links.use_link(session, token_of(links.sign_in_link(session, EMAIL, BASE))) is alice


def test_a_link_works_once(session: Session, alice: User) -> None:
    token = token_of(links.sign_in_link(session, EMAIL, BASE))
    links.use_link(session, token)
    with pytest.raises(Gone, match="works once"):
        links.use_link(session, token)


def test_looking_at_a_link_does_not_use_it_up(session: Session, alice: User) -> None:
    token = token_of(links.sign_in_link(session, EMAIL, BASE))
    links.check_link(session, token)
    assert links.use_link(session, token) is alice


def test_of_two_uses_at_once_one_gets_through(database: Database) -> None:
    with database.write() as session:
        token = token_of(links.first_admin_link(session, BASE))
    together = Barrier(2)

    def use() -> bool:
        together.wait()
        try:
            with database.write() as session:
                links.use_link(session, token)
        except Gone:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        assert sorted(each.result() for each in [threads.submit(use), threads.submit(use)]) == [False, True]


def test_a_link_expires(session: Session, alice: User) -> None:
    token = token_of(links.sign_in_link(session, EMAIL, BASE))
    session.flush()
    session.execute(update(OneTimeLink).values(expires=datetime.now(UTC) - timedelta(seconds=1)))
    with pytest.raises(Gone, match="too old"):
        links.use_link(session, token)


def test_a_link_is_valid_for_a_day(session: Session) -> None:
    links.first_admin_link(session, BASE)
    session.flush()
    link = session.scalars(select(OneTimeLink)).one()
    assert link.expires - link.created == timedelta(hours=24)


def test_a_newer_sign_in_link_replaces_the_one_before(session: Session, alice: User) -> None:
    before = token_of(links.sign_in_link(session, EMAIL, BASE))
    links.sign_in_link(session, EMAIL, BASE)
    with pytest.raises(NotFound):
        links.use_link(session, before)


def test_a_disabled_person_gets_no_link(session: Session, alice: User) -> None:
    accounts.disable(session, EMAIL)
    with pytest.raises(NotAllowed, match="disabled"):
        links.sign_in_link(session, EMAIL, BASE)


# What is kept


def test_no_secret_is_kept_as_it_is(session: Session, alice: User) -> None:
    secrets = [
        PASSWORD,
        sessions.open_session(session, alice),
        accounts.new_token(session, EMAIL),
        token_of(links.sign_in_link(session, EMAIL, BASE)),
    ]
    session.flush()
    kept = [str(row) for table in Base.metadata.sorted_tables for row in session.execute(select(table))]
    assert not [secret for secret in secrets if any(secret in row for row in kept)]


def test_every_change_is_noted_without_addresses(session: Session, alice: User) -> None:
    accounts.set_role(session, EMAIL, Role.EDITOR)
    accounts.new_token(session, EMAIL)
    links.use_link(session, token_of(links.sign_in_link(session, EMAIL, BASE)))
    sessions.close_session(session, sessions.open_session(session, alice))
    accounts.set_password(session, alice, "a whole new password")
    accounts.set_address(session, alice, "alice@elsewhere.example")
    accounts.disable(session, "alice@elsewhere.example")
    session.flush()
    entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [entry.action for entry in entries] == [
        "user.add", "user.role", "token.make", "link.make", "link.use", "user.sign-in", "user.sign-out",
        "user.password", "user.address", "user.disable",
    ]  # fmt: skip
    assert "@" not in str([entry.detail for entry in entries])


def test_the_tables_of_secrets_are_left_empty_by_disabling(session: Session, alice: User) -> None:
    sessions.open_session(session, alice)
    accounts.new_token(session, EMAIL)
    links.sign_in_link(session, EMAIL, BASE)
    session.flush()
    accounts.disable(session, EMAIL)
    assert not [
        row for table in (UserSession, ApiToken, OneTimeLink) for row in session.scalars(select(table.token_hash))
    ]
