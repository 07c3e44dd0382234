"""Why a practice was found, and its best passage: what a list of results shows of a practice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from kb.search.language import fold, spans
from kb.search.port import Hit, SearchEngine
from kb.search.question import Question
from kb.services.record import NARRATIVE, Document

SNIPPET_CHARACTERS = 240
_MARK = "<mark>"

TAGS = {"theme": "themes", "target_group": "target_groups", "country": "country", "region": "region"}
"""The keys of the record that hold the facets by which what a question also means is found."""

_LINK = re.compile(r"!?\[([^\]\[]*)\]\([^()\s]*\)")
_SIGNS = re.compile(
    r"^[ \t]*(?:#{1,6}|>|[*+-]|\d{1,3}[.)])[ \t]+"  # of headings, quotes, lists
    r"|(?<!\w)[*_`]{1,3}(?=\w)|(?<=[\w.,;:!?)])[*_`]{1,3}(?!\w)",  # before and after words that stand out
    re.MULTILINE,
)


@dataclass(frozen=True)
class Found:
    """One practice of a result: its whole record, and why it was found.

    `matched` names keys of the record, weightiest first. `title` and `snippet` are HTML with <mark>, in the language of
    the record.
    """

    record: Document
    score: float
    matched: tuple[str, ...]
    title: str
    snippet: str
    partial: bool


def found(engine: SearchEngine, question: Question, hit: Hit, record: Document, *, partial: bool) -> Found:
    """Show a practice that a question found."""
    language = record["language"]
    text = "\n".join(plain(record[key]) for key in ("summary", *NARRATIVE) if record[key])
    return Found(
        record=record,
        score=hit.score,
        matched=tuple(dict.fromkeys(_matched(engine, question, hit, record))),
        title=engine.mark(record["title"], question, language),
        snippet=engine.mark(text, question, language, characters=SNIPPET_CHARACTERS),
        partial=partial,
    )


def plain(markdown: str) -> str:
    """Return Markdown as text to be read in a line: links by their words, without the signs."""
    return _SIGNS.sub("", _LINK.sub(r"\1", markdown))


def respelt(text: str, meant: Mapping[str, str], record: Document | None = None) -> str:
    """Return a question with other words for some, by their folds, spelt with their accents as a record has them."""
    spelt = dict(_spellings(meant.values(), record)) if record else {}
    parts, rest = [], 0
    for start, end in spans(text):
        word = meant.get(fold(text[start:end]))
        if word is not None:
            parts += [text[rest:start], spelt.get(word, word)]
            rest = end
    return "".join([*parts, text[rest:]])


def _spellings(folds: Iterable[str], record: Document) -> Iterator[tuple[str, str]]:
    wanted = set(folds)
    for text in (record["title"], record["summary"], *(record[key] for key in NARRATIVE)):
        for start, end in spans(text or ""):
            folded = fold(text[start:end])
            if folded in wanted:
                wanted.discard(folded)
                yield folded, text[start:end].lower()


def _matched(engine: SearchEngine, question: Question, hit: Hit, record: Document) -> Iterator[str]:
    """Yield the keys of the record that answer the question: an engine only knows its own fields."""
    language = record["language"]
    for field in hit.matched:
        if field in TAGS:
            yield TAGS[field]
        elif field in ("title", "summary"):
            yield field
        else:
            texts = _PARTS[field](record)
            yield from (key for key, text in texts if text and _MARK in engine.mark(text, question, language))


def _story(record: Document) -> Iterator[tuple[str, str | None]]:
    yield from ((key, record[key]) for key in (*NARRATIVE, "editor_note"))


def _names(record: Document) -> Iterator[tuple[str, str | None]]:
    yield "lead_organisation", record["lead_organisation"]["name"]
    yield from (("partners", partner["name"]) for partner in record["partners"])
    yield "place", record["place"]
    yield "region", record["region"]["name"] if record["region"] else None
    yield from (("other_regions", region["name"]) for region in record["other_regions"])


def _foreign(record: Document) -> Iterator[tuple[str, str | None]]:
    yield "original_title", record["original_title"]
    for each in record["translations"]:
        yield from (("translations", each[key]) for key in ("title", "summary"))


_PARTS = {"story": _story, "names": _names, "foreign": _foreign}
