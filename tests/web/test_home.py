"""The figures of the home page: each word has the plural of its own number."""

from __future__ import annotations

import re
from typing import Any

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
