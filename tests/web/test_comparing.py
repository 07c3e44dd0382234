"""Comparing: two to four practices side by side, for whoever has their address; what to do where it does not fit."""

from __future__ import annotations

import html
import io
import re
from datetime import UTC, datetime

import pytest
from docx import Document as read_word
from flask.testing import FlaskClient
from sqlalchemy import select

from kb.models import Adoption, AdoptionStatus, Practice, User
from kb.services import lifecycle, merging, redaction
from tests import factories
from tests.conftest import Site, token

THREE = "p=emilia-romagna-international-talents&p=bizkaia-talent&p=catalonia-acol-line"


def rows(page: str) -> dict[str, tuple[bool, list[str]]]:
    """The rows of a comparison: whether they differ, and what each practice says."""
    found = {}
    for row in re.findall(
        r'<tr role="row"(?:( class="diffs")| class="same")?><th scope="row"[^>]*>(.*?)</th>(.*?)</tr>', page, re.DOTALL
    ):
        name = html.unescape(re.sub(r"<span.*?</span>", "", row[1]))
        cells = [
            re.sub(r"<summary>.*?</summary>|<[^>]+>", " ", cell)
            for cell in re.findall(r"<td[^>]*>(.*?)</td>", row[2], re.DOTALL)
        ]
        found[name] = (bool(row[0]), [" ".join(html.unescape(cell).split()) for cell in cells])
    return found


def person(site: Site, name: str) -> User:
    with site.database.read() as session:
        return session.scalars(select(User).where(User.email == f"{name}@example.org")).one()


def test_it_works(reader: FlaskClient) -> None:
    page = reader.get(f"/compare?{THREE}").text
    assert re.findall(r'class="serif" href="([^"]+)"', page) == [
        f"/practices/{slug}?{html.escape(THREE)}"
        for slug in ("emilia-romagna-international-talents", "bizkaia-talent", "catalonia-acol-line")
    ]
    made = rows(page)
    assert made["Level"] == (False, ["Regional"] * 3)
    assert made["Budget"] == (False, ["€2.23 million", "Not reported", "€19 million"])
    assert made["Role of the region"][0] is True and made["What came of it"][0] is False  # long texts always differ
    assert made["Evidence"][0] is False and "Editor’s note." in made["Conditions"][1][0]
    assert '<p class="lead mb-2">All three: ' in page and "; level: regional; " in page
    assert page.count("<details") > 10 and page.count("<details open") == 0


def test_another_order_is_another_order_of_columns(reader: FlaskClient) -> None:
    one, other = (rows(reader.get(f"/compare?p={a}&p={b}").text) for a, b in
                  (("bizkaia-talent", "auvergne-new-deal"), ("auvergne-new-deal", "bizkaia-talent")))  # fmt: skip
    assert {name: (differs, cells[::-1]) for name, (differs, cells) in one.items()} == other


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("", 200, "A comparison lays two to four practices side by side."),
        ("?p=", 200, "Choose the practices first."),
        (f"?{THREE}&p=scotland-fresh-talent&p=auvergne-new-deal", 400, "this address names 5"),
        ("?p=bizkaia-talent&p=nowhere", 404, "There is no practice “nowhere”."),
        ("?p=%00&p=%F0%9F%98%80", 404, "There is no practice “😀”."),
        ("?" + "&".join(f"p=x{n}" for n in range(51)), 400, "names more than 50 practices"),
    ],
)
@pytest.mark.parametrize("path", ["/compare", "/compare.docx"])
def test_what_does_not_fit_is_said(reader: FlaskClient, path: str, query: str, status: int, said: str) -> None:
    answer = reader.get(path + query)
    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    assert said in html.unescape(answer.text)
    assert ('role="alert"' in answer.text) == (status != 200)


def test_what_is_there_stays_chosen_where_something_is_not(reader: FlaskClient) -> None:
    page = reader.get("/compare?p=bizkaia-talent&p=nowhere&p=auvergne-new-deal").text
    assert re.findall(r'name="p" value="([^"]+)" checked', page) == ["bizkaia-talent", "auvergne-new-deal"]


def test_one_practice_gets_others_to_be_compared_with(reader: FlaskClient) -> None:
    answer = reader.get("/compare?p=bizkaia-talent")
    page = html.unescape(answer.text)
    assert answer.status_code == 200 and 'role="alert"' not in page and "Choose one to three more." in page
    others = re.findall(r'href="(/compare\?p=bizkaia-talent&p=[^"]+)"', page)
    assert len(others) == 3 and reader.get(others[0]).status_code == 200
    assert '<input type="hidden" name="p" value="bizkaia-talent">' in page  # of the search for more


