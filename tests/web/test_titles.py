"""The title of an update that is being written: whoever may not read the update does not learn it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.models import LinkCheck, MailMessage, Practice, User
from kb.services import accounts, claims, lifecycle, practices, reminding, reports, titles
from kb.services.reports import Said
from tests import factories
from tests.conftest import Site, token

SECRET = "Zanzibar takes over"
REASON = "I coordinate it."


def person(session: Session, name: str) -> User:
    return session.scalars(select(User).where(User.email == f"{name}@example.org")).one()


def updated(session: Session) -> Practice:
    """A public practice of Alice's with an update that she has not sent."""
    alice = person(session, "alice")
    practice = factories.published(session, alice, title="Nurses on bicycles")
    practices.save(session, alice, practice, factories.document(title=SECRET), None)
    return practice


@pytest.fixture
def slug(site: Site) -> str:
    with site.database.write() as session:
        return str(updated(session).slug)


@pytest.mark.parametrize("who", [None, "rita", "charlie", "bob", "dora", "alice"])
@pytest.mark.parametrize("page", ["report", "claim"])
def test_the_forms_beside_a_public_practice_bear_its_public_title(
    site: Site, slug: str, who: str | None, page: str
) -> None:
    text = site.client(who).get(f"/practices/{slug}/{page}", follow_redirects=True).text
    assert SECRET not in text
    assert "Nurses on bicycles" in text or (who is None and page == "claim")


def test_the_thanks_for_a_report_bear_the_public_title(site: Site, slug: str) -> None:
    client = site.client("charlie")
    typed = {"body": "Wrong.", "csrf_token": token(client, "/account")}
    answer = client.post(f"/practices/{slug}/report", data=typed)
    assert answer.status_code == 200 and SECRET not in answer.text and "Nurses on bicycles" in answer.text


def report(session: Session, practice: Practice) -> None:
    reports.make(session, None, str(practice.slug), Said("Wrong.", email="reader@example.org"))


def answer(session: Session, practice: Practice) -> None:
    found = reports.make(session, None, str(practice.slug), Said("Wrong.", email="reader@example.org"))
    reports.close(session, person(session, "bob"), found.id, "Mended.")


def claim(session: Session, practice: Practice) -> None:
    practice.owner_id = None
    claims.make(session, person(session, "charlie"), str(practice.slug), REASON)


def refuse(session: Session, practice: Practice) -> None:
    practice.owner_id = None
    made = claims.make(session, person(session, "charlie"), str(practice.slug), REASON)
    claims.decide(session, person(session, "bob"), made.id, False, "No.")


def remind(session: Session, practice: Practice) -> None:
    practice.owner_id = None
    practice.review_due = datetime.now(UTC).date() - timedelta(days=1)
    session.flush()
    reminding.remind(session, datetime.now(UTC))


def take_offline(session: Session, practice: Practice) -> None:
    """While its author is no member any more."""
    accounts.set_role(session, "alice@example.org", "reader")
    lifecycle.unpublish(session, person(session, "bob"), practice, "Wrong.")


@pytest.mark.parametrize("act", [report, answer, claim, refuse, remind, take_offline])
def test_a_mail_to_who_may_not_read_the_update_bears_the_public_title(
    site: Site, act: Callable[[Session, Practice], None]
) -> None:
    with site.database.write() as session:
        act(session, updated(session))
    with site.database.read() as session:
        said = [str(mail.data) for mail in session.scalars(select(MailMessage))]
    assert any("Nurses on bicycles" in each for each in said) and not any(SECRET in each for each in said)


@pytest.mark.parametrize(
    "path",
    [
        "/review/reports",
        "/review/claims",
        "/review/dashboard?list=stale",
        "/review/dashboard?list=ownerless",
        "/review/dashboard?list=incomplete",
        "/review/dashboard?list=reported",
        "/review/dashboard?list=broken",
        "/review/dashboard?list=claimed",
        "/review/{id}/merge",
        "/review/{other}/merge?into={slug}",
        "/my/practices/{id}/still-correct",
    ],
)
def test_the_editors_pages_bear_the_public_title(site: Site, path: str) -> None:
    with site.database.write() as session:
        practice = updated(session)
        other = factories.published(session, person(session, "charlie"), title="The same nurses")
        report(session, practice)
        owner, practice.owner_id = practice.owner_id, None
        claims.make(session, person(session, "charlie"), str(practice.slug), REASON)
        practice.owner_id = None if "ownerless" in path else owner
        practice.review_due = datetime.now(UTC).date() - timedelta(days=1)
        if practice.record is not None:
            practice.record.completeness = 0.1
        url = factories.document()["sources"][0]["url"]
        now = datetime.now(UTC)
        session.merge(LinkCheck(url=url, checked=now, failures=9, error="Not found.", status=404))
        address = path.format(id=practice.id, other=other.id, slug=practice.slug)
    answer = site.client("bob").get(address)
    assert answer.status_code == 200 and "Nurses on bicycles" in answer.text and SECRET not in answer.text


def test_the_list_of_practices_to_give_away_bears_the_public_title(site: Site) -> None:
    with site.database.write() as session:
        updated(session)
    text = site.client("bob").get("/review/reassign?owner=alice").text
    assert "Nurses on bicycles" in text and SECRET not in text


def test_a_report_of_a_practice_that_went_offline_bears_the_title_that_was_public(site: Site) -> None:
    with site.database.write() as session:
        practice = updated(session)
        report(session, practice)
        lifecycle.unpublish(session, person(session, "bob"), practice, "Wrong.")
    for path in ("/review/reports", "/review/dashboard?list=reported"):
        text = site.client("bob").get(path).text
        assert "Nurses on bicycles" in text and SECRET not in text


def test_an_update_is_called_by_its_own_title_for_its_author_alone(site: Site) -> None:
    with site.database.write() as session:
        practice = updated(session)
        assert titles.known(session, person(session, "alice"), practice) == SECRET
        for who in (None, *(person(session, name) for name in ("bob", "charlie", "dora", "rita"))):
            assert titles.known(session, who, practice) == "Nurses on bicycles"
