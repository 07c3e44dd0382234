"""The styleguide, for who changes components; and the accessibility statement."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import Site, configure

ROOT = Path(__file__).resolve().parents[2]

NOT_FOR_PAGES = {"mail_link", "mail_quote"}
"""Components of mails."""

OF_ITS_OWN = {"admin_nav", "duplicates", "map"}
"""What needs an administrator, practices or the whole atlas behind it."""


def styleguide(site: Site) -> str:
    """The page of a site where it is switched on."""
    other = Site(configure(site.config.data_dir, KB_STYLEGUIDE="on"))
    return other.client().get("/styleguide").get_data(as_text=True)


def test_the_styleguide_is_not_found_in_production(site: Site) -> None:
    assert site.client().get("/styleguide").status_code == 404


def test_the_styleguide_shows_every_state_of_a_field(site: Site) -> None:
    html = styleguide(site)
    for part in ('class="errors"', 'class="err"', 'class="count over"', 'class="hint"', 'aria-invalid="true"'):
        assert part in html


@pytest.mark.parametrize(
    "part",
    ["chip", "state-good", "facet", "hit", "pager", "ledger", "scale", "facts", "table", "gap", "notice-bad", "thread",
     "steps", "panel-warn", "change-plain", "adopt"],
)  # fmt: skip
def test_the_styleguide_shows_the_components(site: Site, part: str) -> None:
    assert re.search(rf'class="[^"]*\b{part}\b', styleguide(site))


def test_a_new_component_is_shown_in_the_styleguide() -> None:
    template = (ROOT / "kb" / "templates" / "pages" / "styleguide.html").read_text(encoding="utf-8")
    every = {path.stem for path in (ROOT / "kb" / "templates" / "components").glob("*.html")}
    shown = set(re.findall(r'"components/(\w+)\.html"', template))
    inside = {"difference"}
    assert every - shown - inside - NOT_FOR_PAGES == OF_ITS_OWN


def test_the_statement_says_partially_and_what_was_not_tested(site: Site) -> None:
    html = site.client().get("/accessibility").get_data(as_text=True)
    assert "partially compliant" in html and "screen readers" in html and "23 November 2026" in html


def test_the_statement_names_who_answers_and_who_enforces(site: Site) -> None:
    named = {"KB_CONTROLLER": "Town of X, web@x.example", "KB_ENFORCEMENT": "Office Y, y@y.example"}
    html = Site(configure(site.config.data_dir, **named)).client().get("/accessibility").get_data(as_text=True)
    assert named["KB_CONTROLLER"] in html and named["KB_ENFORCEMENT"] in html


def test_every_page_leads_to_the_statement(site: Site) -> None:
    assert 'href="/accessibility"' in site.client().get("/help").get_data(as_text=True).split("<footer")[1]
