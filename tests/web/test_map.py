"""The map: its shades, points and links are the figures of its table, and these are totals of searches."""

from __future__ import annotations

import re
from math import hypot
from typing import Any, NamedTuple

import pytest
from flask.testing import FlaskClient

from kb.services import lifecycle
from kb.services.coverage import step
from tests import factories
from tests.conftest import Site
from tests.web.test_reading import page, text

NARROWED = ("", "theme=housing", "q=talent", "q=housing+zzzz", "country=RO", "region=ES2", "country=ES&theme=housing",
            "year_from=2020&evidence=monitoring")  # fmt: skip


class Row(NamedTuple):
    """A country of the table: its name, its search, its practices; (name, address, practices) of its regions."""

    name: str
    url: str
    count: int
    regions: list[tuple[str, str, int]]


def table(html: str) -> dict[str, Row]:
    """The table, by country code."""
    rows = re.findall(r"<tr><th scope=\"row\">(.*?)</tr>", html.partition("<tbody>")[2], re.DOTALL)
    return {re.search(r">([A-Z]{2})</abbr>", row)[1]: _row(row) for row in rows}  # type: ignore[index]


def _row(row: str) -> Row:
    head, number, regions = row.split("<td")
    url, name = re.search(r'<a href="([^"]+)">([^<]+)</a>', head).groups()  # type: ignore[union-attr]
    found = re.findall(r'<a href="([^"]+)">([^<]+)</a>(?: (\d+))?', regions)
    count = int(re.search(r">(\d+)<", number)[1])  # type: ignore[index]
    return Row(name, url, count, [(name, url, int(count or 1)) for url, name, count in found])


def countries(html: str) -> dict[str, tuple[str, int]]:
    """The countries that the map links: (what their link is called, shade), by address."""
    found = re.findall(
        r'<a href="([^"]+)" aria-label="([^"]+)"><title>([^<]+)</title><path class="map-c map-(\d)"', html
    )
    assert all(label == title for _, label, title, _ in found)
    return {url: (label, int(shade)) for url, label, _, shade in found}


def points(html: str) -> dict[str, str]:
    """The points of the map: what their tooltip says, by address."""
    found = re.findall(r'<a href="([^"]+)" tabindex="-1"><title>([^<]+)</title><circle class="map-p"', html)
    return dict(found)


def called(name: str, count: int) -> str:
    return f"{name}: {count} practice{'' if count == 1 else 's'}"


def api(client: FlaskClient, address: str) -> dict[str, Any]:
    """The answer of the API to the same query as a page's."""
    answer = client.get("/api/v1" + address + ("&" if "?" in address else "?") + "per_page=1")
    assert answer.status_code == 200, address
    return dict(answer.get_json())


@pytest.mark.parametrize("query", NARROWED)
def test_shading_and_links_of_the_map_are_the_rows_of_the_table(reader: FlaskClient, query: str) -> None:
    html = page(reader, f"/map?{query}")
    rows = table(html)
    most = max(row.count for row in rows.values())
    assert countries(html) == {row.url: (called(row.name, row.count), step(row.count, most)) for row in rows.values()}


@pytest.mark.parametrize("query", NARROWED)
def test_points_of_the_map_are_the_regions_of_the_table_but_for_those_named_as_outside(
    reader: FlaskClient, query: str
) -> None:
    html = page(reader, f"/map?{query}")
    regions = {url: called(name, count) for row in table(html).values() for name, url, count in row.regions}
    outside = re.search(r"outside the map: (.*?)</p>", html)
    away = set(re.findall(r'href="([^"]+)"', outside[1])) if outside else set()
    assert points(html) == {url: label for url, label in regions.items() if url not in away}
    assert away <= set(regions)


@pytest.mark.parametrize("query", NARROWED)
def test_countries_of_the_table_are_the_facet_of_the_same_search(reader: FlaskClient, query: str) -> None:
    rows = table(page(reader, f"/map?{query}"))
    facet = {each["value"]: each["count"] for each in api(reader, f"/practices?{query}")["facets"]["country"]}
    chosen = re.findall(r"country=(\w\w)", query)
    expected = {code: count for code, count in facet.items() if count and (not chosen or code in chosen)}
    assert {code: row.count for code, row in rows.items()} == expected


@pytest.mark.parametrize("query", ["", "q=housing+zzzz", "country=RO&q=labour", "region=ES2"])
def test_every_number_of_the_table_is_what_its_link_finds(reader: FlaskClient, query: str) -> None:
    rows = table(page(reader, f"/map?{query}"))
    numbers = {row.url: row.count for row in rows.values()}
    numbers |= {url: count for row in rows.values() for _, url, count in row.regions}
    assert {url: api(reader, url)["total"] for url in numbers} == numbers


def test_every_region_that_a_practice_names_has_its_point_or_lies_in_one_of_its_name(reading_site: Site) -> None:
    html = page(reading_site.client(), "/map")
    shown = {re.search(r"region=([^&]+)", url)[1] for url in re.findall(r'href="(/practices[^"]+)"', html)
             if "region=" in url}  # fmt: skip
    records = [each for each in _records(reading_site) if each["region"]]
    named = {each["region"]["code"] for each in records} | {
        other["code"] for each in records for other in each["other_regions"] if other["code"]
    }
    vocabulary = _vocabulary(reading_site)
    for code in named - shown:
        above = [each for each in vocabulary.lineage(code) if each in shown]
        assert above and vocabulary.region_name(above[0]) == vocabulary.region_name(code), code


def _records(site: Site) -> list[dict[str, Any]]:
    from kb.services import catalogue

    with site.database.read() as session:
        return list(catalogue.every(session, ""))


