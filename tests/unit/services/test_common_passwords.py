"""Passwords that many people have, and that have leaked often: nobody gets one of them here."""

from __future__ import annotations

from zxcvbn.frequency_lists import FREQUENCY_LISTS

from kb.services import passwords

LONG_ENOUGH = [each for each in FREQUENCY_LISTS["passwords"] if len(each) >= passwords.PASSWORD_LEAST]


def test_the_list_is_the_one_of_thirty_thousand() -> None:
    assert len(FREQUENCY_LISTS["passwords"]) == 30_000 and len(LONG_ENOUGH) > 1000


def test_a_frequent_password_is_refused_however_it_is_written() -> None:
    for each in LONG_ENOUGH[::15]:
        for written in (each, each.upper(), each.capitalize(), each + "1"):
            assert passwords.guessable(written), written
