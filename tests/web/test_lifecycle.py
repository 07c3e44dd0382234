"""The pages on which a practice is put away, archived, taken offline, and brought back."""

from __future__ import annotations

import pytest
from werkzeug.test import TestResponse

from kb.models import Practice, State
from kb.services import accounts, moderation, practices
from tests import factories
from tests.conftest import Site, token


def make(site: Site, how: str, **changes: str) -> Practice:
    """A practice of Alice's: a `draft`, `submitted`, `published`, or an `update` of a public one."""
    with site.database.write() as session:
        alice = accounts.get(session, "alice@example.org")
        if how == "update":
            practice = factories.published(session, alice, title="Old")
            practices.save(session, alice, practice, factories.document(title="New"), dict(factories.CONTACT))
        else:
            practice = getattr(factories, how)(session, alice, **changes)
    site.drain()
    return practice


def step(site: Site, who: str, practice: Practice, name: str, **form: str) -> TestResponse:
    client = site.client(who)
    path = f"/{'review' if name in ('archive', 'restore', 'unpublish', 'republish') else 'my/practices'}"
    path += f"/{practice.id}/step/{name}"
    with site.database.read() as session:
        seen = session.get_one(Practice, practice.id).revision_count
    return client.post(path, data={"seen": seen, **form, "csrf_token": token(client, "/account/mail")})


def state(site: Site, practice: Practice) -> State:
    with site.database.read() as session:
        return session.get_one(Practice, practice.id).state


def text(site: Site, path: str, who: str | None = None, status: int = 200) -> str:
    answer = site.client(who).get(path)
    assert answer.status_code == status
    return answer.get_data(as_text=True)


def test_the_form_offers_to_put_a_draft_away_and_a_page_asks_first(site: Site) -> None:
    practice = make(site, "draft", title="Mentors")
    address = f"/my/practices/{practice.id}/step/abandon"
    assert f'href="{address}"' in text(site, f"/my/practices/{practice.id}/edit", "alice")
    page = text(site, address, "alice")
    assert "Mentors" in page and "Put it away" in page and state(site, practice) == State.DRAFT


def test_what_is_put_away_is_folded_at_the_end_of_my_practices(site: Site) -> None:
    practice = make(site, "draft", title="Mentors")
    assert step(site, "alice", practice, "abandon").location == "/my/practices"
    page = text(site, "/my/practices", "alice")
    assert page.index("<details") < page.index("Mentors") < page.index("/step/resume")


def test_what_is_put_away_says_so_and_is_taken_up_again(site: Site) -> None:
    practice = make(site, "draft", title="Mentors")
    step(site, "alice", practice, "abandon")
    page = text(site, f"/my/practices/{practice.id}/edit", "alice")
    assert "It is put away" in page and "/step/resume" in page
    assert step(site, "alice", practice, "resume").location == f"/my/practices/{practice.id}/edit"
    assert state(site, practice) == State.DRAFT


def test_an_update_is_given_up(site: Site) -> None:
    practice = make(site, "update")
    page = text(site, f"/my/practices/{practice.id}/edit", "alice")
    assert "/step/discard-update" in page and "/step/abandon" not in page
    step(site, "alice", practice, "discard-update")
    assert state(site, practice) == State.PUBLISHED
    assert 'value="Old"' in text(site, f"/my/practices/{practice.id}/edit", "alice")


def test_a_submission_can_be_put_away_from_its_page(site: Site) -> None:
    practice = make(site, "submitted")
    assert "/step/abandon" in text(site, f"/my/practices/{practice.id}/edit", "alice")
    step(site, "alice", practice, "abandon")
    assert state(site, practice) == State.WITHDRAWN


def test_the_public_page_offers_editors_alone_to_archive_and_take_offline(site: Site) -> None:
    practice = make(site, "published")
    for who in (None, "rita", "alice"):
        assert "/step/" not in text(site, f"/practices/{practice.slug}", who)
    page = text(site, f"/practices/{practice.slug}", "bob")
    assert "/step/archive" in page and "/step/unpublish" in page


