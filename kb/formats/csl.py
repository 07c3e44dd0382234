"""Citations of practices as CSL-JSON, from which Zotero, Pandoc and others format any style."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from kb.formats.about import About, Document
from kb.formats.citation import cited
from kb.formats.json import array
from kb.formats.text import line


def many(documents: Iterable[Document], about: About) -> Iterator[str]:
    """The items of records as a JSON array, one a line."""
    return array(item(document, about) for document in documents)


def one(document: Document, about: About) -> str:
    """The item of a record, in an array of its own: readers expect one."""
    return "".join(many([document], about))


def item(document: Document, about: About) -> dict[str, Any]:
    """A record as an item of CSL 1.0.2."""
    of = cited(document, about)
    words = [line(about.term("theme", slug)) for slug in document["themes"]]
    note = [of.credit, of.licence, about.notice]
    written = {
        "id": f"{document['slug']}.v{of.version}",
        "type": "webpage",
        "title": of.title,
        "author": [{"literal": of.author}],
        "issued": {"date-parts": [[of.issued.year, of.issued.month, of.issued.day]]},
        "container-title": of.site,
        "version": str(of.version),
        "URL": of.url,
        "language": document["language"],
        "abstract": line(document["summary"]),
        "keyword": ", ".join(words),
        "note": line(". ".join(part for part in note if part)),
    }
    return {key: value for key, value in written.items() if value}
