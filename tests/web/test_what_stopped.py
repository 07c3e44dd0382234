"""What ended or was stopped is as welcome as what goes on: found on the home page, labelled plainly, ranked alike."""

from __future__ import annotations

import csv
import io
import re

import pytest
from flask.testing import FlaskClient

from kb.models import Status, User
from tests import factories
from tests.conftest import Site
from tests.web.test_map import api
from tests.web.test_reading import make, page, text

OVER = ("ended", "discontinued")


def test_the_home_page_leads_to_all_that_ended_or_was_stopped(reader: FlaskClient) -> None:
    html = page(reader, "/").partition(">What stopped, and why</h2>")[2].partition("</section>")[0]
    found = re.search(r'<a href="([^"]+)">All (\d+) practices that ended or were stopped</a>', html)
    assert found and found[1] == "/practices?status=ended&status=discontinued"
    assert int(found[2]) == api(reader, found[1])["total"]


def test_a_home_page_without_any_promises_none(site: Site) -> None:
    make(site)
    assert "ended or was stopped" not in page(site.client(), "/")


@pytest.mark.parametrize("status", Status)
def test_a_hit_and_a_page_say_plainly_what_goes_on_no_more(site: Site, status: Status) -> None:
    slug = make(site, status=status, start="2016", end="2020" if status in OVER else None)
    for address in ("/practices", f"/practices/{slug}"):
        labels = re.findall(r'<b class="state">([^<]+)</b>', page(site.client(), address))
        assert labels == (
            [{"ended": "Ended 2016–2020", "discontinued": "Stopped 2016–2020"}[status]] if status in OVER else []
        )


@pytest.mark.parametrize("status", Status)
def test_lessons_of_what_is_over_are_what_its_people_would_do_differently(site: Site, status: Status) -> None:
    slug = make(site, status=status, lessons="Ask the schools first.", end="2022" if status in OVER else None)
    heading = "What we would do differently" if status in OVER else "What was learnt"
    html = page(site.client(), f"/practices/{slug}")
    assert f'<h2 id="lessons">{heading}</h2>' in html and f'<a href="#lessons">{heading}</a>' in html
    assert f"## {heading}" in site.client().get(f"/practices/{slug}.md").text
    assert f">{heading}</h" in page(site.client(), f"/briefing?p={slug}")


@pytest.mark.parametrize(
    ("status", "lessons", "under"),
    [
        ("discontinued", None, "lessons"), ("ended", None, "lessons"),
        ("discontinued", "Ask first.", "transferability"), ("running", None, "transferability"),
    ],
)  # fmt: skip
def test_the_editors_note_stands_where_lessons_of_what_is_over_are_missing(
    site: Site, status: str, lessons: str | None, under: str
) -> None:
    end = "2022" if status in OVER else None
    slug = make(site, status=status, lessons=lessons, editor_note="Lessons: set a date.", end=end, transferability=None)
    html = page(site.client(), f"/practices/{slug}")
    assert html.count('id="note"') == 1
    part = html.partition(f'<h2 id="{under}">')[2].partition("</section>")[0]
    assert "Lessons: set a date." in part
    if under == "lessons":
        assert 'href="#note"' in html.partition('<h2 id="transferability">')[2].partition("</section>")[0]


def test_exports_keep_the_name_of_the_field(site: Site) -> None:
    slug = make(site, status="discontinued", lessons="Ask the schools first.")
    assert site.client().get(f"/practices/{slug}.json").get_json()["lessons"] == "Ask the schools first."
    rows = csv.DictReader(io.StringIO(site.client().get("/practices.csv").text.removeprefix("\ufeff")))
    assert [row["lessons"] for row in rows] == ["Ask the schools first."]


@pytest.mark.parametrize(("status", "asked"), [("running", False), ("ended", True), ("discontinued", True)])
def test_the_form_asks_why_where_the_practice_is_over(site: Site, status: str, asked: bool) -> None:
    with site.database.write() as session:
        alice = session.query(User).filter_by(email="alice@example.org").one()
        draft = factories.draft(session, alice, status=status).id
    said = text(page(site.client("alice"), f"/my/practices/{draft}/edit"))
    assert ("Why did it stop or end?" in said) is asked
    assert ("What would you do differently" in said) is asked
    assert "What was learnt" in said  # the field's own name stays
