"""A practice as a briefing in Word, about two pages: facts, summary, its story in short, evidence, sources, citation.

Long texts are shortened at the end of a sentence, which is marked; the whole text is at the address that is named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from docx.document import Document as WordDocument
from docx.shared import Pt
from docx.text.paragraph import Paragraph
from markdown_it.token import Token

from kb.formats import word
from kb.formats.about import About, Document
from kb.formats.citation import LICENCES, Cited, apa, cited
from kb.formats.telling import absolute, facts, grant, headings, indicator
from kb.formats.text import N_, line, parse

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

STORY = 540
"""Words of the long texts together: with the rest they fill two pages."""

SOURCES, ENTRIES = 5, 4
"""Sources, and entries of the other lists, before the rest is only counted."""

CUT = " […]"

_SENTENCE = re.compile(r"(?<=[.!?…])[\"”’»)]*\s+(?=\S)")
_LINKED = ("https://", "http://", "mailto:")


@dataclass(frozen=True)
class Piece:
    """Words in one look; `url` where they lead somewhere."""

    text: str
    bold: bool = False
    italic: bool = False
    url: str | None = None


@dataclass(frozen=True)
class Block:
    """A paragraph or an entry of a list."""

    style: str
    pieces: tuple[Piece, ...]

    @property
    def words(self) -> int:
        """How many words it has."""
        return len("".join(piece.text for piece in self.pieces).split())


def one(document: Document, about: About, shown: Mapping[str, Any] | None = None) -> bytes:
    """The briefing of a record.

    `shown` is its title and summary as the reader can best read them, with the `language` and `summary_language` that
    they are in, and whether a `machine` translated; without it they stand as they were written.
    """
    made = word.opened(about.language)
    of = cited(document, about)
    _properties(made, document, about, of)
    made.sections[0].header.paragraphs[0].add_run(line(about.site))
    head(made, document, about, shown or _written(document))
    word.table(made, [(line(a), line(b)) for a, b in facts(document, about)], about.say(N_("At a glance")), (4.1, 12.5))
    story(made, document, about, headings(document, about), STORY)
    _lists(made, document, about)
    _end(made, document, about)
    word.footer(made, of.url, about.say(N_("Page")))
    return word.written(made)


def _properties(made: WordDocument, document: Document, about: About, of: Cited) -> None:
    """What the file says of itself. Word takes 255 characters of each."""
    core = made.core_properties
    core.title, core.author = of.title[:255], of.author[:255]
    core.last_modified_by, core.comments = of.site[:255], ""
    core.keywords = line(", ".join(about.term("theme", slug) for slug in document["themes"]))[:255]
    core.identifier, core.version = of.url[:255], str(of.version)
    core.created = core.modified = datetime(of.issued.year, of.issued.month, of.issued.day)


def _written(document: Document) -> dict[str, Any]:
    language = document["language"]
    shown = {"title": document["title"], "summary": document["summary"], "machine": False}
    return {**shown, "language": language, "summary_language": language}


def head(made: WordDocument, document: Document, about: About, shown: Mapping[str, Any]) -> Paragraph:
    """What a practice is called, and its summary; returns the paragraph of its title."""
    heading = word.paragraph(made, "Heading 1")
    word.run(heading, line(shown["title"]), other(shown["language"], about))
    if shown["title"] != document["title"]:
        word.run(word.paragraph(made, "Caption"), line(document["title"]), other(document["language"], about))
    if document["original_title"]:
        title = word.paragraph(made, "Caption")
        title.paragraph_format.space_after = Pt(8)
        word.run(title, line(document["original_title"]))
    if about.notice:
        word.run(word.paragraph(made), line(about.notice), bold=True)
    word.run(word.paragraph(made, "Subtitle"), line(shown["summary"]), other(shown["summary_language"], about))
    if shown["machine"]:
        said = about.say(N_("Title and summary were translated by a machine."))
        word.run(word.paragraph(made, "Caption"), said)
    return heading


def story(made: WordDocument, document: Document, about: About, named: Mapping[str, str], room: int) -> None:
    """Long texts under their headings, each with its share of so many words; then which of them nobody has reported.

    `named` are the headings by the keys of the record.
    """
    language = other(document["language"], about)
    told = {key: blocks(document[key], about) for key in named if document[key]}
    shares = dict(zip(told, shared([sum(b.words for b in each) for each in told.values()], room), strict=True))
    for key, texts in told.items():
        word.run(word.paragraph(made, "Heading 2"), named[key])
        for block in shortened(texts, shares[key]):
            write(word.paragraph(made, block.style), block, language)
    missing = [heading for key, heading in named.items() if key not in told]
    if missing:
        paragraph = word.paragraph(made, "Caption")
        word.run(paragraph, f"{about.say(N_('Not reported'))}: {', '.join(missing)}")


def write(paragraph: Paragraph, block: Block, language: str | None) -> None:
    """The words of a block in a paragraph; links lead to the web and to mail only."""
    for piece in block.pieces:
        if piece.url and piece.url.startswith(_LINKED):
            word.link(paragraph, piece.text, piece.url, language)
        else:
            word.run(paragraph, piece.text, language, piece.bold, piece.italic)


def linked(paragraph: Paragraph, title: str | None, address: str, about: About) -> None:
    """A source as a link; as words where its address leads neither to the web nor to mail."""
    words, url = line(title or address), absolute(line(address), about)
    word.link(paragraph, words, url) if url.startswith(_LINKED) else word.run(paragraph, words)


def _lists(made: WordDocument, document: Document, about: About) -> None:
    say = about.say
    for heading, entries in (
        (N_("Indicators"), [indicator(each, about) for each in document["indicators"]]),
        (N_("Who paid"), [grant(each, about) for each in document["funding"]]),
    ):
        if entries:
            word.run(word.paragraph(made, "Heading 2"), say(heading))
            for n, entry in enumerate(entries[:ENTRIES], start=1):
                bullet = word.paragraph(made, "List Bullet")
                bullet.paragraph_format.keep_with_next = n < min(len(entries), ENTRIES)
                word.run(bullet, line(entry))
            rest(made, len(entries) - ENTRIES, about)
    if document["editor_note"]:
        paragraph = word.paragraph(made)
        word.run(paragraph, f"{say(N_('Editor’s note.'))} ", bold=True)
        word.run(paragraph, line(document["editor_note"]), other(document["language"], about))
    word.run(word.paragraph(made, "Heading 2"), say(N_("Sources")))
    for source in document["sources"][:SOURCES]:
        linked(word.paragraph(made, "List Number"), source["title"], source["url"], about)
    rest(made, len(document["sources"]) - SOURCES, about)


def rest(made: WordDocument, count: int, about: About) -> None:
    """How many entries of a list were left out."""
    if count > 0:
        said = about.say(N_("%(n)d more on the page of the practice")) % {"n": count}
        word.run(word.paragraph(made, "Caption"), said)


def _end(made: WordDocument, document: Document, about: About) -> None:
    """Where the whole text is, how to cite it, whose it is."""
    say = about.say
    word.run(word.paragraph(made, "Heading 2"), say(N_("Cite and reuse")))
    cite(made, document, about)
    origin = word.paragraph(made, "Caption")
    shortest = say(N_("This is a briefing; where a text was shortened, […] stands. The page has all of it."))
    word.run(origin, f"{line(about.term('origin', document['origin']['kind']))} {shortest}")


def cite(made: WordDocument, document: Document, about: About) -> None:
    """How to cite a version, in English as the style has it; its licence, and whom to credit."""
    say, of, english = about.say, cited(document, about), other("en", about)
    paragraph = word.paragraph(made)
    word.run(paragraph, apa(document, about).removesuffix(of.url), english)
    word.link(paragraph, of.url, of.url)
    paragraph = word.paragraph(made)
    word.run(paragraph, f"{say(N_('Licence'))}: ")
    if of.licence in LICENCES:
        word.link(paragraph, of.licence, LICENCES[of.licence])
    if document["attribution"]:
        word.run(paragraph, f"; {say(N_('credit:'))} {line(document['attribution'])}")


def other(language: str, about: About) -> str | None:
    """The language of a text, where it is not the document's."""
    return language if language != about.language else None


