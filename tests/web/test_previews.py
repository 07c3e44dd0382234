"""Private links: whoever has one reads the draft, for as long as was said, and nothing else learns of it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from kb.models import AuditEntry, Practice, PracticeAuthor, PreviewLink, User
from kb.services import accounts, authors, leaving, lifecycle, merging, practices, previews, redaction, retention
from kb.services.publishing import now
from tests import factories
from tests.conftest import Site, token


@pytest.fixture
def draft(site: Site) -> str:
    """The id of a draft of Alice's."""
    with site.database.write() as session:
        alice = session.scalars(select(User).where(User.email == "alice@example.org")).one()
        return str(factories.draft(session, alice, title="Nurses", actions="Zanzibar *came* first.").id)


def make(site: Site, draft: str, days: str = "14", who: str = "alice") -> TestResponse:
    client = site.client(who)
    path = f"/my/practices/{draft}/sharing/links"
    return client.post(path, data={"days": days, "csrf_token": token(client, "/account")})


def made(site: Site, draft: str, **more: str) -> str:
    """The path of a new private link."""
    found = re.search(r'href="http://[^"/]+(/preview/[\w-]+)"', make(site, draft, **more).text)
    assert found
    return found.group(1)


def end(site: Site, draft: str, who: str = "alice") -> int:
    with site.database.read() as session:
        link_id = session.scalars(select(PreviewLink.id)).one()
    client = site.client(who)
    path = f"/my/practices/{draft}/sharing/links/{link_id}"
    return client.post(path, data={"csrf_token": token(client, "/account")}).status_code


def test_whoever_has_the_link_reads_the_draft_without_an_account(site: Site, draft: str) -> None:
    answer = site.client().get(made(site, draft))
    assert answer.status_code == 200 and "Zanzibar <em>came</em> first." in answer.text
    assert "Draft, private link, until" in answer.text
    assert "read by an editor" not in answer.text  # which is yet to come


def test_the_page_is_kept_by_no_cache_found_by_no_search_engine_and_told_on_by_no_link(site: Site, draft: str) -> None:
    path = made(site, draft)
    answer = site.client().get(path)
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert '<meta name="robots" content="noindex, nofollow">' in answer.text
    assert "Set-Cookie" not in answer.headers
    assert "Disallow: /preview/" in site.client().get("/robots.txt").text


def test_the_contact_is_never_on_it(site: Site, draft: str) -> None:
    path = made(site, draft)
    for who in (None, "alice", "bob"):
        text = site.client(who).get(path).text
        assert "Members of the network see it when they sign in" not in text
        assert factories.CONTACT["email"] not in text and str(factories.CONTACT["name"]) not in text


def test_it_shows_what_is_saved_at_that_moment(site: Site, draft: str) -> None:
    path = made(site, draft)
    with site.database.write() as session:
        found = session.scalars(select(Practice)).one()
        alice = session.scalars(select(User).where(User.email == "alice@example.org")).one()
        practices.save(session, alice, found, factories.document(title="Nurses, again"), None)
    assert "Nurses, again" in site.client().get(path).text


def test_its_pictures_and_documents_are_read_under_the_link_too(site: Site) -> None:
    kept = {"title": "A picture", "url": "/files/" + "a" * 64 + ".png", "media_type": "image/png", "bytes": 10,
            "sha256": "a" * 64}  # fmt: skip
    with site.database.write() as session:
        alice = session.scalars(select(User).where(User.email == "alice@example.org")).one()
        images = [{**kept, "alt": "Nurses at a table", "credit": None}]
        draft = str(factories.draft(session, alice, images=images, attachments=[kept]).id)
    path = made(site, draft)
    text = site.client().get(path).text
    assert f'src="{path}{kept["url"]}"' in text and f'href="{path}{kept["url"]}"' in text


def test_a_draft_with_next_to_nothing_in_it_can_be_shown(site: Site) -> None:
    with site.database.write() as session:
        alice = session.scalars(select(User).where(User.email == "alice@example.org")).one()
        empty = {"title": None, "language": None, "country": None, "level": None, "status": None, "summary": None}
        draft = str(practices.start(session, alice, {**factories.document(), **empty, "region": None,
                                    "lead_organisation": None, "themes": [], "sources": []}, None).id)  # fmt: skip
    answer = site.client().get(made(site, draft))
    assert answer.status_code == 200 and "Without a title" in answer.text


