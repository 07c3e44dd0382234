"""Tokens of the API: what they look like, whom they stand for, how long they hold, how they end."""

from __future__ import annotations

import binascii
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.models import ApiToken, AuditEntry, Role, Scope, User
from kb.services import accounts, tokens
from kb.services.errors import Conflict, Invalid, NotAllowed, NotFound

EMAIL = "alice@example.org"


@pytest.fixture
def alice(session: Session) -> User:
    return accounts.add_user(session, EMAIL, Role.MEMBER, name="Alice")


def row(session: Session, token: str) -> ApiToken:
    return session.get_one(ApiToken, tokens.digest(token))


def test_a_token_has_the_prefix_and_the_signs_that_scanners_look_for() -> None:
    token = tokens.issued()
    assert token.startswith("ripkb_") and len(token) == len("ripkb_") + 43 + 6
    assert set(token[-6:]) <= set(tokens._BASE62)


def test_the_checksum_is_the_crc_of_the_random_part_in_base_62() -> None:
    token = tokens.issued()
    random, signs = token[6:-6], token[-6:]
    number = 0
    for sign in signs:
        number = number * 62 + tokens._BASE62.index(sign)
    assert number == binascii.crc32(random.encode())


@given(st.integers(6, 54), st.sampled_from("aZ9-_"))
def test_a_token_with_a_slip_of_the_pen_is_told_without_asking_the_database(at: int, sign: str) -> None:
    token = tokens.issued()
    slip = token[:at] + sign + token[at + 1 :]
    assert tokens.intact(slip) == (slip == token)


@given(st.text(st.characters(codec=None), max_size=60))
def test_no_text_breaks_the_check(text: str) -> None:
    tokens.intact(text)
    tokens.intact("ripkb_" + text)


def test_a_token_tells_whose_it_is_and_what_it_may_do(session: Session, alice: User) -> None:
    held = tokens.bearer(session, tokens.make(session, alice, "Laptop", Scope.DRAFT, 30))
    assert (held.user, held.scope) == (alice, Scope.DRAFT)
    with pytest.raises(NotAllowed, match="only save drafts"):
        held.may_submit()


def test_the_command_makes_one_that_submits_and_does_not_end(session: Session, alice: User) -> None:
    token = accounts.new_token(session, EMAIL)
    assert tokens.bearer(session, token).scope == Scope.SUBMIT and row(session, token).expires is None


def test_an_early_token_without_the_prefix_goes_on_working(session: Session, alice: User) -> None:
    session.add(ApiToken(token_hash=tokens.digest("kbt_early"), user_id=alice.id))
    session.flush()
    assert tokens.bearer(session, "kbt_early").user is alice


@pytest.mark.parametrize("token", ["", "kbt_", "ripkb_", "kbt_unknown", "ripkb_" + "x" * 49, "\0", "\udcff"])
def test_an_unknown_token_is_nobody(session: Session, token: str) -> None:
    with pytest.raises(tokens.Refused, match="valid token"):
        tokens.bearer(session, token)


def test_a_revoked_token_says_so(session: Session, alice: User) -> None:
    token = tokens.make(session, alice)
    tokens.revoke(session, alice, tokens.digest(token))
    with pytest.raises(tokens.Refused, match="revoked"):
        tokens.bearer(session, token)


def test_an_expired_token_says_so(session: Session, alice: User) -> None:
    token = tokens.make(session, alice, days=30)
    row(session, token).expires = datetime.now(UTC) - timedelta(seconds=1)
    with pytest.raises(tokens.Refused, match="expired"):
        tokens.bearer(session, token)


@pytest.mark.parametrize("days", tokens.DAYS)
def test_a_token_holds_as_long_as_was_chosen(session: Session, alice: User, days: int) -> None:
    held = row(session, tokens.make(session, alice, days=days))
    assert held.expires and held.created
    assert abs(held.expires - held.created - timedelta(days=days)) < timedelta(minutes=1)


def test_nobody_revokes_anothers_token(session: Session, alice: User) -> None:
    charlie = accounts.add_user(session, "charlie@example.org", Role.MEMBER)
    token = tokens.make(session, alice)
    with pytest.raises(NotFound):
        tokens.revoke(session, charlie, tokens.digest(token))
    assert tokens.bearer(session, token).user is alice


def test_a_token_is_revoked_once(session: Session, alice: User) -> None:
    key = tokens.digest(tokens.make(session, alice))
    tokens.revoke(session, alice, key)
    with pytest.raises(NotFound):
        tokens.revoke(session, alice, key)
    assert tokens.of(session, alice) == []


def test_the_day_of_use_is_noted_once(session: Session, alice: User) -> None:
    token = tokens.make(session, alice)
    assert not tokens.bearer(session, token).known_today
    tokens.note_use(session, tokens.digest(token))
    assert tokens.bearer(session, token).known_today


def test_nobody_has_more_than_twenty(session: Session, alice: User) -> None:
    made = [tokens.make(session, alice) for _ in range(tokens.MOST)]
    with pytest.raises(Conflict, match="20 tokens"):
        tokens.make(session, alice)
    tokens.revoke(session, alice, tokens.digest(made[0]))
    tokens.make(session, alice)


def test_expired_ones_make_room(session: Session, alice: User) -> None:
    for _ in range(tokens.MOST):
        row(session, tokens.make(session, alice, days=30)).expires = datetime.now(UTC) - timedelta(days=1)
    tokens.make(session, alice)


@pytest.mark.parametrize(
    ("name", "scope", "days", "field"),
    [("x" * 101, "draft", None, "name"), ("", "publish", None, "scope"), ("", "submit", 31, "days")],
)
def test_what_cannot_be_is_named(
    session: Session, alice: User, name: str, scope: str, days: int | None, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        tokens.make(session, alice, name, scope, days)
    assert [problem.field for problem in refused.value.problems] == [field]


def test_a_reader_gets_no_token(session: Session) -> None:
    with pytest.raises(NotAllowed):
        tokens.make(session, accounts.add_user(session, "rita@example.org", Role.READER))


def test_making_and_revoking_are_noted_without_the_token(session: Session, alice: User) -> None:
    token = tokens.make(session, alice, "Laptop", Scope.DRAFT, 90, actor=alice)
    tokens.revoke(session, alice, tokens.digest(token))
    session.flush()
    made, revoked = session.scalars(select(AuditEntry).where(AuditEntry.action.like("token.%")).order_by(AuditEntry.id))
    assert made.detail == {"scope": "draft", "days": 90} and (made.user_id, revoked.user_id) == (alice.id, alice.id)
    assert revoked.action == "token.revoke" and token not in str((made.detail, revoked.detail))
