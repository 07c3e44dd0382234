"""What the practice form offers to choose from, in the language of the page."""

from __future__ import annotations

from flask_babel import gettext

from kb.services.checking import LANGUAGES, LICENCES
from kb.services.vocabularies import by_name, country_name
from kb.web import context, labels, languages

Options = list[tuple[str, str]]

ENUMS = {
    "level": "level",
    "status": "status",
    "evidence": "evidence",
    "authority_role": "authority_role",
    "funding": "funding",
    "organisation_type": "organisation",
}
"""Lists of the form whose choices are an enum of the record, with the table of their labels."""


def all_lists() -> dict[str, Options]:
    """Every list of the form as (value, label) pairs, each in the order in which it is offered."""
    language = languages.chosen()
    vocabulary = context.vocabulary()
    lists: dict[str, Options] = {
        name: [(value, gettext(text)) for value, text in labels.TABLES[table].items()] for name, table in ENUMS.items()
    }
    lists["country"] = _sorted([(code, country_name(code, language)) for code in vocabulary.european])
    lists["language"] = _sorted([(code, labels.language_name(code, language)) for code in LANGUAGES])
    lists["licence"] = [(code, labels.LICENCES[code][0]) for code in LICENCES]
    lists["themes"] = _sorted([(term.slug, term.name(language)) for term in vocabulary.themes.values()])
    lists["target_groups"] = _sorted([(term.slug, term.name(language)) for term in vocabulary.target_groups.values()])
    lists["regions"] = regions()
    return lists


def regions() -> Options:
    """Regions of levels 1 and 2 and local ones, by name and code."""
    vocabulary, language = context.vocabulary(), languages.chosen()
    return _sorted(
        [
            (region.code, f"{vocabulary.region_name(region.code, language)} ({region.code})")
            for region in vocabulary.regions.values()
            if region.level in (1, 2) or region.edition == "local"
        ]
    )


def _sorted(options: Options) -> Options:
    return by_name(options, lambda each: each[1])
