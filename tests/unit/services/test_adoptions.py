"""Adoptions: who may say, confirm, change and end them, who is told, and how many regions there are."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.db import Database
from kb.models import Adoption, AuditEntry, MailMessage, Practice, User
from kb.services import (
    accounts,
    adoption_trail,
    adoptions,
    leaving,
    lifecycle,
    merging,
    moderation,
    practices,
    privacy,
    redaction,
)
from kb.services.adoption_checking import Told
from kb.services.errors import Conflict, Invalid, Moved, NotAllowed, NotFound
from tests import factories

PEOPLE = {"alice": "member", "charlie": "member", "bob": "editor", "erin": "editor", "dora": "admin", "rita": "reader"}


@pytest.fixture
def base(database: Database) -> Database:
    """A base with PEOPLE and a public practice of Alice, from Emilia-Romagna."""
    with database.write() as session:
        for name, role in PEOPLE.items():
            factories.person(session, f"{name}@example.org", role)
        factories.published(session, who(session, "alice"), title="The original")
    return database


NAVARRA: dict[str, Any] = {"region": {"code": "ES22"}, "country": "ES"}


def who(session: Session, name: str) -> User:
    return accounts.get(session, f"{name}@example.org")


def original(session: Session) -> Practice:
    return session.scalars(select(Practice).where(Practice.slug == "the-original")).one()


def told(**changes: Any) -> Told:
    contact = {"role": "Officer", "email": "office@example.net", "name": "Ane", "consent": False}
    fields = {"region": "ES22", "status": "adapting", "changes": "We pay by result.", "contact": contact}
    return Told(**{**fields, **changes})


def said(session: Session, name: str = "charlie", slug: str = "the-original", **changes: Any) -> Adoption:
    return adoptions.make(session, who(session, name), slug, told(**changes), factories.vocabulary(session))


def decided(session: Session, adoption: Adoption, name: str = "alice", accepted: bool = True) -> None:
    word = "" if accepted else "We know nothing of it."
    adoptions.decide(session, who(session, name), adoption.id, accepted, word, factories.vocabulary(session))


def changed(session: Session, adoption: Adoption, name: str = "charlie", **changes: Any) -> None:
    adoptions.change(session, who(session, name), adoption.id, told(**changes), factories.vocabulary(session))


def count(session: Session, slug: str = "the-original") -> int:
    session.flush()
    return adoption_trail.counts(session).get(slug, 0)


def mails(session: Session) -> list[tuple[str, str]]:
    session.flush()
    return [(each.kind, each.address.partition("@")[0]) for each in session.scalars(select(MailMessage))]


def fields(refused: pytest.ExceptionInfo[Invalid]) -> list[str]:
    return [problem.field for problem in refused.value.problems]


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


def test_what_is_only_considered_does_not_count(base: Database) -> None:
    with base.write() as session:
        adoption = said(session, status="considering")
        decided(session, adoption)
        assert count(session) == 0
        changed(session, adoption, status="stopped")
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


def test_words_that_the_owner_changes_need_nobody(base: Database) -> None:
    with base.write() as session:
        adoption = said(session, "alice")
        decided(session, adoption, "bob")
        changed(session, adoption, "alice", changes="Mine.")
        assert not adoption_trail.told_anew(adoption) and adoptions.waiting(session) == []


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


def test_the_own_practice_is_named_while_it_is_public_and_both_ways(base: Database) -> None:
    with base.write() as session:
        own = factories.draft(session, who(session, "charlie"), title="A draft", **NAVARRA)
        adoption = said(session, own=str(own.id))
        decided(session, adoption)
        (taken,) = adoption_trail.taken_up(session, original(session))
        assert taken.own is None
        public = factories.published(session, who(session, "charlie"), title="Ours", **NAVARRA)
        changed(session, adoption, own=str(public.id))
        (taken,) = adoption_trail.taken_up(session, original(session))
        assert taken.own is not None and taken.own.slug == "ours"
        assert [each.original.slug for each in adoption_trail.came_from(session, public.id)] == ["the-original"]
        lifecycle.unpublish(session, who(session, "bob"), public, "Wrong.")
        session.flush()
        (taken,) = adoption_trail.taken_up(session, original(session))
        assert taken.own is None


def test_somebody_elses_practice_is_not_ones_own(base: Database) -> None:
    with base.write() as session:
        theirs = factories.draft(session, who(session, "alice"), title="Hers")
        with pytest.raises(Invalid) as refused:
            said(session, own=str(theirs.id))
    assert fields(refused) == ["own"]


def test_a_region_counts_once_by_adoption_and_by_its_practice(base: Database) -> None:
    entry = [{"slug": "the-original", "changes": "Smaller."}]
    with base.write() as session:
        decided(session, said(session))
        factories.published(session, title="Ours", **NAVARRA, adapted_from=entry)
        assert count(session) == 1
        factories.published(session, title="Theirs", region={"code": "ITH3"}, adapted_from=entry)
        assert count(session) == 2
        taken = adoption_trail.taken_up(session, original(session))
        assert adoption_trail.regions(taken) == 2 and [each.region for each in taken] == ["ES22", "ES22", "ITH3"]


def test_who_adapted_a_practice_is_found_without_reading_every_record(base: Database) -> None:
    def look() -> None:
        with base.read() as session:
            adoption_trail.taken_up(session, original(session))

    asked = [each for each in factories.statements(base, look) if "FROM records" in each and "adapted_from" in each]
    with base.read() as session:
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {asked[-1]}", ("x",) * asked[-1].count("?"))
        assert "ix_records_adapting" in str(plan.all())


def test_adoptions_go_along_with_a_merge_and_back_again(base: Database) -> None:
    with base.write() as session:
        bob = who(session, "bob")
        twin = factories.published(session, who(session, "alice"), title="The twin")
        decided(session, said(session, status="adapting", changes="First."))
        decided(session, said(session, slug="the-twin", status="running", changes="Second."))
        decided(session, said(session, slug="the-twin", region="ES21", status="running"))
        merging.merge(session, bob, twin, original(session))
        session.flush()
        taken = adoption_trail.taken_up(session, original(session))
        assert [(each.region, each.changes) for each in taken if each.region == "ES22"] == [("ES22", "Second.")]
        assert count(session) == 2 and len(session.scalars(select(Adoption)).all()) == 3
        with pytest.raises(Moved):
            said(session, slug="the-twin", region="ES11")
        with pytest.raises(Conflict):
            said(session, region="ES21")
        merging.undo(session, bob, twin)
        session.flush()
        assert count(session) == 1 and count(session, "the-twin") == 2


@pytest.mark.parametrize("step", ["unpublish", "redact"])
def test_nothing_is_seen_of_a_practice_that_is_offline(base: Database, step: str) -> None:
    with base.write() as session:
        decided(session, said(session))
        if step == "unpublish":
            lifecycle.unpublish(session, who(session, "bob"), original(session), "Wrong.")
        else:
            redaction.redact(session, who(session, "dora"), original(session).id, 1, "A name was in it.")
        session.flush()
        assert adoption_trail.of_regions(session, ["ES22"]) == [] and list(adoption_trail.every(session)) == []
        assert adoptions.waiting(session) == [] and adoptions.to_decide(session, who(session, "alice")) == []


def test_an_archived_practice_keeps_its_trail(base: Database) -> None:
    with base.write() as session:
        decided(session, said(session))
        lifecycle.archive(session, who(session, "bob"), original(session))
        session.flush()
        assert len(adoption_trail.taken_up(session, original(session))) == 1
        with pytest.raises(NotFound):
            said(session, region="ES21")


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


def test_the_contact_is_for_members_and_the_name_with_consent(base: Database) -> None:
    with base.write() as session:
        adoption = said(session)
        decided(session, adoption)

        def seen(name: str | None) -> Any:
            actor = who(session, name) if name else None
            return adoption_trail.taken_up(session, original(session), actor)[0].contact

        assert seen(None) is None and seen("rita") is None
        assert seen("bob") == {"role": "Officer", "email": "office@example.net", "name": ""}
        adoption.contact_consent = True
        session.flush()
        assert seen("bob")["name"] == "Ane"


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
