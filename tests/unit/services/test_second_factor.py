"""Codes of a second factor, as RFC 6238 has them, and the recovery codes that stand in for them."""

from __future__ import annotations

import base64
import math
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.models import AuditEntry, MailMessage, RecoveryCode, Role, User
from kb.services import accounts, links, second_factor
from kb.services.errors import Conflict, Invalid, NotAllowed

RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()
RFC_VECTORS = [(59, "94287082"), (1111111109, "07081804"), (1111111111, "14050471"), (1234567890, "89005924"),
               (2000000000, "69279037"), (20000000000, "65353130")]  # fmt: skip
"""RFC 6238, appendix B, for SHA-1; its codes have eight digits, of which six are the last six."""


@pytest.fixture
def alice(session: Session) -> User:
    return accounts.add_user(session, "alice@example.org", Role.MEMBER)


def now_code(secret: str, steps: int = 0) -> str:
    return second_factor.code_at(secret, int(time.time() // 30) + steps)


@pytest.fixture
def secured(session: Session, alice: User) -> tuple[User, str, list[str]]:
    """Alice with a second factor: her secret and her recovery codes. The step of her first code is used."""
    secret = second_factor.new_secret()
    codes = second_factor.switch_on(session, alice, secret, now_code(secret, -1))
    session.refresh(alice)
    return alice, secret, codes


@pytest.mark.parametrize(("moment", "code"), RFC_VECTORS)
def test_codes_are_those_of_the_rfc(moment: int, code: str) -> None:
    assert second_factor.code_at(RFC_SECRET, moment // 30) == code[-6:]


@pytest.mark.parametrize(("off", "step"), [(-60, None), (-30, 0), (0, 1), (30, 2), (60, None)])
def test_a_code_may_be_one_step_early_or_late(off: int, step: int | None) -> None:
    at = 1_000_000_000 // 30 * 30
    found = second_factor.step_of(RFC_SECRET, second_factor.code_at(RFC_SECRET, (at + off) // 30), at)
    assert found == (None if step is None else at // 30 + step - 1)


@pytest.mark.parametrize("typed", ["287 082", " 287082\n"])
def test_spaces_in_a_code_do_not_matter(typed: str) -> None:
    assert second_factor.step_of(RFC_SECRET, typed, 59) == 1


@pytest.mark.parametrize("typed", ["", "28708", "0287082", "２８７０８２", "é", "\ud800", "287082" * 1000])
def test_what_is_no_code_fits_nothing(typed: str) -> None:
    assert second_factor.step_of(RFC_SECRET, typed, 59) is None


def test_the_secret_has_160_bits() -> None:
    assert len(base64.b32decode(second_factor.new_secret())) == 20


def test_the_address_for_the_app_names_site_and_person() -> None:
    parts = urlsplit(second_factor.uri("ABC", "alice@example.org", "Regional & more"))
    assert (parts.scheme, parts.netloc, parts.path) == ("otpauth", "totp", "/Regional%20%26%20more%3Aalice@example.org")
    assert parse_qs(parts.query) == {"secret": ["ABC"], "issuer": ["Regional & more"]}


def test_it_counts_only_once_a_code_came(session: Session, alice: User) -> None:
    with pytest.raises(Invalid, match="does not fit"):
        second_factor.switch_on(session, alice, second_factor.new_secret(), "000000x")
    session.refresh(alice)
    assert alice.totp_secret is None


def test_it_cannot_be_set_up_over_another(session: Session, secured: tuple[User, str, list[str]]) -> None:
    other = second_factor.new_secret()
    with pytest.raises(Conflict):
        second_factor.switch_on(session, secured[0], other, now_code(other))


def test_a_code_works_once(session: Session, secured: tuple[User, str, list[str]]) -> None:
    alice, secret, _ = secured
    code = now_code(secret)
    assert second_factor.use_code(session, alice, code) is False
    with pytest.raises(Invalid, match="used already"):
        second_factor.use_code(session, alice, code)


def test_a_code_earlier_than_the_last_one_used_works_no_more(
    session: Session, secured: tuple[User, str, list[str]]
) -> None:
    alice, secret, _ = secured
    second_factor.use_code(session, alice, now_code(secret, 1))
    with pytest.raises(Invalid):
        second_factor.use_code(session, alice, now_code(secret))


def test_the_code_that_set_it_up_is_used(session: Session, secured: tuple[User, str, list[str]]) -> None:
    alice, secret, _ = secured
    with pytest.raises(Invalid):
        second_factor.use_code(session, alice, now_code(secret, -1))


def test_a_recovery_code_works_once_however_it_is_typed(session: Session, secured: tuple[User, str, list[str]]) -> None:
    alice, _, codes = secured
    assert len(codes) == len(set(codes)) == 10
    assert second_factor.use_code(session, alice, codes[3].upper().replace("-", " ")) is True
    assert second_factor.codes_left(session, alice) == 9
    with pytest.raises(Invalid):
        second_factor.use_code(session, alice, codes[3])


def test_a_recovery_code_of_somebody_else_does_not_work(session: Session, secured: tuple[User, str, list[str]]) -> None:
    bob, secret = accounts.add_user(session, "bob@example.org", Role.EDITOR), second_factor.new_secret()
    second_factor.switch_on(session, bob, secret, now_code(secret))
    with pytest.raises(Invalid):
        second_factor.use_code(session, bob, secured[2][0])


def test_recovery_codes_are_kept_hashed(session: Session, secured: tuple[User, str, list[str]]) -> None:
    kept = session.scalars(select(RecoveryCode.code_hash)).all()
    assert all(len(each) == 64 for each in kept) and not set(kept) & set(secured[2])


def test_a_recovery_code_has_more_than_112_random_bits(secured: tuple[User, str, list[str]]) -> None:
    for code in secured[2]:
        signs = code.replace("-", "")
        assert set(signs) <= set(second_factor.LETTERS)
        assert len(signs) * math.log2(len(second_factor.LETTERS)) > 112


def test_new_recovery_codes_end_the_earlier_ones(session: Session, secured: tuple[User, str, list[str]]) -> None:
    alice, _, earlier = secured
    new = second_factor.renew_codes(session, alice)
    with pytest.raises(Invalid):
        second_factor.use_code(session, alice, earlier[0])
    assert second_factor.use_code(session, alice, new[0]) is True


def test_switched_off_nothing_of_it_is_left(session: Session, secured: tuple[User, str, list[str]]) -> None:
    alice, secret, codes = secured
    second_factor.switch_off(session, alice)
    session.refresh(alice)
    assert alice.totp_secret is None and session.scalars(select(RecoveryCode)).all() == []
    for code in (now_code(secret), codes[0]):
        with pytest.raises(Invalid):
            second_factor.use_code(session, alice, code)


def test_where_it_is_required_editors_cannot_switch_it_off(
    session: Session, secured: tuple[User, str, list[str]]
) -> None:
    alice = secured[0]
    alice.role = Role.EDITOR
    with pytest.raises(NotAllowed):
        second_factor.switch_off(session, alice, required=True)


@pytest.mark.parametrize(("role", "missing"), [("reader", False), ("member", False), ("editor", True), ("admin", True)])
def test_where_it_is_required_editors_and_administrators_miss_it(role: str, missing: bool) -> None:
    user = User(email="x@example.org", role=Role(role), active=True)
    assert second_factor.missing(user, True) is missing
    assert second_factor.missing(user, False) is False


def test_every_change_is_audited_and_told_by_mail(session: Session, secured: tuple[User, str, list[str]]) -> None:
    alice, _, codes = secured
    second_factor.use_code(session, alice, codes[0])
    second_factor.renew_codes(session, alice)
    second_factor.switch_off(session, alice)
    changes = ["on", "recovered", "codes", "off"]
    session.flush()
    told = session.scalars(select(MailMessage).where(MailMessage.kind == "second-factor-changed")).all()
    assert sorted(message.data["change"] for message in told) == sorted(changes)
    actions = session.scalars(select(AuditEntry.action).where(AuditEntry.action.like("second-factor%"))).all()
    assert sorted(actions) == sorted(f"second-factor.{change}" for change in changes)


def test_no_code_stands_in_the_audit_log_or_the_outbox(session: Session, secured: tuple[User, str, list[str]]) -> None:
    alice, secret, codes = secured
    second_factor.use_code(session, alice, codes[0])
    session.flush()
    said = str([each.detail for each in session.scalars(select(AuditEntry))]
               + [each.data for each in session.scalars(select(MailMessage))])  # fmt: skip
    assert secret not in said and codes[0] not in said


def test_a_link_of_the_operator_switches_it_off(session: Session, secured: tuple[User, str, list[str]]) -> None:
    alice = secured[0]
    token = links.sign_in_link(session, alice.email, "").rpartition("/")[2]
    session.flush()
    assert links.second_factor_of(session, token)
    assert links.use_link(session, token).totp_secret is None


def test_a_half_finished_sign_in_ends_when_the_password_changes(secured: tuple[User, str, list[str]]) -> None:
    alice = secured[0]
    before = second_factor.fingerprint(alice)
    alice.password_hash = "another"
    assert second_factor.fingerprint(alice) != before
