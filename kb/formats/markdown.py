"""A practice as one Markdown text that reads well anywhere: every field of the record that is filled in.

Where the record holds plain text, its signs are escaped. Where it holds Markdown, that stays, under the rules of the
pages: no HTML, no images, and headings below this text's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from kb.formats.about import About, Document
from kb.formats.citation import LICENCES, apa
from kb.formats.telling import absolute, day, facts, grant, headings, indicator
from kb.formats.text import N_, clean, line

_SIGNS = re.compile(r"([\\`*_\[\]<>&|~#])")
_BEGINNING = re.compile(r"^(\s*)([-+=]|\d{1,9}(?=[.)]))")
_HEADING = re.compile(r"^( {0,3})#{1,6}(?=[ \t]|$)")
_UNDERLINE = re.compile(r"^ {0,3}(=+|-+)[ \t]*$")
_MARKUP = re.compile(r"<(?!(?:https?://|mailto:)[^\s<>]*>)")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")


def one(document: Document, about: About) -> str:
    """The whole record. Ends with how to cite it, whose it is, and its licence."""
    say = about.say
    blocks = [f"# {escaped(document['title'])}"]
    if about.notice:
        blocks.append(f"> {escaped(about.notice)}")
    if document["original_title"]:
        blocks.append(f"*{escaped(document['original_title'])}*")
    blocks.append(paragraphs(document["summary"]))
    blocks += [
        f"## {say(N_('At a glance'))}",
        _list(f"**{name}:** {escaped(said)}" for name, said in facts(document, about)),
    ]
    blocks += _story(document, about)
    blocks += _lists(document, about)
    blocks += [f"## {say(N_('Cite and reuse'))}", _list(_origin(document, about))]
    return "\n\n".join(block for block in blocks if block) + "\n"


def escaped(text: str | None) -> str:
    """Plain text in one line, none of its signs read as Markdown."""
    safe = _SIGNS.sub(r"\\\1", line(text))
    return _BEGINNING.sub(_shielded, safe)


def paragraphs(text: str | None) -> str:
    """Plain text with its paragraphs."""
    return "\n\n".join(part for part in (escaped(part) for part in clean(text or "").split("\n")) if part)


def written(markdown: str) -> str:
    """Markdown as a part of this text: its headings below ours, no HTML, no pictures, no block left open."""
    lines, fence = [], ""
    for each in clean(markdown).split("\n"):
        mark = _FENCE.match(each)
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1].startswith(fence) and not each.strip(" " + fence[0]):
            fence = ""
        lines.append(_line(each))
    if fence:
        lines.append(fence)
    return "\n".join(lines).strip("\n")


def _line(text: str) -> str:
    text = _HEADING.sub(r"\1###", text)
    under = _UNDERLINE.match(text)
    if under:  # a line like this makes a heading of the one above; three asterisks never do
        text = "***" if under[1].startswith("---") else f"\\{text.strip()}"
    return _MARKUP.sub("&lt;", text).replace("![", "&#33;[")


def _shielded(found: re.Match[str]) -> str:
    """A sign that would begin a list. Digits cannot be escaped; the stop after them is what counts."""
    return f"{found[1]}{found[2]}\\" if found[2].isdecimal() else f"{found[1]}\\{found[2]}"


def _story(document: Document, about: About) -> Iterator[str]:
    for key, heading in headings(document, about).items():
        yield f"## {heading}"
        yield written(document[key]) if document[key] else f"*{about.say(N_('Not reported'))}*"
    if document["editor_note"]:
        yield f"## {about.say(N_('Editor’s note.')).rstrip('.')}"
        yield paragraphs(document["editor_note"])


def _lists(document: Document, about: About) -> Iterator[str]:
    """The lists that are not empty, each under its heading."""
    say = about.say
    lists = (
        (N_("Indicators"), [_linked(indicator(each, about), each["url"], about) for each in document["indicators"]]),
        (N_("Who paid"), [escaped(grant(each, about)) for each in document["funding"]]),
        (N_("Pictures and documents"), [_file(each, about) for each in document["images"] + document["attachments"]]),
        (N_("Sources"), [_linked(each["title"], each["url"], about) for each in document["sources"]]),
        (N_("More about it"), [_linked(each["title"], each["url"], about) for each in document["links"]]),
        (N_("Organisations"), [_linked(each["name"], each["url"], about) for each in _with_address(document)]),
        (N_("Adapted from"), [_model(each, about) for each in document["adapted_from"]]),
        (N_("Translations"), [_translation(each, about) for each in document["translations"]]),
    )
    for heading, entries in lists:
        if entries:
            yield f"## {say(heading)}"
            yield _list(entries)


def _origin(document: Document, about: About) -> Iterator[str]:
    say, licence = about.say, document["licence"]
    yield escaped(apa(document, about))
    yield f"**{say(N_('Licence'))}:** " + _linked(licence, LICENCES.get(licence), about)
    yield f"**{say(N_('Whom to credit'))}:** {escaped(document['attribution'])}"
    yield escaped(about.term("origin", document["origin"]["kind"])) + _tail(document["origin"]["url"], about)
    published, updated = (day(document[key], about) for key in ("published", "updated"))
    said = say(N_("%(n)d, published %(published)s, updated %(updated)s"))
    yield f"**{say(N_('Version'))}:** {said % {'n': document['version'], 'published': published, 'updated': updated}}"
    yield f"**{say(N_('Language of the text'))}:** {escaped(about.term('language', document['language']))}"
    for key, name in (("last_verified", N_("Last verified")), ("review_due", N_("Review due"))):
        if document[key]:
            yield f"**{say(name)}:** {day(document[key], about)}"


def _with_address(document: Document) -> list[Document]:
    return [each for each in (document["lead_organisation"], *document["partners"]) if each and each["url"]]


def _file(each: Document, about: About) -> str:
    words = each["title"] or each.get("alt") or each["url"]
    more = [each.get("alt") if words != each.get("alt") else None, each.get("credit")]
    return ". ".join([_linked(words, each["url"], about), *(escaped(part) for part in more if part)])


def _model(each: Document, about: About) -> str:
    changes = f": {escaped(each['changes'])}" if each["changes"] else ""
    return _linked(each["slug"], f"/practices/{each['slug']}", about) + changes


def _translation(each: Document, about: About) -> str:
    machine = f" ({about.say(N_('translated by a machine'))})" if each["machine"] else ""
    parts = (each["title"], each["summary"])
    name = escaped(about.term("language", each["language"]))
    return f"**{name}**{machine}: " + ". ".join(escaped(part) for part in parts if part)


def _linked(words: str | None, url: str | None, about: About) -> str:
    """Words that lead somewhere; the address itself where there are no words."""
    if not url:
        return escaped(words)
    where = absolute(line(url), about).replace("\\", "%5C").replace("<", "%3C").replace(">", "%3E").replace(" ", "%20")
    return f"[{escaped(words or url)}](<{where}>)"


def _tail(url: str | None, about: About) -> str:
    return f" {_linked(None, url, about)}" if url else ""


def _list(entries: Iterable[str]) -> str:
    return "\n".join(f"- {entry}" for entry in entries)
