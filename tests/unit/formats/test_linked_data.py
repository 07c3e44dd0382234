"""Turtle, SKOS and DCAT-AP, read back by rdflib: what each says, and that any text comes through as it was."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from rdflib import DCAT, DCTERMS, FOAF, OWL, RDF, RDFS, SKOS, XSD, Graph, Literal, Namespace, URIRef

from kb.formats import dcat, skos, turtle
from kb.formats.dcat import Contact, File, Named, Service
from kb.formats.skos import Concept, Merged, Scheme
from kb.formats.text import clean
from kb.formats.turtle import Address, Text
from tests.unit.services.documents import text

VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")
BASE = "https://kb.example.org"
HOUSING, HEALTH = URIRef(f"{BASE}/themes/housing"), URIRef(f"{BASE}/themes/health")


def read(turtle_: str) -> Graph:
    return Graph().parse(data=turtle_, format="turtle")


@settings(max_examples=50, deadline=None)
@given(st.text())
def test_any_text_comes_through_a_literal(words: str) -> None:
    written = turtle.document([(Address(BASE), [("dcterms:title", Text(words, "en"))])], ["dcterms"])
    assert read("".join(written)).value(URIRef(BASE), DCTERMS.title) == Literal(clean(words), lang="en")


@settings(max_examples=50, deadline=None)
@given(st.text())
def test_no_address_breaks_out_of_its_brackets(words: str) -> None:
    written = turtle.document([(Address(BASE), [("dcterms:relation", Address(f"{BASE}/{words}"))])], ["dcterms"])
    [(subject, _predicate, named)] = read("".join(written))
    assert (str(subject), str(named).startswith(BASE)) == (BASE, True)


def test_a_tag_that_names_no_language_is_left_out() -> None:
    written = "".join(turtle.document([(Address(BASE), [("dcterms:title", Text("One", "e n"))])], ["dcterms"]))
    assert read(written).value(URIRef(BASE), DCTERMS.title) == Literal("One")


# A vocabulary


def scheme(**changes: Any) -> Scheme:
    concept = Concept(
        str(HOUSING), "housing", {"en": "Housing", "es": "Vivienda"},
        {"en": ["homes", "Housing"], "de": ["Wohnen"]}, "Access to homes.", {"ewsi": ["Social Inclusion", "Rights"]},
    )  # fmt: skip
    other = Concept(str(HEALTH), "health", {"en": "Health"}, {}, "Access to care.", {"ewsi": ["Rights"]})
    given_: dict[str, Any] = {
        "address": f"{BASE}/themes.ttl", "titles": {"en": "Themes", "it": "Temi"}, "descriptions": {"en": "Subjects."},
        "publisher": "Network", "agent": f"{BASE}/#network", "concepts": [concept, other],
    }  # fmt: skip
    return Scheme(**{**given_, **changes})


def test_a_term_is_a_concept_of_its_scheme() -> None:
    graph = read(skos.one(scheme()))
    vocabulary = URIRef(f"{BASE}/themes.ttl")
    assert set(graph.subjects(SKOS.topConceptOf, vocabulary)) == {HOUSING, HEALTH}
    assert set(graph.objects(vocabulary, SKOS.hasTopConcept)) == {HOUSING, HEALTH}
    assert graph.value(HOUSING, SKOS.notation) == Literal("housing")
    assert graph.value(HOUSING, SKOS.scopeNote) == Literal("Access to homes.", lang="en")
    assert set(graph.objects(vocabulary, DCTERMS.title)) == {Literal("Themes", lang="en"), Literal("Temi", lang="it")}


def test_names_are_labels_in_their_languages_and_no_label_is_a_synonym_too() -> None:
    graph = read(skos.one(scheme()))
    assert set(graph.objects(HOUSING, SKOS.prefLabel)) == {
        Literal("Housing", lang="en"),
        Literal("Vivienda", lang="es"),
    }
    assert set(graph.objects(HOUSING, SKOS.altLabel)) == {Literal("homes", lang="en"), Literal("Wohnen", lang="de")}


def test_a_name_elsewhere_is_one_concept_to_which_terms_are_related() -> None:
    graph = read(skos.one(scheme()))
    [shared] = set(graph.objects(HEALTH, SKOS.relatedMatch))
    assert shared in set(graph.objects(HOUSING, SKOS.relatedMatch))
    assert graph.value(shared, SKOS.prefLabel) == Literal("Rights", lang="en")
    vocabulary = graph.value(shared, SKOS.inScheme)
    assert graph.value(vocabulary, RDFS.seeAlso) == URIRef("https://migrant-integration.ec.europa.eu/")


def test_a_merged_term_says_what_replaces_it() -> None:
    old = URIRef(f"{BASE}/themes/homes")
    graph = read(skos.one(scheme(merged=[Merged(str(old), "homes", str(HOUSING))])))
    assert graph.value(old, DCTERMS.isReplacedBy) == HOUSING
    assert graph.value(old, OWL.deprecated) == Literal(True)
    assert graph.value(old, SKOS.topConceptOf) is None


@settings(max_examples=50, deadline=None)
@given(text(), text(), text())
def test_whatever_an_administrator_writes_is_a_vocabulary(label: str, synonym: str, note: str) -> None:
    concept = Concept(str(HOUSING), "housing", {"en": label}, {"en": [synonym, synonym]}, note, {"ewsi": [label]})
    graph = read(skos.one(scheme(concepts=[concept])))
    assert graph.value(HOUSING, SKOS.prefLabel) == Literal(clean(label), lang="en")


# The catalogue


def catalogue(**changes: Any) -> dcat.Catalogue:
    named = Named({"en": "Practices", "it": "Pratiche"}, {"en": "What regions do."})
    given_: dict[str, Any] = {
        "address": f"{BASE}/catalog.ttl", "home": f"{BASE}/", "landing": f"{BASE}/data",
        "codebook": f"{BASE}/codebook", "site": named, "data": named, "publisher": "Network",
        "contact": Contact("Network", "office@example.org", f"{BASE}/about"), "keywords": {"en": ["regions"]},
        "languages": ["en", "xx"], "pages": ["en", "it"], "issued": datetime(2026, 1, 2, tzinfo=UTC),
        "modified": datetime(2026, 11, 22, 10, 0, 5, 7, tzinfo=UTC), "begins": date(1988, 1, 1),
        "files": [File("csv", f"{BASE}/practices.csv", "text/csv; charset=utf-8", named),
                  File("bib", f"{BASE}/practices.bib", "application/x-bibtex; charset=utf-8", named)],
        "services": [Service("api", f"{BASE}/api/v1", f"{BASE}/openapi.json", "https://spec.openapis.org", named)],
        "vocabularies": [f"{BASE}/themes.ttl"],
    }  # fmt: skip
    return dcat.Catalogue(**{**given_, **changes})


def missing(graph: Graph, class_: URIRef, properties: list[URIRef]) -> list[tuple[str, str]]:
    """What things of a class lack; fails where there is no such thing."""
    things = list(graph.subjects(RDF.type, class_))
    assert things
    return [(str(each), str(name)) for each in things for name in properties if not list(graph.objects(each, name))]


MANDATORY = [
    (DCAT.Catalog, [DCTERMS.title, DCTERMS.description, DCTERMS.publisher]),
    (DCAT.Dataset, [DCTERMS.title, DCTERMS.description]),
    (DCAT.Distribution, [DCAT.accessURL]),
    (DCAT.DataService, [DCTERMS.title, DCAT.endpointURL]),
    (FOAF.Agent, [FOAF.name]),
]
"""Classes of DCAT-AP 3 with the properties that it makes mandatory."""

RECOMMENDED = [
    (DCAT.Catalog, [DCAT.dataset, DCAT.service, FOAF.homepage, DCTERMS.language, DCTERMS.license, DCTERMS.issued,
                    DCTERMS.modified, DCTERMS.spatial, DCAT.themeTaxonomy]),
    (DCAT.Dataset, [DCAT.contactPoint, DCAT.distribution, DCAT.keyword, DCTERMS.publisher, DCTERMS.spatial,
                    DCTERMS.temporal, DCAT.theme]),
    (DCAT.Distribution, [DCTERMS.license, DCTERMS.description]),
    (DCAT.DataService, [DCAT.endpointDescription, DCAT.servesDataset]),
]  # fmt: skip


def test_everything_has_what_the_profile_makes_mandatory_or_recommends() -> None:
    graph = read(dcat.one(catalogue()))
    assert [missing(graph, *row) for row in [*MANDATORY, *RECOMMENDED]] == [[]] * 9


def test_titles_are_in_every_language_that_there_is() -> None:
    graph = read(dcat.one(catalogue()))
    assert len(set(graph.objects(URIRef(f"{BASE}/catalog.ttl#data"), DCTERMS.title))) == 2


def test_a_file_has_a_media_type_where_one_is_registered() -> None:
    graph = read(dcat.one(catalogue()))
    csv, bib = (URIRef(f"{BASE}/catalog.ttl#{suffix}") for suffix in ("csv", "bib"))
    assert graph.value(csv, DCAT.mediaType) == URIRef("http://www.iana.org/assignments/media-types/text/csv")
    assert graph.value(bib, DCAT.mediaType) is None


def test_languages_are_told_by_their_codes_where_they_have_one() -> None:
    data = URIRef(f"{BASE}/catalog.ttl#data")
    told = set(read(dcat.one(catalogue())).objects(data, DCTERMS.language))
    assert told == {URIRef("http://publications.europa.eu/resource/authority/language/ENG")}


def test_a_contact_without_an_address_has_a_page() -> None:
    graph = read(dcat.one(catalogue(contact=Contact("Network", None, f"{BASE}/about"))))
    contact = graph.value(None, RDF.type, VCARD.Organization)
    assert graph.value(contact, VCARD.hasEmail) is None
    assert graph.value(contact, VCARD.hasURL) == URIRef(f"{BASE}/about")


def test_dates_are_dates() -> None:
    graph = read(dcat.one(catalogue()))
    told = graph.value(URIRef(f"{BASE}/catalog.ttl"), DCTERMS.modified)
    assert told == Literal("2026-11-22T10:00:05Z", datatype=XSD.dateTime)


def test_a_base_without_practices_has_a_catalogue_too() -> None:
    graph = read(dcat.one(catalogue(issued=None, modified=None, begins=None, languages=[])))
    assert [missing(graph, *row) for row in MANDATORY] == [[]] * 5
