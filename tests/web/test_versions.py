"""Versions: what each changed, any two beside each other, and what the archive keeps."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from kb.models import Practice, State, User
from kb.services import practices, publishing, redaction, vocabularies
from kb.services.checking import check
from tests import factories
from tests.conftest import Site

FIRST = {"actions": "Pairs meet weekly.", "status": "pilot"}
SECOND = {"actions": "Pairs of nurses meet weekly.", "status": "running"}
THIRD = {"actions": "Pairs of nurses meet daily.", "status": "running"}


@pytest.fixture
def slug(site: Site) -> str:
    """Of a practice that was published three times."""
    with site.database.write() as session:
        alice = session.scalars(select(User).where(User.email == "alice@example.org")).one()
        practice = factories.published(session, alice, title="Nurses", **FIRST)
        for fields in (SECOND, THIRD):
            again = factories.document(title="Nurses", **fields)
            practices.save(session, alice, practice, again, factories.CONTACT)
            publishing.publish(session, practice, check(again, vocabularies.load(session)))
            session.flush()
        slug = str(practice.slug)
    site.drain()
    return slug


def get(site: Site, path: str) -> tuple[int, str]:
    answer = site.client().get(path)
    return answer.status_code, answer.get_data(as_text=True)


def archive(site: Site, slug: str) -> None:
    with site.database.write() as session:
        practice = session.scalars(select(Practice).where(Practice.slug == slug)).one()
        publishing.unpublish(session, practice)
        practice.state = State.ARCHIVED
    site.drain()


def redact(site: Site, slug: str, number: int) -> None:
    with site.database.write() as session:
        dora = session.scalars(select(User).where(User.email == "dora@example.org")).one()
        practice = session.scalars(select(Practice).where(Practice.slug == slug)).one()
        redaction.redact(session, dora, practice.id, number, "It named a child.")
    site.drain()


def test_the_list_says_what_each_version_changed(site: Site, slug: str) -> None:
    _status, text = get(site, f"/practices/{slug}/versions")
    assert "2 fields changed: Status and What was done" in text and "1 field changed: What was done" in text
    assert f'href="/practices/{slug}/versions/1...2"' in text


def test_drafts_are_not_listed(site: Site, slug: str) -> None:
    _status, text = get(site, f"/practices/{slug}/versions")
    assert text.count("published on") == 3


def test_two_versions_are_compared_word_by_word(site: Site, slug: str) -> None:
    status, text = get(site, f"/practices/{slug}/versions/1...2")
    assert status == 200
    assert 'Pairs <ins><span class="visually-hidden">Added: </span>of nurses </ins>meet weekly.' in text
    assert '<del><span class="visually-hidden">Removed: </span>Pilot</del>' in text
    assert '<ins><span class="visually-hidden">Added: </span>Running</ins>' in text


def test_two_versions_need_not_be_neighbours(site: Site, slug: str) -> None:
    _status, text = get(site, f"/practices/{slug}/versions/1...3")
    assert "2 fields changed" in text


def test_a_difference_is_not_indexed(site: Site, slug: str) -> None:
    assert '<meta name="robots" content="noindex">' in get(site, f"/practices/{slug}/versions/1...2")[1]


def test_the_newer_one_first_leads_to_the_address_with_the_older_first(site: Site, slug: str) -> None:
    answer = site.client().get(f"/practices/{slug}/versions/3...1")
    assert answer.status_code == 302 and answer.location == f"/practices/{slug}/versions/1...3"


def test_a_version_does_not_differ_from_itself(site: Site, slug: str) -> None:
    status, text = get(site, f"/practices/{slug}/versions/2...2")
    assert status == 200 and "They say the same in every field." in text


@pytest.mark.parametrize("two", ["1...4", "0...1", "9...9", "1...99999999999999999999", "1...x", "x...1"])
def test_a_difference_with_a_version_that_there_is_not_is_not_found(site: Site, slug: str, two: str) -> None:
    assert get(site, f"/practices/{slug}/versions/{two}")[0] == 404


def test_a_difference_of_an_unknown_practice_is_not_found(site: Site) -> None:
    assert get(site, "/practices/nowhere/versions/1...2")[0] == 404


@pytest.mark.parametrize("two", ["1...2", "2...3", "2...2"])
def test_a_difference_with_a_redacted_version_is_gone_with_the_reason(site: Site, slug: str, two: str) -> None:
    redact(site, slug, 2)
    status, text = get(site, f"/practices/{slug}/versions/{two}")
    assert status == 410 and "It named a child." in text and "nurses meet" not in text


def test_the_list_says_nothing_of_what_a_redacted_version_changed(site: Site, slug: str) -> None:
    redact(site, slug, 2)
    _status, text = get(site, f"/practices/{slug}/versions")
    assert "changed:" not in text and "It named a child." in text
    assert '<option value="2"' not in text


def test_two_are_chosen_without_javascript(site: Site, slug: str) -> None:
    answer = site.client().get(f"/practices/{slug}/versions?from=3&to=1")
    assert answer.status_code == 302 and answer.location == f"/practices/{slug}/versions/1...3"


@pytest.mark.parametrize("query", ["from=x&to=1", "from=1", "to=2", "from=-1&to=1", "from=&to="])
def test_a_choice_that_is_none_is_not_found(site: Site, slug: str, query: str) -> None:
    assert get(site, f"/practices/{slug}/versions?{query}")[0] == 404


def test_one_version_has_nothing_to_be_compared_with(site: Site) -> None:
    with site.database.write() as session:
        slug = factories.published(session).slug
    assert "<select" not in get(site, f"/practices/{slug}/versions")[1].partition("<main")[2]


def test_an_archived_practice_stays_readable_and_says_so(site: Site, slug: str) -> None:
    archive(site, slug)
    status, text = get(site, f"/practices/{slug}")
    assert status == 200 and "In the archive since" in text and "Pairs of nurses meet daily." in text


def test_an_archived_practice_is_in_no_list(site: Site, slug: str) -> None:
    archive(site, slug)
    assert f"/practices/{slug}" not in get(site, "/practices")[1]


@pytest.mark.parametrize("path", ["versions", "versions/1...3", "versions/1", "versions/3"])
def test_the_versions_of_an_archived_practice_stay_readable(site: Site, slug: str, path: str) -> None:
    archive(site, slug)
    status, text = get(site, f"/practices/{slug}/{path}")
    assert status == 200 and "In the archive since" in text


def test_an_archived_practice_keeps_its_dates(site: Site, slug: str) -> None:
    before = site.client().get(f"/api/v1/practices/{slug}").json
    archive(site, slug)
    after = site.client().get(f"/api/v1/practices/{slug}").json
    assert before is not None and after == before


def test_a_practice_taken_offline_has_no_versions(site: Site, slug: str) -> None:
    archive(site, slug)
    with site.database.write() as session:
        session.scalars(select(Practice).where(Practice.slug == slug)).one().state = State.WITHDRAWN
    for path in ("", "/versions", "/versions/1", "/versions/1...2"):
        assert get(site, f"/practices/{slug}{path}")[0] == 404
