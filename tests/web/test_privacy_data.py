"""A copy of one's data: what is in the file, what is not, and how it is served."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select

from kb.models import AuditEntry, Role, User
from kb.services import accounts, invitations, practices
from tests import factories
from tests.conftest import Site, token

MINE = {**factories.CONTACT, "email": " Alice@Example.org", "name": "Alice Doe", "consent": True}


def file_of(site: Site, name: str = "alice") -> dict[str, Any]:
    client = site.client(name)
    answer = client.post("/account/data", data={"csrf_token": token(client, "/account/data")})
    assert answer.status_code == 200
    held: dict[str, Any] = json.loads(answer.get_data(as_text=True))
    return held


def user(session: Any, name: str) -> User:
    return session.scalars(select(User).where(User.email == f"{name}@example.org")).one()  # type: ignore[no-any-return]


def test_the_file_is_json_for_nobody_elses_cache(site: Site) -> None:
    client = site.client("alice")
    answer = client.post("/account/data", data={"csrf_token": token(client, "/account/data")})
    assert answer.content_type == "application/json"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="my-data-20')


def test_the_file_holds_the_account(site: Site) -> None:
    account = file_of(site)["account"]
    assert account["email"] == "alice@example.org" and account["name"] == "Alice" and account["role"] == "member"
    assert account["password_set"] is True and account["second_factor"] is False


def test_the_file_holds_drafts_with_their_words(site: Site) -> None:
    with site.database.write() as session:
        factories.draft(session, user(session, "alice"), title="Nobody saw this yet")
    [practice] = file_of(site)["practices"]
    assert practice["working_copy"]["title"] == "Nobody saw this yet" and practice["public"] is False
    assert practice["contact"]["name"] == "Sam Doe"


def test_the_file_holds_other_peoples_practices_that_name_the_address_as_contact(site: Site) -> None:
    with site.database.write() as session:
        practice = factories.published(session, user(session, "charlie"), title="Charlie's own")
        practices.keep_contact(practice, MINE)
    held = file_of(site)
    [contact] = held["contacts"]
    assert contact["title"] == "Charlie's own" and contact["name"] == "Alice Doe" and contact["url"]
    assert held["practices"] == []


def test_the_file_holds_what_the_audit_log_says_of_the_person(site: Site) -> None:
    actions = {entry["action"]: entry["yours"] for entry in file_of(site)["audit_entries"]}
    assert actions == {"user.add": False, "user.sign-in": True}


def test_taking_the_file_is_in_the_audit_log(site: Site) -> None:
    file_of(site)
    with site.database.read() as session:
        assert session.scalars(select(AuditEntry.action).where(AuditEntry.action == "user.data")).all() == ["user.data"]


def test_the_file_of_one_person_says_nothing_of_another(site: Site) -> None:
    with site.database.write() as session:
        factories.draft(session, user(session, "charlie"), title="Charlie's secret")
        accounts.new_token(session, "charlie@example.org")
    text = json.dumps(file_of(site))
    assert "Charlie" not in text and "charlie@" not in text


def test_whom_somebody_invited_is_not_in_the_file(site: Site) -> None:
    with site.database.write() as session:
        offer = invitations.Offer(email="eve@example.org", role=Role.MEMBER, name="Eve")
        invitations.invite(session, user(session, "bob"), offer, "http://localhost")
    held = file_of(site, "bob")
    assert held["invitations_sent"][0]["role"] == "member"
    assert "eve@" not in json.dumps(held) and "Eve" not in json.dumps(held)


def test_no_secret_is_in_the_file(site: Site) -> None:
    with site.database.write() as session:
        accounts.new_token(session, "alice@example.org")
        hashed = user(session, "alice").password_hash or ""
    held = file_of(site)
    text = json.dumps(held)
    assert len(held["tokens"]) == 1 and len(held["sessions"]) == 1
    assert hashed not in text and "$argon2" not in text and "hash" not in text


def test_every_table_that_belongs_to_a_person_is_in_the_file(site: Site) -> None:
    """A new table with a person in it has to be thought of here."""
    parts = {
        "users": "account", "user_sessions": "sessions", "api_tokens": "tokens", "one_time_links": "links",
        "half_sign_ins": "half_sign_ins", "recovery_codes": "recovery_codes",
        "invitations": "invitations", "registrations": "registrations",
        "practices": "practices", "revisions": "revisions", "contacts": "contacts", "reviews": "reviews",
        "audit_entries": "audit_entries", "mail_messages": "mail", "comments": "comments",
        "practice_authors": "practice_authors", "offers": "offers", "preview_links": "preview_links",
        "stored_files": "stored_files",
        "last_looks": "last_looks", "reports": "reports", "claims": "claims",
        "mail_texts": "mail_texts", "buffers": "buffers", "saved_searches": "saved_searches",
        "staged_imports": "staged_imports", "harvest_sources": "harvest_sources", "adoptions": "adoptions",
        "shortlist_entries": "shortlist", "transfer_checks": "transfer_checks",
    }  # fmt: skip
    tables = User.metadata.sorted_tables
    personal = {
        table.name
        for table in tables
        if table.name == "users" or any(key.column.table.name == "users" for key in table.foreign_keys)
        or "email" in table.columns
    }  # fmt: skip
    assert personal <= set(parts)
    assert set(parts.values()) <= set(file_of(site))


@pytest.mark.parametrize("name", ["rita", "dora"])
def test_everybody_may_have_their_file(site: Site, name: str) -> None:
    assert file_of(site, name)["account"]["email"] == f"{name}@example.org"