def test_no_file_is_made_of_one_practice(reader: FlaskClient) -> None:
    answer = reader.get("/compare.docx?p=bizkaia-talent")
    assert answer.status_code == 400 and "choose one to three more" in answer.text


def test_what_an_account_keeps_is_offered_to_be_compared_with(site: Site) -> None:
    with site.database.write() as session:
        for title in ("One", "Two"):
            factories.published(session, title=title)
    rita = site.client("rita")
    rita.post("/account/shortlist", data={"csrf_token": token(rita, "/account"), "p": "two"})
    page = rita.get("/compare?p=one").text
    assert 'value="one" checked>' in page and 'name="p" value="two">' in page
    assert 'name="p" value="two">' in rita.get("/briefing").text


def test_a_repeated_slug_leads_to_the_address_without(reader: FlaskClient) -> None:
    answer = reader.get("/compare?lang=de&p=bizkaia-talent&p=auvergne-new-deal&p=bizkaia-talent")
    assert answer.headers["Location"] == "/compare?p=bizkaia-talent&p=auvergne-new-deal&lang=de"


def test_a_merged_slug_leads_to_the_other_and_a_removed_text_is_gone(site: Site) -> None:
    bob, dora = person(site, "bob"), person(site, "dora")
    with site.database.write() as session:
        one, _two, three, four = (factories.published(session, title=each) for each in ("One", "Two", "Three", "Four"))
        merging.merge(session, session.get_one(User, bob.id), one, three)
        redaction.redact(session, session.get_one(User, dora.id), four.id, 1, "It named a child.")
    reader = site.client()
    assert reader.get("/compare?p=two&p=one").headers["Location"] == "/compare?p=two&p=three"
    assert reader.get("/compare.docx?p=two&p=one").headers["Location"] == "/compare.docx?p=two&p=three"
    gone = reader.get("/compare?p=two&p=three&p=four")
    assert gone.status_code == 410 and "It named a child." in gone.text


def test_an_archived_practice_says_so(site: Site) -> None:
    bob = person(site, "bob")
    with site.database.write() as session:
        one, _two = (factories.published(session, title=each) for each in ("One", "Two"))
        lifecycle.archive(session, session.get_one(User, bob.id), one, "Nobody answers.")
    assert "In the archive: no longer maintained." in site.client().get("/compare?p=one&p=two").text


def test_texts_in_another_language_say_so_and_titles_are_those_of_the_reader(site: Site) -> None:
    translation = {"language": "de", "title": "Lotsen für Pflegekräfte", "summary": "Paare.", "machine": True}
    with site.database.write() as session:
        factories.published(session, title="Mentori", language="it", transferability="Serve una legge.",
                            translations=[translation])  # fmt: skip
        factories.published(session, title="Two")
    page = site.client().get("/compare?lang=de&p=mentori&p=two").text
    assert "Lotsen für Pflegekräfte</a>" in page and '<div lang="it"><p>Serve una legge.</p>' in page
    assert '<a class="serif" href="/practices/two?p=mentori&amp;p=two" lang="en">Two</a>' in page


def test_who_took_a_practice_up_is_compared_too(site: Site) -> None:
    with site.database.write() as session:
        one, _two = (factories.published(session, title=each) for each in ("One", "Two"))
        adopted(one, session)
    page = site.client().get("/compare?p=one&p=two").text
    assert rows(page)["Taken up by"][1][0].startswith("Navarre") and "Fewer hours." in page


def adopted(practice: Practice, session: object) -> None:
    """Have Navarra take a practice up, confirmed."""
    moment = datetime.now(UTC)
    session.add(Adoption(practice_id=practice.id, region_code="ES22", status=AdoptionStatus.ADAPTING,  # type: ignore
                         changes="Fewer hours.", accepted=True, decided=moment, changed=moment))  # fmt: skip


def test_the_word_file_says_the_same(reader: FlaskClient) -> None:
    answer = reader.get(f"/compare.docx?{THREE}")
    assert str(answer.mimetype).endswith("wordprocessingml.document")
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=comparison-")
    made = read_word(io.BytesIO(answer.data))
    told = {row.cells[0].text: [cell.text for cell in row.cells[1:]] for table in made.tables for row in table.rows}
    assert told["Budget"] == ["€2.23\xa0million", "Not reported", "€19\xa0million"]
    assert told["Level (the same)"] == ["Regional"] * 3
    again = reader.get(f"/compare.docx?{THREE}", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_a_reader_gets_no_cookie_and_crawlers_are_asked_to_stay_away(reader: FlaskClient) -> None:
    answer = reader.get(f"/compare?{THREE}")
    assert "Set-Cookie" not in answer.headers and '<meta name="robots" content="noindex">' in answer.text
    robots = reader.get("/robots.txt").text
    assert "Disallow: /compare\n" in robots and "Disallow: /*?p=\n" in robots
