"""The shortlist: in the address of who is signed out, in the account of who is signed in."""

from __future__ import annotations

import html
import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from kb.models import ShortlistEntry, User
from kb.services import leaving, lifecycle, shortlists
from tests import factories
from tests.conftest import Site, token


def link(page: str, text: str) -> str:
    """The address of the first link whose words begin so."""
    found = re.search(rf'<a [^>]*?href="([^"]+)"[^>]*>{text}', page)
    assert found, text
    return html.unescape(found.group(1))


def listed(page: str) -> list[str]:
    """The practices that a shortlist shows, with a box each."""
    return re.findall(r'type="checkbox" name="p" value="([^"]+)"', page)


def published(site: Site, *titles: str) -> None:
    with site.database.write() as session:
        for title in titles:
            factories.published(session, title=title)
    site.drain()


def change(client: FlaskClient, *slugs: str, **more: str) -> object:
    return client.post("/account/shortlist", data={"csrf_token": token(client, "/account"), "p": list(slugs), **more})


# Signed out


def test_a_visitor_chooses_from_the_results_without_cookie_or_script(site: Site) -> None:
    published(site, "First nurses", "Second nurses", "Third nurses")
    reader = site.client()
    page = reader.get("/practices?q=nurses&lang=en").text
    first = link(page, "Keep to compare")
    page = reader.get(first).text
    assert "You keep 1 practice to compare." in page and "q=nurses" in first
    second = link(page, "Keep to compare")
    answer = reader.get(second)
    assert "You keep 2 practices to compare." in answer.text and "Set-Cookie" not in answer.headers
    shortlist = link(answer.text, "Compare, or make a briefing")
    chosen = listed(reader.get(shortlist).text)
    assert len(chosen) == 2
    assert reader.get("/compare?" + "&".join(f"p={slug}" for slug in chosen)).status_code == 200


def test_every_way_on_from_a_list_keeps_the_choice(reader: FlaskClient) -> None:
    page = html.unescape(reader.get("/practices?q=work&theme=housing&p=elsewhere").text)
    main = page[page.index("<main") : page.index("<footer")]
    ways = re.findall(r'href="(/practices\?[^"#]*)', main)
    assert len(ways) > 5
    assert [way for way in ways if "p=elsewhere" not in way] == []
    hidden = re.findall(r'<input type="hidden" name="p" value="elsewhere">', main)
    assert len(hidden) == 2  # of the search box and of the filters


def test_a_list_without_a_choice_has_none_in_its_ways(reader: FlaskClient) -> None:
    page = html.unescape(reader.get("/practices?q=work").text)
    assert all("#p-" in way for way in re.findall(r'href="(/practices\?[^"]*[?&]p=[^"]*)"', page))


def test_what_was_chosen_can_be_left_out_where_it_was_chosen(site: Site) -> None:
    published(site, "First nurses")
    page = site.client().get("/practices?q=nurses&p=first-nurses").text
    assert link(page, "Leave out") == "/practices?q=nurses#p-first-nurses"


def test_a_choice_of_ten_is_full_and_says_so(reader: FlaskClient) -> None:
    chosen = "&".join(f"p=x{n}" for n in range(10))
    page = reader.get(f"/practices?q=work&{chosen}").text
    assert "You keep ten: leave one out to keep another" in page and "Keep to compare<" not in page


def test_a_practice_leads_to_the_shortlist(reader: FlaskClient) -> None:
    page = reader.get("/practices/bizkaia-talent").text
    assert link(page, "Keep to compare") == "/shortlist?p=bizkaia-talent"
    assert link(page, "Make a briefing for a council") == "/briefing?p=bizkaia-talent"
    assert "Keep to compare" not in reader.get("/practices/bizkaia-talent/versions/1").text


def test_what_is_not_there_is_named_and_the_rest_is_shown(reader: FlaskClient) -> None:
    page = html.unescape(reader.get("/shortlist?p=bizkaia-talent&p=nowhere").text)
    assert listed(page) == ["bizkaia-talent"] and "There is no practice “nowhere”." in page
    assert "bookmark it" in page and "http://localhost/shortlist?p=bizkaia-talent<" in page.replace(
        "127.0.0.1:8000", "localhost"
    )


