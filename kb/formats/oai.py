"""OAI-PMH 2.0: what a repository answers harvesters, in XML, and a record as unqualified Dublin Core.

The protocol: https://www.openarchives.org/OAI/openarchivesprotocol.html (version 2.0 of 2002, document of 2015).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit
from xml.sax.saxutils import escape, quoteattr

from kb.formats.about import About, Document
from kb.formats.citation import LICENCES, author
from kb.formats.text import clean, iso

MEDIA_TYPE = "text/xml; charset=utf-8"

PREFIX = "oai_dc"
"""The one metadata format that there is."""

DC_SCHEMA = "http://www.openarchives.org/OAI/2.0/oai_dc.xsd"
DC_NAMESPACE = "http://www.openarchives.org/OAI/2.0/oai_dc/"

_DOMAIN = re.compile(r"[a-zA-Z][a-zA-Z0-9\-]*(\.[a-zA-Z][a-zA-Z0-9\-]*)+")
"""What the schema of oai-identifier takes for a repository's name."""

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"\
 xsi:schemaLocation="http://www.openarchives.org/OAI/2.0/ http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd">
"""

_DC = (
    f'<oai_dc:dc xmlns:oai_dc="{DC_NAMESPACE}" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    f' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    f' xsi:schemaLocation="{DC_NAMESPACE} {DC_SCHEMA}">\n'
)


@dataclass(frozen=True)
class Item:
    """What a repository holds or held: without a document it was deleted at its moment."""

    id: str
    moment: datetime
    sets: tuple[str, ...]
    document: Document | None


@dataclass(frozen=True)
class Resumption:
    """Where a list goes on: `token` is empty with the last part; `done` entries came before this part of `total`."""

    token: str
    total: int
    done: int


def identifier(base_url: str, id_: str) -> str:
    """The identifier of a practice: `oai:host:id`."""
    return f"oai:{urlsplit(base_url).hostname}:{id_}"


def response(about: About, asked: Mapping[str, str], body: str) -> str:
    """A whole answer. `asked` are the arguments that it repeats: none where they could not be understood."""
    said = "".join(f" {name}={quoteattr(clean(value))}" for name, value in asked.items())
    head = f"<responseDate>{iso(about.made)}</responseDate>\n<request{said}>{_text(about.url)}</request>\n"
    return f"{_HEAD}{head}{body}</OAI-PMH>\n"


def error(code: str, sentence: str) -> str:
    """What was wrong with a request, under one of the protocol's codes."""
    return f"<error code={quoteattr(code)}>{_text(sentence)}</error>\n"


def identify(about: About, email: str, earliest: datetime, sample: str) -> str:
    """What this repository is. `email` reaches whoever runs it, `sample` is an id such as it has."""
    lines = [
        _element("repositoryName", about.site),
        _element("baseURL", about.url),
        _element("protocolVersion", "2.0"),
        _element("adminEmail", email),
        _element("earliestDatestamp", iso(earliest)),
        _element("deletedRecord", "persistent"),
        _element("granularity", "YYYY-MM-DDThh:mm:ssZ"),
        _element("compression", "gzip"),
        _scheme(about.base_url, sample),
    ]
    return f"<Identify>\n{''.join(lines)}</Identify>\n"


def formats() -> str:
    """The metadata formats."""
    inner = (
        _element("metadataPrefix", PREFIX) + _element("schema", DC_SCHEMA) + _element("metadataNamespace", DC_NAMESPACE)
    )
    return f"<ListMetadataFormats>\n<metadataFormat>\n{inner}</metadataFormat>\n</ListMetadataFormats>\n"


def sets(named: Iterable[tuple[str, str]]) -> str:
    """The sets, from (spec, name in words)."""
    rows = (f"<set>\n{_element('setSpec', spec)}{_element('setName', name)}</set>\n" for spec, name in named)
    return f"<ListSets>\n{''.join(rows)}</ListSets>\n"


def listing(verb: str, items: Iterable[Item], about: About, resumption: Resumption | None) -> str:
    """A part of a list: of records, or with the verb ListIdentifiers of their headers."""
    if verb == "ListIdentifiers":
        parts = [_header(item, about) for item in items]
    else:
        parts = [_record(item, about) for item in items]
    if resumption is not None:
        counts = f' completeListSize="{resumption.total}" cursor="{resumption.done}"'
        parts.append(f"<resumptionToken{counts}>{_text(resumption.token)}</resumptionToken>\n")
    return f"<{verb}>\n{''.join(parts)}</{verb}>\n"


