"""What this site offers as data, as DCAT-AP 3: a catalogue with one data set, its files, and the services for programs.

The profile: https://semiceu.github.io/DCAT-AP/releases/3.0.0/. Codes are those of the authority tables of the
Publications Office of the European Union, which the profile asks for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from kb.formats import turtle
from kb.formats.citation import LICENCES
from kb.formats.text import iso
from kb.formats.turtle import Address, Name, Nested, Properties, Text, Value

AUTHORITY = "http://publications.europa.eu/resource/authority/"

LANGUAGES = {
    "bg": "BUL", "ca": "CAT", "cs": "CES", "da": "DAN", "de": "DEU", "el": "ELL", "en": "ENG", "es": "SPA", "et": "EST",
    "eu": "EUS", "fi": "FIN", "fr": "FRA", "ga": "GLE", "gl": "GLG", "hr": "HRV", "hu": "HUN", "is": "ISL", "it": "ITA",
    "lt": "LIT", "lv": "LAV", "mt": "MLT", "nb": "NOB", "nl": "NLD", "pl": "POL", "pt": "POR", "ro": "RON", "sk": "SLK",
    "sl": "SLV", "sq": "SQI", "sr": "SRP", "sv": "SWE", "tr": "TUR", "uk": "UKR",
}  # fmt: skip
"""The code of a language in the authority table."""

FILE_TYPES = {
    "csv": "CSV", "xlsx": "XLSX", "json": "JSON", "jsonld": "JSON_LD", "geojson": "GEOJSON", "zip": "ZIP",
}  # fmt: skip
"""The code of a kind of file in the authority table, by its suffix, where it has one."""

THEMES = ("SOCI", "REGI", "GOVE")
"""What the data are about, in the table of data themes: society, regions, government."""


class Named(NamedTuple):
    """A title and a description by language."""

    titles: Mapping[str, str]
    descriptions: Mapping[str, str]


@dataclass(frozen=True)
class File:
    """The whole data set as a file: its suffix, where it is, its media type, what it is."""

    suffix: str
    url: str
    media_type: str
    named: Named


@dataclass(frozen=True)
class Service:
    """A way for programs to ask: its name here, where it answers, what describes it, the standard it keeps to."""

    name: str
    url: str
    description_url: str
    standard: str
    named: Named


@dataclass(frozen=True)
class Contact:
    """Whom to write to: a name, an e-mail address where one is known, a page."""

    name: str
    email: str | None
    page: str


@dataclass(frozen=True)
class Catalogue:
    """The catalogue: where it is, the site, its page about the data, and everything that is said of them.

    `languages` are those of the records, `pages` those of the site; `issued` and `modified` are the first and the last
    day on which something was published, `begins` is the first day of the earliest practice, where these are known.
    """

    address: str
    home: str
    landing: str
    codebook: str
    site: Named
    data: Named
    publisher: str
    contact: Contact
    keywords: Mapping[str, Sequence[str]]
    languages: Sequence[str]
    pages: Sequence[str]
    issued: datetime | None
    modified: datetime | None
    begins: date | None
    files: Sequence[File]
    services: Sequence[Service]
    vocabularies: Sequence[str]


def one(catalogue: Catalogue) -> str:
    """The whole catalogue in Turtle."""
    return "".join(turtle.document(_subjects(catalogue), ("dcat", "dcatap", "dcterms", "foaf", "rdf", "vcard", "xsd")))


def _subjects(catalogue: Catalogue) -> Iterator[tuple[Address, Properties]]:
    yield Address(catalogue.address), _catalogue(catalogue)
    yield _part(catalogue, "publisher"), [("a", Name("foaf:Agent")), ("foaf:name", Text(catalogue.publisher))]
    yield _part(catalogue, "contact"), _contact(catalogue.contact)
    yield _part(catalogue, "data"), _data(catalogue)
    for file in catalogue.files:
        yield _part(catalogue, file.suffix), _file(file)
    for service in catalogue.services:
        yield _part(catalogue, service.name), _service(service, catalogue)


def _catalogue(catalogue: Catalogue) -> Properties:
    yield "a", Name("dcat:Catalog")
    yield from _named(catalogue.site)
    yield "dcterms:publisher", _part(catalogue, "publisher")
    yield "dcterms:license", Address(LICENCES["CC-BY-4.0"])
    yield "foaf:homepage", Address(catalogue.home)
    yield from _languages(catalogue.pages)
    yield "dcterms:spatial", _coded("continent", "EUROPE")
    yield from _dates(catalogue)
    yield "dcat:themeTaxonomy", Address(f"{AUTHORITY}data-theme")
    yield from (("dcat:themeTaxonomy", Address(address)) for address in catalogue.vocabularies)
    yield "dcat:dataset", _part(catalogue, "data")
    yield from (("dcat:service", _part(catalogue, service.name)) for service in catalogue.services)


def _contact(contact: Contact) -> Properties:
    yield "a", Name("vcard:Organization")
    yield "vcard:fn", Text(contact.name)
    if contact.email:
        yield "vcard:hasEmail", Address(f"mailto:{contact.email}")
    yield "vcard:hasURL", Address(contact.page)


def _data(catalogue: Catalogue) -> Properties:
    yield "a", Name("dcat:Dataset")
    yield from _named(catalogue.data)
    yield "dcterms:identifier", Text(f"{catalogue.address}#data")
    yield "dcterms:publisher", _part(catalogue, "publisher")
    yield "dcat:contactPoint", _part(catalogue, "contact")
    yield "dcat:landingPage", Address(catalogue.landing)
    yield "foaf:page", Address(catalogue.codebook)
    yield "dcterms:license", Address(LICENCES["CC-BY-4.0"])
    yield "dcterms:accessRights", _coded("access-right", "PUBLIC")
    yield "dcterms:accrualPeriodicity", _coded("frequency", "CONT")
    yield from (("dcat:theme", _coded("data-theme", theme)) for theme in THEMES)
    for language, words in catalogue.keywords.items():
        yield from (("dcat:keyword", Text(word, language)) for word in words)
    yield from _languages(catalogue.languages)
    yield "dcterms:spatial", _coded("continent", "EUROPE")
    if catalogue.begins:
        began = ("dcat:startDate", Text(catalogue.begins.isoformat(), datatype="xsd:date"))
        yield "dcterms:temporal", Nested((("a", Name("dcterms:PeriodOfTime")), began))
    yield from _dates(catalogue)
    yield from (("dcat:distribution", _part(catalogue, file.suffix)) for file in catalogue.files)


def _file(file: File) -> Properties:
    yield "a", Name("dcat:Distribution")
    yield from _named(file.named)
    yield "dcat:accessURL", Address(file.url)
    yield "dcat:downloadURL", Address(file.url)
    media_type = file.media_type.partition(";")[0]
    if "/x-" not in media_type:  # what begins so is registered nowhere
        yield "dcat:mediaType", Address(f"http://www.iana.org/assignments/media-types/{media_type}")
    if file.suffix in FILE_TYPES:
        yield "dcterms:format", _coded("file-type", FILE_TYPES[file.suffix])
    yield "dcterms:license", Address(LICENCES["CC-BY-4.0"])
    yield "dcatap:availability", _coded("planned-availability", "STABLE")


def _service(service: Service, catalogue: Catalogue) -> Properties:
    yield "a", Name("dcat:DataService")
    yield from _named(service.named)
    yield "dcat:endpointURL", Address(service.url)
    yield "dcat:endpointDescription", Address(service.description_url)
    yield "dcat:servesDataset", _part(catalogue, "data")
    yield "dcterms:conformsTo", Address(service.standard)
    yield "dcterms:publisher", _part(catalogue, "publisher")
    yield "dcat:contactPoint", _part(catalogue, "contact")
    yield "dcterms:license", Address(LICENCES["CC-BY-4.0"])
    yield "dcterms:accessRights", _coded("access-right", "PUBLIC")


def _named(named: Named) -> Iterator[tuple[str, Value]]:
    yield from turtle.texts("dcterms:title", named.titles)
    yield from turtle.texts("dcterms:description", named.descriptions)


def _languages(codes: Sequence[str]) -> Iterator[tuple[str, Value]]:
    yield from (("dcterms:language", _coded("language", LANGUAGES[code])) for code in codes if code in LANGUAGES)


def _dates(catalogue: Catalogue) -> Iterator[tuple[str, Value]]:
    for name, moment in (("issued", catalogue.issued), ("modified", catalogue.modified)):
        if moment:
            yield f"dcterms:{name}", Text(iso(moment), datatype="xsd:dateTime")


def _coded(table: str, code: str) -> Address:
    return Address(f"{AUTHORITY}{table}/{code}")


def _part(catalogue: Catalogue, name: str) -> Address:
    return Address(f"{catalogue.address}#{name}")
