"""The data as a whole: the page about it, the catalogue and the vocabularies, and what search engines are told."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from rdflib import DCAT, DCTERMS, SKOS, Graph, Literal, Namespace, URIRef
from sqlalchemy import select

from kb.models import Practice, Record
from kb.services import accounts, lifecycle, terms
from tests import factories, stack
from tests.conftest import Site, configure
from tests.unit.formats.test_linked_data import MANDATORY, RECOMMENDED, missing

BASE = "http://127.0.0.1:8000"
MAPS = {"map": "http://www.sitemaps.org/schemas/sitemap/0.9"}
TURTLE = ("/vocabularies/themes.ttl", "/vocabularies/target-groups.ttl", "/catalog.ttl")


def graph(client: FlaskClient, address: str) -> Graph:
    answer = client.get(address)
    assert (answer.status_code, answer.content_type) == (200, "text/turtle; charset=utf-8")
    return Graph().parse(data=answer.data, format="turtle")


def status(client: FlaskClient, address: str) -> int:
    """What an address answers; a file that is sent is closed."""
    with client.get(address) as answer:
        return answer.status_code


def listed(client: FlaskClient, address: str) -> dict[str, str | None]:
    """The addresses of a sitemap as paths, with when each changed last."""
    root = ET.fromstring(client.get(address).data)
    rows = root.iterfind("map:*", MAPS)
    return {
        each.findtext("map:loc", "", MAPS).removeprefix(BASE): each.findtext("map:lastmod", None, MAPS) for each in rows
    }


# Linked data


def test_every_theme_is_a_concept_at_its_page(reading_site: Site, reader: FlaskClient) -> None:
    found = set(graph(reader, TURTLE[0]).objects(URIRef(f"{BASE}{TURTLE[0]}"), SKOS.hasTopConcept))
    with reading_site.app.app_context():
        themes = reading_site.parts.vocabularies.get(reading_site.database.reading_session()).themes
    assert found == {URIRef(f"{BASE}/themes/{slug}") for slug in themes}
    assert reader.get("/themes/housing").status_code == 200


def test_a_target_group_is_a_concept_inside_its_vocabulary(reader: FlaskClient) -> None:
    refugees = URIRef(f"{BASE}{TURTLE[1]}#refugees")
    labels = set(graph(reader, TURTLE[1]).objects(refugees, SKOS.prefLabel))
    assert {Literal("Refugees", lang="en"), Literal("Refugiados", lang="pt")} <= labels


def test_a_theme_is_related_to_the_vocabularies_that_others_use(reader: FlaskClient) -> None:
    held = graph(reader, TURTLE[0])
    related = held.objects(URIRef(f"{BASE}/themes/talent-attraction-and-retention"), SKOS.relatedMatch)
    assert {str(held.value(each, SKOS.prefLabel)) for each in related} == {
        "Economic Participation", "Labour market", "Business and labour market", "International outlook",
        "Welcoming newcomers",
    }  # fmt: skip


def test_an_unknown_vocabulary_is_not_found(reader: FlaskClient) -> None:
    assert reader.get("/vocabularies/regions.ttl").status_code == 404


def test_the_catalogue_has_what_dcat_ap_asks_for(reader: FlaskClient) -> None:
    held = graph(reader, "/catalog.ttl")
    assert [missing(held, *row) for row in [*MANDATORY, *RECOMMENDED]] == [[]] * 9


def test_every_file_of_the_catalogue_is_there(reader: FlaskClient) -> None:
    files = [str(each) for each in graph(reader, "/catalog.ttl").objects(None, DCAT.downloadURL)]
    assert len(files) > 3
    assert {status(reader, each.removeprefix(BASE)) for each in files} == {200}


@pytest.mark.parametrize("address", TURTLE)
def test_what_has_not_changed_is_not_sent_again(reader: FlaskClient, address: str) -> None:
    tag = reader.get(address).headers["ETag"]
    assert reader.get(address, headers={"If-None-Match": tag}).status_code == 304


@pytest.fixture(scope="module")
def told(peopled_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site whose controller is named, with a public practice, one that is offline, a draft, and a merged theme."""
    folder = stack.copy(peopled_folder, tmp_path_factory.mktemp("told") / "data")
    site = Site(configure(folder, KB_CONTROLLER="Network of Regions, Main Street 1, office@regions.example"))
    with site.database.write() as session:
        bob, dora = (accounts.get(session, f"{name}@example.org") for name in ("bob", "dora"))
        factories.published(session, title="Seen by all", language="it")
        lifecycle.unpublish(session, bob, factories.published(session, title="Taken away"), "It was wrong.")
        factories.draft(session, bob, title="Only begun")
        terms.merge(session, dora, terms.THEMES, "housing", "health-and-wellbeing")
    yield site
    site.close()


