"""The shortlist: in the address of who is signed out, in the account of who is signed in."""

from __future__ import annotations

import html
import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from kb.models import ShortlistEntry, User
from kb.services import leaving, lifecycle, merging, shortlists
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
    first = link(page, "Add to shortlist")
    page = reader.get(first).text
    assert "1 practice is on your shortlist." in page and "q=nurses" in first
    second = link(page, "Add to shortlist")
    answer = reader.get(second)
    assert "2 practices are on your shortlist." in answer.text and "Set-Cookie" not in answer.headers
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


def test_what_was_chosen_can_be_taken_off_where_it_was_chosen(site: Site) -> None:
    published(site, "First nurses")
    page = site.client().get("/practices?q=nurses&p=first-nurses").text
    assert link(page, "Take off") == "/practices?q=nurses#p-first-nurses"


def test_a_choice_of_ten_is_full_and_says_so(reader: FlaskClient) -> None:
    chosen = "&".join(f"p=x{n}" for n in range(10))
    page = reader.get(f"/practices?q=work&{chosen}").text
    assert "Your shortlist holds ten: take one off to add another" in page and "Add to shortlist" not in page


def test_a_practice_is_added_on_its_own_page_to_what_was_chosen_before(reader: FlaskClient) -> None:
    page = reader.get("/practices/bizkaia-talent?p=auvergne-new-deal&p=catalonia-acol-line").text
    assert link(page, "You keep 2 others: see them") == "/shortlist?p=auvergne-new-deal&p=catalonia-acol-line"
    added = link(page, "Add to shortlist")
    assert (
        added == "/practices/bizkaia-talent?p=auvergne-new-deal&p=catalonia-acol-line&p=bizkaia-talent#p-bizkaia-talent"
    )
    page = reader.get(added).text
    shortlist = link(page, re.escape("On your shortlist (3)"))
    assert listed(reader.get(shortlist).text) == ["auvergne-new-deal", "catalonia-acol-line", "bizkaia-talent"]
    off = link(page, "Take off")
    assert off == "/practices/bizkaia-talent?p=auvergne-new-deal&p=catalonia-acol-line#p-bizkaia-talent"
    assert "Add to shortlist" in reader.get(off).text
    assert "Add to shortlist" not in reader.get("/practices/bizkaia-talent/versions/1").text


def test_the_shortlist_goes_along_from_results_to_a_practice_and_back(reader: FlaskClient) -> None:
    page = reader.get("/practices?q=talent&p=auvergne-new-deal").text
    titles = [html.unescape(each) for each in re.findall(r'<h3><a href="([^"]+)"', page)]
    assert len(titles) > 3 and all(each.endswith("?p=auvergne-new-deal") for each in titles)
    page = reader.get(titles[0]).text
    main = html.unescape(page[page.index("<main") : page.index("<footer")])
    for place in ("regions", "countries", "themes"):
        ways = re.findall(rf'href="(/{place}/[^"]+)"', main)
        assert ways and all(each.endswith("?p=auvergne-new-deal") for each in ways)
    similar = re.findall(r'<h3><a href="([^"]+)"', main[main.index('id="similar"') :])
    assert similar and all(each.endswith("?p=auvergne-new-deal") for each in similar)
    assert link(page, "Practices<") == "/practices?p=auvergne-new-deal"
    assert '<input type="hidden" name="p" value="auvergne-new-deal">' in page  # of the search in the head


def test_the_shortlist_goes_along_by_the_map_and_by_regions_like_ones_own(reader: FlaskClient) -> None:
    page = reader.get("/practices?q=talent&p=auvergne-new-deal").text
    chart = reader.get(link(page, "Map of these results")).text
    assert link(chart, "Spain") == "/practices?q=talent&country=ES&p=auvergne-new-deal"
    like = reader.get(link(page, "Choose your region"))
    assert '<input type="hidden" name="p" value="auvergne-new-deal">' in like.text[like.text.index("<main") :]
    answer = reader.get("/regions/like-mine?mine=Navarra&q=talent&p=auvergne-new-deal")
    assert answer.headers["Location"] == "/practices?q=talent&region_like=ES22&p=auvergne-new-deal"


def test_a_page_where_nothing_is_kept_says_nothing_of_it(reader: FlaskClient) -> None:
    for path in ("/practices/bizkaia-talent", "/practices?q=talent", "/themes/housing", "/", "/shortlist", "/compare"):
        page = reader.get(path).text
        assert "Shortlist <span" not in page, path
        own = re.findall(r'href="[^"]*[?;]p=([^"&#]+)[^"]*"[^>]*>(?!Add to shortlist|Make a briefing)', page)
        assert own == [], path


