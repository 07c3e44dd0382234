"""Being named as a contact, and no longer: on the account page, in the form, in a review."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from kb.models import AuditEntry, Practice, User
from kb.services import accounts, practices
from tests import factories
from tests.conftest import Site, token


@pytest.fixture
def practice(site: Site) -> Practice:
    """A public practice of Alice's that names Charlie as its contact, with consent."""
    with site.database.write() as session:
        alice = session.scalars(select(User).where(User.email == "alice@example.org")).one()
        practice = factories.published(session, alice, title="Nurses meet")
        contact: dict[str, Any] = {"role": "Officer", "email": "charlie@example.org", "name": "C. Brown"}
        practices.keep_contact(practice, {**contact, "consent": True})
    site.drain()
    return practice


def text(site: Site, name: str, path: str) -> str:
    return site.client(name).get(path).get_data(as_text=True)


def test_the_person_named_sees_where_and_withdraws(site: Site, practice: Practice) -> None:
    client = site.client("charlie")
    page = text(site, "charlie", "/account")
    assert "Nurses meet" in page and "C. Brown" in page and "consent given on" in page
    data = {"csrf_token": token(client, "/account")}
    assert client.post(f"/account/contacts/{practice.id}/withdraw", data=data).status_code == 302
    page = text(site, "charlie", "/account")
    assert "no longer named" in page and "Nurses meet" not in page
    assert "C. Brown" not in text(site, "alice", f"/practices/{practice.slug}")


def test_whoever_is_named_nowhere_reads_nothing_of_it(site: Site, practice: Practice) -> None:
    assert "named as contact" not in text(site, "rita", "/account")


def test_the_form_says_when_consent_was_given(site: Site, practice: Practice) -> None:
    assert "Given on" in text(site, "alice", f"/my/practices/{practice.id}/edit")


def test_the_form_says_when_it_was_withdrawn(site: Site, practice: Practice) -> None:
    client = site.client("charlie")
    client.post(f"/account/contacts/{practice.id}/withdraw", data={"csrf_token": token(client, "/account")})
    assert "Withdrawn on" in text(site, "alice", f"/my/practices/{practice.id}/edit")


@pytest.mark.parametrize("page", ["/practices/{slug}", "/review/{id}"])
def test_an_editor_removes_the_contact(site: Site, practice: Practice, page: str) -> None:
    address = page.format(slug=practice.slug, id=practice.id)
    bob, action = site.client("bob"), f"/review/{practice.id}/contact"
    assert action in text(site, "bob", address)
    answer = bob.post(action, data={"csrf_token": token(bob, address)})
    assert answer.location == f"/practices/{practice.slug}"
    assert "C. Brown" not in text(site, "bob", address) and action not in text(site, "bob", address)


def test_a_member_is_offered_no_button(site: Site, practice: Practice) -> None:
    page = text(site, "charlie", f"/practices/{practice.slug}")
    assert "C. Brown" in page and f"/review/{practice.id}/contact" not in page


def test_a_changed_contact_is_in_the_audit_log_without_its_words(site: Site) -> None:
    with site.database.write() as session:
        alice = accounts.get(session, "alice@example.org")
        draft = factories.draft(session, alice)
        document = practices.working_copy(session, draft)
        practices.save(session, alice, draft, document, {**factories.CONTACT, "role": "Somebody else"})
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "contact.change")).one()
        assert entry.detail == {}


@pytest.mark.parametrize("page", ["/practices/{slug}", "/review/{id}"])
def test_an_editor_is_asked_before_a_contact_is_removed(site: Site, practice: Practice, page: str) -> None:
    read = text(site, "bob", page.format(slug=practice.slug, id=practice.id))
    folded = read[: read.index(">Remove</button>")].rpartition("<details")[2]
    assert "Remove the contact of “Nurses meet”? The name and address cannot be brought back." in folded


def test_a_reader_is_told_that_members_see_the_contact(site: Site, practice: Practice) -> None:
    page = text(site, "rita", f"/practices/{practice.slug}")
    assert "Members of the network see it; your account is a reader’s" in page and "C. Brown" not in page
