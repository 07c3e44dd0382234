"""History: whoever writes or edits a practice sees every text that was kept, and brings one back."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from kb.models import AuditEntry, Practice, Revision, State, User
from kb.services import history as service
from kb.services import moderation, practices, redaction, vocabularies
from tests import factories
from tests.conftest import Site, token


def save(site: Site, practice_id: uuid.UUID, **fields: str) -> None:
    with site.database.write() as session:
        practice = session.get_one(Practice, practice_id)
        alice = session.scalars(select(User).where(User.email == "alice@example.org")).one()
        practices.save(session, alice, practice, factories.document(**fields), None)


@pytest.fixture
def draft(site: Site) -> uuid.UUID:
    """A draft of Alice's that was saved three times."""
    with site.database.write() as session:
        alice = session.scalars(select(User).where(User.email == "alice@example.org")).one()
        draft = factories.draft(session, alice, actions="Pairs meet weekly.").id
    save(site, draft, actions="Pairs of nurses meet weekly.")
    save(site, draft, actions="Groups meet daily.", status="pilot")
    return draft


def get(site: Site, who: str, path: str) -> tuple[int, str]:
    answer = site.client(who).get(path)
    return answer.status_code, answer.get_data(as_text=True)


def restore(site: Site, draft: uuid.UUID, number: int, who: str = "alice", **fields: str) -> TestResponse:
    client, path = site.client(who), f"/my/practices/{draft}/history/{number}"
    return client.post(path, data={"seen": "3", **fields, "csrf_token": token(client, f"/my/practices/{draft}/edit")})


def working_copy(site: Site, practice_id: uuid.UUID) -> str:
    with site.database.read() as session:
        return str(practices.working_copy(session, session.get_one(Practice, practice_id))["actions"])


def test_each_text_is_listed_with_who_kept_it_and_what_it_changed(site: Site, draft: uuid.UUID) -> None:
    status, text = get(site, "alice", f"/my/practices/{draft}/history")
    assert status == 200 and text.count("by Alice") == 3
    assert "1 field changed: What was done" in text and "2 fields changed: Status and What was done" in text


def test_ones_practices_lead_to_their_history(site: Site, draft: uuid.UUID) -> None:
    assert f'href="/my/practices/{draft}/history"' in get(site, "alice", "/my/practices")[1]


def test_two_texts_are_compared_word_by_word(site: Site, draft: uuid.UUID) -> None:
    _status, text = get(site, "alice", f"/my/practices/{draft}/history/1...2")
    assert 'Pairs <ins><span class="visually-hidden">Added: </span>of nurses </ins>meet weekly.' in text


def test_two_texts_are_chosen_without_javascript(site: Site, draft: uuid.UUID) -> None:
    answer = site.client("alice").get(f"/my/practices/{draft}/history?from=3&to=1")
    assert answer.location == f"/my/practices/{draft}/history/1...3"


@pytest.mark.parametrize("which", ["4", "0", "99999999999999999999", "1...4", "0...1"])
def test_a_text_that_was_never_kept_is_not_found(site: Site, draft: uuid.UUID, which: str) -> None:
    assert get(site, "alice", f"/my/practices/{draft}/history/{which}")[0] == 404


def test_an_earlier_text_is_shown_whole(site: Site, draft: uuid.UUID) -> None:
    status, text = get(site, "alice", f"/my/practices/{draft}/history/1")
    assert status == 200 and "Pairs meet weekly." in text and "Bring this text back" in text


def test_the_newest_text_needs_not_be_brought_back(site: Site, draft: uuid.UUID) -> None:
    assert "Bring this text back" not in get(site, "alice", f"/my/practices/{draft}/history/3")[1]


def test_an_earlier_text_becomes_a_new_draft_and_nothing_is_lost(site: Site, draft: uuid.UUID) -> None:
    answer = restore(site, draft, 1)
    assert answer.status_code == 302 and answer.location == f"/my/practices/{draft}/edit"
    assert working_copy(site, draft) == "Pairs meet weekly."
    with site.database.read() as session:
        numbers = session.scalars(select(Revision.number).where(Revision.practice_id == draft)).all()
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "practice.restore-text")).all()
    assert sorted(numbers) == [1, 2, 3, 4]
    assert [entry.detail for entry in entries] == [{"revision": 1}]


def test_a_newer_text_of_somebody_else_is_not_written_over(site: Site, draft: uuid.UUID) -> None:
    save(site, draft, actions="Written meanwhile.")
    assert restore(site, draft, 1).status_code == 409
    assert working_copy(site, draft) == "Written meanwhile."