# Markdown, and making it shorter


def blocks(markdown: str, about: About) -> list[Block]:
    """A record's Markdown as paragraphs and entries of lists; a heading in it is a paragraph in bold."""
    made: list[Block] = []
    numbers: list[int | None] = []
    style, before, bold = "Normal", "", False
    for token in parse(markdown):
        if token.type in ("bullet_list_open", "ordered_list_open"):
            numbers.append(int(token.attrGet("start") or 1) if token.type == "ordered_list_open" else None)
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            numbers.pop()
        elif token.type == "list_item_open":
            number = numbers[-1]
            style, before = ("List Bullet", "") if number is None else ("Normal", f"{number}. ")
            numbers[-1] = None if number is None else number + 1
        elif token.type in ("heading_open", "heading_close"):
            bold = token.type == "heading_open"
        elif token.type in ("inline", "fence", "code_block"):
            pieces = list(_pieces(token.children, about, bold)) if token.children else [Piece(line(token.content))]
            made.append(Block(style, (Piece(before), *pieces) if before else tuple(pieces)))
            style, before = "Normal", ""
    return [block for block in made if block.words]


def _pieces(tokens: Iterable[Token], about: About, bold: bool) -> Iterator[Piece]:
    """The words of a paragraph, in their looks."""
    heavy, italic, url = int(bold), 0, None
    for token in tokens:
        if token.type in ("strong_open", "strong_close"):
            heavy += token.nesting
        elif token.type in ("em_open", "em_close"):
            italic += token.nesting
        elif token.type == "link_open":
            url = absolute(line(str(token.attrGet("href") or "")), about)
        elif token.type == "link_close":
            url = None
        else:
            text = " " if token.type in ("softbreak", "hardbreak") else re.sub(r"\s", " ", token.content)
            if text:
                yield Piece(text, heavy > 0, italic > 0, url)


