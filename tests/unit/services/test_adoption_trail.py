"""The adoption trail as readers see it: which regions, how many, and what becomes of it with its practices."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from kb.db import Database
from kb.models import Adoption, Record
from kb.services import (
    adoption_trail,
    adoptions,
    lifecycle,
    merging,
    redaction,
)
from kb.services.errors import Conflict, Moved, NotFound
from tests import factories
from tests.unit.services.adopting import (
    NAVARRA,
    changed,
    count,
    decided,
    original,
    said,
    who,
)


def test_what_is_only_considered_does_not_count(base: Database) -> None:
    with base.write() as session:
        adoption = said(session, status="considering")
        decided(session, adoption)
        assert count(session) == 0
        changed(session, adoption, status="stopped")
        assert count(session) == 1


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


def test_taking_a_practice_offline_reads_no_version_of_others(base: Database) -> None:
    with base.write() as session:
        copy = factories.published(session, title="The copy", adapted_from=[{"slug": "the-original", "changes": None}])
        copy_id = copy.id

    def offline() -> None:
        with base.write() as session:
            lifecycle.unpublish(session, who(session, "bob"), original(session), "Wrong.")

    asked = factories.statements(base, offline)
    assert not [each for each in asked if "JOIN revisions" in each and "FROM records" in each]
    with base.write() as session:
        record = session.get_one(Record, copy_id)
        assert record.adapted_from == []
        lifecycle.republish(session, who(session, "bob"), original(session))
        assert [each["slug"] for each in record.adapted_from] == ["the-original"]


def test_the_trail_of_many_practices_is_read_in_as_many_statements_as_of_one(base: Database) -> None:
    with base.write() as session:
        ids = [factories.published(session, who(session, "alice"), title=f"Practice {n} of many").id for n in range(4)]
        for n in range(4):
            decided(session, said(session, slug=f"practice-{n}-of-many"))

    def look(some: list[uuid.UUID]) -> None:
        with base.read() as session:
            assert set(adoption_trail.taken_up_each(session, some)) == set(some)

    one, many = (len(factories.statements(base, partial(look, some))) for some in (ids[:1], ids))
    assert one == many
