"""Where Flask-Babel finds the words of a page."""

from __future__ import annotations

from babel.support import NullTranslations
from flask_babel import Domain, get_locale

from kb.services.wording import FOLDER, SOURCE, catalogue, path

__all__ = ["FOLDER", "SOURCE", "Catalogues", "catalogue", "path"]


class Catalogues(Domain):
    """Where Flask-Babel finds the words of a page."""

    def get_translations(self) -> NullTranslations:
        """The catalogue of the page's language; one that changes nothing where there is no page."""
        locale = get_locale()
        return NullTranslations() if locale is None or locale.language == SOURCE else catalogue(locale.language)