def shared(lengths: list[int], room: int) -> list[int]:
    """What each of some texts gets of the room: all that it needs where that is no more than an equal share.

    What the short ones leave over, the long ones share.
    """
    given = [0] * len(lengths)
    left = sorted(range(len(lengths)), key=lambda n: lengths[n])
    for at, n in enumerate(left):
        given[n] = min(lengths[n], room // (len(left) - at))
        room -= given[n]
    return given


def shortened(texts: list[Block], room: int) -> list[Block]:
    """Texts in at most so many words, cut at the end of a sentence where one is near, and marked where they are cut."""
    kept: list[Block] = []
    for block in texts:
        if block.words > room:
            cut = _cut(block, room)
            if cut is not None:
                return [*kept, cut]
            return [*kept[:-1], replace(kept[-1], pieces=(*kept[-1].pieces, Piece(CUT)))] if kept else kept
        kept.append(block)
        room -= block.words
    return kept


def _cut(block: Block, room: int) -> Block | None:
    """The beginning of a paragraph; None where the room is too small for any."""
    text = "".join(piece.text for piece in block.pieces)
    ends = [found.start() for found in _SENTENCE.finditer(text) if len(text[: found.start()].split()) <= room]
    words = [found.end() for found in re.finditer(r"\S+", text)]
    if room < 8 or (not ends and room < 20):
        return None
    near = ends and len(text[: ends[-1]].split()) * 2 >= room
    at = ends[-1] if near else words[room - 1]
    kept: list[Piece] = []
    for piece in block.pieces:
        if at <= 0:
            break
        kept.append(replace(piece, text=piece.text[:at]))
        at -= len(piece.text)
    return replace(block, pieces=(*kept, Piece(CUT if near else f"…{CUT}")))
