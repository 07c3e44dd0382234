"""What changes of an adoption do: two at once, who is told of them, what stays, and what a harvester is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import event, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from kb.db import Database
from kb.models import Adoption, Claim, MailMessage
from kb.services import adoption_checking, adoption_trail, adoptions, claims, merging
from kb.services.errors import Conflict, Invalid
from tests import factories
from tests.unit.services.adopting import NAVARRA, changed, count, decided, fields, mails, original, said, told, who

ENTRY = [{"slug": "the-original", "changes": "Smaller."}]
UNSEEN = {"synchronize_session": False}


def withdrawn(session: Session, adoption: Adoption) -> None:
    adoptions.withdraw(session, who(session, "charlie"), adoption.id, factories.vocabulary(session))


def ended(session: Session, adoption: Adoption) -> None:
    adoptions.end(session, who(session, "bob"), adoption.id, "Why not.", factories.vocabulary(session))


@pytest.mark.parametrize("step", [decided, changed, withdrawn, ended])
def test_what_another_did_meanwhile_is_read_before_anything_is_done(
    base: Database, step: Callable[[Session, Adoption], None]
) -> None:
    with base.write() as session:
        adoption = said(session)
        gone = update(Adoption).values(withdrawn=datetime.now(UTC))  # as another process would, past this session
        session.execute(gone, execution_options=UNSEEN)
        with pytest.raises(Conflict):
            step(session, adoption)


def locked(session: Session, act: Callable[[], object]) -> str:
    """What something has a server's database lock."""
    said: list[str] = []

    def note(state: object) -> None:
        said.append(str(state.statement.compile(dialect=postgresql.dialect())))  # type: ignore[attr-defined]

    event.listen(session, "do_orm_execute", note)
    act()
    event.remove(session, "do_orm_execute", note)
    return "\n".join(each for each in said if "FOR UPDATE" in each)


@pytest.mark.parametrize("step", [decided, changed, withdrawn])
def test_whoever_writes_an_adoption_has_it_alone(base: Database, step: Callable[[Session, Adoption], None]) -> None:
    with base.write() as session:
        adoption = said(session)
        assert "FROM adoptions" in locked(session, lambda: step(session, adoption))


def test_a_claim_that_another_decided_meanwhile_is_not_decided_again(base: Database) -> None:
    with base.write() as session:
        slug = str(factories.published(session, title="Of nobody").slug)
        claim = claims.make(session, who(session, "charlie"), slug, "Mine.")
        session.flush()
        values = {"accepted": False, "decided": datetime.now(UTC)}
        session.execute(update(Claim).values(**values), execution_options=UNSEEN)
        with pytest.raises(Conflict, match="decided already"):
            claims.decide(session, who(session, "bob"), claim.id, True)


@pytest.mark.parametrize("code", ["ES22", "ES220"])
def test_a_place_with_two_codes_is_counted_once(base: Database, code: str) -> None:
    with base.write() as session:
        decided(session, said(session, region="ES220"))
        factories.published(session, title="Ours", country="ES", region={"code": code}, adapted_from=ENTRY)
        assert count(session) == 1
        assert adoption_trail.regions(adoption_trail.taken_up(session, original(session))) == 1


@pytest.mark.parametrize(("home", "other"), [("ES220", "ES22"), ("ES22", "ES220")])
def test_a_place_with_two_codes_does_not_take_up_its_own_practice(base: Database, home: str, other: str) -> None:
    with base.write() as session:
        factories.published(session, title="From there", country="ES", region={"code": home})
        with pytest.raises(Invalid) as refused:
            said(session, slug="from-there", region=other)
    assert fields(refused) == ["region"]


def test_a_new_status_keeps_the_own_practice_that_was_merged_or_given_away(base: Database) -> None:
    with base.write() as session:
        charlie = who(session, "charlie")
        own = factories.published(session, charlie, title="Ours", **NAVARRA)
        into = factories.published(session, who(session, "alice"), title="Hers", **NAVARRA)
        adoption = said(session, own=str(own.id))
        decided(session, adoption)
        own.owner_id = who(session, "alice").id
        changed(session, adoption, status="running", own=str(own.id))
        assert adoption.own_id == own.id
        merging.merge(session, who(session, "bob"), own, into)
        session.flush()
        now = adoption_checking.own_now(session, adoption)
        assert now is into and into in adoption_checking.choosable(session, charlie, original(session), now)
        changed(session, adoption, status="stopped", own=str(into.id))
        assert adoption.own_id == own.id and not adoption_trail.told_anew(adoption)


def test_what_the_owner_says_of_their_own_practice_goes_to_the_editors(base: Database) -> None:
    with base.write() as session:
        said(session, "alice")
        assert set(mails(session)) == {("adoption-waiting", name) for name in ("bob", "erin", "dora")}


def test_where_the_owners_account_is_closed_the_editors_are_told(base: Database) -> None:
    with base.write() as session:
        who(session, "alice").active = False
        said(session)
        assert {kind for kind, _name in mails(session)} == {"adoption-waiting"}


def test_many_changes_at_once_make_one_mail(base: Database) -> None:
    with base.write() as session:
        adoption = said(session)
        for n in range(5):
            changed(session, adoption, changes=f"Number {n}.")
        assert mails(session).count(("adoption-changed", "alice")) == 1
        session.execute(update(MailMessage).values(sent=datetime.now(UTC)))
        changed(session, adoption, changes="Later.")
        assert mails(session).count(("adoption-changed", "alice")) == 2


def test_what_readers_do_not_see_dates_no_practice_anew(base: Database) -> None:
    with base.write() as session:
        record = original(session).record
        assert record is not None
        before = record.datestamp
        adoption = said(session)
        changed(session, adoption, status="running", changes="Other.")
        decided(session, adoption, accepted=False)
        withdrawn(session, said(session))
        seen = said(session)
        assert record.datestamp == before
        decided(session, seen)
        confirmed = record.datestamp
        changed(session, seen)
        assert before < confirmed == record.datestamp
        changed(session, seen, status="running")
        assert record.datestamp > confirmed


def test_a_confirmed_adoption_whose_contact_was_taken_away_goes_on_without_one(base: Database) -> None:
    nobody = {"role": "", "email": "", "name": "", "consent": False}
    with base.write() as session:
        adoption = said(session)
        with pytest.raises(Invalid):
            changed(session, adoption, contact=nobody)
        decided(session, adoption)
        with pytest.raises(Invalid):
            changed(session, adoption, contact=nobody)
        adoptions.withdraw_contact(session, who(session, "bob"), adoption.id)
        changed(session, adoption, status="running", contact=nobody)
        assert (adoption.status, adoption.contact_email) == ("running", "")


def test_who_took_their_name_away_is_not_named_again_by_another(base: Database) -> None:
    rita = {"role": "Officer", "email": "Rita@example.org", "name": "Rita", "consent": True}
    with base.write() as session:
        adoption = said(session, contact=rita)
        decided(session, adoption)
        adoptions.withdraw_contact(session, who(session, "rita"), adoption.id)
        session.flush()
        with pytest.raises(Invalid, match="does not want to be named") as refused:
            changed(session, adoption, contact=rita)
        assert fields(refused) == ["contact.email"] and adoption.contact_email == ""
        changed(session, adoption, contact=told().contact)
        assert adoption.contact_email == "office@example.net"