def record(item: Item, about: About) -> str:
    """One record, as an answer to GetRecord."""
    return f"<GetRecord>\n{_record(item, about)}</GetRecord>\n"


def one(document: Document, about: About) -> str:
    """A practice as unqualified Dublin Core, the content of a record's metadata."""
    lines = (_element(f"dc:{name}", text, language) for name, text, language in _terms(document, about) if text)
    return f"{_DC}{''.join(lines)}</oai_dc:dc>\n"


# Parts


def _record(item: Item, about: About) -> str:
    metadata = f"<metadata>\n{one(item.document, about)}</metadata>\n" if item.document is not None else ""
    return f"<record>\n{_header(item, about)}{metadata}</record>\n"


def _header(item: Item, about: About) -> str:
    deleted = "" if item.document is not None else ' status="deleted"'
    lines = [_element("identifier", identifier(about.base_url, item.id)), _element("datestamp", iso(item.moment))]
    lines += [_element("setSpec", each) for each in item.sets]
    return f"<header{deleted}>\n{''.join(lines)}</header>\n"


def _scheme(base_url: str, sample: str) -> str:
    """How identifiers are made; its schema takes a domain's name only."""
    host = urlsplit(base_url).hostname or ""
    if not _DOMAIN.fullmatch(host):
        return ""
    namespace = "http://www.openarchives.org/OAI/2.0/oai-identifier"
    inner = (
        _element("scheme", "oai")
        + _element("repositoryIdentifier", host)
        + _element("delimiter", ":")
        + _element("sampleIdentifier", identifier(base_url, sample))
    )
    where = f'xmlns="{namespace}" xsi:schemaLocation="{namespace} {namespace}.xsd"'
    return f"<description>\n<oai-identifier {where}>\n{inner}</oai-identifier>\n</description>\n"


Term = tuple[str, str | None, str | None]
"""A Dublin Core element: its name, its text, the language of the text where that matters."""


def _terms(document: Document, about: About) -> Iterator[Term]:
    language, translations = document["language"], document["translations"]
    yield "title", document["title"], language
    yield from (("title", each["title"], each["language"]) for each in translations)
    if document["original_title"] != document["title"]:
        yield "title", document["original_title"], None
    yield from _people(document, about)
    for facet, key in (("theme", "themes"), ("target_group", "target_groups")):
        for slug in document[key]:
            yield "subject", about.term(facet, slug), about.language
            yield "subject", slug, None
    yield "description", document["summary"], language
    yield from (("description", each["summary"], each["language"]) for each in translations)
    yield "date", document["updated"][:10], None
    yield "type", "Text", None
    yield "format", "text/html", None
    yield "identifier", document["url"], None
    yield "identifier", f"{document['url']}/versions/{document['version']}", None
    yield "language", language, None
    yield from (("relation", each["url"] or each["title"], None) for each in document["sources"])
    for each in document["adapted_from"]:
        yield "relation", f"{about.base_url}/practices/{each['slug']}", None
    yield from _coverage(document, about)
    yield "rights", LICENCES.get(document["licence"], document["licence"]), None
    yield "rights", document["attribution"], None


def _people(document: Document, about: About) -> Iterator[Term]:
    """Who made it: the site, where the record was compiled from public sources; who runs it is then a contributor."""
    by = author(document, about)
    yield "creator", by.name, None
    if by.site:
        yield "contributor", document["lead_organisation"]["name"], None
    yield from (("contributor", each["name"], None) for each in document["partners"])
    yield "publisher", about.site, None


def _coverage(document: Document, about: About) -> Iterator[Term]:
    """Where and when: regions and countries by name and code, then the years as ISO 8601 writes an interval."""
    regions = [document["region"], *document["other_regions"]]
    for region in regions:
        if region and region["code"]:
            yield "coverage", region["name"], None
            yield "coverage", region["code"], None
    places = [document["country"], *(each["country"] for each in document["other_regions"])]
    for code in dict.fromkeys(places):
        yield "coverage", about.term("country", code), about.language
        yield "coverage", code, None
    yield "coverage", document["place"], None
    if document["start"]:
        yield "coverage", f"{document['start']}/{document['end'] or '..'}", None


def _element(name: str, text: str | None, language: str | None = None) -> str:
    said = f" xml:lang={quoteattr(clean(language))}" if language else ""
    return f"<{name}{said}>{_text(text or '')}</{name}>\n"


def _text(text: str) -> str:
    return escape(clean(text))
