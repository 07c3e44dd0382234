"""Texts that people write: Markdown as HTML and in other formats, and the words of mail."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urlsplit

from hypothesis import given
from hypothesis import strategies as st

from kb.formats import markdown, text
from kb.services import mail_texts
from kb.services.record import tidy
from kb.web import templating
from tests.fuzz.strategies import TEXT, mistaken, often

PIECES = ("[a](https://example.org)", "[a](javascript:alert(1))", "<script>alert(1)</script>", "![x](http://a/b.png)",
          "# Heading\n", "> quote\n", "* item\n", "1. item\n", "```\ncode\n```\n", "**bold**", "`code`", "<http://a.b>",
          "&amp;", "&#x6a;avascript:", "\\", "|a|b|\n|-|-|\n", "\n\n", "    indented\n", "[a]: //evil.example\n", "[a]",
          "<a href='x' onclick=y>", "</p>", "<!--", "]]>", "*", "_", "~~~\n", "[[[[", "((((")  # fmt: skip

WRITTEN = st.lists(st.sampled_from(PIECES) | TEXT, max_size=12).map("".join) | mistaken(" ".join(PIECES))

TAGS = {"p", "h3", "a", "strong", "em", "ul", "ol", "li", "blockquote", "code", "pre", "br", "hr"}


class Read(HTMLParser):
    """Fails where HTML holds what no text of a record may become."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at a tag and its attributes."""
        assert tag in TAGS, tag
        given = dict(attrs)
        assert set(given) <= {"href", "title", "rel", "start"}, given
        if "href" in given:
            assert urlsplit(given["href"] or "").scheme in ("http", "https", "mailto"), given


@often(50)
@given(written=WRITTEN)
def test_markdown_becomes_harmless_html(written: str) -> None:
    reader = Read()
    reader.feed(str(templating.markdown(tidy(written))))
    reader.close()


@often(37)
@given(written=WRITTEN)
def test_markdown_becomes_plain_text_and_markdown_again(written: str) -> None:
    kept = tidy(written) or ""
    assert isinstance(text.plain(kept), str)
    assert "\n" not in markdown.escaped(kept)
    again = markdown.written(kept)
    reader = Read()
    reader.feed(str(templating.markdown(again)))


@often(25)
@given(written=WRITTEN)
def test_what_is_kept_of_a_text_is_kept_the_same_a_second_time(written: str) -> None:
    kept = tidy(written)
    assert kept is None or tidy(kept) == kept
    assert kept is None or "\x00" not in kept
    assert kept is None or kept.encode()


@often(25)
@given(words=WRITTEN | mistaken("Open {url} within {days} days, {name}.", "{{url}}", "{", "}", "{url"), value=TEXT)
def test_an_operators_mail_text_is_filled_with_values_once(words: str, value: str) -> None:
    filled = mail_texts.filled(words, {"url": value, "days": 3, "name": "{url}"})
    assert isinstance(filled, str)
