"""Records as a feed that any feed reader follows: Atom 1.0 (RFC 4287)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit, urlunsplit
from xml.sax.saxutils import escape, quoteattr

from kb.formats.about import About, Document
from kb.formats.citation import Author, author
from kb.formats.text import clean, iso

MEDIA_TYPE = "application/atom+xml"

COUNTRIES = "urn:iso:std:iso:3166"
"""The list that codes of countries are from."""


def many(documents: Iterable[Document], about: About, address: str | None = None) -> Iterator[str]:
    """The text of a feed, an entry a piece, in the order of `documents`.

    `address` is where the feed itself is; without it, `about.url` with the suffix `.atom`. The feed says that it was
    last changed at `about.made`. An entry is known by the practice's id, and stays the same one in all its versions.
    """
    yield from _head(about, address or _beside(about.url))
    for document in documents:
        yield _entry(document, about)
    yield "</feed>\n"


def _head(about: About, address: str) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="utf-8"?>\n'
    yield f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang={_quoted(about.language)}>\n'
    yield _element("id", address) + _element("title", f"{about.title} – {about.site}")
    yield f'<link rel="self" type="{MEDIA_TYPE}" href={_quoted(address)}/>\n'
    yield f'<link rel="alternate" type="text/html" href={_quoted(about.url)}/>\n'
    yield _element("updated", iso(about.made))
    yield "<author>" + _element("name", about.site).rstrip() + "</author>\n"


def _entry(document: Document, about: About) -> str:
    language = f" xml:lang={_quoted(document['language'])}"
    parts = [
        "<entry>\n",
        _element("id", f"urn:uuid:{document['id']}"),
        _element("title", document["title"], language),
        f'<link rel="alternate" type="text/html" href={_quoted(document["url"])}/>\n',
        _element("published", document["published"]),
        _element("updated", document["updated"]),
        _author(author(document, about)),
        *_categories(document, about),
        _element("rights", f"{document['attribution']} ({document['licence']})"),
        _element("summary", document["summary"], language),
        "</entry>\n",
    ]
    return "".join(parts)


def _author(body: Author) -> str:
    uri = _element("uri", body.url) if body.url else ""
    return f"<author>\n{_element('name', body.name)}{uri}</author>\n"


def _categories(document: Document, about: About) -> Iterator[str]:
    """Themes and target groups with the address of their vocabulary, then the country."""
    for facet, key, file in (("theme", "themes", "themes"), ("target_group", "target_groups", "target-groups")):
        for value in document[key]:
            yield _category(value, f"{about.base_url}/vocabularies/{file}.ttl", about.term(facet, value))
    yield _category(document["country"], COUNTRIES, about.term("country", document["country"]))


def _category(value: str, scheme: str, label: str) -> str:
    return f"<category term={_quoted(value)} scheme={_quoted(scheme)} label={_quoted(label)}/>\n"


def _element(name: str, text: str, attributes: str = "") -> str:
    return f"<{name}{attributes}>{escape(clean(text))}</{name}>\n"


def _quoted(text: str) -> str:
    return quoteattr(clean(text))


def _beside(url: str) -> str:
    """The address of a page, with the suffix of a feed."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"{parts.path}.atom"))
