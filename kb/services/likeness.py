"""How alike two practices are, feature by feature.

Words compare only within a language; what survives a translation compares across them: addresses, names, numbers, the
organisation, the region, themes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from kb.search.language import fold, forms, is_stop_word, language_of, spans
from kb.services.record import Document

MOST_CHARACTERS = 4_000
"""Characters of a title or a summary that are compared; a draft may hold more."""

WEIGHTS = {
    "title": 0.55, "summary": 0.3, "shared": 0.4, "names": 0.5, "region": 0.2, "lead": 0.1, "tags": 0.15, "start": 0.08,
}  # fmt: skip
"""What each respect counts for. Region and organisation alone say little: a region has many practices of its own."""

FOREIGN = {**WEIGHTS, "region": 0.25, "lead": 0.15, "tags": 0.25}
"""The same for two practices that are in no common language, where words cannot compare."""

_SAME = 1.5  # what the weights come to for two practices that anybody would call the same
_SUMMARY_AS_TITLE = 0.9  # a summary like the other's stands in for a title that is not

# Words that begin with a capital though no sentence does, words in capitals, numbers of two digits or more.
_NAME = re.compile(r"(?<![.!?:]\s)(?<!^)\b[^\W\d_a-zà-öø-ÿ][\w’'-]{2,}|\b\d{2,}\b")
_TRACKING = re.compile(r"(^|&)(utm_[^&]*|fbclid=[^&]*|gclid=[^&]*)")


@dataclass(frozen=True)
class Likeness:
    """How alike two practices are in each respect, from 0 to 1.

    `addresses` are those that they share, `shared` how many of theirs that is. `foreign`: no common language.
    """

    title: float
    summary: float
    names: float
    lead: float
    region: float
    tags: float
    start: float
    shared: float
    addresses: frozenset[str]
    foreign: bool

    @property
    def whole(self) -> float:
        """All of it in one number from 0 to 1. The weights were set on the seed: `python -m bench writing`."""
        respects = {**vars(self), "title": max(self.title, _SUMMARY_AS_TITLE * self.summary)}
        weights = FOREIGN if self.foreign else WEIGHTS
        return min(1.0, float(sum(weight * respects[key] for key, weight in weights.items())) / _SAME)


class Traits:
    """What a practice is compared by, taken from its document once; whatever was typed into a draft will do."""

    def __init__(self, document: Document) -> None:
        self.languages = frozenset(_languages(document))
        self.titles = tuple(filter(None, _words_of(document, "title")))
        self.summaries = tuple(filter(None, _words_of(document, "summary")))
        self.names = _names(document)
        self.addresses = frozenset(_addresses(document))
        self.lead = _words(_part(document, "lead_organisation", "name"), "und")
        self.region = _part(document, "region", "code")
        self.country = document["country"]
        self.tags = frozenset((document["themes"] or []) + (document["target_groups"] or []))
        self.start = str(document["start"] or "")[:4]

    def likeness(self, other: Traits) -> Likeness:
        """Say how alike two practices are."""
        shared = self.addresses & other.addresses
        return Likeness(
            title=max((_dice(a, b) for a in self.titles for b in other.titles), default=0.0),
            summary=max((_dice(a, b) for a in self.summaries for b in other.summaries), default=0.0),
            names=_overlap(self.names, other.names),
            lead=float(_same_body(self.lead, other.lead)),
            region=self._place(other),
            tags=_dice(self.tags, other.tags),
            start=float(bool(self.start) and self.start == other.start),
            shared=_overlap(self.addresses, other.addresses),
            addresses=shared,
            foreign=not self.languages & other.languages,
        )

    def _place(self, other: Traits) -> float:
        if self.region and other.region:
            if self.region == other.region:
                return 1.0
            if self.region.startswith(other.region) or other.region.startswith(self.region):  # NUTS codes say so
                return 0.7
        return 0.2 if self.country and self.country == other.country else 0.0


def address(url: Any) -> str | None:
    """Return a web address as addresses are compared: no scheme, `www.` or tracking; None for a site's front page.

    Many practices name the same front page.
    """
    try:
        parts = urlsplit(str(url or "").strip().lower())
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return None
    path, query = parts.path.rstrip("/"), _TRACKING.sub("", parts.query).lstrip("&")
    if not host or not (path or query):
        return None
    return f"{host}{path}?{query}" if query else f"{host}{path}"


def _languages(document: Document) -> Iterator[str]:
    """Yield the languages that a document's summary is there in; English where it does not say."""
    yield str(document["language"] or "en")
    yield from (str(each["language"]) for each in document["translations"] if each["summary"])


def _words_of(document: Document, key: str) -> Iterator[frozenset[str]]:
    """Yield the words of a title or summary, in each language that it is there in."""
    language = document["language"] or "und"
    yield _words(document[key], language)
    if key == "title":
        yield _words(document["original_title"], "und")
    for each in document["translations"]:
        yield _words(each[key], each["language"] or "und")


def _words(text: Any, language: str) -> frozenset[str]:
    """Return the stems of a text's telling words."""
    text, code, found = str(text or "")[:MOST_CHARACTERS], language_of(language), set()
    for start, end in spans(text):
        folded, stems = forms(text[start:end], code)
        if len(folded) > 1 and not is_stop_word(folded):
            found.add(stems[0] if stems else folded)
    return frozenset(found)


def _names(document: Document) -> frozenset[str]:
    text = f"{document['title'] or ''}\n{document['summary'] or ''}"[:MOST_CHARACTERS]
    return frozenset(filter(None, (fold(match[0]) for match in _NAME.finditer(text))))


def _addresses(document: Document) -> Iterator[str]:
    for each in (*document["sources"], *document["links"]):
        if found := address(each["url"]):
            yield found


def _part(document: Document, key: str, part: str) -> str:
    return str((document[key] or {}).get(part) or "")


def _same_body(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two names of organisations are one: equal, or the whole of one, of several words, in the other."""
    return bool(one) and (one == other or (min(len(one), len(other)) > 1 and _overlap(one, other) == 1.0))


def _dice(one: frozenset[str], other: frozenset[str]) -> float:
    return 2 * len(one & other) / (len(one) + len(other)) if one and other else 0.0


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / min(len(one), len(other)) if one and other else 0.0
