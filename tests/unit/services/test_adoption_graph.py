"""No practice comes from itself, and none from what came from it: whoever adds an arrow is refused with the chain."""

from __future__ import annotations

import contextlib
import threading
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from kb.config import Config
from kb.db import Database
from kb.formats.json import Row
from kb.models import Adoption, AdoptionStatus, Practice
from kb.services import adoption_graph, lifecycle, merging, moderation, practices, publishing
from kb.services.checking import check
from kb.services.errors import Conflict, Invalid
from kb.services.importing import Aim, Importer
from kb.services.refusals import Refusal
from tests import factories


def named(*slugs: str) -> list[dict[str, str | None]]:
    """What a practice says it was adapted from."""
    return [{"slug": slug, "changes": None} for slug in slugs]


def publish(session: Session, practice: Practice, *slugs: str) -> None:
    """Publish a practice anew, adapted from others."""
    title = practice.record.title if practice.record else practice.title
    document = check(factories.document(title=title, adapted_from=named(*slugs)), factories.vocabulary(session))
    publishing.publish(session, practice, document)


def adopted(session: Session, original: Practice, own: Practice, region: str = "ITH3") -> Adoption:
    """A confirmed adoption of which a practice came."""
    moment = datetime.now(UTC)
    adoption = Adoption(
        practice_id=original.id, own_id=own.id, region_code=region, status=AdoptionStatus.RUNNING, accepted=True,
        decided=moment, created=moment, changed=moment,
    )  # fmt: skip
    session.add(adoption)
    session.flush()
    return adoption


def said(refused: pytest.ExceptionInfo[Invalid]) -> str:
    return str(refused.value)


def test_it_works(database: Database) -> None:
    with database.write() as session:
        first = factories.published(session, title="First")
        factories.published(session, title="Second", adapted_from=named("first"))
        with pytest.raises(Invalid) as refused:
            publish(session, first, "second")
    assert "“First”, “Second”, “First”" in said(refused)


def test_a_practice_adapts_not_itself(database: Database) -> None:
    with database.write() as session:
        first = factories.published(session, title="First")
        with pytest.raises(Invalid, match="cannot be adapted from itself"):
            publish(session, first, "first")


def test_a_submission_that_would_close_a_circle_is_refused_beside_its_entry(database: Database) -> None:
    with database.write() as session:
        alice = factories.person(session, "alice@example.org", "member")
        first = factories.published(session, alice, title="First")
        factories.published(session, title="Second", adapted_from=named("first"))
        text = factories.document(title="First", adapted_from=named("second"))
        practices.save(session, alice, first, text, dict(factories.CONTACT))
        with pytest.raises(Invalid) as refused:
            practices.submit(session, alice, first, factories.vocabulary(session))
    assert [problem.field for problem in refused.value.problems] == ["adapted_from.0.slug"]


def test_a_submission_names_only_what_is_here(database: Database) -> None:
    with database.write() as session:
        alice = factories.person(session, "alice@example.org", "member")
        with pytest.raises(Invalid) as refused:
            factories.submitted(session, alice, adapted_from=named("nowhere"))
    assert "There is no practice at “nowhere”" in said(refused)


def test_two_submissions_that_close_a_circle_are_not_both_published(database: Database) -> None:
    with database.write() as session:
        alice = factories.person(session, "alice@example.org", "member")
        bob = factories.person(session, "bob@example.org", "editor")
        both = [factories.published(session, alice, title=title) for title in ("First", "Second")]
        for practice, other in zip(both, ("second", "first"), strict=True):
            text = factories.document(title=practice.title, adapted_from=named(other))
            practices.save(session, alice, practice, text, dict(factories.CONTACT))
            practices.submit(session, alice, practice, factories.vocabulary(session))
        moderation.publish(session, bob, both[0], factories.vocabulary(session))
        with pytest.raises(Invalid):
            moderation.publish(session, bob, both[1], factories.vocabulary(session))


def test_an_adoption_counts_as_an_arrow(database: Database) -> None:
    with database.write() as session:
        first, second = (factories.published(session, title=title) for title in ("First", "Second"))
        adopted(session, first, second)
        with pytest.raises(Invalid):
            publish(session, first, "second")
        with pytest.raises(Invalid) as refused:
            adoption_graph.check_adoption(session, first, second)
    assert [problem.field for problem in refused.value.problems] == ["own"]


def test_what_was_withdrawn_is_no_arrow(database: Database) -> None:
    with database.write() as session:
        first, second = (factories.published(session, title=title) for title in ("First", "Second"))
        adopted(session, first, second).withdrawn = datetime.now(UTC)
        session.flush()
        publish(session, first, "second")


def test_what_is_offline_keeps_its_arrows_and_is_not_named(database: Database) -> None:
    with database.write() as session:
        bob = factories.person(session, "bob@example.org", "editor")
        first = factories.published(session, title="First")
        second = factories.published(session, title="Second", adapted_from=named("first"))
        third = factories.published(session, title="Third", adapted_from=named("second"))
        lifecycle.unpublish(session, bob, second, "Wrong figures.")
        assert third.record is not None and third.record.adapted_from == []
        with pytest.raises(Invalid) as refused:
            publish(session, first, "third")
    assert "Second" not in said(refused) and "“First”, “Third”, “…”, “First”" in said(refused)


