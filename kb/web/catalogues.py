"""Where Flask-Babel finds the words of a page."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from babel import Locale
from babel.support import NullTranslations
from flask import g
from flask_babel import Domain, get_locale
from jinja2 import Environment, pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup

from kb.services.wording import FOLDER, SOURCE, catalogue, path

__all__ = ["FOLDER", "SOURCE", "Catalogues", "catalogue", "gettext", "install", "path", "pgettext"]


class Catalogues(Domain):
    """Where Flask-Babel finds the words of a page."""

    def get_translations(self) -> NullTranslations:
        """The catalogue of the page's language; one that changes nothing where there is no page."""
        locale = _locale()
        return _AS_WRITTEN if locale is None or locale.language == SOURCE else catalogue(locale.language)


def _locale() -> Locale | None:
    """The language of the page. Flask-Babel asks six times where it keeps that; hundreds of texts a page ask for it."""
    try:
        held = g._get_current_object().__dict__["_flask_babel"].babel_locale
    except (RuntimeError, LookupError, AttributeError):  # no page, or the first text of one
        held = None
    return held or get_locale()


_AS_WRITTEN = NullTranslations()
_CATALOGUES = Catalogues()

gettext, pgettext = _CATALOGUES.gettext, _CATALOGUES.pgettext
"""Flask-Babel's functions of these names, by a shorter way: for what a page says again and again."""


def install(environment: Environment) -> None:
    """Give templates the functions that say a text in the language of the page.

    They do what those of Jinja's extension do, by a shorter way: a page of results says two hundred texts.
    """
    environment.globals.update({"_": _say, "gettext": _say, "ngettext": _say_number})


@pass_eval_context
def _say(context: EvalContext, text: str, /, **variables: Any) -> str:
    return _filled(context, _CATALOGUES.get_translations().ugettext(text), variables)


@pass_eval_context
def _say_number(context: EvalContext, one: str, many: str, num: int, /, **variables: Any) -> str:
    return _filled(context, _CATALOGUES.get_translations().ungettext(one, many, num), {"num": num, **variables})


def _filled(context: EvalContext, text: str, variables: dict[str, Any]) -> str:
    said = _markup(text) if context.autoescape else text
    return said % variables if "%" in text else said  # always a format, with variables or without


@lru_cache(maxsize=4096)
def _markup(text: str) -> Markup:
    return Markup(text)  # noqa: S704 (texts of the pages; what is put into them is escaped)
