"""What a password may be."""

from __future__ import annotations

import pytest

from kb.services import passwords
from kb.services.errors import Invalid
from tests.factories import PASSWORD

KNOWN = ("alice.baker@example.org", "Alice Baker", "Practices of the North", "practices.example.eu")


COMMON = ("password12", "1234567890", "qwertyuiop", "P@$$w0rd123", "aaaaaaaaaaaa", "iloveyou123", "integration1",
          "practices2026", "ｐａｓｓｗｏｒｄ１２")  # fmt: skip
GOOD = (PASSWORD, "a whole new password", "harbour lantern reykjavik", "Straße nach Süden", "x7#Lq9!vTz",
        "@({[<!|$+%@({[", "\ud800 unpaired and odd", "密码学与地区的融合实践经验")  # fmt: skip


@pytest.mark.parametrize("password", COMMON)
def test_what_everybody_tries_first_is_refused(password: str) -> None:
    with pytest.raises(Invalid, match="easy to guess"):
        passwords.hashed(password)


@pytest.mark.parametrize(
    "password", ["alice.baker@example.org", "alicebaker1", "AliceBaker", "alicealice", "example.eu"]
)
def test_what_others_know_of_the_person_or_the_site_is_refused(password: str) -> None:
    with pytest.raises(Invalid, match="easy to guess"):
        passwords.hashed(password, *KNOWN)


@pytest.mark.parametrize("password", GOOD)
def test_a_few_words_or_many_odd_signs_pass(password: str) -> None:
    assert passwords.verify(passwords.hashed(password, *KNOWN), password)


@pytest.mark.parametrize("length", [9, 201])
def test_length_is_told_before_anything_else(length: int) -> None:
    with pytest.raises(Invalid, match="longer" if length < 10 else "shorter"):
        passwords.hashed("a" * length)


@pytest.mark.parametrize("password", ["4@8({[<369!|10$5+72%" * 10, "a1!" * 66])
def test_no_password_keeps_the_check_busy(password: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Uncut, the first would take hours."""
    asked: list[str] = []
    monkeypatch.setattr(passwords, "zxcvbn", lambda text, **_: asked.append(text) or {"score": 0})
    passwords.guessable(password)
    assert all(len(text) <= 24 for text in asked)


def test_a_password_of_a_million_marks_is_refused_without_being_put_in_order() -> None:
    mountain = "a" + "\u0301\u0323" * 500_000
    assert not passwords.verify(passwords.nobodys_hash(), mountain)
    with pytest.raises(Invalid, match="shorter"):
        passwords.check(mountain)
