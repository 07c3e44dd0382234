"""Citations of practices as RIS, which reference managers read: one `ELEC` (page of the web) a record."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from kb.formats.about import About, Document
from kb.formats.citation import LICENCES, cited
from kb.formats.text import line

END = "\r\n"

_COMMA = re.compile(r"(\s*,)+\s*")


def many(documents: Iterable[Document], about: About) -> Iterator[str]:
    """The references of records, one a piece."""
    for document in documents:
        yield one(document, about)


def one(document: Document, about: About) -> str:
    """The reference of a record. Each value stands in one line: in RIS the next line is the next field."""
    of = cited(document, about)
    tags: list[tuple[str, str | None]] = [
        ("TY", "ELEC"),
        ("ID", f"{document['slug']}.v{of.version}"),
        ("TI", of.title),
        ("AU", name(of.author)),
        ("PY", str(of.issued.year)),
        ("DA", of.issued.strftime("%Y/%m/%d")),
        ("T2", of.site),
        ("LA", document["language"]),
        ("AB", document["summary"]),
        ("UR", of.url),
        *(("KW", about.term("theme", slug)) for slug in document["themes"]),
        *(("KW", about.term("target_group", slug)) for slug in document["target_groups"]),
        ("N1", f"Version {of.version}"),
        ("N1", of.credit),
        ("N1", f"{of.licence}: {LICENCES[of.licence]}" if of.licence in LICENCES else of.licence),
        ("N1", about.notice),
    ]
    written = ((tag, line(value)) for tag, value in tags)
    return "".join(f"{tag}  - {value}{END}" for tag, value in written if value) + f"ER  - {END}{END}"


def name(body: str) -> str:
    """The name of a body as an author. A comma would part it into a last name and a first one."""
    return line(_COMMA.sub(" – ", body.strip(" ,"))) or body
