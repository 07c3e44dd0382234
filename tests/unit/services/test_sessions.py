"""The list of one's sessions, and ending them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from kb.db import Database
from kb.models import Role, User, UserSession
from kb.services import accounts, browsers, sessions
from kb.services.errors import NotFound

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
AGENTS = {
    FIREFOX: ("Firefox", "Windows"),
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
    " Edg/140.0.0.0": ("Edge", "Windows"),
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36": (
        "Chrome", "Linux"),
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0"
    " Safari/605.1.15": ("Safari", "macOS"),
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0"
    " Mobile/15E148 Safari/604.1": ("Chrome", "iPhone"),
    "Mozilla/5.0 (Linux; Android 15; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/27.0"
    " Chrome/125.0.0.0 Mobile Safari/537.36": ("Samsung Internet", "Android"),
    "curl/8.5.0": ("curl", ""),
    "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/140.0 Safari/537.36": ("Chrome", "Linux"),
    "": ("", ""),
    "something else": ("", ""),
}  # fmt: skip


@pytest.fixture
def alice(session: Session) -> User:
    return accounts.add_user(session, "alice@example.org", Role.MEMBER)


@pytest.mark.parametrize(("agent", "names"), AGENTS.items(), ids=[" ".join(names) for names in AGENTS.values()])
def test_a_browser_is_named_in_plain_words(agent: str, names: tuple[str, str]) -> None:
    assert browsers.named(agent) == names


def test_of_what_a_browser_calls_itself_200_plain_characters_are_kept() -> None:
    assert browsers.kept("a\r\nb\0\u202e" + "c" * 300) == "ab" + "c" * 198
    assert browsers.kept(None) == ""


def test_the_list_says_where_one_is(session: Session, alice: User) -> None:
    here = sessions.open_session(session, alice, FIREFOX)
    sessions.open_session(session, alice, "curl/8.5.0")
    session.flush()
    first, second = sessions.sessions_of(session, alice, here)
    assert (first.here, first.browser, first.system) == (True, "Firefox", "Windows")
    assert (second.here, second.browser) == (False, "curl")


def test_the_list_holds_no_token_and_not_what_is_kept_of_one(session: Session, alice: User) -> None:
    token = sessions.open_session(session, alice)
    session.flush()
    kept = session.scalars(select(UserSession.token_hash)).one()
    assert sessions.sessions_of(session, alice, token)[0].key not in (token, kept)


def test_sessions_of_others_and_expired_ones_are_not_listed(session: Session, alice: User) -> None:
    sessions.open_session(session, accounts.add_user(session, "bob@example.org", Role.EDITOR))
    sessions.open_session(session, alice)
    session.flush()
    session.execute(
        update(UserSession)
        .where(UserSession.user_id == alice.id)
        .values(expires=datetime.now(UTC) - timedelta(seconds=1))
    )
    assert sessions.sessions_of(session, alice, None) == []


def test_one_session_is_ended_by_its_key(session: Session, alice: User) -> None:
    here, elsewhere = sessions.open_session(session, alice), sessions.open_session(session, alice)
    session.flush()
    sessions.end(session, alice, sessions.sessions_of(session, alice, here)[1].key)
    session.flush()
    assert sessions.found(session, here)[0] is alice
    assert sessions.found(session, elsewhere)[0] is None


def test_a_session_of_somebody_else_cannot_be_ended(session: Session, alice: User) -> None:
    bob = accounts.add_user(session, "bob@example.org", Role.EDITOR)
    token = sessions.open_session(session, alice)
    session.flush()
    with pytest.raises(NotFound):
        sessions.end(session, bob, sessions.sessions_of(session, alice, None)[0].key)
    assert sessions.found(session, token)[0] is alice


def test_a_session_seen_this_hour_is_not_written_again(session: Session, alice: User) -> None:
    token = sessions.open_session(session, alice)
    session.flush()
    assert sessions.found(session, token) == (alice, False)


@pytest.mark.parametrize("hours", [None, 2])
def test_a_session_seen_earlier_is_noted_to_the_hour(session: Session, alice: User, hours: int | None) -> None:
    seen = hours and datetime.now(UTC) - timedelta(hours=hours)
    token = sessions.open_session(session, alice)
    session.flush()
    session.execute(update(UserSession).values(seen=seen))
    assert sessions.found(session, token) == (alice, True)
    sessions.touch(session, token)
    noted = session.scalars(select(UserSession.seen)).one()
    assert noted and noted.minute == noted.second == noted.microsecond == 0
    assert sessions.found(session, token) == (alice, False)


def test_a_write_that_may_be_left_undone_does_not_wait_for_another(database: Database) -> None:
    with database.write() as busy:
        busy.execute(text("SELECT 1"))
        with pytest.raises(OperationalError, match="locked"), database.write_if_free() as session:
            session.execute(text("SELECT 1"))


def test_afterwards_the_connection_waits_as_before(database: Database) -> None:
    with database.write_if_free() as session:
        session.execute(text("DELETE FROM user_sessions"))
    with database.read() as session:
        assert session.scalar(text("PRAGMA busy_timeout")) == 15000


def test_nobody_was_last_seen_before_they_signed_in(session: Session, alice: User) -> None:
    sessions.open_session(session, alice)
    session.flush()
    [place] = sessions.sessions_of(session, alice, None)
    assert place.seen >= place.begun
