"""A vocabulary as SKOS: its terms with their names in every language, and what they are in other vocabularies.

Of the other vocabularies only names are known, no addresses of their terms: each name becomes a concept beside ours,
to which ours is related. How close the two are nobody has judged, so no closer match is claimed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from kb.formats import turtle
from kb.formats.citation import LICENCES
from kb.formats.turtle import Address, Name, Properties, Text, Value


class Other(NamedTuple):
    """A vocabulary of somebody else: what it is called, and where it is."""

    title: str
    address: str


OTHERS = {
    "ewsi": Other("European Website on Integration (EWSI)", "https://migrant-integration.ec.europa.eu/"),
    "mipex_r": Other("Migrant Integration Policy Index, regional (MIPEX-R)", "https://www.mipex.eu/"),
    "icc_index": Other("Intercultural Cities Index", "https://www.coe.int/en/web/interculturalcities"),
}


@dataclass(frozen=True)
class Concept:
    """A term: where it is, its code, its label and synonyms by language, what it covers, its names elsewhere."""

    address: str
    code: str
    labels: Mapping[str, str]
    synonyms: Mapping[str, Sequence[str]]
    scope_note: str
    mappings: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Merged:
    """A term that was merged into another, with the addresses of both."""

    address: str
    code: str
    into: str


@dataclass(frozen=True)
class Scheme:
    """A vocabulary: where it is, its title and what it is by language, who publishes it, its terms in their order.

    `agent` is the address that the publisher is known by.
    """

    address: str
    titles: Mapping[str, str]
    descriptions: Mapping[str, str]
    publisher: str
    agent: str
    concepts: Sequence[Concept]
    merged: Sequence[Merged] = ()


def one(scheme: Scheme) -> str:
    """The whole vocabulary in Turtle."""
    return "".join(turtle.document(_subjects(scheme), ("dcterms", "foaf", "owl", "rdfs", "skos", "xsd")))


def _subjects(scheme: Scheme) -> Iterator[tuple[Address, Properties]]:
    yield Address(scheme.address), _scheme(scheme)
    yield Address(scheme.agent), [("a", Name("foaf:Agent")), ("foaf:name", Text(scheme.publisher))]
    for concept in scheme.concepts:
        yield Address(concept.address), _concept(concept, scheme)
    for merged in scheme.merged:
        yield Address(merged.address), _merged(merged, scheme)
    yield from _elsewhere(scheme)


def _scheme(scheme: Scheme) -> Properties:
    yield "a", Name("skos:ConceptScheme")
    yield from turtle.texts("dcterms:title", scheme.titles)
    yield from turtle.texts("dcterms:description", scheme.descriptions)
    yield "dcterms:publisher", Address(scheme.agent)
    yield "dcterms:license", Address(LICENCES["CC-BY-4.0"])
    yield from (("skos:hasTopConcept", Address(concept.address)) for concept in scheme.concepts)


def _concept(concept: Concept, scheme: Scheme) -> Properties:
    yield "a", Name("skos:Concept")
    yield "skos:inScheme", Address(scheme.address)
    yield "skos:topConceptOf", Address(scheme.address)
    yield "skos:notation", Text(concept.code)
    yield from turtle.texts("skos:prefLabel", concept.labels)
    for language, words in concept.synonyms.items():
        label = concept.labels.get(language)
        yield from (("skos:altLabel", Text(word, language)) for word in dict.fromkeys(words) if word != label)
    yield "skos:scopeNote", Text(concept.scope_note, "en")
    for name, terms in concept.mappings.items():
        yield from (("skos:relatedMatch", _other(scheme, name, term)) for term in terms)


def _merged(merged: Merged, scheme: Scheme) -> Properties:
    """What is left of a term: its code and where it went; its names are the other's synonyms."""
    yield "a", Name("skos:Concept")
    yield "skos:inScheme", Address(scheme.address)
    yield "skos:notation", Text(merged.code)
    yield "owl:deprecated", Text("true", datatype="xsd:boolean")
    yield "dcterms:isReplacedBy", Address(merged.into)


def _elsewhere(scheme: Scheme) -> Iterator[tuple[Address, Properties]]:
    """The terms of other vocabularies that ours are related to, once each."""
    named = {name: None for concept in scheme.concepts for name in concept.mappings}
    for name in named:
        title, address = OTHERS.get(name, Other(name, ""))
        said: list[tuple[str, Value]] = [("a", Name("skos:ConceptScheme")), ("dcterms:title", Text(title, "en"))]
        yield _other(scheme, name), said + ([("rdfs:seeAlso", Address(address))] if address else [])
        for term in dict.fromkeys(each for concept in scheme.concepts for each in concept.mappings.get(name, ())):
            yield (
                _other(scheme, name, term),
                [
                    ("a", Name("skos:Concept")),
                    ("skos:inScheme", _other(scheme, name)),
                    ("skos:prefLabel", Text(term, "en")),
                ],
            )


def _other(scheme: Scheme, *names: str) -> Address:
    """The address of another vocabulary or of its term, inside ours."""
    return Address(
        f"{scheme.address}#{'-'.join(re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-') for name in names)}"
    )
