"""The administrators' page of mail: what waits and why, trying again, giving up; never what a mail says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from kb.models import AuditEntry, MailMessage
from kb.services import mail
from tests.conftest import Site, token

SECRET = "not-for-your-eyes"


def tell(site: Site, address: str = "nora@example.org", **state: Any) -> int:
    """A mail in the outbox, in some state."""
    with site.database.write() as session:
        message = mail.tell(session, "reset", address, url=f"/reset/{SECRET}")
        assert message is not None
        for name, value in state.items():
            setattr(message, name, value)
        session.flush()
        return message.id


def row(site: Site, key: int) -> MailMessage:
    with site.database.read() as session:
        return session.get_one(MailMessage, key)


def page(site: Site) -> str:
    return site.client("dora").get("/admin/mail").get_data(as_text=True)


def act(site: Site, key: int, do: str) -> str:
    """Press a button; returns the page that comes."""
    dora = site.client("dora")
    data = {"do": do, "csrf_token": token(dora, "/admin/mail")}
    return dora.post(f"/admin/mail/{key}", data=data, follow_redirects=True).get_data(as_text=True)


def test_an_administrator_sees_what_waits_and_why_but_not_what_it_says(site: Site) -> None:
    tell(site, attempts=3, error="The mail server turned us away. (554)", due=datetime(2031, 5, 6, 7, 8, tzinfo=UTC))
    text = page(site)
    for shown in ("nora@example.org", "3 attempts", "The mail server turned us away. (554)", "6 May 2031, 07:08 UTC"):
        assert shown in text
    assert SECRET not in text


def test_what_was_given_up_and_what_was_sent_are_apart(site: Site) -> None:
    now = datetime.now(UTC)
    tell(site, "gone@example.org", failed=now, error="The mail server refused the recipient. (550)")
    tell(site, "done@example.org", sent=now, data={})
    text = page(site)
    places = [text.index(words) for words in ('id="failed"', "gone@example.org", 'id="sent"', "done@example.org")]
    assert places == sorted(places) and SECRET not in text


def test_trying_again_makes_it_due_at_once(site: Site) -> None:
    key = tell(site, attempts=3, due=datetime.now(UTC) + timedelta(hours=1))
    assert "tried again at once" in act(site, key, "retry")
    assert site.parts.postman.deliver().sent == 1


def test_what_was_given_up_can_be_tried_again(site: Site) -> None:
    key = tell(site, failed=datetime.now(UTC), due=datetime.now(UTC) + timedelta(hours=1))
    act(site, key, "retry")
    assert row(site, key).failed is None
    assert site.parts.postman.deliver().sent == 1


def test_giving_up_forgets_the_text_and_sends_nothing(site: Site) -> None:
    key = tell(site)
    assert "given up" in act(site, key, "give-up")
    assert row(site, key).data == {} and row(site, key).failed is not None
    assert site.parts.postman.deliver().sent == 0
    assert "cannot be sent again" in act(site, key, "retry")
    assert row(site, key).failed is not None


def test_what_was_sent_meanwhile_stays_sent(site: Site) -> None:
    key = tell(site)
    site.parts.postman.deliver()
    assert "sent meanwhile" in act(site, key, "give-up")
    assert row(site, key).failed is None


def test_what_is_being_sent_at_this_moment_is_left_alone(site: Site) -> None:
    key = tell(site, claimed=datetime.now(UTC) + timedelta(minutes=5))
    assert "at this moment" in act(site, key, "give-up")
    assert row(site, key).failed is None


def test_what_an_administrator_does_is_in_the_audit_log_without_the_address(site: Site) -> None:
    key = tell(site)
    act(site, key, "retry")
    act(site, key, "give-up")
    with site.database.read() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.object_kind == "mail")).all()
    assert [(entry.action, entry.object_id) for entry in entries] == [
        ("mail.retry", str(key)),
        ("mail.give-up", str(key)),
    ]
    assert all("@" not in str(entry.detail) for entry in entries)


def test_a_button_without_its_token_does_nothing(site: Site) -> None:
    key = tell(site)
    site.client("dora").post(f"/admin/mail/{key}", data={"do": "give-up"})
    assert row(site, key).failed is None


def test_a_kind_that_this_release_does_not_know_is_shown_all_the_same(site: Site) -> None:
    key = tell(site)
    with site.database.write() as session:
        session.execute(update(MailMessage).where(MailMessage.id == key).values(kind="later-invention"))
    assert "later-invention" in page(site)


def test_a_long_outbox_is_counted_and_cut(site: Site) -> None:
    for _ in range(101):
        tell(site)
    assert "(101)" in page(site) and "Only the next 100 are listed." in page(site)
