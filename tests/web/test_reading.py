"""Reading the base: the list, a practice, themes, regions, countries, home."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from kb.models import Record
from kb.services import practices
from kb.web import pages
from tests import factories
from tests.conftest import Site


def page(client: FlaskClient, address: str, status: int = 200) -> str:
    """A page's HTML, entities read; its status is checked."""
    answer = client.get(address)
    assert answer.status_code == status, f"{address}: {answer.status}"
    assert answer.content_type.startswith("text/html")
    return unescape(answer.get_data(as_text=True))


def text(html: str) -> str:
    """What a page says, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", html.partition("<main")[2]).split())


def count(html: str) -> int:
    """The number of practices that a list says it has."""
    found = re.search(r'id="count"[^>]*>([\d,]+) practice', html)
    assert found
    return int(found.group(1).replace(",", ""))


def make(site: Site, **changes: Any) -> str:
    """Publish a practice; returns its slug."""
    with site.database.write() as session:
        slug = factories.published(session, **changes).slug
    site.drain()
    return str(slug)


# Every page


PAGES = (
    "/", "/practices", "/practices?q=talent", "/practices?q=zzzz", "/practices/catalonia-acol-line", "/themes",
    "/themes/housing", "/regions", "/regions?q=cat", "/regions/ES51", "/countries/ES", "/countries/JP",
    "/about", "/help",
)  # fmt: skip


@pytest.mark.parametrize("address", PAGES)
def test_a_page_is_whole_and_needs_no_inline_code(reader: FlaskClient, address: str) -> None:
    html = page(reader, address)
    assert '<html lang="en">' in html
    assert re.search(r"<title>[^<]+ – Regional integration practices</title>", html)
    assert html.count("<h1") == html.count("<main") == 1
    assert not re.search(r"<script(?![^>]* (?:src=|type=.application/ld\+json.>))|<style|\sstyle=|\son\w+=", html)
    assert "None" not in text(html)


@pytest.mark.parametrize("address", PAGES)
def test_a_reader_gets_no_cookie(reader: FlaskClient, address: str) -> None:
    assert "Set-Cookie" not in reader.get(address).headers


def test_every_link_of_the_reading_pages_leads_somewhere(reader: FlaskClient) -> None:
    links = {link for address in PAGES for link in re.findall(r'href="(/[^"#]*)', page(reader, address))}
    one_of_a_kind = {re.sub(r"=[^&]*|(?<=.)/[^/?]*(?=\?|$)", "", link): link for link in sorted(links)}
    assert len(one_of_a_kind) > 20
    for link in one_of_a_kind.values():
        with reader.get(link) as answer:
            assert answer.status_code in (200, 302, 303), link


def test_the_place_in_the_site_is_marked(reader: FlaskClient) -> None:
    assert 'href="/themes" aria-current="page"' in page(reader, "/themes")
    assert 'href="/themes" aria-current="true"' in page(reader, "/themes/housing")


def test_editors_see_how_many_wait_and_members_do_not(site: Site) -> None:
    with site.database.write() as session:
        factories.submitted(session, factories.person(session, "eve@example.org", "member"))
    assert "(1 practice waits)" in re.sub(r"<[^>]+>", "", page(site.client("bob"), "/"))
    assert 'href="/review"' not in page(site.client("alice"), "/")


def test_signing_out_is_a_form_with_a_token(site: Site) -> None:
    html = page(site.client("alice"), "/about")
    assert re.search(
        r'<form class="sign-out" method="post" action="/sign-out"><input type="hidden" name="csrf_token"', html
    )
    assert "Sign in<" not in html


# The list


def test_a_question_finds_marks_and_says_where(reader: FlaskClient) -> None:
    html = page(reader, "/practices?q=linia+acol")
    assert "/practices/catalonia-acol-line" in html
    assert "<mark>ACOL</mark>" in html
    assert "Found in: the title" in html


def test_filters_are_checked_boxes_and_removable_chips(reader: FlaskClient) -> None:
    html = page(reader, "/practices?q=talent&country=ES&level=regional")
    assert '<input type="checkbox" name="country" value="ES" checked>' in html
    assert 'class="chip" href="/practices?q=talent&level=regional"' in html
    assert "Remove filter </span><span>Country: <b>Spain</b>" in html
    assert f"Remove both</a> to see {count(page(reader, '/practices?q=talent'))}<" in html


def test_the_filter_form_keeps_the_question_the_order_and_what_it_has_no_box_for(reader: FlaskClient) -> None:
    html = page(reader, "/practices?q=talent&sort=title&region=ES2&per_page=10")
    for name, value in (("q", "talent"), ("sort", "title"), ("region", "ES2"), ("per_page", "10")):
        assert f'<input type="hidden" name="{name}" value="{value}">' in html


def test_empty_years_of_the_form_are_ignored(reader: FlaskClient) -> None:
    assert count(page(reader, "/practices?q=talent&year_from=&year_to=")) == count(page(reader, "/practices?q=talent"))


def test_a_range_of_years_says_what_it_leaves_out(reader: FlaskClient) -> None:
    assert re.search(
        r"\d+ practices without dates are left out", page(reader, "/practices?year_from=2010&year_to=2012")
    )


def test_a_count_beside_a_value_is_what_choosing_it_gives(reader: FlaskClient) -> None:
    html = page(reader, "/practices?q=talent")
    said = re.search(r'value="ES"><span>Spain</span><span class="num">(\d+)', html)
    assert said
    assert count(page(reader, "/practices?q=talent&country=ES")) == int(said.group(1))


def test_an_alias_is_redirected_to_the_canonical_address(reader: FlaskClient) -> None:
    answer = reader.get("/practices?q=x&country=EL&theme=housing")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/practices?q=x&country=GR&theme=housing"


def test_unknown_parameters_are_ignored(reader: FlaskClient) -> None:
    assert count(page(reader, "/practices?utm_source=x")) == 120


def test_without_a_question_the_newest_come_first_and_the_page_says_so(reader: FlaskClient) -> None:
    html = page(reader, "/practices")
    assert '<a href="/practices?sort=newest" aria-current="true">newest</a>' in html
    assert ">relevance</a>" not in html
    assert 'aria-current="true">relevance</a>' in page(reader, "/practices?q=talent")


def test_pages_follow_each_other(reader: FlaskClient) -> None:
    html = page(reader, "/practices?page=2&per_page=50")
    assert "51 to 100 of 120" in html
    assert 'href="/practices?per_page=50" rel="prev"' in html
    assert 'href="/practices?per_page=50&page=3" rel="next"' in html


def test_a_page_past_the_last_is_a_404_that_says_so(reader: FlaskClient) -> None:
    assert "There is no page 99: the last is 6." in page(reader, "/practices?page=99", 404)


def test_a_pager_shows_first_last_and_the_pages_near() -> None:
    from kb.web.results import page_numbers

    assert page_numbers(1, 1) == [1]
    assert page_numbers(6, 20) == [1, None, 4, 5, 6, 7, 8, None, 20]
    assert page_numbers(2, 4) == [1, 2, 3, 4]


@pytest.mark.parametrize("address", ["/practices?country=XX", "/practices?page=0", "/practices?per_page=1000",
                                     "/practices?sort=foo", "/practices?theme=nope",
                                     "/practices?q=" + "x" * 10_000])  # fmt: skip
def test_what_nobody_knows_is_a_400_with_a_sentence_and_a_search(reader: FlaskClient, address: str) -> None:
    html = page(reader, address, 400)
    assert re.search(r'role="alert"><p class="lead mb-2">[^<]+\.</p>', html)
    assert 'role="search"' in html


@pytest.mark.parametrize("q", ["%00", "%ff%fe", "%22unbalanced", "*", "AND+OR", "%3Cscript%3E"])
def test_odd_questions_are_answered(reader: FlaskClient, q: str) -> None:
    assert "<script>" not in reader.get(f"/practices?q={q}").get_data(as_text=True)
    assert reader.get(f"/practices?q={q}").status_code == 200


def test_nothing_found_names_the_filters_that_stand_in_the_way(reader: FlaskClient) -> None:
    html = page(reader, "/practices?country=MT&theme=housing")
    assert "Without Theme: Housing" in html or "Without Country: Malta" in html
    assert "Remove all filters" in html


def test_nothing_found_for_a_word_says_what_to_do(reader: FlaskClient) -> None:
    said = text(page(reader, "/practices?q=zzzzqq"))
    assert "0 practices" in said
    assert "Nothing was found for these words." in said


def test_partial_hits_come_below_a_divider(reader: FlaskClient) -> None:
    html = page(reader, "/practices?q=acol+residence+permit")
    full, _, beyond = html.partition("These have only some of your words")
    assert full.count('class="hit"') == count(html)
    assert beyond.count('class="hit"') > 0


def test_a_list_links_to_the_same_list_as_data(reader: FlaskClient) -> None:
    html = page(reader, "/practices?q=talent&country=ES")
    link = re.search(r'href="(/practices\.json\?[^"]*)"', html)
    assert link
    assert len(reader.get(unescape(link.group(1))).get_json()) == count(html)


# A practice


def test_every_field_of_a_practice_is_on_its_page(site: Site) -> None:
    model = make(site, title="The model that was adapted")
    full = {
        "title": "Mentors for nurses", "original_title": "Mentori per infermieri", "summary": "Pairs of nurses meet.",
        "translations": [{"language": "it", "title": "Tutor", "summary": "Coppie.", "machine": True}],
        "other_regions": [
            {"country": "ES", "code": "ES51", "name": None}, {"country": "FR", "code": None, "name": None},
        ],
        "place": "Rimini", "level": "cross-border", "authority_role": "funder",
        "lead_organisation": {"name": "Health Service", "type": "agency", "url": "https://lead.example.org/"},
        "partners": [{"name": "Nurses' Union", "type": "ngo", "url": None}], "start": "2016-05", "end": "2018",
        "status": "ended", "context": "Short of nurses.", "objectives": "Keep them.", "actions": "Pairs **meet**.",
        "results": "Most stay.", "difficulties": "Shifts.", "lessons": "Pay the hours.", "transferability": "Any ward.",
        "evidence": "self-evaluation",
        "indicators": [
            {"name": "Pairs formed", "baseline": "3", "value": "86", "unit": "pairs", "year": 2018, "url": None},
        ],
        "beneficiaries": 1234, "budget_eur": 2500000, "budget_year": 2017,
        "funding": [{"source": "ESF", "amount_eur": 1500000, "note": "first call"}],
        "links": [{"title": "Film", "url": "https://film.example.org/"}], "editor_note": "Figures of one year.",
        "adapted_from": [{"slug": model, "changes": "Shorter."}], "attribution": "The Service",
        "last_verified": "2026-09-30", "review_due": "2028-03-31",
    }  # fmt: skip
    slug = make(site, **full)
    said = text(page(site.client(), f"/practices/{slug}"))
    for expected in (
        "Mentors for nurses", "Mentori per infermieri", "Pairs of nurses meet.", "Italian", "Emilia-Romagna", "Italy",
        "Catalonia", "France", "Rimini", "Cross-border", "Funder", "Health Service", "Public agency", "Nurses' Union",
        "Non-profit organisation", "May 2016 to 2018", "Ended 2016–2018", "Short of nurses.", "Keep them.",
        "Pairs meet .",
        "Most stay.", "Shifts.", "Pay the hours.", "Any ward.", "Self-evaluation", "Pairs formed", "86", "pairs", "3",
        "1,234", "€2.5 million", "in 2017", "European Social Fund", "€1.5 million", "first call", "Labour inclusion",
        "Migrant workers", "Film", "film.example.org", "Programme page", "Figures of one year.",
        "The model that was adapted", "Shorter.", "CC BY 4.0", "The Service", "30 September 2026", "31 March 2028",
        "Version 1", "9 of 9 recommended fields are reported",
    ):  # fmt: skip
        assert expected in said, expected
    assert "Not reported" not in said


def test_what_is_recommended_and_empty_is_said_not_to_be_reported(site: Site) -> None:
    slug = make(site, start=None, evidence=None, authority_role=None)
    html = page(site.client(), f"/practices/{slug}")
    assert "0 of 9 recommended fields are reported" in html
    for heading in ("evidence", "context", "objectives", "results", "difficulties", "lessons", "transferability"):
        section = html.partition(f'<h2 id="{heading}">')[2].partition("</section>")[0]
        assert "Not reported." in section, heading
    for fact in ("Time", "Role of the region"):
        assert re.search(rf'<dt>{fact}</dt><dd><span class="nr">Not reported', html), fact


def test_a_seed_practice_says_where_its_text_comes_from(reader: FlaskClient) -> None:
    html = page(reader, "/practices/catalonia-acol-line")
    assert "Compiled from public sources, not confirmed by the organisation." in html
    assert "ask the organisation that runs it" in html


def test_a_stopped_practice_says_why_before_all_else(reader: FlaskClient) -> None:
    html = page(reader, "/practices/livadia-estia-apartments")
    assert '<h2 id="difficulties">Why it stopped</h2>' in html
    assert html.index('id="difficulties"') < html.index('id="context"')


def test_no_evaluation_is_not_the_same_as_not_reported(site: Site) -> None:
    html = page(site.client(), f"/practices/{make(site, evidence='none')}")
    assert "No evaluation was made." in html
    assert 'class="on"' not in html


def test_an_adapted_practice_names_its_adaptations(site: Site) -> None:
    model = make(site, title="The model")
    make(site, title="The adaptation", adapted_from=[{"slug": model, "changes": None}])
    assert "The adaptation" in text(page(site.client(), f"/practices/{model}"))


def test_similar_practices_are_from_elsewhere(reader: FlaskClient) -> None:
    similar = page(reader, "/practices/catalonia-acol-line").partition('id="similar"')[2]
    assert similar.count('class="item"') == 3
    assert 'title="Spain"' not in similar


def test_the_contact_is_for_members_who_are_signed_in(site: Site) -> None:

    with site.database.write() as session:
        practice = factories.published(session)
        practices.keep_contact(practice, {**factories.CONTACT, "consent": False})
        slug = practice.slug
    address = f"/practices/{slug}"
    stranger, charlie = page(site.client(), address), page(site.client("charlie"), address)
    assert "office@example.org" not in stranger
    assert "Members of the network see it when they sign in" in stranger
    assert "mailto:office@example.org" in charlie
    assert "Sam Doe" not in charlie
    with site.database.write() as session:
        practices.keep_contact(session.merge(practice), {**factories.CONTACT, "consent": True})
    assert "Sam Doe" in page(site.client("charlie"), address)


def test_texts_cannot_bring_markup_into_the_page(site: Site) -> None:
    slug = make(site, title="<b>Title</b>", summary="<i>s</i> x")
    with site.database.write() as session:  # as a text may stand there that was checked by less
        session.execute(update(Record).values(actions="<img src=x onerror=alert(1)> [a](javascript:b)"))
    html = site.client().get(f"/practices/{slug}").get_data(as_text=True)
    listing = site.client().get("/practices?q=title").get_data(as_text=True)
    for bad in ("<b>Title", "<i>s</i>", "<img", 'href="javascript'):
        assert bad not in html and bad not in listing


def test_a_text_in_another_language_bears_its_language(site: Site) -> None:
    slug = make(site, title="Infermieri per mano", language="it")
    assert '<h1 class="mt-2" lang="it">' in page(site.client(), f"/practices/{slug}")
    assert '<p lang="it">' in page(site.client(), "/practices")


def test_a_draft_has_no_page(site: Site) -> None:
    with site.database.write() as session:
        factories.submitted(session, factories.person(session, "eve@example.org", "member"), title="Still secret")
    assert "There is no practice at this address." in page(site.client("bob"), "/practices/still-secret", 404)


# Themes, regions, countries


def test_themes_say_what_they_cover_and_how_much_there_is(reader: FlaskClient) -> None:
    html = page(reader, "/themes")
    assert html.count('href="/themes/') == 21
    assert "Access to adequate housing" in html


def test_a_theme_lists_its_practices_and_countries(reader: FlaskClient) -> None:
    html = page(reader, "/themes/talent-attraction-and-retention")
    assert "26 practices" in html
    assert "See the other 6" in html
    assert 'href="/practices?country=ES&theme=talent-attraction-and-retention"' in html


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("Cataluña", "ES51"),
        ("cataluna", "ES51"),
        ("Catalonia", "ES51"),
        ("es51", "ES51"),
        ("Praha", "CZ01"),
        ("x-gb-wales", "x-gb-wales"),
        ("Baviera", "DE2"),
        ("donegal", "IE041"),
    ],
)
def test_a_region_is_found_by_any_of_its_names_and_its_code(reader: FlaskClient, typed: str, code: str) -> None:
    html = page(reader, f"/regions?q={typed}")
    found = html.partition('id="h-f"')[2].partition("</section>")[0]
    assert f'href="/regions/{code}"' in found


def test_a_region_found_by_a_synonym_says_by_which(reader: FlaskClient) -> None:
    assert "Donegal" in page(reader, "/regions?q=donegal").partition('href="/regions/IE041"')[2].partition("</li>")[0]
    assert "Katalonien" not in page(reader, "/regions?q=Catalonia")


def test_a_region_that_nobody_knows_is_said_so(reader: FlaskClient) -> None:
    assert "No region bears this name or code." in page(reader, "/regions?q=zzzz")


def test_a_region_finds_the_practices_of_its_parts(reader: FlaskClient) -> None:
    above, below = (page(reader, f"/regions/{code}") for code in ("ES2", "ES213"))
    assert "Biscay" in text(below)
    assert "/practices/bizkaia-talent" in above


@pytest.mark.parametrize(("address", "to"), [("/regions/es51", "/regions/ES51"), ("/regions/ES", "/countries/ES"),
                                              ("/regions/EL", "/countries/GR"), ("/regions/GR", "/countries/GR"),
                                              ("/countries/EL", "/countries/GR"), ("/countries/UK", "/countries/GB"),
                                              ("/countries/es", "/countries/ES")])  # fmt: skip
def test_other_spellings_of_a_code_are_redirected(reader: FlaskClient, address: str, to: str) -> None:
    answer = reader.get(address)
    assert (answer.status_code, answer.headers["Location"]) == (301, to)


def test_a_retired_code_leads_to_what_took_over(reading_site: Site, reader: FlaskClient) -> None:
    with reading_site.app.test_request_context():
        from kb.web import context

        successors = context.vocabulary().successors
    single = next(code for code, after in successors.items() if len(after) == 1)
    several = next(code for code, after in successors.items() if len(after) > 1)
    assert reader.get(f"/regions/{single}").headers["Location"] == f"/regions/{successors[single][0]}"
    answer = reader.get(f"/regions/{several}", follow_redirects=True).get_data(as_text=True)
    assert all(f'href="/regions/{code}"' in answer for code in successors[several])


def test_a_country_without_practices_asks_for_one(reader: FlaskClient) -> None:
    assert "Nobody has published a practice from here yet." in page(reader, "/countries/JP")


def test_a_country_names_its_regions_with_practices(reader: FlaskClient) -> None:
    html = page(reader, "/countries/ES")
    assert "14 practices" in html
    assert 'href="/regions/ES51"' in html


# Home and pages of their own


def test_home_has_true_figures(reader: FlaskClient) -> None:
    figures = page(reader, "/").partition('class="figures"')[2].partition("</dl>")[0]
    assert re.findall(r"<dd>(\d+)</dd>", figures) == ["120", "39", "21", "14"]


@pytest.mark.parametrize("words", [words for _language, words in pages.EXAMPLES])
def test_every_example_on_the_home_page_finds_something(reader: FlaskClient, words: str) -> None:
    assert count(reader.get("/practices", query_string={"q": words}).get_data(as_text=True)) > 0


def test_home_of_an_empty_base_is_a_page_too(site: Site) -> None:
    assert re.findall(r"<dd>(\d+)</dd>", page(site.client(), "/"))[:2] == ["0", "0"]


def test_machines_get_what_they_ask_for_at_the_root(reader: FlaskClient) -> None:
    assert reader.get("/healthz").get_data(as_text=True) == "ok\n"
    assert reader.get("/robots.txt").get_data(as_text=True).startswith("User-agent: *\n")
    with reader.get("/favicon.ico", follow_redirects=True) as icon:
        assert icon.mimetype == "image/svg+xml"
