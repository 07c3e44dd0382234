"""RDF in Turtle: subjects with their properties, every text and address escaped as the grammar wants it.

The grammar: https://www.w3.org/TR/turtle/ (2014). Predicates, classes and datatypes are prefixed names of the writers'
own; only texts and addresses come from elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from kb.formats.text import clean

MEDIA_TYPE = "text/turtle; charset=utf-8"

PREFIXES = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcatap": "http://data.europa.eu/r5r/",
    "dcterms": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "owl": "http://www.w3.org/2002/07/owl#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}

_TAG = re.compile("[a-zA-Z]+(-[a-zA-Z0-9]+)*")
_NOT_IN_ADDRESS = re.compile('[\x00-\x20<>"{}|^`\\\\]')
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


@dataclass(frozen=True)
class Address:
    """A thing that has an address (an IRI)."""

    iri: str


@dataclass(frozen=True)
class Text:
    """A text, in a language or of a datatype, which is a prefixed name."""

    text: str
    language: str | None = None
    datatype: str | None = None


@dataclass(frozen=True)
class Name:
    """A prefixed name, such as a class."""

    name: str


@dataclass(frozen=True)
class Nested:
    """A thing without an address, described where it is named."""

    properties: tuple[tuple[str, Value], ...]


Value = Address | Text | Name | Nested

Properties = Iterable[tuple[str, Value]]


def document(subjects: Iterable[tuple[Address, Properties]], used: Iterable[str]) -> Iterator[str]:
    """A Turtle document in pieces: the prefixes that it uses, then each subject with what is said of it."""
    for prefix in used:
        yield f"@prefix {prefix}: <{PREFIXES[prefix]}> .\n"
    for subject, properties in subjects:
        yield f"\n{_address(subject.iri)}\n{_said(properties, 1)} .\n"


def texts(predicate: str, by_language: Mapping[str, str]) -> Iterator[tuple[str, Value]]:
    """The same in several languages."""
    yield from ((predicate, Text(text, language)) for language, text in by_language.items() if text)


def _said(properties: Properties, depth: int) -> str:
    """What is said of a subject, a line a property."""
    return " ;\n".join(f"{'  ' * depth}{predicate} {_value(value, depth)}" for predicate, value in properties)


def _value(value: Value, depth: int) -> str:
    if isinstance(value, Address):
        return _address(value.iri)
    if isinstance(value, Name):
        return value.name
    if isinstance(value, Nested):
        return f"[\n{_said(value.properties, depth + 1)}\n{'  ' * depth}]"
    return _literal(value)


def _literal(value: Text) -> str:
    text = '"' + "".join(_ESCAPES.get(sign, sign) for sign in clean(value.text)) + '"'
    if value.language and _TAG.fullmatch(value.language):
        return f"{text}@{value.language}"
    return f"{text}^^{value.datatype}" if value.datatype else text


def _address(iri: str) -> str:
    return f"<{_NOT_IN_ADDRESS.sub(lambda found: quote(found.group(), safe=''), clean(iri))}>"
