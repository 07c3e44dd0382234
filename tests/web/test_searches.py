"""Keeping a search: from the page of results to the account and the link in a mail that stops it."""

from __future__ import annotations

import html
import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from kb.models import Frequency, SavedSearch, User
from kb.services import notices, searches
from tests import factories
from tests.conftest import Site, token

PAGE = "/practices?q=nurses&country=IT"


def kept(site: Site) -> list[SavedSearch]:
    with site.database.read() as session:
        return list(session.scalars(select(SavedSearch).order_by(SavedSearch.created)))


def post(client: FlaskClient, path: str, **fields: str) -> TestResponse:
    return client.post(path, data={"csrf_token": token(client, "/account"), **fields})


def keep(site: Site, query: str = "q=nurses&country=IT", who: str = "rita") -> SavedSearch:
    assert post(site.client(who), "/account/searches", query=query).status_code == 302
    return kept(site)[-1]


def text(answer: TestResponse) -> str:
    """What a page says, without its markup."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True))).split())


def test_it_works(site: Site) -> None:
    rita = site.client("rita")
    page = rita.get(PAGE).get_data(as_text=True)
    [query] = re.findall(r'name="query" value="([^"]+)"', page)
    answer = post(rita, "/account/searches", query=html.unescape(query))
    [search] = kept(site)
    assert answer.headers["Location"] == f"/account/searches#s-{search.id}"
    assert (search.query, search.name) == ("q=nurses&country=IT", "nurses, Italy")
    page = rita.get("/account/searches").get_data(as_text=True)
    assert 'href="/practices?q=nurses&amp;country=IT"' in page and "no mail yet" in page


def test_how_often_is_chosen_where_a_search_is_kept(site: Site) -> None:
    rita = site.client("rita")
    page = rita.get(PAGE).get_data(as_text=True)
    assert '<a href="#keep">' in page and '<option value="daily">Mail once a day</option>' in page
    assert post(rita, "/account/searches", query="q=nurses", frequency="daily").status_code == 302
    assert post(rita, "/account/searches", query="q=doctors", frequency="hourly").status_code == 422
    assert [search.frequency for search in kept(site)] == ["daily"]
    assert '<a href="#keep">' not in site.client().get(PAGE).get_data(as_text=True)


def test_the_list_says_how_many_each_finds_now(site: Site) -> None:
    keep(site)
    with site.database.write() as session:
        factories.published(session)
    site.drain()
    assert "1 practice now" in text(site.client("rita").get("/account/searches"))


def test_what_is_found_when_it_is_kept_is_known(site: Site) -> None:
    with site.database.write() as session:
        practice = factories.published(session)
    site.drain()
    search = keep(site)
    with site.database.read() as session:
        assert searches.known(session, search) == {practice.id: 1}


def test_a_search_that_is_kept_says_so_on_its_page(site: Site) -> None:
    keep(site)
    page = site.client("rita").get(PAGE + "&sort=title").get_data(as_text=True)
    assert "You keep this search" in page and 'name="query"' not in page
    assert 'name="query"' in site.client("alice").get(PAGE).get_data(as_text=True)


def test_the_same_search_twice_is_one_and_that_is_said(site: Site) -> None:
    keep(site)
    keep(site)
    assert len(kept(site)) == 1
    assert "You keep this search already." in text(site.client("rita").get("/account/searches"))


def test_a_stranger_is_told_of_the_feed_and_of_signing_in_and_comes_back(site: Site) -> None:
    answer = site.client().get(PAGE)
    page = answer.get_data(as_text=True)
    assert 'href="/practices.atom?q=nurses&amp;country=IT"' in page
    assert 'href="/sign-in?next=/practices?q%3Dnurses%26country%3DIT"' in page
    assert "csrf_token" not in page and "Set-Cookie" not in answer.headers


def test_who_was_signed_out_meanwhile_comes_back_to_the_search(site: Site) -> None:
    client = site.client("rita")
    fields = {"csrf_token": token(client, "/account"), "query": "q=nurses"}
    site.forget("rita")
    assert site.client().post("/account/searches", data=fields).status_code == 401
    assert not kept(site)


@pytest.mark.parametrize("query", ["country=XX", "q=" + "x" * 11_000, "q=" + "x" * 2000])
def test_a_query_that_cannot_be_is_refused_in_a_sentence(site: Site, query: str) -> None:
    answer = post(site.client("rita"), "/account/searches", query=query)
    assert answer.status_code == 422 and "Error" not in text(answer).split()[:1] and not kept(site)


def test_one_too_many_is_refused_in_a_sentence(site: Site) -> None:
    with site.database.write() as session:
        rita = session.scalars(select(User).where(User.email == "rita@example.org")).one()
        for number in range(searches.MOST):
            session.add(SavedSearch(user_id=rita.id, name=str(number), query=f"year_from={1900 + number}"))
    answer = post(site.client("rita"), "/account/searches", query="q=nurses")
    assert answer.status_code == 409 and "You keep 50 searches already" in text(answer)


def test_name_and_rhythm_can_be_changed(site: Site) -> None:
    search = keep(site)
    post(site.client("rita"), f"/account/searches/{search.id}", name="Nurses", frequency="daily")
    [search] = kept(site)
    assert (search.name, search.frequency) == ("Nurses", Frequency.DAILY)
    said = text(site.client("rita").get("/account/searches"))
    assert "Mail once a day" in said and "nurses, Italy" in said  # what is asked, beside the name given


def test_a_name_that_cannot_be_is_said_at_its_field_with_what_was_typed(site: Site) -> None:
    keep(site, "q=talent")
    search = keep(site)
    answer = post(site.client("rita"), f"/account/searches/{search.id}", name="x" * 101, frequency="daily")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422 and 'role="alert"' in page and f'href="#name-{search.id}"' in page
    assert f'value="{"x" * 101}"' in page and page.count('aria-invalid="true"') == 1
    assert page.count('<details class="flex-fill" open>') == 1


def test_stop_and_go_on(site: Site) -> None:
    search = keep(site)
    rita = site.client("rita")
    post(rita, f"/account/searches/{search.id}/stop")
    assert kept(site)[0].stopped is not None and "Let it go on" in text(rita.get("/account/searches"))
    post(rita, f"/account/searches/{search.id}/resume")
    assert kept(site)[0].stopped is None


def test_delete(site: Site) -> None:
    search = keep(site)
    post(site.client("rita"), f"/account/searches/{search.id}/delete")
    assert not kept(site) and "You keep no search yet." in text(site.client("rita").get("/account/searches"))


@pytest.mark.parametrize("path", ["", "/stop", "/resume", "/delete"])
def test_others_searches_cannot_be_touched_nor_seen(site: Site, path: str) -> None:
    search = keep(site)
    alice = site.client("alice")
    answer = post(alice, f"/account/searches/{search.id}{path}", name="Mine", frequency="daily")
    assert answer.status_code == 404 and [each.name for each in kept(site)] == [search.name]
    assert "nurses" not in text(alice.get("/account/searches"))


def test_a_search_that_cannot_be_read_any_more_says_why(site: Site) -> None:
    search = keep(site)
    with site.database.write() as session:
        lost = session.get_one(SavedSearch, search.id)
        lost.query, lost.stopped = "theme=gone", datetime.now(UTC)
    said = text(site.client("rita").get("/account/searches"))
    assert "cannot be read any more" in said and "No theme is called “gone”." in said and "Let it go on" not in said
    assert post(site.client("rita"), f"/account/searches/{search.id}/resume").status_code == 422


def test_who_wants_no_such_mail_is_reminded_of_it(site: Site) -> None:
    keep(site)
    with site.database.write() as session:
        notices.choose(session, session.scalars(select(User).where(User.email == "rita@example.org")).one(), False)
    assert "None of them sends mail" in text(site.client("rita").get("/account/searches"))


def test_the_account_says_how_many_searches_one_keeps(site: Site) -> None:
    keep(site)
    page = site.client("rita").get("/account").get_data(as_text=True)
    assert 'href="/account/searches"' in page


# The link in a mail


def link(site: Site, search: SavedSearch) -> str:
    return searches.way_out(site.config.secret_key, search.id)


def test_looking_at_the_link_changes_nothing(site: Site) -> None:
    search = keep(site)
    answer = site.client().get(link(site, search))
    assert answer.status_code == 200 and "<button" in answer.get_data(as_text=True)
    assert answer.headers["Referrer-Policy"] == "no-referrer" and "no-store" in answer.headers["Cache-Control"]
    assert kept(site)[0].stopped is None


def test_one_click_stops_this_search_alone_without_cookie_or_token(site: Site) -> None:
    other, search = keep(site, "q=talent"), keep(site)
    for _ in range(2):
        answer = site.client().post(link(site, search), data={"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200 and "Set-Cookie" not in answer.headers
    stopped = {each.id: each.stopped is not None for each in kept(site)}
    assert stopped == {search.id: True, other.id: False}
    with site.database.read() as session:
        assert session.get_one(User, search.user_id).notify


def test_a_link_that_ends_all_mail_of_somebody_stops_no_search_nor_the_other_way_round(site: Site) -> None:
    search = keep(site)
    of_search = link(site, search).rpartition("/")[2]
    of_person = notices.token(site.config.secret_key, search.user_id)
    answers = [site.client().post(path).status_code
               for path in (f"/unsubscribe/{of_search}", f"/unsubscribe/search/{of_person}")]  # fmt: skip
    assert answers == [404, 404]


def test_the_link_of_a_search_that_is_gone_says_so(site: Site) -> None:
    gone = searches.way_out(site.config.secret_key, uuid.uuid4())
    assert "the search is deleted" in text(site.client().get(gone))


def test_a_running_server_tells_by_itself(site: Site) -> None:
    keep(site)
    with site.database.write() as session:
        factories.published(session)
        session.scalars(select(SavedSearch)).one().checked -= timedelta(days=8)
    site.drain()
    site.parts.postman.sweep()
    site.parts.postman.deliver()
    [file] = (site.config.data_dir / "mail").glob("*.eml")
    assert "List-Unsubscribe: <http://127.0.0.1:8000/unsubscribe/search/" in file.read_text()
