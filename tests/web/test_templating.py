"""What templates ask for: labels, formats by locale, Markdown, addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from urllib.parse import quote

import pytest
from markupsafe import escape

from kb import models
from kb.search.port import SORTS
from kb.services.errors import Message
from kb.services.query import KNOWN, CatalogueQuery
from kb.web import labels, templating
from tests.conftest import Site

SHOWN = {
    models.Level: "level",
    models.Status: "status",
    models.Evidence: "evidence",
    models.AuthorityRole: "authority_role",
    models.OrganisationType: "organisation",
    models.FundingSource: "funding",
    models.RegionType: "region_type",
    models.Origin: "origin",
    models.State: "state",
    models.Role: "role",
}


@pytest.fixture(autouse=True)
def request_in_english(reading_site: Site) -> Iterator[None]:
    with reading_site.app.test_request_context("/practices?q=x"):
        yield


def as_if(site: Site, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb.web.languages.chosen", lambda: language)


# Labels


@pytest.mark.parametrize("enum", SHOWN, ids=lambda enum: enum.__name__)
def test_every_value_of_an_enum_has_a_label(enum: type[StrEnum]) -> None:
    assert set(labels.TABLES[SHOWN[enum]]) == set(enum)
    assert all(labels.label(SHOWN[enum], value) for value in enum)


def test_labels_of_one_table_are_all_different() -> None:
    for name, table in labels.TABLES.items():
        assert len(set(table.values())) == len(table), name


def test_every_filter_and_sort_has_a_name() -> None:
    assert set(labels.FACETS) == set(KNOWN) - {"q", "drop", "sort", "page", "per_page"}
    assert set(labels.SORTS) == set(SORTS)


@pytest.mark.parametrize(
    ("status", "start", "end", "said"),
    [
        ("running", "2018", None, "Running since 2018"),
        ("running", "2018-05", "2027", "Running 2018–2027"),
        ("ended", "2004", "2008-06", "Ended 2004–2008"),
        ("ended", "2012", None, "Ended, begun 2012"),
        ("discontinued", None, "2019", "Stopped 2019"),
        ("discontinued", "2019", "2019-10", "Stopped 2019"),
        ("planned", "2026", None, "Planned for 2026"),
        ("pilot", None, None, "Pilot"),
    ],
)
def test_status_and_years_are_one_phrase(status: str, start: str | None, end: str | None, said: str) -> None:
    assert labels.lifespan(status, start, end) == said


# Numbers, money, dates


def test_money_is_short_and_has_its_sign() -> None:
    assert [templating.money(n) for n in (19_000_000, 2_230_000, 526_000, 900)] == [
        "€19\u00a0million", "€2.23\u00a0million", "€526,000", "€900",
    ]  # fmt: skip


def test_money_follows_the_readers_language(reading_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    as_if(reading_site, "de", monkeypatch)
    assert templating.money(2_200_000) == "2,2\u00a0Millionen\u00a0€"
    assert templating.number(2596) == "2.596"


def test_dates_are_as_exact_as_is_known() -> None:
    assert templating.partial("2016") == "2016"
    assert templating.partial("2016-05") == "May 2016"
    assert templating.day("2026-11-23T10:00:00Z") == "23 November 2026"


@pytest.mark.parametrize(
    ("start", "end", "status", "said"),
    [
        ("2016-05", "2018", "ended", "May 2016 to 2018"),
        ("2016", None, "running", "since 2016"),
        ("2016", None, "ended", "from 2016, end not reported"),
        (None, "2018", "ended", "until 2018"),
        (None, None, "running", ""),
    ],
)
def test_the_time_says_what_is_not_known(start: str | None, end: str | None, status: str, said: str) -> None:
    assert templating.span({"start": start, "end": end, "status": status}) == said


# Names and texts


def test_a_practice_is_where_its_people_say() -> None:
    region = {"code": "ES51", "name": "Cataluña"}
    record = {"place": "Girona", "region": region, "country": "ES"}
    assert templating.place_name(record) == "Girona"
    assert templating.place_name({**record, "place": None}) == "Catalonia"
    assert templating.place_name({**record, "place": None, "region": None}) == "Spain"


def test_names_follow_the_readers_language(reading_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    as_if(reading_site, "es", monkeypatch)
    assert templating.country_name("DE") == "Alemania"
    assert templating.theme_name("talent-attraction-and-retention") == "Atracción y retención de talento"
    assert templating.language_name("en") == "Inglés"


def test_lists_read_as_sentences() -> None:
    assert templating.listed(["a", "b", "c"]) == "a, b and c"


def test_a_message_of_a_service_has_its_gaps_filled() -> None:
    assert templating.message(Message("No %(name)s is here.", {"name": "cat"})) == "No cat is here."


def test_a_text_in_another_language_is_marked_as_such() -> None:
    assert templating.lang_attr("ca") == ' lang="ca"'
    assert templating.lang_attr("en") == templating.lang_attr(None) == ""


def test_a_reader_gets_the_translation_into_her_language(reading_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    translation = {"language": "de", "title": "Titel", "summary": None, "machine": True}
    record = {"title": "Title", "summary": "Sum", "language": "en", "translations": [translation]}
    assert templating.in_readers_language(record)["title"] == "Title"
    as_if(reading_site, "de", monkeypatch)
    shown = templating.in_readers_language(record)
    own = {"summary": "Sum", "summary_language": "en"}
    assert shown == {"title": "Titel", "language": "de", "machine": True, **own}


# Markdown


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("*so* **it** is", "<p><em>so</em> <strong>it</strong> is</p>"),
        ("# Top\n\n##### Deep", "<h3>Top</h3>\n<h3>Deep</h3>"),
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
        ("a <b onclick=x>c</b>", "<p>a &lt;b onclick=x&gt;c&lt;/b&gt;</p>"),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"),
        ("[x](data:text/html,y)", "<p>[x](data:text/html,y)</p>"),
        ("https://example.org", "<p>https://example.org</p>"),
        (None, ""),
    ],
)
def test_markdown_gives_only_harmless_html(text: str | None, html: str) -> None:
    assert templating.markdown(text).strip() == html


@pytest.mark.parametrize("sign", ["[", "![", "[a](", "*a_", "`a", "- \n", "<a "])
def test_a_text_of_signs_alone_is_shown_as_it_was_typed(sign: str) -> None:
    text = (sign * 2_000).strip()
    assert templating.markdown(text).strip() == f"<p>{escape(text)}</p>"


def test_a_text_of_signs_alone_keeps_its_paragraphs() -> None:
    assert templating.markdown("*" * 1_001 + "\n\nwords").count("<p>") == 2


def test_markdown_has_links_that_say_nothing_of_us() -> None:
    html = templating.markdown("[a](https://example.org/?a=1&b=2) [b](mailto:x@example.org)")
    assert 'href="https://example.org/?a=1&amp;b=2" rel="noopener nofollow"' in html
    assert 'href="mailto:x@example.org"' in html


def test_markdown_has_no_images() -> None:
    assert "<img" not in templating.markdown("![alt](https://example.org/x.png) ![a][1]\n\n[1]: https://example.org/y")


def test_a_relative_link_in_a_text_leads_nowhere() -> None:
    assert "href" not in templating.markdown("[x](/sign-out) [y](//example.org)")


# Addresses


def test_an_address_of_a_list_holds_the_query_and_its_changes() -> None:
    query = CatalogueQuery(q="a b", country=("ES", "IT"), year_from=2010)
    assert templating.query_url(query) == "/practices?q=a+b&country=ES&country=IT&year_from=2010"
    assert templating.query_url(query, page=2, country=(), year_from=None) == "/practices?q=a+b&page=2"
    assert templating.query_url(CatalogueQuery()) == "/practices"
    assert templating.query_url(query, endpoint="api.practices", q="") == (
        "/api/v1/practices?country=ES&country=IT&year_from=2010"
    )


def test_an_address_of_a_list_keeps_the_language_that_was_asked_for(reading_site: Site) -> None:
    with reading_site.app.test_request_context("/practices?lang=en"):
        assert templating.query_url(CatalogueQuery(q="x"), page=2) == "/practices?q=x&page=2&lang=en"


def test_the_language_menu_keeps_the_present_address(reading_site: Site) -> None:
    with reading_site.app.test_request_context("/practices?q=x&country=ES&country=IT&lang=en"):
        back = quote("/practices?q=x&country=ES&country=IT", safe="/?")
        assert templating.language_url("ca") == f"/language/ca?to={back}"


def test_files_have_a_hash_in_their_address() -> None:
    assert re.fullmatch(r"/static/site\.css\?v=[0-9a-f]{8}", templating.static_url("site.css"))
    assert templating.static_url("css/bootstrap.min.css", "bootstrap.static").startswith("/bootstrap/static/css/")


# Texts in templates


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ _('Years in which it ran') }}", "Years in which it ran"),
        ("{{ _('page %(page)d', page=3) }}", "page 3"),
        ("{{ _('Found in: %(places)s', places='<b>') }}", "Found in: &lt;b&gt;"),
        ("{{ _('100%%') }}", "100%"),
        ("{{ ngettext('%(num)d practice', '%(num)d practices', 1) }}", "1 practice"),
        ("{{ ngettext('%(shown)s practice', '%(shown)s practices', 2, shown='2,000') }}", "2,000 practices"),
        ("{% trans to='/x?a&b' %}<a href='{{ to }}'>it</a>{% endtrans %}", "<a href='/x?a&amp;b'>it</a>"),
    ],
)
def test_texts_are_filled_and_what_is_filled_in_is_escaped(reading_site: Site, source: str, said: str) -> None:
    environment = reading_site.app.jinja_env.overlay(autoescape=True)
    assert environment.from_string(source).render() == said


def test_in_plain_text_nothing_is_escaped(reading_site: Site) -> None:
    environment = reading_site.app.jinja_env.overlay(autoescape=False)
    assert environment.from_string("{{ _('Found in: %(places)s', places='<b>') }}").render() == "Found in: <b>"


def test_texts_are_in_the_language_of_the_request(reading_site: Site) -> None:
    template = reading_site.app.jinja_env.from_string("{{ _('Practices') }}")
    with reading_site.app.test_request_context("/practices?lang=de"):
        assert template.render() == "Praxisbeispiele"


# Addresses of a page


@pytest.mark.parametrize(("path", "back"), [("/practices?q=x&lang=it", "/practices?q%3Dx"), ("/themes", "/themes")])
def test_a_language_leads_back_to_the_page_that_is_read(reading_site: Site, path: str, back: str) -> None:
    with reading_site.app.test_request_context(path):
        assert [templating.language_url("de") for _ in range(2)] == [f"/language/de?to={back}"] * 2
