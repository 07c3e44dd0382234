"""Adoptions: who may say, confirm, change and end them, who is told, and how many regions there are."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from kb.db import Database
from kb.models import Adoption, AuditEntry
from kb.services import (
    adoption_trail,
    adoptions,
    leaving,
    moderation,
    practices,
    privacy,
)
from kb.services.errors import Conflict, Invalid, NotAllowed, NotFound
from tests import factories
from tests.unit.services.adopting import (
    NAVARRA,
    changed,
    count,
    decided,
    fields,
    mails,
    original,
    said,
    who,
)


def test_it_works(base: Database) -> None:
    with base.write() as session:
        adoption = said(session)
        assert adoption_trail.taken_up(session, original(session)) == [] and count(session) == 0
        decided(session, adoption)
        (taken,) = adoption_trail.taken_up(session, original(session))
        assert (taken.region, taken.status, taken.changes) == ("ES22", "adapting", "We pay by result.")
        assert count(session) == 1
        assert mails(session) == [("adoption-made", "alice"), ("adoption-confirmed", "charlie")]


def test_of_a_practice_of_nobody_the_editors_are_told_and_decide(base: Database) -> None:
    with base.write() as session:
        factories.published(session, title="Of nobody")
        adoption = said(session, slug="of-nobody")
        assert {name for kind, name in mails(session) if kind == "adoption-waiting"} == {"bob", "erin", "dora"}
        with pytest.raises(NotAllowed):
            decided(session, adoption, "alice")
        decided(session, adoption, "bob")
        assert count(session, "of-nobody") == 1


@pytest.mark.parametrize("name", ["charlie", "rita"])
def test_only_the_owner_or_an_editor_decides(base: Database, name: str) -> None:
    with base.write() as session:
        adoption = said(session)
        with pytest.raises(NotAllowed):
            decided(session, adoption, name)


def test_nobody_confirms_their_own_while_somebody_else_could(base: Database) -> None:
    with base.write() as session:
        own = said(session, "bob")
        with pytest.raises(NotAllowed, match="you said it yourself"):
            decided(session, own, "bob")
        decided(session, own, "erin")


def test_a_reader_says_nothing(base: Database) -> None:
    with base.write() as session, pytest.raises(NotAllowed):
        said(session, "rita")


def test_everything_that_is_wrong_is_said_beside_its_field(base: Database) -> None:
    with base.write() as session, pytest.raises(Invalid) as refused:
        said(session, region="Nowhere", status="dreaming", changes="word " * 151, organisation="o" * 301, own="x",
             contact={})  # fmt: skip
    assert fields(refused) == ["region", "status", "changes", "organisation", "contact.role", "contact.email", "own"]


@pytest.mark.parametrize("region", ["", "ES", "ITH5"])
def test_a_region_is_needed_that_is_no_country_and_not_the_practices_own(base: Database, region: str) -> None:
    with base.write() as session, pytest.raises(Invalid) as refused:
        said(session, region=region)
    assert fields(refused) == ["region"]


def test_signs_that_nobody_sees_are_not_kept(base: Database) -> None:
    with base.write() as session:
        contact = {"role": "Off\x00icer", "email": " office@example.net\x00", "name": "A\nne", "consent": False}
        made = said(session, changes="We\x00 pay.\r\nBy result.", organisation="Na\x00varra\n", contact=contact)
        assert (made.changes, made.organisation) == ("We pay.\nBy result.", "Navarra")
        assert (made.contact_role, made.contact_email, made.contact_name) == ("Officer", "office@example.net", "A ne")


def test_a_region_and_the_only_part_of_it_are_one(base: Database) -> None:
    with base.write() as session:
        assert said(session, region="ES220").region_code == "ES22"
        assert said(session, region="ES211").region_code == "ES211"


def test_a_region_says_it_once_at_a_time(base: Database) -> None:
    with base.write() as session:
        first = said(session)
        with pytest.raises(Conflict, match="has said so already"):
            said(session, "bob")
        decided(session, first, accepted=False)
        decided(session, said(session, "bob"))
        assert count(session) == 1


def test_how_far_it_is_needs_no_confirmation_other_words_are_shown_as_changed(base: Database) -> None:
    with base.write() as session:
        adoption = said(session)
        decided(session, adoption)
        changed(session, adoption, status="running")
        (taken,) = adoption_trail.taken_up(session, original(session))
        assert (taken.status, taken.told_anew) == ("running", False) and adoptions.waiting(session) == []
        changed(session, adoption, status="running", changes="Something else.")
        (taken,) = adoption_trail.taken_up(session, original(session))
        assert (taken.changes, taken.told_anew) == ("Something else.", True)
        assert adoptions.waiting(session) == [adoption] and ("adoption-changed", "alice") in mails(session)
        decided(session, adoption)
        assert adoptions.waiting(session) == [] and not adoption_trail.told_anew(adoption)


@pytest.mark.parametrize(("name", "other"), [("alice", "bob"), ("bob", "alice")])
def test_own_words_of_an_owner_or_editor_wait_for_somebody_else(base: Database, name: str, other: str) -> None:
    with base.write() as session:
        adoption = said(session, name)
        decided(session, adoption, other)
        changed(session, adoption, name, changes="Mine.")
        assert adoptions.waiting(session) == [adoption] and adoption.decider_id == who(session, other).id


def test_what_was_changed_since_it_was_read_is_not_decided(base: Database) -> None:
    with base.write() as session:
        adoption = said(session)
        seen = adoptions.mark(adoption)
        changed(session, adoption, changes="Something else.")
        with pytest.raises(Conflict, match="changed meanwhile"):
            adoptions.decide(session, who(session, "alice"), adoption.id, True, "", factories.vocabulary(session), seen)


def test_a_refusal_needs_a_word_and_is_final(base: Database) -> None:
    with base.write() as session:
        adoption = said(session)
        with pytest.raises(Invalid):
            adoptions.decide(session, who(session, "alice"), adoption.id, False, " ", factories.vocabulary(session))
        decided(session, adoption, accepted=False)
        assert adoption_trail.taken_up(session, original(session)) == []
        for act in (lambda: decided(session, adoption), lambda: changed(session, adoption)):
            with pytest.raises(Conflict):
                act()


def test_who_said_it_takes_it_back(base: Database) -> None:
    with base.write() as session:
        adoption = said(session)
        decided(session, adoption)
        for name in ("alice", "bob"):
            with pytest.raises(NotFound):
                adoptions.withdraw(session, who(session, name), adoption.id, factories.vocabulary(session))
        adoptions.withdraw(session, who(session, "charlie"), adoption.id, factories.vocabulary(session))
        assert count(session) == 0 and adoption.changes == "We pay by result."
        said(session)  # and may say it anew


def test_an_editor_takes_it_away_with_a_word(base: Database) -> None:
    with base.write() as session:
        adoption = said(session)
        decided(session, adoption)
        vocabulary = factories.vocabulary(session)
        with pytest.raises(NotAllowed):
            adoptions.end(session, who(session, "alice"), adoption.id, "Why.", vocabulary)
        with pytest.raises(Invalid):
            adoptions.end(session, who(session, "bob"), adoption.id, "", vocabulary)
        adoptions.end(session, who(session, "bob"), adoption.id, "It is no adoption.", vocabulary)
        assert count(session) == 0 and ("adoption-ended", "charlie") in mails(session)


def test_somebody_elses_practice_is_not_ones_own(base: Database) -> None:
    with base.write() as session:
        theirs = factories.draft(session, who(session, "alice"), title="Hers")
        with pytest.raises(Invalid) as refused:
            said(session, own=str(theirs.id))
    assert fields(refused) == ["own"]


def test_who_leaves_is_forgotten_and_the_region_stays(base: Database) -> None:
    with base.write() as session:
        decided(session, said(session, contact={"role": "Me", "email": "charlie@example.org", "name": "C"}))
        said(session, region="ES21")
        other = said(session, "bob", region="ES11", contact={"role": "R", "email": "Charlie@example.org", "name": "C"})
        leaving.leave(session, who(session, "charlie"))
        session.flush()
        session.expire_all()
        left = session.scalars(select(Adoption).where(Adoption.region_code != "ES11")).all()
        assert [(each.region_code, each.user_id, each.contact_email, each.contact_name) for each in left] == [
            ("ES22", None, "", "")
        ]
        assert other.contact_email == other.contact_name == "" and count(session) == 1


def test_what_somebody_said_is_in_the_copy_of_their_data(base: Database) -> None:
    with base.write() as session:
        decided(session, said(session))
        held = privacy.copy_for(session, who(session, "charlie"), "https://kb.example.org")
        assert [each["changes"] for each in held["adoptions"]] == ["We pay by result."]
        said(session, "bob", region="ES11", contact={"role": "R", "email": "charlie@example.org", "name": "C"})
        held = privacy.copy_for(session, who(session, "charlie"), "https://kb.example.org")
        assert [each["contact_name"] for each in held["adoption_contacts"]] == ["C"]
        decider = privacy.copy_for(session, who(session, "alice"), "https://kb.example.org")
        assert len(decider["adoptions_decided"]) == 1 and "office@example.net" not in str(decider["adoptions_decided"])


def test_each_step_is_in_the_audit_log_without_anybodys_words(base: Database) -> None:
    with base.write() as session:
        adoption = said(session)
        decided(session, adoption)
        changed(session, adoption, status="running", changes="Other.")
        adoptions.withdraw(session, who(session, "charlie"), adoption.id, factories.vocabulary(session))
        session.flush()
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action.startswith("adoption."))).all()
        assert [each.action for each in entries] == [
            f"adoption.{step}" for step in ("make", "decide", "change", "status", "withdraw")
        ]
        assert "result" not in str([each.detail for each in entries])


def test_confirming_a_practice_that_closes_a_circle_by_now_is_refused(base: Database) -> None:
    with base.write() as session:
        charlie = who(session, "charlie")
        own = factories.published(session, charlie, title="Ours", **NAVARRA)
        adoption = said(session, own=str(own.id))
        entry = [{"slug": "ours", "changes": None}]
        text = factories.document(title="The original", adapted_from=entry)
        alice, vocabulary = who(session, "alice"), factories.vocabulary(session)
        practices.save(session, alice, original(session), text, dict(factories.CONTACT))
        practices.submit(session, alice, original(session), vocabulary)
        moderation.publish(session, who(session, "bob"), original(session), vocabulary)
        with pytest.raises(Invalid, match="would be adapted from the next"):
            decided(session, adoption)