def _vocabulary(site: Site) -> Any:
    from kb.services import vocabularies

    with site.database.read() as session:
        return vocabularies.load(session)


def test_a_practice_of_two_countries_counts_in_both(site: Site) -> None:
    other = [{"country": "AT", "code": "AT33", "name": None}]
    with site.database.write() as session:
        factories.published(session, level="cross-border", other_regions=other)
    site.drain()
    rows = table(page(site.client(), "/map"))
    assert {code: row.count for code, row in rows.items()} == {"IT": 1, "AT": 1}
    assert "1 practice, 2 countries." in page(site.client(), "/map")


def test_no_draft_and_no_submission_is_in_any_number(site: Site) -> None:
    with site.database.write() as session:
        alice = session.query(factories.User).filter_by(email="alice@example.org").one()
        factories.published(session)
        factories.draft(session, alice, title="Half a draft", country="ES", region={"code": "ES51", "name": None})
        factories.submitted(session, alice, title="Sent to the editors", country="FR",
                            region={"code": "FR10", "name": None})  # fmt: skip
    site.drain()
    for name in (None, "alice", "bob"):
        html = page(site.client(name), "/map")
        assert [(code, row.count) for code, row in table(html).items()] == [("IT", 1)]
        assert len(points(html)) == 1


def test_what_goes_offline_leaves_the_map(site: Site) -> None:
    with site.database.write() as session:
        bob = session.query(factories.User).filter_by(email="bob@example.org").one()
        practice = factories.published(session)
        lifecycle.unpublish(session, bob, practice, "It was never run.")
    site.drain()
    html = page(site.client(), "/map")
    assert "No practice fits this yet." in text(html) and 'class="map"' not in html


def test_a_search_that_finds_nothing_says_so_and_leads_back(reader: FlaskClient) -> None:
    html = page(reader, "/map?country=IT&q=zzzzqq")
    assert "No practice fits this yet." in text(html)
    assert 'class="map"' not in html and 'href="/map"' in html


def test_a_search_by_words_of_which_no_practice_has_all_says_what_is_counted(reader: FlaskClient) -> None:
    assert "those that have some are counted" in text(page(reader, "/map?q=housing+zzzz"))


def test_the_whole_map_may_be_indexed_and_a_narrowed_one_not(reader: FlaskClient) -> None:
    assert "noindex" not in page(reader, "/map")
    assert '<meta name="robots" content="noindex, follow">' in page(reader, "/map?theme=housing")
    assert "Disallow: /map?" in reader.get("/robots.txt").get_data(as_text=True)


def test_a_chosen_filter_is_a_chip_that_leads_to_the_map_without_it(reader: FlaskClient) -> None:
    html = page(reader, "/map?theme=housing&country=IT")
    assert 'class="chip" href="/map?country=IT"' in html and 'class="chip" href="/map?theme=housing"' in html


def test_the_page_of_results_leads_to_their_map(reader: FlaskClient) -> None:
    assert 'href="/map?q=talent&country=ES"' in page(reader, "/practices?q=talent&country=ES&sort=newest")


def test_an_alias_is_led_to_the_code(reader: FlaskClient) -> None:
    answer = reader.get("/map?country=EL")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/map?country=GR")


@pytest.mark.parametrize("address", ["/map?country=XX", "/coverage?theme=nothing"])
def test_a_value_that_nobody_knows_is_refused_in_a_sentence(reader: FlaskClient, address: str) -> None:
    assert "is called" in text(page(reader, address, 400))


def test_what_campaigns_add_to_an_address_is_ignored(reader: FlaskClient) -> None:
    assert "noindex" not in page(reader, "/map?utm_source=letter")


def test_regions_outside_the_frame_are_named_below_the_map(reader: FlaskClient) -> None:
    assert re.search(r"In the table, but outside the map: .*Azores", text(page(reader, "/map")))


def test_shades_are_explained_by_numbers_that_meet(reader: FlaskClient) -> None:
    key = text("<main" + page(reader, "/map").partition('<p class="key mt-2">')[2])
    assert key.startswith("Practices of a country: 1 or 2 3 to 5 6 or more")


def test_the_source_of_the_outlines_is_credited_wherever_they_are_drawn(reader: FlaskClient) -> None:
    for address in ("/", "/map"):
        assert "Country outlines: Natural Earth" in text(page(reader, address))


def test_the_map_of_the_home_page_is_a_picture_of_the_ledger_beside_it(reader: FlaskClient) -> None:
    html = page(reader, "/")
    shades = re.findall(r'<path class="map-c map-([123])"', html)
    rows = table(page(reader, "/map"))
    most = max(row.count for row in rows.values())
    assert sorted(map(int, shades)) == sorted(step(row.count, most) for row in rows.values())
    assert re.search(r'class="map"[^>]+ aria-hidden="true"', html) and countries(html) == {}


def test_the_map_speaks_the_language_of_the_page(reader: FlaskClient) -> None:
    assert any(name.startswith("Italien") for name, _ in countries(page(reader, "/map?lang=de")).values())


def test_numbers_on_the_map_stand_clear_of_its_points(reader: FlaskClient) -> None:
    html = page(reader, "/map")
    numbers = [tuple(map(int, each)) for each in re.findall(r'class="map-n[^"]*" x="(\d+)" y="(\d+)"', html)]
    circles = [tuple(map(int, each)) for each in re.findall(r'class="map-p" cx="(\d+)" cy="(\d+)" r="(\d+)"', html)]
    assert len(numbers) > 20
    circles = [each for each in circles if each != (8, 8, 5)]  # the one in the key
    assert min(hypot(x - a, y - b) - r for x, y in numbers for a, b, r in circles) > 14
