"""Still correct? The badge that readers see, and the one click of authors and editors."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from kb.models import LinkCheck, MailMessage, Practice
from kb.services import accounts, lifecycle, publishing, vocabularies
from kb.services.checking import check
from tests.conftest import Site, token
from tests.factories import document, published

SOON = (date.today() + timedelta(days=30)).isoformat()


@pytest.fixture
def nurses(site: Site) -> uuid.UUID:
    """Alice's public practice that is due for a look; its id."""
    with site.database.write() as session:
        alice = accounts.get(session, "alice@example.org")
        practice = published(session, alice, last_verified="2024-03-01", review_due="2025-09-01")
    site.drain()
    return practice.id


SLUG = "mentors-for-newly-arrived-nurses"


def say(site: Site, who: str, key: uuid.UUID, **data: str) -> TestResponse:
    """Somebody presses the button."""
    client = site.client(who)
    csrf = token(client, "/account/mail")
    return client.post(f"/my/practices/{key}/still-correct", data={"csrf_token": csrf, **data}, follow_redirects=True)


def test_readers_see_that_nobody_verified_it_for_too_long_on_its_page_and_in_results(
    site: Site, nurses: uuid.UUID
) -> None:
    for path in (f"/practices/{SLUG}", "/practices?q=nurses"):
        assert "Not verified since 1 March 2024" in site.client().get(path).text


@pytest.mark.parametrize("dates", [{}, {"last_verified": "2024-03-01", "review_due": SOON}], ids=["none", "not due"])
def test_what_is_not_due_bears_no_badge(site: Site, dates: dict[str, str]) -> None:
    with site.database.write() as session:
        published(session, **dates)
    site.drain()
    for path in (f"/practices/{SLUG}", "/practices?q=nurses"):
        assert "Not verified" not in site.client().get(path).text


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_one_click_on_the_page_takes_the_badge_away(site: Site, nurses: uuid.UUID, who: str) -> None:
    assert "It is still correct" in site.client(who).get(f"/practices/{SLUG}").text
    page = say(site, who, nurses).text
    assert "Thank you. The next look is due on" in page and "Not verified since" not in page


@pytest.mark.parametrize("who", [None, "rita", "charlie"])
def test_others_have_no_button(site: Site, nurses: uuid.UUID, who: str | None) -> None:
    assert "It is still correct" not in site.client(who).get(f"/practices/{SLUG}").text


def test_the_mails_link_opens_a_page_with_the_button_after_signing_in(site: Site, nurses: uuid.UUID) -> None:
    path = f"/my/practices/{nurses}/still-correct"
    assert site.client().get(path).headers["Location"].startswith("/sign-in?next=")
    answer = site.client("alice").get(path)
    assert "Is it still correct?" in answer.text and "1 March 2024" in answer.text
    assert answer.headers["Cache-Control"] == "private, no-store"
    with site.database.read() as session:
        assert session.get(Practice, nurses).last_verified == date(2024, 3, 1)


def test_the_click_in_my_practices_comes_back_there(site: Site, nurses: uuid.UUID) -> None:
    assert "Due for checking since 1 September 2025" in site.client("alice").get("/my/practices").text
    answer = say(site, "alice", nurses, back="mine")
    assert answer.request.path == "/my/practices" and "Due for checking" not in answer.text


def test_an_editors_click_in_the_list_of_what_is_due_comes_back_there(site: Site, nurses: uuid.UUID) -> None:
    answer = say(site, "bob", nurses, back="due")
    assert answer.request.full_path == "/review/dashboard?list=stale" and "Nothing is in this list." in answer.text
    assert say(site, "alice", nurses, back="due").request.path == f"/practices/{SLUG}"


def test_a_practice_that_nobody_knows_is_not_found(site: Site) -> None:
    assert say(site, "bob", uuid.uuid4()).status_code == 404


def test_an_owner_sees_broken_links_with_the_date_of_the_last_success(site: Site, nurses: uuid.UUID) -> None:
    with site.database.write() as session:
        worked = datetime(2025, 2, 3, tzinfo=UTC)
        gone = {"failures": 2, "status": 404, "error": "The page is no longer there."}
        session.add(LinkCheck(url="https://example.org/nurses", succeeded=worked, **gone))
    for path in ("/my/practices", f"/my/practices/{nurses}/still-correct"):
        page = site.client("alice").get(path).text
        assert "1 link no longer works" in page and "https://example.org/nurses" in page
        assert "The page is no longer there. (404) It last worked on 3 February 2025." in page


def test_the_download_says_when_it_was_verified(site: Site, nurses: uuid.UUID) -> None:
    record = site.client().get(f"/api/v1/practices/{SLUG}").get_json()
    assert (record["last_verified"], record["review_due"]) == ("2024-03-01", "2025-09-01")


def test_an_older_version_says_when_the_practice_was_verified(site: Site, nurses: uuid.UUID) -> None:
    with site.database.write() as session:
        practice = session.get(Practice, nurses)
        publishing.publish(session, practice, check(document(title="Anew"), vocabularies.load(session)))
    page = site.client().get(f"/practices/{SLUG}/versions/1").text
    assert "1 March 2024" in page and "Not verified since" not in page


def test_the_archive_says_when_the_practice_was_verified_and_bears_no_badge(site: Site, nurses: uuid.UUID) -> None:
    with site.database.write() as session:
        bob = accounts.get(session, "bob@example.org")
        lifecycle.archive(session, bob, session.get(Practice, nurses), "It ended.")
    page = site.client("alice").get(f"/practices/{SLUG}").text
    assert "1 March 2024" in page and "Not verified since" not in page and "still correct" not in page


def test_the_form_says_beside_an_address_that_it_no_longer_works(site: Site, nurses: uuid.UUID) -> None:
    with site.database.write() as session:
        worked = datetime(2025, 2, 3, tzinfo=UTC)
        gone = {"failures": 2, "status": 404, "error": "The page is no longer there."}
        session.add(LinkCheck(url="https://example.org/nurses", succeeded=worked, **gone))
    page = site.client("alice").get(f"/my/practices/{nurses}/edit").text
    hint = re.search(r'<p class="hint" id="sources-0-url-h">([^<]*)</p>', page)
    assert hint and hint.group(1) == (
        "This address does not work any more: The page is no longer there. It last worked on 3 February 2025."
    )


def test_a_running_server_reminds_by_itself_and_once(site: Site, nurses: uuid.UUID) -> None:
    for _ in range(2):
        site.parts.postman.sweep()
    with site.database.read() as session:
        told = session.scalars(select(MailMessage).where(MailMessage.kind == "practice-review-due")).all()
    assert [(mail.address, mail.data["url"]) for mail in told] == [
        ("alice@example.org", f"/my/practices/{nurses}/still-correct")
    ]
