"""What every engine makes of a document before it stores it: its texts by field, and what its title is compared by."""

from __future__ import annotations

from collections.abc import Iterator

from kb.search.language import fold
from kb.search.port import FACETS, TEXT_FIELDS, Document

FIELDS = (*TEXT_FIELDS, "foreign")
"""The fields that words are counted in. `foreign` holds the texts in other languages than the document's own."""

IN_TITLES = tuple(field in ("title", "foreign") for field in FIELDS)
"""Which of `FIELDS` are titles to somebody who asks for what stands in one."""

NUMBERED = (*FACETS, "region", "own_region")
"""The sets of values of a document that filters ask for, in the order they are stored in."""

MOST_OCCURRENCES = 255
"""Occurrences of a word in one field of one document that count, for scores and phrases alike."""

MOST_PAIRS = 16
"""Pairs of words typed side by side that are looked for as one word, and as neighbours."""

LEAST_HALF = 3
"""Letters of the second half of a compound that may be written apart; the first may be the e of e-learning."""


def texts(document: Document) -> Iterator[tuple[int, str, str]]:
    """Yield the texts of a document as (number of the field, language, text), in the order of `FIELDS`.

    A foreign text whose language nobody has named is most often a name, and half in the language of the document.
    """
    own = {"title": document.title, **document.texts}
    for number, name in enumerate(TEXT_FIELDS):
        yield number, document.language, own.get(name, "")
    for language, text in document.foreign:
        yield FIELDS.index("foreign"), document.language if language == "und" else language, text


def title_key(title: str) -> str:
    """Return what titles are sorted and compared by."""
    return " ".join(filter(None, map(fold, title.split())))
