"""Merging duplicates on the pages: choosing, both side by side, redirects of every address, undoing."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import select

from kb.models import Practice, PracticeAuthor
from kb.services import accounts, lifecycle
from tests import factories
from tests.conftest import Site, token

OLD, NEW = "nurse-mentors", "mentors-for-nurses"


@pytest.fixture
def ids(site: Site) -> dict[str, uuid.UUID]:
    """Alice's duplicate and Charlie's, which stays."""
    with site.database.write() as session:
        alice, charlie = (accounts.get(session, f"{name}@example.org") for name in ("alice", "charlie"))
        sources = [{"title": "Report <1>", "url": "https://example.org/report"}]
        made = [factories.published(session, alice, title="Nurse mentors", sources=sources),
                factories.published(session, charlie, title="Mentors for nurses")]  # fmt: skip
        ids = {str(each.slug): each.id for each in made}
    site.drain()
    return ids


def merge(site: Site, ids: dict[str, uuid.UUID], **data: str) -> int:
    bob, path = site.client("bob"), f"/review/{ids[OLD]}/merge"
    return bob.post(path, data={"csrf_token": token(bob, path), "into": NEW, **data}).status_code


def undo(site: Site, ids: dict[str, uuid.UUID]) -> int:
    bob = site.client("bob")
    data = {"csrf_token": token(bob, f"/review/{ids[OLD]}/merge")}
    return bob.post(f"/review/{ids[OLD]}/unmerge", data=data).status_code


def test_editors_find_the_way_from_the_practice(site: Site, ids: dict[str, uuid.UUID]) -> None:
    link = f'href="/review/{ids[OLD]}/merge"'
    assert link in site.client("bob").get(f"/practices/{OLD}").text
    assert link not in site.client("alice").get(f"/practices/{OLD}").text


def test_likely_duplicates_are_offered(site: Site, ids: dict[str, uuid.UUID]) -> None:
    page = site.client("bob").get(f"/review/{ids[OLD]}/merge").text
    assert "Is it one of these?" in page and f"/review/{ids[OLD]}/merge?into={NEW}" in page


def test_words_of_a_title_find_practices_to_choose_from(site: Site, ids: dict[str, uuid.UUID]) -> None:
    page = site.client("bob").get(f"/review/{ids[OLD]}/merge?into=mentors").text
    assert f"?into={NEW}" in page and 'action="/review' in page


def test_both_stand_side_by_side_before_anything_happens(site: Site, ids: dict[str, uuid.UUID]) -> None:
    page = site.client("bob").get(f"/review/{ids[OLD]}/merge?into=/practices/{NEW}").text
    assert "Both side by side" in page and "Report &lt;1&gt;" in page and "becomes a co-author" in page
    assert site.client().get(f"/practices/{OLD}").status_code == 200


@pytest.mark.parametrize(
    ("address", "leads"),
    [
        (f"/practices/{OLD}", f"/practices/{NEW}"),
        (f"/practices/{OLD}/versions", f"/practices/{NEW}/versions"),
        (f"/practices/{OLD}/versions/1", f"/practices/{NEW}"),
        (f"/practices/{OLD}/report", f"/practices/{NEW}/report"),
        (f"/api/v1/practices/{OLD}", f"/api/v1/practices/{NEW}"),
    ],
)
def test_every_address_of_the_merged_one_leads_to_the_other(
    site: Site, ids: dict[str, uuid.UUID], address: str, leads: str
) -> None:
    assert merge(site, ids) == 302
    answer = site.client().get(address)
    assert (answer.status_code, answer.headers["Location"]) == (301, leads)


def test_a_report_that_was_being_written_reaches_the_other(site: Site, ids: dict[str, uuid.UUID]) -> None:
    client, path = site.client("rita"), f"/practices/{OLD}/report"
    data = {"csrf_token": token(client, path), "body": "Wrong year"}
    merge(site, ids)
    answer = client.post(path, data=data)
    assert (answer.status_code, answer.headers["Location"]) == (308, f"/practices/{NEW}/report")
    assert client.post(answer.headers["Location"], data=data).status_code == 200


def test_search_finds_the_one_that_stays_alone(site: Site, ids: dict[str, uuid.UUID]) -> None:
    merge(site, ids)
    site.drain()
    found = site.client().get("/api/v1/practices?q=nurses").get_json()
    assert [item["slug"] for item in found["items"]] == [NEW]
    undo(site, ids)
    site.drain()
    assert site.client().get("/api/v1/practices?q=nurses").get_json()["total"] == 2


def test_what_the_other_lacks_is_taken_over_where_asked(site: Site, ids: dict[str, uuid.UUID]) -> None:
    assert merge(site, ids, take="y") == 302
    assert "Report &lt;1&gt;" in site.client("charlie").get(f"/my/practices/{ids[NEW]}/edit").text
    with site.database.read() as session:
        assert session.scalars(select(PracticeAuthor.practice_id)).all() == [ids[NEW]]


def test_a_merge_into_nothing_is_refused_with_a_sentence(site: Site, ids: dict[str, uuid.UUID]) -> None:
    bob, path = site.client("bob"), f"/review/{ids[OLD]}/merge"
    answer = bob.post(path, data={"csrf_token": token(bob, path), "into": "nowhere"})
    assert answer.status_code == 409 and "Choose the practice that it goes into." in answer.text
    assert 'value="nowhere"' in answer.text


def test_an_editor_undoes_it(site: Site, ids: dict[str, uuid.UUID]) -> None:
    merge(site, ids)
    assert "Undo the merge" in site.client("bob").get(f"/review/{ids[OLD]}/merge").text
    assert "Undo the merge" in site.client("bob").get(f"/review/{ids[NEW]}/merge").text
    assert undo(site, ids) == 302
    assert site.client().get(f"/practices/{OLD}").status_code == 200
    assert undo(site, ids) == 409


def test_a_merged_practice_is_still_its_owners_to_read(site: Site, ids: dict[str, uuid.UUID]) -> None:
    merge(site, ids)
    assert site.client("alice").get(f"/my/practices/{ids[OLD]}/edit").status_code == 200
    with site.database.read() as session:
        assert session.get_one(Practice, ids[OLD]).merged_into_id == ids[NEW]


def test_what_was_adapted_from_the_merged_one_names_and_links_the_one_that_stays(
    site: Site, ids: dict[str, uuid.UUID]
) -> None:
    with site.database.write() as session:
        adapted = factories.published(session, title="Adapted", adapted_from=[{"slug": OLD, "changes": "Smaller"}])
        slug = adapted.slug
    merge(site, ids)
    assert f'<a href="/practices/{OLD}">Mentors for nurses</a>' in site.client().get(f"/practices/{slug}").text


def test_an_archived_practice_offers_no_report_and_no_merge(site: Site, ids: dict[str, uuid.UUID]) -> None:
    with site.database.write() as session:
        bob = accounts.get(session, "bob@example.org")
        lifecycle.archive(session, bob, session.get_one(Practice, ids[NEW]))
    page = site.client("bob").get(f"/practices/{NEW}").text
    assert "/report" not in page and "/merge" not in page
