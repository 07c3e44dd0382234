"""Writing to the owner: who gets it, what they are told, that no link opens by a slip, and what is left of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.models import AuditEntry, Contact, MailMessage, Practice, PracticeAuthor, Role, User
from kb.services import accounts, contacting, leaving
from kb.services.contacting import Letter
from kb.services.errors import Conflict, Invalid, TooMany
from kb.services.limits import CONTACT_LIMIT, Asking
from tests import factories

LETTER = Letter("Pay of the mentors", "How much do they get?\n\nWe plan the same.")


@pytest.fixture
def alice(session: Session) -> User:
    return accounts.add_user(session, "alice@example.org", Role.MEMBER, name="Alice")


@pytest.fixture
def rita(session: Session) -> User:
    return accounts.add_user(session, "rita@example.org", Role.READER, name="Rita")


@pytest.fixture
def practice(session: Session, alice: User) -> Practice:
    return factories.published(session, alice)


@pytest.fixture
def off(tmp_path: Path) -> Asking:
    """A count that counts nothing."""
    return Asking(tmp_path / "limits.sqlite", "contact", on=False)


def named(session: Session, practice: Practice, email: str = "office@example.org") -> None:
    session.add(Contact(practice_id=practice.id, role="Project officer", email=email, name="", consent=False))
    session.flush()
    session.refresh(practice)


def mails(session: Session) -> dict[str, dict[str, Any]]:
    return {each.address: each.data for each in session.scalars(select(MailMessage))}


def test_owner_and_co_authors_get_it_each_once(session: Session, rita: User, practice: Practice, off: Asking) -> None:
    carol = accounts.add_user(session, "carol@example.org", Role.MEMBER)
    session.add(PracticeAuthor(practice_id=practice.id, user_id=carol.id))
    named(session, practice)
    assert contacting.send(session, rita, practice, LETTER, off) == 2
    assert set(mails(session)) == {"alice@example.org", "carol@example.org"}


def test_without_an_account_that_can_be_reached_the_contact_gets_it(
    session: Session, alice: User, rita: User, practice: Practice, off: Asking
) -> None:
    alice.active = False
    named(session, practice)
    contacting.send(session, rita, practice, LETTER, off)
    assert set(mails(session)) == {"office@example.org"}


def test_where_nobody_is_named_nobody_is_written_to(session: Session, rita: User, off: Asking) -> None:
    with pytest.raises(Conflict, match="Nobody is named"):
        contacting.send(session, rita, factories.published(session), LETTER, off)


def test_nobody_writes_to_oneself(session: Session, alice: User, rita: User, practice: Practice, off: Asking) -> None:
    ownerless = factories.published(session, title="Ownerless")
    named(session, ownerless, "Rita@example.org ")
    for person, where in ((alice, practice), (rita, ownerless)):
        with pytest.raises(Conflict, match="your own practice"):
            contacting.send(session, person, where, LETTER, off)


def test_without_the_tick_nothing_tells_who_wrote(
    session: Session, rita: User, practice: Practice, off: Asking
) -> None:
    contacting.send(session, rita, practice, LETTER, off)
    assert "rita" not in str(mails(session)).lower()


def test_with_the_tick_name_and_address_are_told(session: Session, rita: User, practice: Practice, off: Asking) -> None:
    contacting.send(session, rita, practice, Letter(LETTER.topic, LETTER.message, tell=True), off)
    told = mails(session)["alice@example.org"]
    assert (told["name"], told["address"], told["reply_to"]) == ("Rita", "rita@example.org", "rita@example.org")


def test_the_audit_log_says_that_somebody_wrote_and_not_what(
    session: Session, rita: User, practice: Practice, off: Asking
) -> None:
    contacting.send(session, rita, practice, LETTER, off)
    session.flush()
    [entry] = session.scalars(select(AuditEntry).where(AuditEntry.action == "practice.contact"))
    assert (entry.user_id, entry.object_id, entry.detail) == (rita.id, str(practice.id), {"told": False})


def test_the_same_letter_twice_is_one_while_the_first_waits(
    session: Session, rita: User, practice: Practice, off: Asking
) -> None:
    assert [contacting.send(session, rita, practice, LETTER, off) for _ in range(2)] == [1, 0]
    assert len(mails(session)) == 1


@pytest.mark.parametrize(
    ("letter", "fields"),
    [
        (Letter(" ", "\x00"), ["topic", "message"]),
        (Letter("x" * 101, "x" * 4001), ["topic", "message"]),
        (Letter("Pay", ""), ["message"]),
    ],
)
def test_what_cannot_be_sent_names_each_field(
    session: Session, rita: User, practice: Practice, off: Asking, letter: Letter, fields: list[str]
) -> None:
    with pytest.raises(Invalid) as refused:
        contacting.send(session, rita, practice, letter, off)
    assert [problem.field for problem in refused.value.problems] == fields and mails(session) == {}


def test_a_subject_is_one_line_whatever_is_typed(rita: User) -> None:
    said = contacting.check(Letter("Pay\r\nBcc: victim@example.org\x0b\u2028x", "Text"), rita)
    assert said.topic == "Pay Bcc: victim@example.org x"


def test_an_account_without_an_address_cannot_tell_one(session: Session, practice: Practice, off: Asking) -> None:
    first = accounts.add_user(session, "first@example.org", Role.ADMIN)
    first.email = accounts.PLACEHOLDER
    with pytest.raises(Invalid, match="no e-mail address yet"):
        contacting.send(session, first, practice, Letter("Pay", "How much?", True), off)


def test_the_eleventh_message_of_a_day_waits_and_the_next_person_does_not(
    session: Session, rita: User, practice: Practice, tmp_path: Path
) -> None:
    count = Asking(tmp_path / "limits.sqlite", "contact", most=CONTACT_LIMIT)
    for number in range(CONTACT_LIMIT.amount):
        contacting.send(session, rita, practice, Letter("Pay", f"Question {number}"), count)
    with pytest.raises(TooMany, match="24 h") as refused:
        contacting.send(session, rita, practice, Letter("Pay", "One more"), count)
    assert 23 * 3600 < refused.value.retry_after <= 24 * 3600
    charlie = accounts.add_user(session, "charlie@example.org", Role.MEMBER)
    assert contacting.send(session, charlie, practice, LETTER, count) == 1


def test_a_message_that_waits_and_names_somebody_goes_with_their_account(
    session: Session, rita: User, practice: Practice, off: Asking
) -> None:
    contacting.send(session, rita, practice, Letter("Pay", "How much?", True), off)
    session.flush()
    leaving.leave(session, rita)
    session.flush()
    assert "alice@example.org" not in mails(session)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("See https://evil.example/a.b?c=d.", "See https[:]//evil[.]example/a.b?c=d."),
        ("www.evil.example", "www[.]evil[.]example"),
        ("Look at bit.ly/x and evil.co.uk", "Look at bit[.]ly/x and evil[.]co[.]uk"),
        ("http://192.168.0.1/x", "http[:]//192.168.0.1/x"),
        ("Mail anna.maria@region.example.it", "Mail anna.maria@region.example.it"),
        ("It cost 2.5 million. Why? e.g. rent", "It cost 2.5 million. Why? e.g. rent"),
        ("https://bank.example@evil.example/", "https[:]//bank[.]example@evil[.]example/"),
        ("-www.evil.com, ..evil.com, _evil.com", "-www[.]evil[.]com, ..evil[.]com, _evil[.]com"),
        ("www.evil.com@ www.evil.com@.x", "www[.]evil[.]com@ www[.]evil[.]com@.x"),
        ("evil。com evil．com", "evil[。]com evil[．]com"),
        ("Write to <anna@region.example>, soon.", "Write to <anna@region.example>, soon."),
        ("münchen.de", "münchen[.]de"),
    ],
)
def test_web_addresses_are_written_so_that_nothing_opens_them(text: str, shown: str) -> None:
    assert contacting.unlinked(text) == shown


@given(st.text("ab.@:/-w1 é_,", max_size=60))
def test_no_text_keeps_a_web_address_and_none_loses_a_letter(text: str) -> None:
    shown = contacting.unlinked(text)
    assert "://" not in shown and contacting.unlinked(shown) == shown
    assert shown.replace("[.]", ".").replace("[:]", ":") == text


def test_a_long_text_of_dots_is_read_at_once() -> None:
    assert contacting.unlinked("a." * 2000 + "1")  # a pattern that goes back and forth would take minutes
