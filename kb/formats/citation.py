"""How a version of a practice is cited: who, when, what, where. In words after APA (7th) and Chicago (author-date).

Written after the rules of both guides for a page of the web with an author that is a body. Their own language is
English, whatever language the title is in. What is cited is a version, at its permanent address.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from html import escape
from urllib.parse import quote

from kb.formats.about import About, Document
from kb.formats.text import line

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December")  # fmt: skip

LICENCES = {
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC-BY-SA-4.0": "https://creativecommons.org/licenses/by-sa/4.0/",
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
}
"""The address of each licence that a record may have."""

_CLOSED = (".", "?", "!", "…", "。", "؟")


@dataclass(frozen=True)
class Author:
    """Who is cited: a body with its address, if it has one. `site` says that it is this knowledge base itself."""

    name: str
    url: str | None
    site: bool


def author(document: Document, about: About) -> Author:
    """Whom every format names as the author of a record.

    That is the lead organisation; of a record of the seed, which was compiled from public sources and is nobody's own
    words, it is the site.
    """
    lead = document["lead_organisation"] or {}
    name = line(lead.get("name"))
    if document["origin"]["kind"] == "seed" or not name:
        return Author(line(about.site), f"{about.base_url}/", site=True)
    return Author(name, lead.get("url"), site=False)


@dataclass(frozen=True)
class Cited:
    """One version of a practice as the parts of a citation.

    `by_site` says that the author is the site itself, which is then not named a second time; `credit` says what such
    a record was compiled from.
    """

    title: str
    author: str
    by_site: bool
    credit: str | None
    issued: date
    version: int
    site: str
    url: str
    licence: str | None


def cited(document: Document, about: About) -> Cited:
    """The parts of a citation of a whole public record."""
    by = author(document, about)
    return Cited(
        title=line(document["title"]),
        author=by.name,
        by_site=by.site,
        credit=line(document["attribution"]) or None if by.site else None,
        issued=date.fromisoformat(document["updated"][:10]),
        version=document["version"],
        site=line(about.site),
        url=address(document, about),
        licence=document["licence"],
    )


def address(document: Document, about: About) -> str:
    """The permanent address of the record's version."""
    return f"{about.base_url}/practices/{quote(document['slug'])}/versions/{document['version']}"


Piece = tuple[str, str]
"""A piece of a citation and what it is: `text`, `title` (in the record's language), or `link`."""


def apa(document: Document, about: About) -> str:
    """The citation in the style of the American Psychological Association, 7th edition, as plain text."""
    return _text(_apa(cited(document, about)))


def apa_html(document: Document, about: About) -> str:
    """The same as safe HTML, the title in italics."""
    return _html(_apa(cited(document, about)), document["language"], italic=True)


def chicago(document: Document, about: About) -> str:
    """The citation in the author-date style of the Chicago Manual of Style, 17th edition, as plain text."""
    return _text(_chicago(cited(document, about)))


def chicago_html(document: Document, about: About) -> str:
    """The same as safe HTML; in this style a page's title stands in quotation marks and not in italics."""
    return _html(_chicago(cited(document, about)), document["language"], italic=False)


def _apa(of: Cited) -> Iterator[Piece]:
    yield "text", f"{_ended(of.author)} ({of.issued.year}, {MONTHS[of.issued.month - 1]} {of.issued.day}). "
    yield "title", of.title
    yield "text", f" (Version {of.version}). " + ("" if of.by_site else f"{_ended(of.site)} ")
    yield "link", of.url


def _chicago(of: Cited) -> Iterator[Piece]:
    yield "text", f"{_ended(of.author)} {of.issued.year}. “"
    yield "title", _ended(_inner_quotes(of.title))
    site = "" if of.by_site else f"{_ended(of.site)} "
    yield "text", f"” {site}Version {of.version}, {MONTHS[of.issued.month - 1]} {of.issued.day}. "
    yield "link", of.url
    yield "text", "."


def _text(pieces: Iterator[Piece]) -> str:
    return "".join(text for _kind, text in pieces)


def _html(pieces: Iterator[Piece], language: str, *, italic: bool) -> str:
    return "".join(_tagged(kind, escape(text), escape(language), "i" if italic else "span") for kind, text in pieces)


def _tagged(kind: str, safe: str, language: str, tag: str) -> str:
    if kind == "title":
        return f'<{tag} lang="{language}">{safe}</{tag}>'
    return f'<a href="{safe}">{safe}</a>' if kind == "link" else safe


def _ended(text: str) -> str:
    """A part with its full stop, where it does not end in a stop of its own."""
    return text if text.rstrip("”’\"'»)").endswith(_CLOSED) else f"{text}."


def _inner_quotes(title: str) -> str:
    """Quotation marks inside quotation marks are single ones."""
    open_next, made = True, []
    for sign in title:
        if sign == '"':
            made.append("‘" if open_next else "’")
            open_next = not open_next
        else:
            made.append({"“": "‘", "”": "’"}.get(sign, sign))
    return "".join(made)
