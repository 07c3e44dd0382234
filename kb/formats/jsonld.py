"""Practices as linked data in the terms of schema.org. The context is in the file: a reader need fetch nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

from kb.formats.about import About, Document
from kb.formats.citation import LICENCES, cited
from kb.formats.json import dump
from kb.formats.telling import OVER, absolute
from kb.formats.text import line

_AN_ADDRESS = {"@type": "@id"}

CONTEXT: dict[str, Any] = {
    "@vocab": "https://schema.org/",
    **{name: _AN_ADDRESS for name in ("url", "sameAs", "license", "isBasedOn", "relatedLink", "image", "contentUrl",
                                      "inDefinedTermSet")},
    **{name: {"@type": "Date"} for name in ("datePublished", "dateModified")},
}  # fmt: skip
"""The terms, and which of them hold addresses and days."""


def many(documents: Iterable[Document], about: About) -> Iterator[str]:
    """A collection with its records, one a line."""
    head = {
        "@context": CONTEXT,
        "@id": _uri(about.url),
        "@type": "Collection",
        "name": line(about.title),
        "url": _uri(about.url),
        "publisher": _publisher(about),
    }
    yield dump(head)[:-1] + ', "hasPart": ['
    before = "\n"
    for document in documents:
        yield before + dump(node(document, about))
        before = ",\n"
    yield "\n]}\n"


def one(document: Document, about: About) -> str:
    """A record with the context."""
    return dump({"@context": CONTEXT, **node(document, about)}) + "\n"


def embedded(value: dict[str, Any]) -> str:
    """A value as the text of a `script` element of type `application/ld+json`: nothing in it can end the element."""
    text = dump({"@context": CONTEXT, **value})
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def catalogue(about: About) -> dict[str, Any]:
    """The site itself: a website that can be searched, and the catalogue that it keeps."""
    home = _uri(f"{about.base_url}/")
    return {
        "@graph": [
            {
                "@id": f"{home}#site",
                "@type": "WebSite",
                "name": line(about.site),
                "url": home,
                "inLanguage": about.language,
                "potentialAction": {
                    "@type": "SearchAction",
                    "target": {"@type": "EntryPoint", "urlTemplate": f"{home}practices?q={{search_term_string}}"},
                    "query-input": "required name=search_term_string",
                },
            },
            {
                "@id": f"{home}#catalogue",
                "@type": "DataCatalog",
                "name": line(about.title),
                "url": f"{home}practices",
                "license": LICENCES["CC-BY-4.0"],
                "isAccessibleForFree": True,
                "publisher": _publisher(about),
            },
        ]
    }


def node(document: Document, about: About) -> dict[str, Any]:
    """A record as a `CreativeWork` about a practice: what it says, of what, where and when, after whom."""
    page = _uri(document["url"])
    return _filled(
        {"@id": page, "@type": "CreativeWork", "url": page, **_says(document, about), **_stands(document, about)}
    )


def _says(document: Document, about: About) -> dict[str, Any]:
    """What it says, and of what, where and when."""
    return {
        "name": line(document["title"]),
        "alternateName": line(document["original_title"]),
        "inLanguage": document["language"],
        "abstract": line(document["summary"]),
        "workTranslation": [_translation(each) for each in document["translations"]],
        "about": [_term(about, "theme", "themes", slug) for slug in document["themes"]],
        "audience": [
            {"@type": "Audience", "audienceType": line(about.term("target_group", slug))}
            for slug in document["target_groups"]
        ],
        "spatialCoverage": _places(document, about),
        "temporalCoverage": _time(document),
        "mentions": [_body(each) for each in (document["lead_organisation"], *document["partners"]) if each],
        "funding": [_grant(each, about) for each in document["funding"]],
        "citation": [_source(each) for each in document["sources"]],
        "relatedLink": [_uri(each["url"]) for each in document["links"] if each["url"]],
        "isBasedOn": [f"{_uri(about.base_url)}/practices/{quote(each['slug'])}" for each in document["adapted_from"]],
        "image": [_uri(absolute(each["url"], about)) for each in document["images"] if each["url"]],
    }


def _stands(document: Document, about: About) -> dict[str, Any]:
    """Whose it is, which version, and under which licence."""
    of = cited(document, about)
    whole = {"@type": "MediaObject", "encodingFormat": "application/json", "contentUrl": f"{_uri(of.url)}.json"}
    return {
        "identifier": [f"urn:uuid:{document['id']}", of.url],
        "sameAs": None if of.url == document["url"] else _uri(of.url),
        "creativeWorkStatus": about.notice and line(about.notice),
        "creator": _publisher(about) if of.by_site else _body(document["lead_organisation"]),
        "publisher": _publisher(about),
        "license": LICENCES.get(of.licence or ""),
        "creditText": line(document["attribution"]),
        "datePublished": document["published"][:10],
        "dateModified": document["updated"][:10],
        "version": of.version,
        "isAccessibleForFree": True,
        "encoding": [whole],
    }


def _term(about: About, facet: str, folder: str, slug: str) -> dict[str, Any]:
    page = f"{_uri(about.base_url)}/{folder}/{quote(slug)}"
    return {"@type": "DefinedTerm", "@id": page, "termCode": slug, "name": line(about.term(facet, slug))}


def _places(document: Document, about: About) -> list[dict[str, Any]]:
    """Where it is, with its point; then the other regions that it reaches."""
    region, point = document["region"], about.point(document)
    first = {
        "@type": "Place",
        "name": line(document["place"] or (region or {}).get("name") or about.term("country", document["country"])),
        "identifier": (region or {}).get("code"),
        "address": {"@type": "PostalAddress", "addressCountry": document["country"]},
        "geo": {"@type": "GeoCoordinates", "longitude": point[0], "latitude": point[1]} if point else None,
    }
    others = [
        {
            "@type": "Place",
            "name": line(each["name"]),
            "identifier": each["code"],
            "address": {"@type": "PostalAddress", "addressCountry": each["country"]},
        }
        for each in document["other_regions"]
    ]
    return [_filled(place) for place in (first, *others)]


def _time(document: Document) -> str | None:
    """When it ran, as an interval of ISO 8601; `..` where it goes on, the one day where only one is known."""
    start, end = document["start"], document["end"]
    if start and not end:
        return str(start) if document["status"] in OVER else f"{start}/.."
    return f"{start}/{end}" if start else f"../{end}" if end else None


def _translation(each: Document) -> dict[str, Any]:
    return _filled(
        {
            "@type": "CreativeWork",
            "inLanguage": each["language"],
            "name": line(each["title"]),
            "abstract": line(each["summary"]),
        }
    )


def _body(each: Document) -> dict[str, Any]:
    return _filled({"@type": "Organization", "name": line(each["name"]), "url": each["url"] and _uri(each["url"])})


def _publisher(about: About) -> dict[str, Any]:
    home = _uri(f"{about.base_url}/")
    return {"@type": "Organization", "@id": f"{home}#publisher", "name": line(about.site), "url": home}


def _source(each: Document) -> dict[str, Any]:
    return _filled({"@type": "CreativeWork", "name": line(each["title"]), "url": each["url"] and _uri(each["url"])})


def _grant(each: Document, about: About) -> dict[str, Any]:
    amount = {"@type": "MonetaryAmount", "currency": "EUR", "value": each["amount_eur"]}
    return _filled(
        {
            "@type": "MonetaryGrant",
            "name": line(about.term("funding", each["source"])) if each["source"] else None,
            "amount": amount if each["amount_eur"] is not None else None,
            "description": line(each["note"]),
        }
    )


def _filled(written: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in written.items() if value not in (None, "", [])}


def _uri(url: str) -> str:
    """An address as a URI: RDF takes none with spaces, quotation marks or brackets in it."""
    return quote(line(url), safe="/:?#@!$&'()*+,;=%-._~[]")
