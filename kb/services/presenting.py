"""Why a practice was found, and its best passage: what a list of results shows of a practice."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kb.search.cutting import Cut
from kb.search.language import fold, spans
from kb.search.parsing import electronic
from kb.search.port import Hit, SearchEngine
from kb.search.question import Question
from kb.services.indexing import place_names
from kb.services.record import NARRATIVE, Document
from kb.services.vocabularies import Vocabulary

SNIPPET_CHARACTERS = 240

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
    """One practice of a result: its record, whole or what a list says of it, and why it was found.

    `matched` names keys of the record, weightiest first. `title` and `snippet` are HTML with <mark>: the title in the
    language of the record, the snippet in `language`.
    """

    record: Document
    score: float
    matched: tuple[str, ...]
    snippet: str
    language: str
    partial: bool
    shown: Mapping[str, Any]
    """Title and summary as its reader can best read them: see `in_language`."""
    marked: Callable[[str, str], str] = dataclasses.field(repr=False, compare=False)
    """Marks a text in a language."""
    adopted: int = 0
    """How many regions took it up."""

    @property
    def title(self) -> str:
        """Marked when it is asked for: most lists show it as it is."""
        return self.marked(self.record["title"], self.record["language"])


def found(
    engine: SearchEngine, vocabulary: Vocabulary, question: Question, hit: Hit, record: Document, *,
    partial: bool, reader: str = "",
) -> Found:  # fmt: skip
    """Show a practice that a question found; to whoever reads in the language `reader`, its summary in that language
    where there is one.
    """
    language = record["language"]
    shown = in_language(record, reader or language)
    story = _Story(record)
    matched = tuple(dict.fromkeys(_matched(engine, vocabulary, question, hit, story)))
    text: str = story.text
    if shown["summary_language"] != language:
        text, language = shown["summary"], shown["summary_language"]
    return Found(
        record=record,
        score=hit.score,
        matched=matched,
        snippet=engine.mark(
            text, question, language, characters=SNIPPET_CHARACTERS, first=len(plain(shown["summary"] or ""))
        ),
        language=language,
        partial=partial,
        shown=shown,
        adopted=hit.adopted,
        marked=lambda text, language: engine.mark(text, question, language),
    )


class _Story:
    """What a record tells, as it is read in a line, cut into words once: to be shown, and asked what answers."""

    def __init__(self, record: Document) -> None:
        self.record = record
        self._keys = [key for key in ("summary", *NARRATIVE) if record[key]]
        self._shown = [plain(record[key]) for key in self._keys]
        self.text = Cut.together(self._shown)

    def texts(self) -> Iterator[tuple[str, str | None]]:
        """Yield the long texts as they are written, by their keys."""
        shown = {key: number for number, key in enumerate(self._keys) if self._shown[number] == self.record[key]}
        for key in (*NARRATIVE, "editor_note"):
            yield key, self.text.part(shown[key]) if key in shown else self.record[key]


FALLBACK = "en"
"""The language in which most people can read what is in neither theirs nor translated into it."""


def in_language(record: Document, wanted: str) -> dict[str, Any]:
    """A record's title and summary as somebody who reads `wanted` can best read them.

    What was written where it is in that language, else a translation into it, else one into English, else as written.
    `language` is the title's, `summary_language` the summary's; `machine` says whether a machine translated.
    """
    own = {
        "title": record["title"],
        "summary": record["summary"],
        "language": record["language"],
        "summary_language": record["language"],
        "machine": False,
    }
    for language in (wanted, FALLBACK):
        if record["language"] == language:
            return own
        for each in record["translations"]:
            if each["language"] == language and each["title"]:
                there = {"title": each["title"], "language": language, "machine": each["machine"]}
                summary = {"summary": each["summary"], "summary_language": language} if each["summary"] else {}
                return {**own, **there, **summary}
    return own


def plain(markdown: str) -> str:
    """Return Markdown as text to be read in a line: links by their words, without the signs."""
    return _SIGNS.sub("", _LINK.sub(r"\1", markdown)) if _may_have_signs(markdown) else markdown


def _may_have_signs(text: str) -> bool:
    """Whether there may be any of Markdown's signs in a text: in most there is none, and looking closely takes time."""
    if "*" in text or "_" in text or "`" in text or "[" in text:
        return True
    return any(_begins_with_sign(line) for line in text.split("\n"))


def _begins_with_sign(line: str) -> bool:
    first = line.lstrip(" \t")[:1]
    return first != "" and (first in "#>+-" or first.isdecimal())


def respelt(text: str, meant: Mapping[str, str]) -> str:
    """Return a question with other words for some, by their folds."""
    text = electronic(text)
    parts, rest = [], 0
    for start, end in spans(text):
        word = meant.get(fold(text[start:end]))
        if word is not None:
            parts += [text[rest:start], word]
            rest = end
    return "".join([*parts, text[rest:]])


def spelt(text: str, record: Document) -> str:
    """Return a question with the words that a record has spelt with their accents, as it has them."""
    plain = {fold(text[start:end]) for start, end in spans(text) if text[start:end].isascii()}
    return respelt(text, dict(_spellings(plain, record))) if plain else text


def _spellings(folds: Iterable[str], record: Document) -> Iterator[tuple[str, str]]:
    wanted = set(folds)
    for body in (record["title"], record["summary"], *(record[key] for key in NARRATIVE)):
        for start, end in spans(body or ""):
            folded = fold(body[start:end])
            if folded in wanted:
                wanted.discard(folded)
                if not body[start:end].isascii():
                    yield folded, body[start:end].lower()


def _matched(
    engine: SearchEngine, vocabulary: Vocabulary, question: Question, hit: Hit, story: _Story
) -> Iterator[str]:
    """Yield the keys of the record that answer the question: an engine only knows its own fields."""
    record = story.record
    for field in hit.matched:
        if field in TAGS:
            yield TAGS[field]
        elif field in ("title", "summary"):
            yield field
        else:
            texts = story.texts() if field == "story" else _PARTS[field](record, vocabulary)
            yield from (key for key, text in texts if text and engine.answers(text, question, record["language"]))


def _names(record: Document, vocabulary: Vocabulary) -> Iterator[tuple[str, str | None]]:
    yield "lead_organisation", record["lead_organisation"]["name"]
    yield from (("partners", partner["name"]) for partner in record["partners"])
    yield "place", record["place"]
    region, others = record["region"], record["other_regions"]
    yield "region", "\n".join(place_names(vocabulary, region["code"] if region else None, record["country"]))
    yield from (("other_regions", "\n".join(place_names(vocabulary, each["code"], each["country"]))) for each in others)


def _foreign(record: Document, _vocabulary: Vocabulary) -> Iterator[tuple[str, str | None]]:
    yield "original_title", record["original_title"]
    for each in record["translations"]:
        yield from (("translations", each[key]) for key in ("title", "summary"))


_PARTS = {"names": _names, "foreign": _foreign}
