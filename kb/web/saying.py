"""Words of two languages on one page: titles, marked as being in a language of their own; and the reader's colon.

For what is read out, shown or linked. The title of a page and a sentence that is mailed take the bare words:
`practice.title`, `practice | public_title`.
"""

from __future__ import annotations

from flask_babel import gettext
from markupsafe import Markup

from kb.models import Practice
from kb.services import titles
from kb.web import accounts, context, languages


def said_in(text: str, language: str | None) -> Markup:
    """A text in a language, as it stands on a page that may be in another."""
    if not language or language == languages.chosen():
        return Markup.escape(text)
    return Markup('<span lang="{}">{}</span>').format(language, text)


def title_of(practice: Practice) -> Markup:
    """The title that is being written."""
    title = titles.of_draft(context.reading(), practice)
    return said_in(*title) if title.text else Markup.escape(gettext("Without a title"))


def public_title_of(practice: Practice) -> Markup:
    """The title that readers know; the address where its text was removed."""
    title = titles.of_public(context.reading(), practice)
    return said_in(*title) if title.text else Markup.escape(practice.slug or gettext("Without a title"))


def known_title_of(practice: Practice) -> Markup:
    """The title that whoever reads the page may be told."""
    title = titles.of_known(context.reading(), accounts.current(), practice)
    return said_in(*title) if title.text else Markup.escape(practice.slug or gettext("Without a title"))


def colon() -> str:
    """What stands between a name and its value: ": ", with a space before it where the reader's language has one."""
    return gettext("%(name)s: %(value)s", name="", value="")