def test_a_practice_that_is_read_with_a_shortlist_is_the_same_to_machines(reader: FlaskClient) -> None:
    bare, kept = (reader.get(f"/practices/bizkaia-talent{more}") for more in ("", "?p=auvergne-new-deal"))
    canonical = re.findall(r'<link rel="canonical" href="([^"]+)">', kept.text)
    assert [each.rpartition("/practices/")[2] for each in canonical] == ["bizkaia-talent"]
    assert 'rel="canonical"' not in bare.text and bare.headers.getlist("Link") == kept.headers.getlist("Link")
    data = [
        re.findall(r'<script type="application/ld\+json">.*?</script>', each.text, re.DOTALL) for each in (bare, kept)
    ]
    assert data[0] == data[1] != []


def test_the_head_of_every_page_leads_a_visitor_to_the_shortlist(reader: FlaskClient) -> None:
    for path in ("/practices", "/practices/bizkaia-talent", "/themes", "/regions/ES51", "/compare", "/help"):
        page = reader.get(f"{path}?p=auvergne-new-deal&p=catalonia-acol-line").text
        assert link(page, "Shortlist <") == "/shortlist?p=auvergne-new-deal&p=catalonia-acol-line", path
        assert '(2<span class="visually-hidden"> practices</span>)' in page


def test_what_can_be_no_practice_is_carried_nowhere(reader: FlaskClient) -> None:
    many = "&".join(f"p=x{n}" for n in range(60))
    page = reader.get(f"/practices?q=work&p=%3Cb%3E&p=%00&{many}").text
    assert link(page, "Shortlist <").count("p=") == 50 and "%3Cb" not in page


def test_the_shortlist_goes_along_to_what_a_practice_was_merged_into(site: Site) -> None:
    with site.database.write() as session:
        one, _two, three = (factories.published(session, title=each) for each in ("One", "Two", "Three"))
        bob = session.scalars(select(User).where(User.email == "bob@example.org")).one()
        merging.merge(session, bob, one, three)
    answer = site.client().get("/practices/one?p=two&p=one")
    assert answer.headers["Location"] == "/practices/three?p=two&p=one"


def test_the_only_practice_of_a_shortlist_gets_others_like_it(reader: FlaskClient) -> None:
    page = html.unescape(reader.get("/shortlist?p=bizkaia-talent").text)
    others = re.findall(r'href="(/compare\?p=bizkaia-talent&p=[^"]+)"', page)
    assert len(others) == 3 and reader.get(others[0]).status_code == 200
    assert "Similar, from elsewhere" not in reader.get("/shortlist?p=bizkaia-talent&p=auvergne-new-deal").text


def test_what_is_not_there_is_named_and_the_rest_is_shown(reader: FlaskClient) -> None:
    page = html.unescape(reader.get("/shortlist?p=bizkaia-talent&p=nowhere").text)
    assert listed(page) == ["bizkaia-talent"] and "There is no practice “nowhere”." in page
    assert "bookmark the page" in page and "http://localhost/shortlist?p=bizkaia-talent<" in page.replace(
        "127.0.0.1:8000", "localhost"
    )


def test_an_empty_shortlist_says_how_to_fill_it(reader: FlaskClient) -> None:
    assert "Your shortlist is empty." in reader.get("/shortlist").text


# Signed in


def test_somebody_keeps_practices_in_their_account(site: Site) -> None:
    published(site, "First nurses", "Second nurses")
    rita = site.client("rita")
    page = rita.get("/practices?q=nurses").text
    assert 'form="add-to-shortlist" name="p" value="first-nurses"' in page and 'id="add-to-shortlist"' in page
    answer = change(rita, "first-nurses", next="/practices?q=nurses")
    assert answer.headers["Location"] == "/practices?q=nurses#p-first-nurses"  # type: ignore[attr-defined]
    page = rita.get("/practices?q=nurses").text
    assert "Added to your shortlist." in page and link(page, re.escape("On your shortlist (1)")) == "/shortlist"
    assert link(page, "Shortlist <") == "/shortlist"
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


def test_something_is_taken_off_where_it_was_added(site: Site) -> None:
    published(site, "First nurses")
    rita = site.client("rita")
    change(rita, "first-nurses")
    for path in ("/practices?q=nurses", "/practices/first-nurses"):
        page = rita.get(path).text
        assert 'form="take-off" name="p" value="first-nurses"' in page and page.count('id="take-off"') == 1
    answer = change(rita, "first-nurses", do="remove", next="/practices/first-nurses")
    assert answer.headers["Location"] == "/practices/first-nurses#p-first-nurses"  # type: ignore[attr-defined]
    assert 'form="add-to-shortlist" name="p" value="first-nurses"' in rita.get("/practices/first-nurses").text


def test_the_shortlist_of_an_account_takes_one_statement_a_page_and_no_place_in_addresses(site: Site) -> None:
    published(site, "First nurses", "Second nurses")
    rita = site.client("rita")
    change(rita, "first-nurses")
    for path in ("/practices?q=nurses&p=second-nurses", "/practices/second-nurses?p=first-nurses", "/help"):
        said = factories.statements(site.database, lambda path=path: rita.get(path))  # type: ignore[misc]
        assert sum("shortlist" in each for each in said) == 1, path
        assert re.findall(r'href="(/practices/[^"]*\?p=[^"]*)"', rita.get(path).text) == []


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