def test_without_saying_what_was_seen_nothing_is_brought_back(site: Site, draft: uuid.UUID) -> None:
    assert restore(site, draft, 1, seen="").status_code == 409


def test_bringing_back_what_stands_there_changes_nothing(site: Site, draft: uuid.UUID) -> None:
    assert restore(site, draft, 3).status_code == 302
    with site.database.read() as session:
        assert session.get_one(Practice, draft).revision_count == 3


def test_the_contact_is_not_part_of_a_text(site: Site, draft: uuid.UUID) -> None:
    restore(site, draft, 1)
    with site.database.read() as session:
        assert practices.contact_of(session.get_one(Practice, draft))["email"] == factories.CONTACT["email"]


def test_the_text_of_a_public_practice_brought_back_starts_an_update(site: Site, draft: uuid.UUID) -> None:
    with site.database.write() as session:
        practice = session.get_one(Practice, draft)
        alice, bob = (
            session.scalars(select(User).where(User.email == f"{name}@example.org")).one() for name in ("alice", "bob")
        )
        practices.submit(session, alice, practice, vocabularies.load(session))
        moderation.take(session, bob, practice)
        moderation.publish(session, bob, practice, vocabularies.load(session))
    site.drain()
    assert restore(site, draft, 1, seen="5").status_code == 302
    with site.database.read() as session:
        practice = session.get_one(Practice, draft)
        assert practice.state == State.DRAFT and practice.record is not None
        assert practice.record.actions == "Groups meet daily."


def test_an_editor_sees_the_texts_behind_a_submission_and_brings_none_back(site: Site, draft: uuid.UUID) -> None:
    with site.database.write() as session:
        alice = session.scalars(select(User).where(User.email == "alice@example.org")).one()
        practices.submit(session, alice, session.get_one(Practice, draft), vocabularies.load(session))
    status, text = get(site, "bob", f"/my/practices/{draft}/history/1")
    assert status == 200 and "Pairs meet weekly." in text and "Bring this text back" not in text
    assert "Submitted" in get(site, "bob", f"/my/practices/{draft}/history")[1]
    assert restore(site, draft, 1, who="bob", seen="4").status_code == 403


def test_nobody_else_sees_anything_of_it(site: Site, draft: uuid.UUID) -> None:
    for who in ("charlie", "bob", "rita"):
        for path in ("", "/1", "/1...2"):
            assert get(site, who, f"/my/practices/{draft}/history{path}")[0] == 404


def test_a_removed_text_is_gone_and_cannot_be_brought_back(site: Site, draft: uuid.UUID) -> None:
    with site.database.write() as session:
        redaction.empty_revisions(session, draft, "It named a child.", Revision.number == 1)
    _status, text = get(site, "alice", f"/my/practices/{draft}/history")
    assert "It named a child." in text and f'href="/my/practices/{draft}/history/1"' not in text
    for path in ("1", "1...2"):
        status, text = get(site, "alice", f"/my/practices/{draft}/history/{path}")
        assert status == 410 and "It named a child." in text
    assert restore(site, draft, 1).status_code == 410


def test_a_mended_text_says_so_with_the_note_to_its_author(site: Site, draft: uuid.UUID) -> None:
    with site.database.write() as session:
        revision = session.scalars(select(Revision).where(Revision.number == 3)).one()
        revision.mended, revision.note = True, "A slip in the second line."
    _status, text = get(site, "alice", f"/my/practices/{draft}/history")
    assert "Mended by an editor" in text and "A slip in the second line." in text


def test_a_long_history_has_pages_and_no_difference_is_missing_between_them(site: Site, draft: uuid.UUID) -> None:
    with site.database.write() as session:
        practice = session.get_one(Practice, draft)
        alice = session.scalars(select(User).where(User.email == "alice@example.org")).one()
        for n in range(service.PER_PAGE):
            practices.save(session, alice, practice, factories.document(actions=f"Text {n}."), None)
    with site.database.read() as session:
        practice = session.get_one(Practice, draft)
        alice = session.scalars(select(User).where(User.email == "alice@example.org")).one()
        pages = [service.page(session, alice, practice, number) for number in (1, 2)]
    assert [len(page.items) for page in pages] == [service.PER_PAGE, 3]
    assert [step.revision.number for page in pages for step in page.items if step.changed is None] == [1]