def test_the_address_is_shown_once_and_kept_nowhere(site: Site, draft: str) -> None:
    secret = made(site, draft).rpartition("/")[2]
    page = site.client("alice").get(f"/my/practices/{draft}/sharing").text
    assert secret not in page and "works until" in page
    with site.database.read() as session:
        assert secret not in session.scalars(select(PreviewLink.token_hash)).one()


@pytest.mark.parametrize("days", ["1", "60", " 7 "])
def test_a_link_works_for_as_many_days_as_were_chosen(site: Site, draft: str, days: str) -> None:
    assert make(site, draft, days).status_code == 200
    with site.database.read() as session:
        link = session.scalars(select(PreviewLink)).one()
    assert link.expires - link.created == timedelta(days=int(days))


@pytest.mark.parametrize("days", ["0", "61", "-1", "", "x", "1.5", "²", "9" * 5000])
def test_any_other_number_of_days_is_refused_with_what_was_typed(site: Site, draft: str, days: str) -> None:
    answer = make(site, draft, days)
    assert answer.status_code == 422 and 'role="alert"' in answer.text and f'value="{days}"' in answer.text
    with site.database.read() as session:
        assert session.scalars(select(PreviewLink)).all() == []


def test_a_link_that_was_taken_back_is_gone_at_once(site: Site, draft: str) -> None:
    path = made(site, draft)
    assert end(site, draft) == 302
    answer = site.client().get(path)
    assert answer.status_code == 410 and "Nurses" not in answer.text and "no-store" in answer.headers["Cache-Control"]


def test_a_link_whose_time_is_over_is_gone(site: Site, draft: str) -> None:
    path = made(site, draft)
    with site.database.write() as session:
        session.scalars(select(PreviewLink)).one().expires = now() - timedelta(seconds=1)
    assert site.client().get(path).status_code == 410
    assert "Links that work" not in site.client("alice").get(f"/my/practices/{draft}/sharing").text


def test_a_link_that_nobody_made_is_not_found(site: Site) -> None:
    answer = site.client().get("/preview/" + "x" * 43)
    assert answer.status_code == 404 and answer.headers["Referrer-Policy"] == "no-referrer"


def test_a_text_that_was_removed_is_gone_from_it_too(site: Site, draft: str) -> None:
    path = made(site, draft)
    with site.database.write() as session:
        redaction.empty_revisions(session, session.scalars(select(Practice.id)).one(), "It named a child.")
    assert site.client().get(path).status_code == 410


def test_an_editor_makes_a_link_to_a_submission_and_not_to_a_draft(site: Site, draft: str) -> None:
    assert make(site, draft, who="bob").status_code == 404
    with site.database.write() as session:
        alice = session.scalars(select(User).where(User.email == "alice@example.org")).one()
        sent = str(factories.submitted(session, alice, title="Sent").id)
    assert "Sent" in site.client().get(made(site, sent, who="bob")).text


def test_an_outsider_neither_makes_nor_ends_one(site: Site, draft: str) -> None:
    path = made(site, draft)
    assert make(site, draft, who="charlie").status_code == 404 and end(site, draft, who="charlie") == 404
    assert site.client().get(path).status_code == 200


def test_there_is_an_end_to_links(site: Site, draft: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previews, "MOST", 2)
    assert [make(site, draft).status_code for _ in range(3)] == [200, 200, 409]


def test_making_and_ending_one_is_in_the_audit_log_without_the_address(site: Site, draft: str) -> None:
    made(site, draft)
    end(site, draft)
    actions = ("practice.make-link", "practice.end-link")
    with site.database.read() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action.in_(actions))).all()
    assert [(entry.action, entry.detail) for entry in entries] == [(actions[0], {"days": 14}), (actions[1], {})]


def test_the_links_of_whoever_leaves_end(site: Site) -> None:
    with site.database.write() as session:
        alice = session.scalars(select(User).where(User.email == "alice@example.org")).one()
        sent = str(factories.submitted(session, alice).id)
    path = made(site, sent)
    with site.database.write() as session:
        leaving.leave(session, session.scalars(select(User).where(User.email == "alice@example.org")).one())
    assert site.client().get(path).status_code == 410
    with site.database.read() as session:
        assert session.scalars(select(PreviewLink.maker_id)).one() is None