def test_two_of_which_one_came_from_the_other_are_not_merged(database: Database) -> None:
    with database.write() as session:
        bob = factories.person(session, "bob@example.org", "editor")
        first = factories.published(session, title="First")
        second = factories.published(session, title="Second", adapted_from=named("first"))
        for pair in ((first, second), (second, first)):
            with pytest.raises(Conflict, match="One of the two says"):
                merging.merge(session, bob, *pair)


def test_a_merge_that_would_close_a_circle_names_it(database: Database) -> None:
    with database.write() as session:
        bob = factories.person(session, "bob@example.org", "editor")
        first = factories.published(session, title="First")
        factories.published(session, title="Second", adapted_from=named("first"))
        third = factories.published(session, title="Third", adapted_from=named("second"))
        with pytest.raises(Conflict, match=r"“First”, “Second”, “First”"):
            merging.merge(session, bob, third, first)


def test_a_merged_practice_is_the_one_that_stayed(database: Database) -> None:
    with database.write() as session:
        bob = factories.person(session, "bob@example.org", "editor")
        first, twin = (factories.published(session, title=title) for title in ("First", "Twin"))
        second = factories.published(session, title="Second", adapted_from=named("twin"))
        merging.merge(session, bob, twin, first)
        with pytest.raises(Invalid):
            publish(session, first, str(second.slug))


ARROWS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.booleans()), max_size=9)
"""Which practice is said to come from which, and whether by an adoption."""


class Undo(Exception):
    """Ends a transaction without keeping it."""


def reaches(arrows: dict[int, set[int]], start: int, goal: int) -> bool:
    """Whether the arrows lead from one practice to another, in no or any number of steps."""
    seen, left = set(), [start]
    while left:
        here = left.pop()
        if here not in seen:
            seen.add(here)
            left += arrows[here]
    return goal in seen


def test_whatever_is_said_in_whatever_order_no_circle_comes_of_it(database: Database) -> None:
    """A model says of each arrow whether it would close a circle."""
    with database.write() as session:
        ids = [factories.published(session, title=f"Practice {n}").id for n in range(5)]
        codes = [code for code, region in factories.vocabulary(session).regions.items() if region.level == 2]

    @settings(max_examples=12)
    @given(said=ARROWS)
    def follow(said: list[tuple[int, int, bool]]) -> None:
        with contextlib.suppress(Undo), database.write() as session:
            held = [session.get_one(Practice, each) for each in ids]
            model: dict[int, set[int]] = {n: set() for n in range(5)}
            names: dict[int, list[str]] = {n: [] for n in range(5)}
            for code, (own, original, by_adoption) in zip(codes, said, strict=False):
                closes = reaches(model, original, own)
                try:
                    if by_adoption:
                        adoption_graph.check_adoption(session, held[own], held[original])
                        adopted(session, held[original], held[own], code)
                    else:
                        publish(session, held[own], *names[own], str(held[original].slug))
                        names[own].append(str(held[original].slug))
                except Invalid:
                    assert closes
                else:
                    assert not closes
                    model[own].add(original)
            assert list(adoption_graph.circles(session)) == []
            raise Undo

    follow()


def test_two_publications_at_the_same_moment_make_no_circle(database: Database) -> None:
    with database.write() as session:
        ids = [factories.published(session, title=title).id for title in ("First", "Second")]
        factories.vocabulary(session)
    both, refused = threading.Barrier(2, timeout=60), []

    def adapt(own: int, other: str) -> None:
        both.wait()
        try:
            with database.write() as session:
                publish(session, session.get_one(Practice, ids[own]), other)
        except Invalid as invalid:
            refused.append(invalid)

    threads = [threading.Thread(target=adapt, args=each) for each in ((0, "second"), (1, "first"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    with database.read() as session:
        assert list(adoption_graph.circles(session)) == []


def test_an_import_refuses_the_row_that_would_close_a_circle(config: Config, database: Database) -> None:
    refusals: list[Refusal] = []
    importer = Importer(database, Aim.PUBLISHED, None, refusals.append)
    rows = [
        Row(f"record {n}", {**factories.document(title=title, adapted_from=named(other)), "slug": slug})
        for n, (title, slug, other) in enumerate([("First", "first", "second"), ("Second", "second", "first")], 1)
    ]
    trial = importer.run(lambda: iter(rows), dry_run=True)
    assert (trial.added, trial.refused) == (1, 1) and "“second”, “first”, “second”" in str(refusals.pop().message)
    outcome = importer.run(lambda: iter(rows))
    assert (outcome.added, outcome.refused) == (1, 1)
    assert "would be adapted from the next" in str(refusals[0].message)


def test_a_circle_that_was_planted_is_found_by_its_slugs(database: Database) -> None:
    with database.write() as session:
        first, second = (factories.published(session, title=title) for title in ("First", "Second"))
        adopted(session, first, second)
        adopted(session, second, first)
        (chain,) = adoption_graph.circles(session)
    assert sorted(set(chain)) == ["first", "second"] and chain[0] == chain[-1]
