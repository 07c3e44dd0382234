"""The figures of the home page: each word has the plural of its own number."""

from __future__ import annotations

import re
from typing import Any

from kb.models import User
from tests import factories
from tests.conftest import Site


def figures(site: Site) -> dict[str, str]:
    """The figures by the words under them."""
    page = site.client().get("/?lang=en").text
    return dict(re.findall(r"<div><dt>([^<]*)</dt><dd>([^<]*)</dd></div>", page))


def publish(site: Site, **changes: Any) -> None:
    with site.database.write() as session:
        factories.published(session, factories.person(session, f"{changes['title']}@example.com", "member"), **changes)


def test_of_one_and_of_two(site: Site) -> None:
    publish(site, title="Mentors")
    found = figures(site)
    assert found["practice"] == "1" and found["country with at least one practice"] == "1"
    publish(site, title="Guides", status="discontinued", country="ES", region={"code": "ES51", "name": None})
    found = figures(site)
    assert found["practices, 1 of them stopped and explained"] == "2"
    assert found["countries with at least one practice"] == "2"


def test_the_practices_have_their_own_plural_not_that_of_those_that_stopped(site: Site) -> None:
    publish(site, title="Mentors", status="discontinued")
    assert figures(site)["practice, 1 of them stopped and explained"] == "1"


def test_a_theme_without_practices_is_no_place(site: Site) -> None:
    page = site.client().get("/themes/housing?lang=en").text
    assert "Nobody has published a practice on this theme yet." in page and "from here" not in page


def test_who_reads_begins_with_a_region(seeded_site: Site) -> None:
    client = seeded_site.client()
    html = client.get("/").text
    assert '<label for="mine">Or begin with your region:</label>' in html
    asked = re.search(r'<form class="begin[^"]*" action="([^"]+)">.*? name="(\w+)"', html)
    assert asked and asked.groups() == ("/regions/like-mine", "mine")
    assert client.get("/regions/like-mine?mine=Navarra").location == "/practices?region_like=ES22"


def test_who_has_a_region_is_led_to_practices_from_regions_like_it(seeded_site: Site) -> None:
    with seeded_site.database.write() as session:
        session.query(User).filter_by(email="alice@example.org").one().region_code = "ES22"
    html = seeded_site.client("alice").get("/").text
    assert '<a href="/practices?region_like=ES22">Practices from regions like Navarre</a>' in html
    assert "Or begin with your region" not in html
