"""Transfer checks that people keep: one a practice and region, their own, gone with their account."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from kb.models import Practice, Role, TransferCheck, User
from kb.services import accounts, leaving, privacy, transfer_checks
from kb.services.errors import Conflict, Invalid, NotFound
from kb.services.transfer import Answer, Check, decode
from kb.services.vocabularies import Vocabulary
from tests import factories

CHECK = Check(1, "ES22", {"cuk7": Answer.YES})


@pytest.fixture
def rita(session: Session) -> User:
    return accounts.add_user(session, "rita@example.org", Role.READER)


@pytest.fixture
def practice(session: Session) -> Practice:
    return factories.published(session)


def test_a_check_is_kept_and_comes_back_whole(
    session: Session, rita: User, practice: Practice, vocabulary: Vocabulary
) -> None:
    transfer_checks.keep(session, rita, practice, CHECK, vocabulary)
    [kept] = transfer_checks.of(session, rita)
    assert decode(kept.code) == CHECK and kept.practice is practice and kept.readable
    assert transfer_checks.holds(session, rita, practice, CHECK)
    assert not transfer_checks.holds(session, rita, practice, Check(1, "ES22", {"cuk7": Answer.NO}))


def test_a_later_check_of_the_same_region_replaces_the_earlier(
    session: Session, rita: User, practice: Practice, vocabulary: Vocabulary
) -> None:
    for region, answer in (("ES22", Answer.YES), ("ES22", Answer.NO), ("ITH5", Answer.NO)):
        transfer_checks.keep(session, rita, practice, Check(1, region, {"cuk7": answer}), vocabulary)
    session.flush()
    assert {each.region_code: decode(each.code).answers["cuk7"] for each in transfer_checks.of(session, rita)} == {
        "ES22": Answer.NO, "ITH5": Answer.NO,
    }  # fmt: skip


@pytest.mark.parametrize("region", ["", "XX99"])
def test_a_check_without_a_region_that_is_known_is_not_kept(
    session: Session, rita: User, practice: Practice, vocabulary: Vocabulary, region: str
) -> None:
    with pytest.raises(Invalid, match="Name your region"):
        transfer_checks.keep(session, rita, practice, Check(1, region, CHECK.answers), vocabulary)


def test_nobody_keeps_more_than_the_limit(
    session: Session, rita: User, practice: Practice, vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer_checks, "MOST", 1)
    transfer_checks.keep(session, rita, practice, CHECK, vocabulary)
    session.flush()
    transfer_checks.keep(session, rita, practice, CHECK, vocabulary)  # the same once more is no second one
    with pytest.raises(Conflict, match="Delete one"):
        transfer_checks.keep(session, rita, practice, Check(1, "ITH5", CHECK.answers), vocabulary)


def test_nobody_deletes_the_check_of_somebody_else(
    session: Session, rita: User, practice: Practice, vocabulary: Vocabulary
) -> None:
    transfer_checks.keep(session, rita, practice, CHECK, vocabulary)
    session.flush()
    other = accounts.add_user(session, "charlie@example.org", Role.MEMBER)
    with pytest.raises(NotFound):
        transfer_checks.remove(session, other, practice.id, "ES22")
    transfer_checks.remove(session, rita, practice.id, "ES22")
    session.flush()
    assert transfer_checks.of(session, rita) == []


def test_a_check_is_in_the_copy_of_ones_data_and_goes_with_the_account(
    session: Session, rita: User, practice: Practice, vocabulary: Vocabulary
) -> None:
    transfer_checks.keep(session, rita, practice, CHECK, vocabulary)
    session.flush()
    [held] = privacy.copy_for(session, rita, "https://kb.example.eu")["transfer_checks"]
    assert (held["practice_id"], held["region_code"]) == (str(practice.id), "ES22")
    leaving.leave(session, rita)
    assert session.query(TransferCheck).count() == 0
