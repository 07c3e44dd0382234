"""The site's own words for mail: as text, as HTML, and what the built-in words look like with placeholders."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import current_app
from flask_babel import force_locale, gettext, ngettext
from markupsafe import Markup, escape

from kb.services import mail_texts
from kb.services.mail import KINDS
from kb.services.mail_texts import Words
from kb.web import labels

NUMBERS = {
    "days": 910_001, "number": 910_002, "added": 910_003, "updated": 910_004, "waiting": 910_005, "gone": 910_006,
}  # fmt: skip
"""Stand-ins for numbers while the built-in words are read: a sentence with a number needs one to be made."""


@dataclass(frozen=True)
class News:
    """What is new in a search: practices with title, country, a line, an address and whether each is new or changed.

    As text it is in the language in force.
    """

    practices: Sequence[Mapping[str, Any]]
    more: int

    def __str__(self) -> str:
        parts = [f"{self.heading(each)}\n{each['line']}\n{each['url']}" for each in self.practices]
        return "\n\n".join([*parts, self.rest] if self.more else parts)

    def heading(self, practice: Mapping[str, Any]) -> str:
        """A practice in a line."""
        if practice["new"]:
            return gettext("New: %(title)s (%(country)s)", title=practice["title"], country=practice["country"])
        return gettext("Changed: %(title)s (%(country)s)", title=practice["title"], country=practice["country"])

    @property
    def rest(self) -> str:
        """How many are not named."""
        return ngettext("… and %(num)d more", "… and %(num)d more", self.more)


@dataclass(frozen=True)
class Body:
    """A text with what fills its placeholders."""

    words: str
    values: Mapping[str, Any]

    @property
    def text(self) -> str:
        """As plain text."""
        return mail_texts.filled(self.words, self.values)

    @property
    def html(self) -> Markup:
        """As paragraphs of HTML: all is escaped, and an address of a page is a link."""
        paragraphs = re.split(r"\n\s*\n", self.words)
        return Markup("\n").join(Markup("<p>%s</p>") % self._paragraph(each) for each in paragraphs)

    def _paragraph(self, words: str) -> Markup:
        lines = Markup("<br>\n")
        said = mail_texts.fill(str(escape(words)), self._value)  # braces stay as they are when escaped
        return lines.join(Markup(line) for line in said.split("\n"))  # noqa: S704 (escaped, word by word)

    def _value(self, name: str) -> str | None:
        if name not in self.values:
            return None
        value = escape(str(self.values[name]))
        return str(Markup('<a href="%s">%s</a>') % (value, value) if name == "url" else value)


def in_words(values: Mapping[str, Any]) -> dict[str, str]:
    """Values that a reader knows by a name of the page's language."""
    role = str(values.get("role", ""))
    return {"role": labels.label("role", role)} if role in labels.TABLES["role"] else {}


def builtin(kind: str, language: str, subject: str) -> Words:
    """The built-in words of a kind of mail in a language; `subject` is its subject before it is translated."""
    held: dict[str, Any] = {name: NUMBERS.get(name, f"{{{name}}}") for name in (*KINDS[kind].needs, mail_texts.SITE)}
    with force_locale(language):
        line = gettext(subject, **held)
        template = current_app.jinja_env.get_template(f"mail/{kind}.txt")
        values = {**held, "site_name": "{site}", "label": lambda _table, _value: "{role}"}
        text = "".join(template.blocks["main"](template.new_context(values)))
    for name, number in NUMBERS.items():
        line, text = (each.replace(str(number), f"{{{name}}}") for each in (line, text))
    return Words(line, re.sub(r"\n{3,}", "\n\n", text).strip())
