"""Between password and code: a step is somebody's for ten minutes, once, and while nothing about them changes."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from kb.models import HalfSignIn, Role, User
from kb.services import accounts, half_sign_ins, second_factor, sessions
from kb.services.errors import Gone


def secured(session: Session, email: str) -> User:
    """Somebody with a second factor."""
    user = accounts.add_user(session, email, Role.MEMBER)
    session.flush()
    _set_up(session, user)
    return user


def _set_up(session: Session, user: User) -> None:
    secret = second_factor.new_secret()
    second_factor.switch_on(session, user, secret, second_factor.code_at(secret, int(time.time() // 30)))
    session.refresh(user)


@pytest.fixture
def alice(session: Session) -> User:
    return secured(session, "alice@example.org")


def test_the_token_says_whose_it_is_and_is_kept_nowhere(session: Session, alice: User) -> None:
    token = half_sign_ins.begin(session, alice)
    assert half_sign_ins.whose(session, token) is alice
    row = session.scalars(select(HalfSignIn)).one()
    assert token not in (row.token_hash, row.code_of) and len(token) == 43


@pytest.mark.parametrize("token", ["", "x", "żółw", "\x00", "a" * 10_000])
def test_what_nobody_was_given_is_nobodys(session: Session, alice: User, token: str) -> None:
    half_sign_ins.begin(session, alice)
    with pytest.raises(Gone, match="ten minutes"):
        half_sign_ins.whose(session, token)


def test_what_is_kept_of_a_token_opens_nothing(session: Session, alice: User) -> None:
    half_sign_ins.begin(session, alice)
    session.flush()
    with pytest.raises(Gone):
        half_sign_ins.whose(session, session.scalars(select(HalfSignIn.token_hash)).one())


def test_it_is_used_up_once(session: Session, alice: User) -> None:
    token = half_sign_ins.begin(session, alice)
    assert half_sign_ins.use_up(session, token) is alice
    with pytest.raises(Gone):
        half_sign_ins.use_up(session, token)


def test_one_persons_step_leaves_anothers_and_their_own_elsewhere(session: Session, alice: User) -> None:
    berta = secured(session, "berta@example.org")
    here, there, hers = (half_sign_ins.begin(session, user) for user in (alice, alice, berta))
    half_sign_ins.use_up(session, here)
    assert half_sign_ins.whose(session, there) is alice and half_sign_ins.whose(session, hers) is berta


def test_it_lasts_ten_minutes(session: Session, alice: User) -> None:
    token = half_sign_ins.begin(session, alice)
    session.flush()
    session.execute(update(HalfSignIn).values(expires=datetime.now(UTC) - timedelta(seconds=1)))
    with pytest.raises(Gone):
        half_sign_ins.whose(session, token)
    half_sign_ins.begin(session, alice)
    assert len(session.scalars(select(HalfSignIn)).all()) == 1  # the other went


CHANGES: dict[str, Callable[[Session, User], object]] = {
    "another second factor": lambda session, user: (second_factor.switch_off(session, user), _set_up(session, user)),
    "no second factor": second_factor.switch_off,
    "another password": lambda session, user: accounts.set_password(session, user, "harbour lantern reykjavik"),
    "disabled": lambda session, user: accounts.disable(session, user.email),
    "signed out elsewhere": lambda session, user: sessions.end_others(session, user, "this one"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_it_ends_with_whatever_it_was_bound_to(session: Session, alice: User, change: str) -> None:
    token = half_sign_ins.begin(session, alice)
    session.flush()
    CHANGES[change](session, alice)
    session.flush()
    session.expire_all()
    with pytest.raises(Gone):
        half_sign_ins.whose(session, token)


@pytest.mark.parametrize("change", ["another password", "disabled", "signed out elsewhere"])
def test_then_it_is_gone_from_the_table(session: Session, alice: User, change: str) -> None:
    half_sign_ins.begin(session, alice)
    session.flush()
    CHANGES[change](session, alice)
    assert session.scalars(select(HalfSignIn)).all() == []


def test_a_password_hashed_anew_behind_it_ends_it(session: Session, alice: User) -> None:
    """It is bound to what is kept, not to who changed it and how."""
    token = half_sign_ins.begin(session, alice)
    session.execute(update(User).values(password_hash="something else"))
    session.expire_all()
    with pytest.raises(Gone):
        half_sign_ins.whose(session, token)