def test_links_are_forgotten_a_while_after_they_stopped_working(site: Site, draft: str) -> None:
    made(site, draft)
    with site.database.write() as session:
        link = session.scalars(select(PreviewLink)).one()
        assert retention.sweep(session, link.expires + retention.LINKS_KEPT).previews == 0
        assert retention.sweep(session, link.expires + retention.LINKS_KEPT + timedelta(seconds=1)).previews == 1


def leave(session: Session, practice: Practice, author: User) -> None:
    """Alice's co-author is one no more."""
    authors.remove(session, accounts.get(session, "alice@example.org"), practice, author.id)


def demote(session: Session, _practice: Practice, author: User) -> None:
    accounts.set_role(session, author.email, "reader")


def disable(_session: Session, _practice: Practice, author: User) -> None:
    author.active = False


@pytest.mark.parametrize("end_part", [leave, demote, disable])
def test_a_link_works_only_as_long_as_its_maker_may_show_the_practice(
    site: Site, draft: str, end_part: Callable[[Session, Practice, User], None]
) -> None:
    with site.database.write() as session:
        charlie = accounts.get(session, "charlie@example.org")
        session.add(PracticeAuthor(practice_id=uuid.UUID(draft), user_id=charlie.id))
    path = made(site, draft, who="charlie")
    assert site.client().get(path).status_code == 200
    with site.database.write() as session:
        author = accounts.get(session, "charlie@example.org")
        end_part(session, session.get_one(Practice, uuid.UUID(draft)), author)
    answer = site.client().get(path)
    assert answer.status_code == 410 and "Zanzibar" not in answer.text
    assert "may not show this practice now" in answer.text
    assert "Links that work" not in site.client("alice").get(f"/my/practices/{draft}/sharing").text


def test_an_editors_link_to_a_submission_ends_when_it_is_a_draft_again(site: Site) -> None:
    with site.database.write() as session:
        sent = str(factories.submitted(session, accounts.get(session, "alice@example.org"), title="Sent").id)
    path = made(site, sent, who="bob")
    with site.database.write() as session:
        practice = session.get_one(Practice, uuid.UUID(sent))
        practices.withdraw(session, accounts.get(session, "alice@example.org"), practice)
    assert site.client().get(path).status_code == 410


def archive(session: Session, practice: Practice) -> None:
    lifecycle.archive(session, accounts.get(session, "bob@example.org"), practice)


def unpublish(session: Session, practice: Practice) -> None:
    lifecycle.unpublish(session, accounts.get(session, "bob@example.org"), practice, "Wrong.")


def unpublish_an_update(session: Session, practice: Practice) -> None:
    practices.save(session, accounts.get(session, "alice@example.org"), practice, factories.document(title="New"), None)
    unpublish(session, practice)


def merge(session: Session, practice: Practice) -> None:
    other = factories.published(session, title="The same")
    merging.merge(session, accounts.get(session, "bob@example.org"), practice, other)


def redact(session: Session, practice: Practice) -> None:
    redaction.redact(session, accounts.get(session, "dora@example.org"), practice.id, 1, "It named a child.")


@pytest.mark.parametrize("act", [archive, unpublish, unpublish_an_update, merge, redact])
def test_links_to_what_is_taken_from_readers_sight_end_with_a_note(
    site: Site, act: Callable[[Session, Practice], None]
) -> None:
    with site.database.write() as session:
        public = str(factories.published(session, accounts.get(session, "alice@example.org")).id)
    path = made(site, public)
    assert site.client().get(path).status_code == 200
    with site.database.write() as session:
        act(session, session.get_one(Practice, uuid.UUID(public)))
    assert site.client().get(path).status_code == 410
    with site.database.read() as session:
        [entry] = session.scalars(select(AuditEntry).where(AuditEntry.action == "practice.end-link"))
        assert entry.detail == {"number": 1}
        assert session.scalars(select(PreviewLink.withdrawn)).one() is not None


def test_an_editor_sees_the_links_to_a_submission_and_ends_them(site: Site) -> None:
    with site.database.write() as session:
        sent = str(factories.submitted(session, accounts.get(session, "alice@example.org")).id)
    path = made(site, sent)
    assert "Links that work" in site.client("bob").get(f"/my/practices/{sent}/sharing").text
    assert end(site, sent, who="bob") == 302
    assert site.client().get(path).status_code == 410
