"""From reading to doing: an official of Navarre finds a practice of Catalonia, weighs it, takes it up, and briefs her
council; its owner confirms it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docx
import pytest
from flask import Flask
from sqlalchemy import select

from kb.models import Practice
from kb.services import accounts
from tests.browser.conftest import Live, OpenPage, follow, press

ACOL, TITLE = "catalonia-acol-line", "ACOL: one-year subsidised contracts"
QUESTION = "How can people without papers get a first lawful job in Navarre?"
CHANGES = "Contracts of six months, with the town halls of the Ribera as employers."


@pytest.fixture
def people(live: Live) -> Live:
    """Alice works for Navarre; Charlie owns the practice of Catalonia."""
    with live.site.database.write() as session:
        accounts.get(session, "alice@example.org").region_code = "ES22"
        acol = session.scalars(select(Practice).where(Practice.slug == ACOL)).one()
        acol.owner_id = accounts.get(session, "charlie@example.org").id
    return live


@dataclass(frozen=True)
class Told:
    """What a Word file says: its text, and the cells of its tables."""

    text: str
    cells: tuple[str, ...]


def told(path: Path) -> Told:
    """A Word file, read by a reader that did not write it for this test."""
    document = docx.Document(str(path))
    cells = tuple(cell.text for table in document.tables for row in table.rows for cell in row.cells)
    return Told("\n".join([*(each.text for each in document.paragraphs), *cells]), cells)


def main(page: Any) -> str:
    """What the content of a page says, in one line."""
    return " ".join(page.locator("main").inner_text().split())


def answered(page: Any) -> str:
    """What the site says of what was just done."""
    return str(page.locator(".wrap[role=status]").inner_text())


def find(page: Any, url: str) -> list[str]:
    """Come to practices of regions like one's own and search among them; return the one that was meant and two more."""
    page.goto(f"{url}/practices")
    follow(page, "Choose another region")
    follow(page, "Practices from regions like Navarre")
    page.locator("main").get_by_label("Search practices").fill("residence permit")
    press(page, "Search")
    assert "region_like=ES22" in page.url
    hit = page.locator("article.hit", has_text=TITLE)
    assert re.search(r"Catalonia is like Navarre: .*on the border", hit.inner_text())
    links = page.locator("article.hit h3 a").evaluate_all("links => links.map((each) => each.getAttribute('href'))")
    slugs = [link.removeprefix("/practices/").partition("?")[0] for link in links]
    return [ACOL, *[each for each in slugs if each != ACOL][:2]]


def add_to_shortlist(page: Any, slug: str) -> None:
    """Put a practice of the results on the shortlist, with the button beside it."""
    hit = page.locator("article.hit").filter(has=page.locator(f'a[href^="/practices/{slug}"]'))
    with page.expect_navigation():
        hit.get_by_role("button", name=re.compile("^Add to shortlist")).click()


def compare(page: Any) -> None:
    """Compare what was kept: three columns, and rows that differ."""
    with page.expect_navigation():
        page.locator("main").get_by_role("link", name=re.compile("^On your shortlist")).first.click()
    press(page, "Compare")
    heads = page.locator("table.compare thead th a.serif")
    assert heads.count() == 3 and TITLE in " ".join(heads.all_inner_texts())
    assert page.locator("table.compare tr.diffs").count() > 1
    assert "All three: " in main(page)


def check_transfer(page: Any) -> None:
    """Answer the questions about the practice for one's region, and keep the answers."""
    follow(page, "Check it against your region")
    assert "Navarre" in page.get_by_label("Your region").input_value()
    for number, answer in enumerate(("Yes", "Partly", "No", "I do not know")):
        page.locator("main fieldset:has(.radios)").nth(number).get_by_label(answer, exact=True).check()
    press(page, "See the result")
    assert "Could it work in Navarre?" in main(page)
    press(page, "Keep it in your account")
    assert "kept in your account" in answered(page)


def say_so(page: Any) -> None:
    """Say that one's region adapts the practice."""
    follow(page, "Say that you are adapting it")
    assert "Navarre" in page.get_by_label("Which region takes it up?").input_value()
    page.get_by_label("Adapting it", exact=True).check()
    page.get_by_label(re.compile("^What do you change")).fill(CHANGES)
    page.get_by_label("Role", exact=True).fill("Project officer")
    page.get_by_label("E-mail address").fill("alice@example.org")
    press(page, "We are adapting this")
    assert "The owner or an editor reads it first" in answered(page)


def confirm(page: Any) -> None:
    """Confirm, as the owner, what a region said."""
    with page.expect_navigation():
        page.locator("main").get_by_role("link", name=re.compile("^Read it and decide")).click()
    assert CHANGES in main(page)
    with page.expect_navigation():
        page.locator("main").get_by_role("button", name=re.compile("^Confirm")).click()
    assert "It is confirmed" in answered(page)


def brief(page: Any, folder: Path) -> Told:
    """Make a briefing of what is compared, with one's question, and read its Word file."""
    follow(page, "Make a briefing")
    page.get_by_label(re.compile("^What does the council have to decide")).fill(QUESTION)
    press(page, "Put it into the briefing")
    assert page.locator("h1").inner_text() == QUESTION
    with page.expect_download() as download:
        page.locator("main").get_by_role("link", name="Word", exact=True).click()
    download.value.save_as(folder / "briefing.docx")
    return told(folder / "briefing.docx")


def adoptions(app: Flask) -> list[dict[str, Any]]:
    """What the API says of who takes the practice up."""
    return list(app.test_client().get(f"/api/v1/practices/{ACOL}/adoptions").get_json()["items"])


@pytest.mark.parametrize("javascript", [True, False], ids=["with-javascript", "without-javascript"])
def test_a_region_takes_up_the_practice_of_a_region_like_it(
    people: Live, open_page: OpenPage, tmp_path: Path, javascript: bool
) -> None:
    page, url = open_page(javascript=javascript), people.url
    people.sign_in(page, "alice")
    chosen = find(page, url)
    for slug in chosen:
        add_to_shortlist(page, slug)
    compare(page)
    comparison = page.url
    page.goto(f"{url}/practices/{ACOL}")
    check_transfer(page)
    say_so(page)
    page.goto(f"{url}/practices/{ACOL}")
    assert CHANGES not in main(page) and adoptions(people.site.app) == []

    owner = open_page(javascript=javascript)
    people.sign_in(owner, "charlie")
    owner.goto(f"{url}/my/practices")
    confirm(owner)

    for address in (f"/practices/{ACOL}", "/regions/ES22"):
        page.goto(url + address)
        assert CHANGES in main(page), address
    assert [(each["region"]["code"], each["status"], each["changes"]) for each in adoptions(people.site.app)] == [
        ("ES22", "adapting", CHANGES)
    ]
    people.site.drain()
    found = people.site.app.test_client().get("/api/v1/practices?sort=adopted&per_page=1").get_json()
    assert [each["slug"] for each in found["items"]] == [ACOL]

    page.goto(comparison)
    said = brief(page, tmp_path)
    with people.site.database.read() as session:
        titles = session.scalars(select(Practice.title).where(Practice.slug.in_(chosen))).all()
    assert QUESTION in said.text and CHANGES in said.text
    for title in titles:
        assert title in said.cells and said.text.count(title) > 1, title  # in the table, and on a page of its own
    for slug in chosen:
        assert f"/practices/{slug}" in said.text
    assert "Cite and reuse" in said.text and "Sources" in said.text