def test_an_empty_shortlist_says_how_to_fill_it(reader: FlaskClient) -> None:
    assert "Nothing is chosen yet." in reader.get("/shortlist").text


# Signed in


def test_somebody_keeps_practices_in_their_account(site: Site) -> None:
    published(site, "First nurses", "Second nurses")
    rita = site.client("rita")
    page = rita.get("/practices?q=nurses").text
    assert 'form="keep-to-compare" name="p" value="first-nurses"' in page and 'id="keep-to-compare"' in page
    answer = change(rita, "first-nurses", next="/practices?q=nurses")
    assert answer.headers["Location"] == "/practices?q=nurses#p-first-nurses"  # type: ignore[attr-defined]
    page = rita.get("/practices?q=nurses").text
    assert "Kept on your shortlist." in page and "See what you keep</a>" in page.replace(" (1)", "")
    assert listed(rita.get("/shortlist").text) == ["first-nurses"]
    assert listed(site.client("alice").get("/shortlist").text) == []


def test_the_list_of_an_address_goes_into_the_account(site: Site) -> None:
    published(site, "One", "Two", "Three")
    rita = site.client("rita")
    change(rita, "one")
    page = rita.get("/shortlist?p=two&p=one&p=three").text
    assert "2 practices of this address are not in your account yet." in page and listed(page) == [
        "one",
        "two",
        "three",
    ]
    change(rita, "two", "three")
    assert listed(rita.get("/shortlist").text) == ["one", "two", "three"]


def test_something_is_taken_off(site: Site) -> None:
    published(site, "One", "Two")
    rita = site.client("rita")
    change(rita, "one", "two")
    answer = change(rita, "one", do="remove")
    assert answer.headers["Location"] == "/shortlist"  # type: ignore[attr-defined]
    assert listed(rita.get("/shortlist").text) == ["two"]


def test_a_practice_that_went_offline_is_named_and_can_be_taken_off(site: Site) -> None:
    published(site, "One")
    rita = site.client("rita")
    change(rita, "one")
    with site.database.write() as session:
        bob = session.scalars(select(User).where(User.email == "bob@example.org")).one()
        practice = session.scalars(select(ShortlistEntry)).one().practice_id
        lifecycle.unpublish(session, bob, lifecycle.get(session, bob, practice, "unpublish"), "An error.")
    page = rita.get("/shortlist").text
    assert "There is no practice “one”." in page and 'form="take-off" name="p" value="one"' in page
    change(rita, "one", do="remove")
    assert "There is no practice" not in rita.get("/shortlist").text


def test_a_full_shortlist_adds_nothing_and_keeps_the_choice_on_the_page(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(site, "One", "Two")
    monkeypatch.setattr(shortlists, "MOST", 1)
    rita = site.client("rita")
    change(rita, "one")
    refused = change(rita, "two")
    assert refused.status_code == 409 and "nothing was added" in refused.text  # type: ignore[attr-defined]
    assert listed(refused.text) == ["one", "two"]  # type: ignore[attr-defined]


def test_who_was_signed_out_meanwhile_loses_nothing(site: Site) -> None:
    published(site, "One")
    rita = site.client("rita")
    csrf = token(rita, "/account")
    site.client("rita").post("/sign-out", data={"csrf_token": csrf})
    site.forget("rita")
    answer = rita.post("/account/shortlist", data={"csrf_token": csrf, "p": "one"})
    assert answer.status_code == 401 and "one" in answer.text


@pytest.mark.parametrize("next_", ["https://evil.example.org/", "//evil.example.org", "/\\evil.example.org"])
def test_nobody_is_led_elsewhere(site: Site, next_: str) -> None:
    published(site, "One")
    answer = change(site.client("rita"), "one", next=next_)
    assert answer.headers["Location"] == "/shortlist#p-one"  # type: ignore[attr-defined]


def test_what_somebody_keeps_is_in_their_data_and_goes_with_their_account(site: Site) -> None:
    published(site, "One")
    rita = site.client("rita")
    change(rita, "one")
    held = rita.post("/account/data", data={"csrf_token": token(rita, "/account/data")}).get_json()
    assert len(held["shortlist"]) == 1
    with site.database.write() as session:
        leaving.leave(session, session.scalars(select(User).where(User.email == "rita@example.org")).one())
        session.flush()
        assert session.scalars(select(ShortlistEntry)).all() == []
