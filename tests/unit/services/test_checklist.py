"""The editors' checklist: what a record says about each item, and what is kept."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from kb.services import checklist
from tests.factories import document

TODAY = date(2026, 11, 23)


def finding(item: str, **changes: Any) -> checklist.Finding:
    return checklist.findings(document(**changes), TODAY)[item]


@pytest.mark.parametrize(
    ("start", "holds"),
    [("2021", True), ("2025-10", True), ("2025-11", None), ("2025-12", False), ("2025", None), ("2027", False),
     ("soon", None), (None, None)],
)  # fmt: skip
def test_a_year_has_passed_when_the_whole_first_month_or_year_is_a_year_ago(
    start: str | None, holds: bool | None
) -> None:
    assert finding("eligible", start=start).holds is holds


def test_what_is_planned_has_not_run_for_a_year() -> None:
    assert finding("eligible", status="planned", start="2020").holds is False


def test_a_finding_says_which_texts_are_empty() -> None:
    found = finding("clear", context="Hospitals lacked nurses.")
    assert found.holds is False
    assert [str(why) for why in found.why] == ["“What it wanted” is empty."]


def test_a_finding_says_how_long_the_texts_are() -> None:
    found = finding("transferable", transferability="A hospital and a city.")
    assert found.holds is True and str(found.why[0]) == "“What another region needs” has 5 words."


def test_sources_without_a_word_on_evidence_are_not_enough() -> None:
    assert finding("evidence").holds is False
    assert finding("evidence", evidence="none").holds is True


def test_a_picture_without_a_credit_is_named() -> None:
    picture = {"title": "Pairs", "url": "/files/a.jpg", "alt": "Two nurses", "media_type": "image/jpeg"}
    assert finding("rights", licence="CC-BY-4.0", images=[picture]).holds is False


def test_whether_rights_are_there_cannot_be_computed() -> None:
    assert finding("rights", licence="CC-BY-4.0").holds is None


def test_only_items_that_there_are_can_be_ticked() -> None:
    assert checklist.ticked(["clear", "poison"]) == {
        "eligible": False, "clear": True, "evidence": False, "transferable": False, "rights": False,
    }  # fmt: skip


def test_every_item_has_a_finding() -> None:
    assert list(checklist.findings(document(), TODAY)) == list(checklist.ITEMS)