def test_the_catalogue_names_who_answers_for_the_site(told: Site) -> None:
    held, vcard = graph(told.client(), "/catalog.ttl"), Namespace("http://www.w3.org/2006/vcard/ns#")
    assert Literal("Network of Regions") in set(held.objects(None, vcard.fn))
    assert set(held.objects(None, vcard.hasEmail)) == {URIRef("mailto:office@regions.example")}
    assert "office@regions.example" in told.client().get("/oai?verb=Identify").text


def test_a_merged_theme_leads_to_the_other(told: Site) -> None:
    old, new = (URIRef(f"{BASE}/themes/{slug}") for slug in ("housing", "health-and-wellbeing"))
    assert graph(told.client(), TURTLE[0]).value(old, DCTERMS.isReplacedBy) == new


# The page


def test_every_link_of_the_page_about_the_data_leads_somewhere(reader: FlaskClient) -> None:
    main = reader.get("/data").text.partition("<main")[2].partition("</main>")[0]
    links = {each.replace("&amp;", "&") for each in re.findall(r'href="(/[^"#]+)', main)}
    assert {"/oai?verb=Identify", "/catalog.ttl", "/practices.csv"} <= links
    assert {address: status(reader, address) for address in links} == dict.fromkeys(links, 200)


def test_the_page_about_the_data_is_linked_from_every_foot(reader: FlaskClient) -> None:
    assert 'href="/data"' in reader.get("/themes").text.partition("<footer")[2]


# Search engines


def test_the_sitemap_holds_every_public_practice_and_no_other(told: Site, reading_site: Site) -> None:
    for site in (told, reading_site):
        with site.database.read() as session:
            slugs = set(session.scalars(select(Practice.slug).join(Record)))
        parts = [each for each in listed(site.client(), "/sitemap.xml") if each != "/sitemap/pages.xml"]
        found = {address: changed for part in parts for address, changed in listed(site.client(), part).items()}
        assert set(found) == {f"/practices/{slug}" for slug in slugs}
        assert all(found.values())


def test_every_other_page_of_the_sitemap_may_be_indexed(reader: FlaskClient) -> None:
    pages = list(listed(reader, "/sitemap/pages.xml"))
    assert {"/", "/themes/housing", "/countries/IT", "/regions/ES51", "/data"} <= set(pages)
    some = [each for each in pages if not each.startswith(("/regions/", "/countries/"))]
    answers = {each: reader.get(each) for each in [*some, "/regions/ES51", "/countries/IT"]}
    assert {each.status_code for each in answers.values()} == {200}
    assert [address for address, each in answers.items() if "noindex" in each.text] == []


def test_a_site_without_practices_has_a_sitemap(site: Site) -> None:
    assert list(listed(site.client(), "/sitemap.xml")) == ["/sitemap/pages.xml"]


@pytest.mark.parametrize("number", ["0", "2", "99999999999999999999"])
def test_a_part_that_the_sitemap_does_not_have_is_not_found(reader: FlaskClient, number: str) -> None:
    assert reader.get(f"/sitemap/practices-{number}.xml").status_code == 404


def test_crawlers_are_kept_from_what_is_private_or_endless_and_led_to_the_sitemap(reader: FlaskClient) -> None:
    lines = reader.get("/robots.txt").text.splitlines()
    closed = {f"Disallow: {path}" for path in ("/my/", "/review", "/admin", "/oai", "/practices?", "/practices.")}
    assert closed | {f"Sitemap: {BASE}/sitemap.xml"} <= set(lines)
