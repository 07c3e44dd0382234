"""Records as linked data, read back by rdflib without fetching anything, and as features of a map."""

from __future__ import annotations

import html
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from rdflib import RDF, Graph, Literal, Namespace, URIRef

from kb.formats import geojson, jsonld
from kb.formats.about import Document, Point
from kb.formats.text import line
from tests.unit.formats.publics import ABOUT, BASE, NAMES, SEED, WRITTEN, public

pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")  # rdflib's own reader uses it

SCHEMA = Namespace("https://schema.org/")
PAGE = URIRef(f"{BASE}/practices/practice-1")


def graph(text: str) -> Graph:
    return Graph().parse(data=text, format="json-ld")


def said(document: Document, term: str) -> list[Any]:
    """What linked data say of a record under a term."""
    return [each.toPython() for each in graph(jsonld.one(document, ABOUT)).objects(PAGE, SCHEMA[term])]


def test_a_record_is_a_work_with_its_name_language_version_and_licence() -> None:
    read = graph(jsonld.one(public(), ABOUT))
    assert (PAGE, RDF.type, SCHEMA.CreativeWork) in read
    assert (PAGE, SCHEMA.name, Literal("Mentors for newly arrived nurses")) in read
    assert (PAGE, SCHEMA.inLanguage, Literal("en")) in read and (PAGE, SCHEMA.version, Literal(3)) in read
    assert (PAGE, SCHEMA.license, URIRef("https://creativecommons.org/licenses/by/4.0/")) in read
    assert (PAGE, SCHEMA.about, URIRef(f"{BASE}/themes/labour-inclusion")) in read


def test_the_lead_organisation_is_the_creator_and_of_the_seed_the_site_is() -> None:
    assert jsonld.node(public(), ABOUT)["creator"]["name"] == "Regional health service"
    assert jsonld.node(public(**SEED), ABOUT)["creator"]["name"] == ABOUT.site
    assert said(public(**SEED), "creditText") == ["compiled from the sources named"]


def test_its_place_has_a_point() -> None:
    read = graph(jsonld.one(public(), ABOUT))
    assert [float(each) for each in read.objects(None, SCHEMA.latitude)] == [44.49]


@pytest.mark.parametrize(
    ("start", "end", "status", "time"),
    [
        ("2018", None, "running", "2018/.."),
        ("2018-05", "2020", "ended", "2018-05/2020"),
        ("2018", None, "discontinued", "2018"),
        (None, "2020-01", "ended", "../2020-01"),
    ],
)
def test_its_time_is_as_exact_as_is_known(start: str | None, end: str | None, status: str, time: str) -> None:
    assert said(public(start=start, end=end, status=status), "temporalCoverage") == [time]


def test_nothing_is_said_of_a_time_that_nobody_knows() -> None:
    assert said(public(start=None, end=None), "temporalCoverage") == []


def test_translations_sources_and_money_are_there() -> None:
    record = public(
        translations=[{"language": "it", "title": "Mentori", "summary": None, "machine": False}],
        funding=[{"source": "ESF", "amount_eur": 5, "note": "One call"}],
    )
    read = graph(jsonld.one(record, ABOUT))
    for value in ("Mentori", "Programme page", "funding ESF", "One call", 5):
        assert (None, None, Literal(value)) in read


@given(NAMES, WRITTEN, NAMES)
@settings(max_examples=40, deadline=None)
def test_linked_data_read_back_any_text(title: str, summary: str, address: str) -> None:
    record = public(title=title, summary=summary, links=[{"title": None, "url": f"https://example.org/{address}"}])
    read = graph(jsonld.one(record, ABOUT))
    assert (PAGE, SCHEMA.name, Literal(line(title))) in read or not line(title)
    assert (PAGE, SCHEMA.abstract, Literal(line(summary))) in read or not line(summary)
    assert graph(read.serialize(format="json-ld")).isomorphic(read)


def test_a_list_is_a_collection_of_its_records() -> None:
    read = graph("".join(jsonld.many([public(1), public(2)], ABOUT)))
    assert {str(each) for each in read.objects(URIRef(ABOUT.url), SCHEMA.hasPart)} == {
        f"{BASE}/practices/practice-1",
        f"{BASE}/practices/practice-2",
    }


def test_an_empty_list_is_an_empty_collection() -> None:
    assert json.loads("".join(jsonld.many([], ABOUT)))["hasPart"] == []


@given(WRITTEN)
@settings(deadline=None)
def test_data_in_a_page_cannot_end_their_element(text: str) -> None:
    embedded = jsonld.embedded(jsonld.node(public(summary=f"</script><!--{text}"), ABOUT))
    assert not set("<>&") & set(embedded) and html.unescape(embedded) == embedded
    assert json.loads(embedded)["abstract"] == line(f"</script><!--{text}")


def test_the_site_is_a_catalogue_that_can_be_searched() -> None:
    read = graph(jsonld.embedded(jsonld.catalogue(ABOUT)))
    assert (None, RDF.type, SCHEMA.DataCatalog) in read
    assert (None, SCHEMA.urlTemplate, Literal(f"{BASE}/practices?q={{search_term_string}}")) in read


# GeoJSON


def features(*documents: Document, point: Point | None = (11.34, 44.49)) -> list[dict[str, Any]]:
    about = replace(ABOUT, point=lambda document: point)
    read = json.loads("".join(geojson.many(documents, about)))
    assert read["type"] == "FeatureCollection"
    return list(read["features"])


def test_a_record_is_a_feature_with_longitude_first() -> None:
    [feature] = features(public())
    assert feature["geometry"] == {"type": "Point", "coordinates": [11.34, 44.49]}
    assert feature["properties"]["url"] == f"{BASE}/practices/practice-1" and feature["id"] == public()["id"]


@pytest.mark.parametrize("point", [None, (float("nan"), 1.0), (200.0, 0.0), (0.0, 91.0)])
def test_without_a_place_on_earth_there_is_no_geometry(point: Point | None) -> None:
    [feature] = features(public(), point=point)
    assert feature["geometry"] is None


def test_each_record_is_one_feature_and_none_are_none() -> None:
    assert len(features(public(1), public(2))) == 2 and features() == []


@given(NAMES)
@settings(deadline=None)
def test_geojson_holds_any_title(title: str) -> None:
    [feature] = features(public(title=title))
    assert feature["properties"]["title"] == title
