"""Citations of practices as BibTeX: one `@misc` entry a record, readable by BibTeX, biber and reference managers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from kb.formats.about import About, Document
from kb.formats.citation import cited
from kb.formats.text import line

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
"""BibTeX's own names of the months, which every style prints in its language."""

_SPECIAL = {
    "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}",
    **{sign: f"\\{sign}" for sign in "$&#%_"},
}  # fmt: skip

_ALONE = {"{": "\\textbraceleft{}", "}": "\\textbraceright{}"}
"""Braces that have no partner: BibTeX counts them, with a backslash before or without."""

_PAIRED = {"{": "\\{", "}": "\\}"}

_LIGATURES = re.compile("(?<=-)(?=-)|(?<=')(?=')|(?<=`)(?=`)|(?<=[?!])(?=`)|(?<=,)(?=,)|(?<=<)(?=<)|(?<=>)(?=>)")
"""Between two signs that TeX would print as a third."""


def many(documents: Iterable[Document], about: About) -> Iterator[str]:
    """The entries of records, one a piece."""
    for number, document in enumerate(documents):
        yield ("\n" if number else "") + one(document, about)


def one(document: Document, about: About) -> str:
    """The entry of a record. Its key, slug and version, is the same for ever."""
    of = cited(document, about)
    words = [about.term("theme", slug) for slug in document["themes"]]
    words += [about.term("target_group", slug) for slug in document["target_groups"]]
    note = [f"Version {of.version}", of.credit, of.licence, about.notice]
    fields = {
        "author": f"{{{escaped(of.author)}}}",
        "title": f"{{{escaped(of.title)}}}",  # a second pair of braces keeps its capitals
        "year": str(of.issued.year),
        "date": of.issued.isoformat(),
        "version": str(of.version),
        "publisher": escaped(of.site),
        "howpublished": escaped(of.site),
        "url": _address(of.url),
        "note": escaped(". ".join(part for part in note if part)),
        "language": escaped(document["language"]),
        "abstract": escaped(document["summary"]),
        "keywords": escaped(", ".join(words)),
    }
    written = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items() if value)
    month = f"  month = {MONTHS[of.issued.month - 1]},\n"
    return f"@misc{{{document['slug']}.v{of.version},\n{written}{month}}}\n"


def escaped(text: str | None) -> str:
    """Text in one line that TeX prints as it stands, its braces in balance."""
    said = line(text)
    braces = _PAIRED if _balanced(said) else _ALONE
    safe = "".join(_SPECIAL.get(sign) or braces.get(sign, sign) for sign in _LIGATURES.sub("\0", said))
    return safe.replace("\0", "{}")


def _balanced(text: str) -> bool:
    depth = 0
    for sign in text:
        depth += (sign == "{") - (sign == "}")
        if depth < 0:
            return False
    return depth == 0


def _address(url: str) -> str:
    """An address, which BibTeX prints sign by sign: nothing in it may end the field or begin a comment."""
    return quote(line(url), safe="/:?#[]@!$&'()*+,;=%-._~")
