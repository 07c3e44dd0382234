"""Every component in a real browser: to axe, on a small phone, in forced colours, and where the focus is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.conftest import OpenPage
from tests.browser.matrix import checks
from tests.browser.test_reading import violations
from tests.conftest import Site, configure
from tests.serving import answering

SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"

BORDERS = """(each) => {
  const style = getComputedStyle(each);
  return ["Top", "Right", "Bottom", "Left"].some((side) =>
    parseFloat(style[`border${side}Width`]) > 0 && style[`border${side}Style`] !== "none");
}"""

BOXES = (".btn-primary", ".btn-line", ".state", ".chip", ".panel", ".facts", ".notice", ".errors", ".field.bad",
         ".adopt", ".scale li", "progress", ".form-control")  # fmt: skip
"""What colour or ground set apart, and forced colours would take away."""


@pytest.fixture
def guide(site: Site) -> Iterator[str]:
    """The address of the styleguide, on a site where it is switched on."""
    other = Site(configure(site.config.data_dir, KB_STYLEGUIDE="on"))
    with answering(other.app) as url:
        yield f"{url}/styleguide"
    other.close()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (320, "light")])
def test_axe_finds_nothing_in_the_components(guide: str, open_page: OpenPage, width: int, scheme: str) -> None:
    page = open_page(width=width, scheme=scheme)
    page.goto(guide)
    assert violations(page) == []
    assert page.evaluate(SIDEWAYS) <= 0


def test_axe_finds_nothing_in_forced_colours(guide: str, page: Any) -> None:
    page.emulate_media(forced_colors="active")
    page.goto(guide)
    assert violations(page) == []


def test_forced_colours_leave_every_box_its_border(guide: str, page: Any) -> None:
    page.emulate_media(forced_colors="active")
    page.goto(guide)
    without = [each for each in BOXES if not page.locator(f"main {each}").first.evaluate(BORDERS)]
    assert not without


def test_forced_colours_leave_a_change_its_underline_and_its_stroke(guide: str, page: Any) -> None:
    page.emulate_media(forced_colors="active")
    page.goto(guide)
    lines = [
        page.locator(f"main .diff {tag}").first.evaluate("(each) => getComputedStyle(each).textDecorationLine")
        for tag in ("ins", "del")
    ]
    assert lines == ["underline", "line-through"]


def test_forced_colours_leave_the_evidence_its_steps(guide: str, page: Any) -> None:
    page.emulate_media(forced_colors="active")
    page.goto(guide)
    steps = page.locator("main .scale li").evaluate_all(
        "(all) => all.map((each) => getComputedStyle(each).borderTopStyle)"
    )
    assert steps == ["solid", "solid", "dotted", "dotted"]


@pytest.mark.parametrize("ground", ["/", "/styleguide"])
def test_the_focus_is_seen_on_every_ground(guide: str, open_page: OpenPage, ground: str) -> None:
    for scheme in ("light", "dark"):
        page = open_page(scheme=scheme)
        page.goto(guide.replace("/styleguide", ground))
        assert page.evaluate(checks.FOCUS) == []


@pytest.mark.parametrize(
    "rule",
    [
        "outline: 3px solid transparent !important; box-shadow: none !important",
        "outline: 3px solid var(--kb-paper) !important; box-shadow: none !important",
        "outline: 0 !important; box-shadow: 0 0 0 2px rgb(0 0 0 / 10%) !important",
    ],
    ids=["transparent", "paper", "pale"],
)
def test_a_focus_that_nobody_can_see_is_found(guide: str, page: Any, rule: str) -> None:
    page.goto(guide)
    page.evaluate(
        "(rule) => { const sheet = new CSSStyleSheet(); sheet.replaceSync(rule);"
        " document.adoptedStyleSheets = [sheet]; }",
        f":focus-visible {{ {rule} }}",
    )
    assert len(page.evaluate(checks.FOCUS)) > 10


def test_the_summary_of_errors_has_the_focus_and_leads_to_the_control(guide: str, page: Any) -> None:
    page.goto(guide)
    assert page.evaluate("document.activeElement.id") == "errors"
    page.locator(".errors").get_by_role("link", name="Choose a status").click()
    assert page.evaluate("document.activeElement.id") == "g-status"


def test_somebody_who_wants_no_motion_gets_none(guide: str, page: Any) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.goto(guide)
    moving = page.evaluate(
        "[...document.querySelectorAll('*')].filter((each) => {"
        " const style = getComputedStyle(each);"
        " return parseFloat(style.transitionDuration) > 0 || style.animationName !== 'none'; })"
        ".map((each) => each.className)"
    )
    assert not moving
