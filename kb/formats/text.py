"""What every format does with text before it writes any: control characters out, lines joined, Markdown made plain."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from markdown_it import MarkdownIt
from markdown_it.token import Token


def N_(text: str) -> str:
    """Mark a writer's words for the catalogues; `About.say` puts them into the reader's language."""
    return text


_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_BREAKS = re.compile("[\\s\x85\u2028\u2029]+")

_parser = MarkdownIt("commonmark", {"html": False}).disable("image")


def clean(text: str) -> str:
    """Text without what no reader sees and XML cannot hold: control characters, lone surrogates, non-characters."""
    return _UNWRITABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def line(text: str | None) -> str:
    """Text in one line, whatever breaks lines in any script or reader; no-break spaces stay."""
    return _BREAKS.sub(lambda found: found[0] if found[0] in ("\xa0", "\u202f") else " ", clean(text or "")).strip(" ")


def iso(moment: datetime) -> str:
    """A moment as every format writes it (RFC 3339): UTC, to the second, with a Z."""
    return f"{moment.astimezone(UTC).isoformat()[:19]}Z"


def parse(markdown: str) -> list[Token]:
    """A record's Markdown as tokens, under the rules of the pages: no HTML, no images."""
    return _parser.parse(clean(markdown))


def plain(markdown: str | None) -> str:
    """A record's Markdown as words in one line, without its signs."""
    return line(" ".join(_words(parse(markdown or ""))))


def _words(tokens: list[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type == "inline":
            yield "".join(_inline(child) for child in token.children or ())
        elif token.type in ("fence", "code_block"):
            yield token.content


def _inline(token: Token) -> str:
    return " " if token.type in ("softbreak", "hardbreak") else token.content
