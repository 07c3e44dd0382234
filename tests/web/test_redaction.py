"""Versions at addresses of their own, and what readers find of one whose text was taken away."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from kb.models import Practice, User
from kb.services import practices, publishing, vocabularies
from kb.services.checking import check
from tests import factories
from tests.conftest import Site, token

WHY = "It named a child."


@pytest.fixture
def practice(site: Site) -> Practice:
    """Published twice."""
    with site.database.write() as session:
        alice = session.scalars(select(User).where(User.email == "alice@example.org")).one()
        practice = factories.published(session, alice, title="Nurses, first", actions="Zanzibar came first.")
        changed = factories.document(title="Nurses, second", actions="Xylophones came second.")
        practices.save(session, alice, practice, changed, factories.CONTACT)
        publishing.publish(session, practice, check(changed, vocabularies.load(session)))
        session.flush()
    site.drain()
    return practice


def redact(site: Site, practice: Practice, **fields: str) -> TestResponse:
    client, path = site.client("dora"), f"/admin/practices/{practice.id}/redact"
    answer = client.post(path, data={**fields, "csrf_token": token(client, path)})
    site.drain()
    return answer


def get(site: Site, path: str, who: str | None = None) -> tuple[int, str]:
    answer = site.client(who).get(path)
    return answer.status_code, answer.get_data(as_text=True)


def test_an_old_version_says_which_it_is_and_is_not_indexed(site: Site, practice: Practice) -> None:
    status, text = get(site, f"/practices/{practice.slug}/versions/1")
    assert status == 200 and "Zanzibar" in text and "Xylophones" not in text
    assert "This is version 1 of 2" in text and 'content="noindex"' in text
    assert f'href="/practices/{practice.slug}"' in text


def test_the_newest_version_says_so_and_may_be_indexed(site: Site, practice: Practice) -> None:
    status, text = get(site, f"/practices/{practice.slug}/versions/2")
    assert status == 200 and "Xylophones" in text and "the newest" in text and "noindex" not in text


def test_a_version_speaks_the_readers_language_of_the_page(site: Site, practice: Practice) -> None:
    assert get(site, f"/practices/{practice.slug}/versions/1?lang=en")[0] == 200


@pytest.mark.parametrize("number", ["0", "3", "99999999999999999999", "x"])
def test_a_version_that_there_is_not_is_not_found(site: Site, practice: Practice, number: str) -> None:
    assert get(site, f"/practices/{practice.slug}/versions/{number}")[0] == 404


def test_the_page_of_a_practice_leads_to_its_versions(site: Site, practice: Practice) -> None:
    assert f"/practices/{practice.slug}/versions" in get(site, f"/practices/{practice.slug}")[1]
    text = get(site, f"/practices/{practice.slug}/versions")[1]
    assert text.index("versions/2") < text.index("versions/1")


def test_only_administrators_are_offered_to_remove_a_text(site: Site, practice: Practice) -> None:
    for page in (f"/practices/{practice.slug}/versions", f"/practices/{practice.slug}/versions/1"):
        assert "/redact" in get(site, page, "dora")[1]
        assert "/redact" not in get(site, page, "bob")[1]


def test_the_form_knows_which_version_it_was_opened_for(site: Site, practice: Practice) -> None:
    text = get(site, f"/admin/practices/{practice.id}/redact?version=1", "dora")[1]
    assert '<option value="1" selected>' in text


def test_an_old_version_is_gone_with_the_reason(site: Site, practice: Practice) -> None:
    assert redact(site, practice, version="1", reason=WHY).location == f"/practices/{practice.slug}/versions"
    status, text = get(site, f"/practices/{practice.slug}/versions/1")
    assert status == 410 and WHY in text and "Zanzibar" not in text
    assert get(site, f"/practices/{practice.slug}")[0] == 200
    listed = get(site, f"/practices/{practice.slug}/versions")[1]
    assert WHY in listed and "versions/1" not in listed


def test_with_its_newest_version_a_practice_is_gone_everywhere(site: Site, practice: Practice) -> None:
    redact(site, practice, version="2", reason=WHY)
    for path in ("", "/versions", "/versions/1", "/versions/2"):
        status, text = get(site, f"/practices/{practice.slug}{path}")
        assert status == 410 and WHY in text and "Xylophones" not in text
    answer = site.client().get(f"/api/v1/practices/{practice.slug}")
    assert answer.status_code == 410 and WHY in answer.get_json()["detail"]
    assert site.client().get("/api/v1/practices?q=xylophones").get_json()["total"] == 0
    assert "Nurses, second" not in get(site, "/practices")[1]


def test_its_author_finds_no_text_either(site: Site, practice: Practice) -> None:
    redact(site, practice, version="2", reason=WHY)
    assert get(site, "/my/practices", "alice")[0] == 200
    status, text = get(site, f"/my/practices/{practice.id}/edit", "alice")
    assert status == 200 and "Xylophones" not in text


def test_a_form_without_a_reason_keeps_what_was_chosen(site: Site, practice: Practice) -> None:
    answer = redact(site, practice, version="1", reason="")
    text = answer.get_data(as_text=True)
    assert answer.status_code == 422 and "Say why" in text and '<option value="1" selected>' in text


def test_the_same_version_twice_is_a_conflict(site: Site, practice: Practice) -> None:
    redact(site, practice, version="1", reason=WHY)
    assert redact(site, practice, version="1", reason=WHY).status_code == 409


def test_the_reason_is_shown_as_it_was_written(site: Site, practice: Practice) -> None:
    redact(site, practice, version="1", reason="100% <b>wrong</b> %(number)s")
    assert "100% &lt;b&gt;wrong&lt;/b&gt; %(number)s" in get(site, f"/practices/{practice.slug}/versions/1")[1]