def test_taking_offline_asks_why_beside_the_field(site: Site) -> None:
    practice = make(site, "published")
    answer = step(site, "bob", practice, "unpublish", reason=" ")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422 and 'role="alert"' in page and 'href="#reason"' in page
    assert state(site, practice) == State.PUBLISHED


def test_a_reason_that_is_too_long_is_given_back(site: Site) -> None:
    practice = make(site, "published")
    answer = step(site, "bob", practice, "archive", reason="because " * 300)
    assert answer.status_code == 422 and "because because" in answer.get_data(as_text=True)


def test_what_is_offline_is_gone_from_its_page_lists_and_search_at_once(site: Site) -> None:
    practice = make(site, "published", title="Zebras for nurses")
    assert step(site, "bob", practice, "unpublish", reason="Why.").location == "/review/offline"
    text(site, f"/practices/{practice.slug}", status=404)
    text(site, f"/api/v1/practices/{practice.slug}", status=404)
    assert "Zebras" not in text(site, "/practices") and "Zebras" not in text(site, "/practices?q=nurses")


def test_what_is_offline_is_put_online_again_from_the_list(site: Site) -> None:
    practice = make(site, "published", title="Zebras for nurses")
    step(site, "bob", practice, "unpublish", reason="Why.")
    page = text(site, "/review/offline", "bob")
    assert "Zebras" in page and "/step/republish" in page
    assert step(site, "bob", practice, "republish").location == f"/practices/{practice.slug}"
    assert "Zebras" in text(site, "/practices?q=nurses")


def test_an_archived_practice_keeps_its_page_and_leaves_the_lists(site: Site) -> None:
    practice = make(site, "published", title="Zebras for nurses")
    assert step(site, "bob", practice, "archive").location == f"/practices/{practice.slug}"
    page = text(site, f"/practices/{practice.slug}", "bob")
    assert "Zebras" in page and "/step/restore" in page
    assert "Zebras" not in text(site, "/practices") and "Zebras" not in text(site, "/")
    step(site, "bob", practice, "restore")
    assert "Zebras" in text(site, "/practices")


@pytest.mark.parametrize(("who", "path"), [("alice", "/my/practices/{}/edit"), ("bob", "/review/{}/step/restore")])
def test_an_archived_practice_says_so_to_owner_and_editor(site: Site, who: str, path: str) -> None:
    practice = make(site, "published")
    step(site, "bob", practice, "archive")
    assert "archive" in text(site, path.format(practice.id), who)


def test_the_second_of_two_is_told_that_it_stands_elsewhere(site: Site) -> None:
    practice = make(site, "published")
    step(site, "bob", practice, "archive")
    answer = step(site, "dora", practice, "archive")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409 and "Nothing is changed" in page and "/step/restore" in page


def test_an_unknown_step_is_not_found(site: Site) -> None:
    practice = make(site, "draft")
    for name in ("submit", "x"):
        text(site, f"/my/practices/{practice.id}/step/{name}", "alice", status=404)


def test_the_owner_reads_why_a_submission_was_turned_down(site: Site) -> None:
    practice = make(site, "submitted")
    with site.database.write() as session:
        bob, held = accounts.get(session, "bob@example.org"), session.get_one(Practice, practice.id)
        moderation.reject(session, bob, held, "It is about tourism.")
    page = text(site, f"/my/practices/{practice.id}/edit", "alice")
    assert "It is about tourism." in page and "/step/resume" in page


def test_each_page_of_an_archived_practice_says_since_when(site: Site) -> None:
    practice = make(site, "published")
    step(site, "bob", practice, "archive")
    for page in ("", "/versions", "/versions/1"):
        assert "In the archive since" in text(site, f"/practices/{practice.slug}{page}")
