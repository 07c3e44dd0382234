"""The editors' dashboard: figures that are right, and lists in the order of what presses most."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from kb.models import Claim, LinkCheck, Practice, Report, Revision, User
from kb.services import accounts, moderation
from kb.services.record import RECOMMENDED
from tests.conftest import Site
from tests.factories import draft, published, submitted

FULL: dict[str, Any] = {
    **dict.fromkeys(RECOMMENDED, "Said."), "authority_role": "leader", "start": "2021", "evidence": "monitoring",
}  # fmt: skip


def counts(site: Site, who: str = "bob") -> dict[str, int]:
    """The figures on top, by list."""
    page = site.client(who).get("/review/dashboard").text
    found = re.findall(r'\?list=(\w+)"[^>]*>(?:<b>)?[^<]*(?:</b>)?</a><span class="num">([\d,]+)</span>', page)
    return {name: int(number) for name, number in found}


def titles(site: Site, listed: str, number: int = 1) -> list[str]:
    """The titles of a list, in its order."""
    page = site.client("bob").get(f"/review/dashboard?list={listed}&page={number}").text
    return re.findall(r'<li class="item"><h3><a [^>]+>([^<]+)</a>', page)


def alice(session: Any) -> User:
    """Alice, in this session."""
    return accounts.get(session, "alice@example.org")


def test_an_empty_base_has_nothing_in_any_list(site: Site) -> None:
    assert counts(site) == dict.fromkeys(
        ("queue", "stale", "ownerless", "incomplete", "reported", "broken", "claimed", "adopted"), 0
    )
    assert "Nothing is in this list." in site.client("bob").get("/review/dashboard").text


def test_the_seed_is_ownerless_and_never_stale(reading_site: Site) -> None:
    found = counts(reading_site)
    assert (found["ownerless"], found["stale"]) == (120, 0)
    assert len(titles(reading_site, "ownerless")) == 50 and len(titles(reading_site, "ownerless", 3)) == 20


def test_a_page_beyond_the_last_is_the_last_and_one_that_is_no_number_the_first(reading_site: Site) -> None:
    assert titles(reading_site, "ownerless", 99) == titles(reading_site, "ownerless", 3)
    page = reading_site.client("bob").get("/review/dashboard?list=ownerless&page=x&page=2")
    assert page.status_code == 200
    assert reading_site.client("bob").get("/review/dashboard?list=nonsense").status_code == 200


def test_the_queue_has_the_longest_waiting_first_with_its_days(site: Site) -> None:
    with site.database.write() as session:
        for title, days in (("Younger", 3), ("Older", 12), ("Today", 0)):
            practice = submitted(session, alice(session), title=title)
            session.flush()
            moment = datetime.now(UTC) - timedelta(days=days)
            session.execute(update(Revision).where(Revision.practice_id == practice.id).values(created=moment))
        moderation.take(session, accounts.get(session, "bob@example.org"), practice)
        draft(session, alice(session), title="Not sent")
    assert counts(site)["queue"] == 3
    assert titles(site, "queue") == ["Older", "Younger", "Today"]
    page = site.client("bob").get("/review/dashboard").text
    assert "waits 12 days" in page and "waits since today" in page and "Bob has it" in page
    assert re.search(r"Review <span class=\"num\">\(3<", page)  # the figure in the navigation


def test_stale_are_those_due_today_or_before_the_longest_due_first(site: Site) -> None:
    today = datetime.now(UTC).date()
    with site.database.write() as session:
        for title, days in (("Tomorrow", -1), ("Today", 0), ("Long ago", 400)):
            published(session, alice(session), title=title, review_due=(today - timedelta(days=days)).isoformat())
    assert counts(site)["stale"] == 2
    assert titles(site, "stale") == ["Long ago", "Today"]
    page = site.client("bob").get("/review/dashboard?list=stale").text
    assert "400 days overdue" in page and "due today" in page and "It is still correct" in page


def test_ownerless_are_public_ones_of_nobody_by_title(site: Site) -> None:
    with site.database.write() as session:
        published(session, title="Beta")
        published(session, title="Alpha")
        published(session, alice(session), title="Alice’s")
    assert counts(site)["ownerless"] == 2 and titles(site, "ownerless") == ["Alpha", "Beta"]


def test_incomplete_are_those_below_sixty_percent_the_emptiest_first(site: Site) -> None:
    def without(n: int) -> dict[str, Any]:
        return {**FULL, **dict.fromkeys(("context", "objectives", "results", "difficulties", "lessons")[:n], None)}

    with site.database.write() as session:
        for title, missing in (("Four missing", 4), ("Three missing", 3), ("Five missing", 5)):
            published(session, alice(session), title=title, **without(missing))
    assert counts(site)["incomplete"] == 2
    assert titles(site, "incomplete") == ["Five missing", "Four missing"]
    page = site.client("bob").get("/review/dashboard?list=incomplete").text
    assert "44 %" in page and "56 %" in page and "What was difficult" in page


def test_reports_and_claims_are_there_while_they_are_open(site: Site) -> None:
    with site.database.write() as session:
        practice = published(session)
        closed = datetime.now(UTC)
        for body, ended in (("The link is wrong.", None), ("Settled already.", closed)):
            session.add(Report(practice_id=practice.id, body=body, closed=ended))
            session.add(Claim(practice_id=practice.id, user_id=alice(session).id, reason=body, decided=ended))
    found = counts(site)
    assert (found["reported"], found["claimed"]) == (1, 1)
    for listed in ("reported", "claimed"):
        page = site.client("bob").get(f"/review/dashboard?list={listed}").text
        assert "The link is wrong." in page and "Settled already." not in page


def test_broken_links_are_listed_by_practice_with_the_last_success(site: Site) -> None:
    with site.database.write() as session:
        for title, urls in (("One", ["a"]), ("Two", ["a", "b"]), ("Whole", ["c"])):
            sources = [{"title": "S", "url": f"https://example.org/{url}"} for url in urls]
            published(session, alice(session), title=title, sources=sources)
        for url, failures in (("a", 3), ("b", 4), ("c", 2)):
            session.add(LinkCheck(url=f"https://example.org/{url}", failures=failures, status=500, error="Wrong.",
                                  succeeded=datetime(2025, 5, 4, tzinfo=UTC)))  # fmt: skip
    assert counts(site)["broken"] == 2 and sorted(titles(site, "broken")) == ["One", "Two"]
    assert titles(site, "broken")[0] == "Two"
    page = site.client("bob").get("/review/dashboard?list=broken").text
    assert "It last worked on 4 May 2025." in page and "https://example.org/c" not in page


def test_what_was_said_by_others_is_text_and_no_markup(site: Site) -> None:
    with site.database.write() as session:
        practice = published(session, title="<b>Bold</b> title")
        session.add(Report(practice_id=practice.id, body="<script>alert(1)</script>"))
    page = site.client("bob").get("/review/dashboard?list=reported").text
    assert "<script>alert" not in page and "&lt;b&gt;Bold" in page


def test_the_address_of_administration_leads_to_what_is_due(site: Site) -> None:
    answer = site.client("dora").get("/admin/freshness")
    assert answer.headers["Location"] == "/review/dashboard?list=stale"


@pytest.mark.parametrize("who", ["rita", "alice"])
def test_only_editors_see_it(site: Site, who: str) -> None:
    assert site.client(who).get("/review/dashboard").status_code == 403


def test_the_queue_links_to_it(site: Site) -> None:
    assert 'href="/review/dashboard"' in site.client("bob").get("/review").text


def test_what_went_offline_is_in_no_list(site: Site) -> None:
    with site.database.write() as session:
        practice = published(session, title="Gone", review_due=date(2020, 1, 1).isoformat())
        session.get(Practice, practice.id).record = None
    assert set(counts(site).values()) == {0}
