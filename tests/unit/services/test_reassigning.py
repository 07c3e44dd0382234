"""Reassigning many at once: what is listed, what a plan says, what carrying it out does, and who is told once."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.models import AuditEntry, MailMessage, Practice, Role, State, User
from kb.services import accounts, claims, history, moderation, practices, reassigning, vocabularies
from kb.services.errors import Conflict, Invalid, NotAllowed
from kb.services.reassigning import Plan, Wanted
from tests import factories


def person(session: Session, name: str, role: Role = Role.MEMBER) -> User:
    return accounts.add_user(session, f"{name}@example.org", role, name=name.title())


@pytest.fixture
def alice(session: Session) -> User:
    return person(session, "alice")


@pytest.fixture
def charlie(session: Session) -> User:
    return person(session, "charlie")


@pytest.fixture
def bob(session: Session) -> User:
    return person(session, "bob", Role.EDITOR)


@pytest.fixture
def erin(session: Session) -> User:
    return person(session, "erin", Role.EDITOR)


def titles(session: Session, actor: User, **wanted: object) -> list[str]:
    items, total = reassigning.find(session, actor, Wanted(**wanted))  # type: ignore[arg-type]
    assert total == len(items)
    return [item.title for item in items]


def done(session: Session, actor: User, plan: Plan, **how: bool) -> int:
    return reassigning.carry_out(session, actor, plan, plan.stamp, **how)


def told(session: Session, kind: str) -> list[tuple[str, int, str]]:
    mails = session.scalars(select(MailMessage).where(MailMessage.kind == kind).order_by(MailMessage.address))
    return [(mail.address, mail.data["number"], mail.data["message"]) for mail in mails]


def test_practices_are_found_by_owner_organisation_title_and_where_they_stand(
    session: Session, alice: User, charlie: User, bob: User
) -> None:
    factories.organisation(session, "Région Île", charlie)
    factories.published(session, alice, title="Ärzte lernen")
    factories.published(session, charlie, title="Nurses learn")
    factories.published(session, title="Nobody's own")
    factories.submitted(session, alice, title="Waiting one")
    everything = ["Ärzte lernen", "Nobody's own", "Nurses learn", "Waiting one"]
    assert titles(session, bob) == everything
    assert titles(session, bob, owner="ALICE@") == ["Ärzte lernen", "Waiting one"]
    assert titles(session, bob, organisation="ile") == ["Nurses learn"]
    assert titles(session, bob, text="arzte") == ["Ärzte lernen"]
    assert titles(session, bob, ownerless=True) == ["Nobody's own"]
    assert titles(session, bob, waiting=True) == ["Waiting one"]


def test_drafts_are_in_no_list_and_in_no_plan(session: Session, alice: User, charlie: User, bob: User) -> None:
    draft = factories.draft(session, alice, title="Secret draft")
    public = factories.published(session, alice, title="As readers know it")
    practices.save(session, alice, public, factories.document(title="Secret update"), None)
    assert titles(session, bob) == ["As readers know it"]
    with pytest.raises(Invalid):
        reassigning.plan(session, bob, [draft.id], "owner", charlie.email)


def test_members_reassign_nothing(session: Session, alice: User, charlie: User) -> None:
    practice = factories.published(session, alice)
    with pytest.raises(NotAllowed):
        reassigning.find(session, alice, Wanted())
    with pytest.raises(NotAllowed):
        reassigning.plan(session, alice, [practice.id], "owner", charlie.email)


@pytest.mark.parametrize(
    ("part", "to", "field"),
    [("owner", "nobody@example.org", "to"), ("owner", "", "to"), ("owner", "rita@example.org", "to"),
     ("editor", "", "editor"), ("all", "charlie@example.org", "part")],
)  # fmt: skip
def test_whom_it_cannot_go_to_is_said(
    session: Session, alice: User, charlie: User, bob: User, part: str, to: str, field: str
) -> None:
    person(session, "rita", Role.READER)
    practice = factories.published(session, alice)
    with pytest.raises(Invalid) as refused:
        reassigning.plan(session, bob, [practice.id], part, to)
    assert [problem.field for problem in refused.value.problems] == [field]


def test_a_name_will_do_where_only_one_member_has_it(session: Session, alice: User, charlie: User, bob: User) -> None:
    practice = factories.published(session, alice)
    assert reassigning.plan(session, bob, [practice.id], "owner", " charlie ").target == charlie
    accounts.add_user(session, "other@example.org", Role.MEMBER, name="Charlie")
    with pytest.raises(Invalid):
        reassigning.plan(session, bob, [practice.id], "owner", "Charlie")


def test_practices_go_to_the_new_owner_and_their_organisation_with_one_mail_each(
    session: Session, alice: User, charlie: User, bob: User
) -> None:
    body = factories.organisation(session, "Elsewhere", charlie)
    dana = person(session, "dana")
    made = [factories.published(session, who, title=title)
            for who, title in ((alice, "One"), (alice, "Two"), (dana, "Three"), (None, "Four"))]  # fmt: skip
    plan = reassigning.plan(session, bob, [each.id for each in made], "owner", charlie.email)
    assert done(session, bob, plan) == 4
    assert {(each.owner_id, each.organisation_id) for each in made} == {(charlie.id, body.id)}
    assert told(session, "practices-given") == [(charlie.email, 4, "Four\nOne\nThree\nTwo")]
    assert told(session, "practices-passed-on") == [(alice.email, 2, "One\nTwo"), (dana.email, 1, "Three")]
    assert all(each.authors == [] for each in made)


def test_each_practice_has_its_entry_in_the_log(session: Session, alice: User, charlie: User, bob: User) -> None:
    made = [factories.published(session, alice, title=title) for title in ("One", "Two")]
    done(session, bob, reassigning.plan(session, bob, [each.id for each in made], "owner", charlie.email))
    entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "practice.reassign"))
    assert {(entry.object_id, entry.user_id) for entry in entries} == {(str(each.id), bob.id) for each in made}


def test_who_had_them_may_stay_as_co_author(session: Session, alice: User, charlie: User, bob: User) -> None:
    practice = factories.published(session, alice)
    done(session, bob, reassigning.plan(session, bob, [practice.id], "owner", charlie.email), co_authors=True)
    assert [each.user_id for each in practice.authors] == [alice.id] and practice.owner_id == charlie.id


def test_claims_of_what_gets_an_owner_end(session: Session, alice: User, charlie: User, bob: User) -> None:
    practice = factories.published(session)
    claim = claims.make(session, alice, str(practice.slug), "Mine")
    done(session, bob, reassigning.plan(session, bob, [practice.id], "owner", charlie.email))
    assert claim.accepted is False and claim.answer == claims.GIVEN


def in_review(session: Session, owner: User, editor: User, title: str) -> Practice:
    practice = factories.submitted(session, owner, title=title)
    moderation.take(session, editor, practice)
    return practice


def test_reviews_go_to_another_editor_with_one_mail(session: Session, alice: User, bob: User, erin: User) -> None:
    made = [in_review(session, alice, bob, title) for title in ("One", "Two")]
    plan = reassigning.plan(session, bob, [each.id for each in made], "editor", str(erin.id))
    done(session, bob, plan)
    assert {each.editor_id for each in made} == {erin.id}
    assert told(session, "reviews-given") == [(erin.email, 2, "One\nTwo")]


def test_what_stays_says_why(session: Session, alice: User, charlie: User, bob: User, erin: User) -> None:
    public = factories.published(session, alice, title="Public")
    theirs = in_review(session, erin, bob, "Erin's own")
    held = in_review(session, alice, erin, "Held")
    ids = [public.id, theirs.id, held.id]
    plan = reassigning.plan(session, bob, ids, "editor", str(erin.id))
    assert plan.moves == ()
    assert {item.title: str(why) for item, why in plan.stay} == {
        "Public": "No editor has taken it up.", "Erin's own": "It is their own submission.",
        "Held": "They review it already.",
    }  # fmt: skip
    with pytest.raises(Conflict):
        done(session, bob, plan)
    again = reassigning.plan(session, bob, [public.id], "owner", alice.email)
    assert [str(why) for _item, why in again.stay] == ["It is theirs already."]


def test_a_plan_that_is_not_the_one_looked_at_is_not_carried_out(
    session: Session, alice: User, charlie: User, bob: User
) -> None:
    practice = factories.published(session, alice)
    looked_at = reassigning.plan(session, bob, [practice.id], "owner", charlie.email).stamp
    practice.owner_id = bob.id
    session.flush()
    session.expire(practice, ["owner"])
    now = reassigning.plan(session, bob, [practice.id], "owner", charlie.email)
    with pytest.raises(Conflict):
        reassigning.carry_out(session, bob, now, looked_at)
    assert practice.owner_id == bob.id and told(session, "practices-given") == []


def test_an_editor_gives_practices_to_themselves_only_where_there_is_no_other(
    session: Session, alice: User, bob: User
) -> None:
    practice = factories.published(session, alice)
    assert reassigning.plan(session, bob, [practice.id], "owner", bob.email).target == bob
    person(session, "erin", Role.EDITOR)
    with pytest.raises(Invalid) as refused:
        reassigning.plan(session, bob, [practice.id], "owner", bob.email)
    assert [problem.field for problem in refused.value.problems] == ["to"]


def test_an_update_that_was_not_sent_is_not_handed_over(
    session: Session, alice: User, charlie: User, bob: User
) -> None:
    practice = factories.published(session, alice, title="As readers know it")
    practices.save(session, alice, practice, factories.document(title="Secret"), dict(factories.CONTACT))
    done(session, bob, reassigning.plan(session, bob, [practice.id], "owner", charlie.email))
    session.flush()
    assert practices.working_copy(session, practice)["title"] == "As readers know it"
    assert (practice.state, practice.contact) == (State.PUBLISHED, None)
    assert [history.numbers(session, who, practice) for who in (charlie, bob)] == [[3, 1], [3, 1]]


def test_an_update_that_waits_for_an_editor_is_handed_over(
    session: Session, alice: User, charlie: User, bob: User
) -> None:
    practice = factories.published(session, alice, title="As readers know it")
    practices.save(session, alice, practice, factories.document(title="Sent"), dict(factories.CONTACT))
    practices.submit(session, alice, practice, vocabularies.load(session))
    done(session, bob, reassigning.plan(session, bob, [practice.id], "owner", charlie.email))
    assert (practice.state, practices.working_copy(session, practice)["title"]) == (State.SUBMITTED, "Sent")
    assert practice.revision_count in history.numbers(session, charlie, practice)


def test_a_colleague_goes_on_with_the_update(session: Session, alice: User, charlie: User, bob: User) -> None:
    factories.organisation(session, "Region of Example", alice, charlie)
    practice = factories.published(session, alice)
    practices.save(session, alice, practice, factories.document(title="Ours"), None)
    done(session, bob, reassigning.plan(session, bob, [practice.id], "owner", charlie.email))
    assert practices.working_copy(session, practice)["title"] == "Ours"


def test_the_log_says_from_whom_to_whom(session: Session, alice: User, charlie: User, bob: User) -> None:
    practice = factories.published(session, alice)
    done(session, bob, reassigning.plan(session, bob, [practice.id], "owner", charlie.email))
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "practice.reassign")).one()
    assert entry.detail == {"part": "owner", "from": str(alice.id), "to": str(charlie.id)}


def test_the_log_says_which_editor_a_review_was_handed_to(session: Session, alice: User, bob: User, erin: User) -> None:
    moderation.hand_over(session, bob, in_review(session, alice, bob, "One"), erin)
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "practice.hand-over")).one()
    assert entry.detail == {"from": str(bob.id), "to": str(erin.id)}
