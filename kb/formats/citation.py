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
class Cited:
    """One version of a practice as the parts of a citation.

    `author` is the lead organisation; None for a record of the seed, which nobody but its sources wrote: there
    `credit` says what it was compiled from.
    """

    title: str
    author: str | None
    credit: str | None
    issued: date
    version: int
    site: str
    url: str
    licence: str | None


def cited(document: Document, about: About) -> Cited:
    """The parts of a citation of a whole public record."""
    seed = document["origin"]["kind"] == "seed"
    lead = line((document["lead_organisation"] or {}).get("name"))
    return Cited(
        title=line(document["title"]),
        author=None if seed or not lead else lead,
        credit=line(document["attribution"]) or None if seed or not lead else None,
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
    when = f"({of.issued.year}, {MONTHS[of.issued.month - 1]} {of.issued.day})."
    if of.author:
        yield "text", f"{_ended(of.author)} {when} "
    yield "title", of.title
    bracket = f" [{_first_up(of.credit)}]" if of.credit else ""
    yield "text", f" (Version {of.version}){bracket}. "
    if not of.author:
        yield "text", f"{when} "
    yield "text", f"{_ended(of.site)} "
    yield "link", of.url


def _chicago(of: Cited) -> Iterator[Piece]:
    if of.author:
        yield "text", f"{_ended(of.author)} {of.issued.year}. "
    yield "text", "“"
    yield "title", _ended(_inner_quotes(of.title))
    yield "text", "” "
    if not of.author:
        yield "text", f"{of.issued.year}. "
    if of.credit:
        yield "text", f"{_ended(_first_up(of.credit))} "
    yield "text", f"{_ended(of.site)} Version {of.version}, {MONTHS[of.issued.month - 1]} {of.issued.day}. "
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


def _first_up(text: str) -> str:
    return text[:1].upper() + text[1:]


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
