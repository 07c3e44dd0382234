"""Which language a page is in: `lang=` in the address, then the remembered choice, then the browser's wish.

The API knows no remembered choice: it ignores cookies.
"""

from __future__ import annotations

from datetime import timedelta

from flask import g, request
from flask_babel import gettext

from kb.config import LANGUAGES
from kb.services.errors import Message
from kb.web import context

REMEMBERED = timedelta(days=365)
"""How long a browser remembers the language that somebody chose."""

NAMES = {
    "en": "English", "it": "Italiano", "es": "Español", "ca": "Català", "de": "Deutsch", "fr": "Français",
    "pl": "Polski", "ro": "Română", "ga": "Gaeilge",
}  # fmt: skip
"""Each language's name for itself."""


def cookie() -> str:
    """The name of the cookie that remembers a choice: only this host may set it where the site has https."""
    return "__Host-lang" if context.config().secure else "lang"


def chosen() -> str:
    """The language of this page: one that the site offers, its first where nothing else was asked for."""
    held: str | None = g.get("language")
    if held is None:
        g.language = held = _choose()
    return held


def offered() -> tuple[tuple[str, str], ...]:
    """The languages of the menu, as (code, name)."""
    return tuple((code, NAMES[code]) for code in LANGUAGES if code in context.config().languages)


def _choose() -> str:
    available = context.config().languages
    asked = request.args.get("lang", "")
    if asked in available:
        return asked
    remembered = "" if request.path.startswith("/api/") else request.cookies.get(cookie(), "")
    if remembered in available:
        return remembered
    return request.accept_languages.best_match(available) or available[0]


def say(message: Message) -> str:
    """A service's sentence in the language of the page."""
    return message.render(gettext)
