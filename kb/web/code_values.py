"""What may stand in the columns that hold codes: each code with what it is called, for the codebook and workbooks."""

from __future__ import annotations

from collections.abc import Iterator

from flask_babel import force_locale, gettext

from kb.formats.xlsx import Value
from kb.services import repository
from kb.services.repository import COUNTRY, Repository
from kb.services.vocabularies import country_name
from kb.web import context, labels

TABLES = {
    "level": "level",
    "authority_role": "authority_role",
    "lead_organisation_type": "organisation",
    "status": "status",
    "evidence": "evidence",
    "funding.source": "funding",
    "origin_kind": "origin",
}
"""Columns of a closed list, with the table of their labels."""


def listed(language: str) -> list[Value]:
    """Every code of the closed lists and vocabularies, and the countries and languages in use, as called in a language.

    The meanings of themes and target groups are there in English only.
    """
    with force_locale(language):
        return [*_closed(), *_terms(language), *_used(language)]


def _closed() -> Iterator[Value]:
    for column, table in TABLES.items():
        meanings = labels.EVIDENCE_MEANING if table == "evidence" else {}
        for code, label in labels.TABLES[table].items():
            yield Value(column, str(code), gettext(label), gettext(meanings[code]) if code in meanings else "")
    for code, (name, address) in labels.LICENCES.items():
        yield Value("licence", code, name, address)


def _terms(language: str) -> Iterator[Value]:
    vocabulary = context.vocabulary()
    for column, terms in (("themes", vocabulary.themes), ("target_groups", vocabulary.target_groups)):
        for slug, term in terms.items():
            yield Value(column, slug, term.name(language), term.scope_note if language == "en" else "")


def _used(language: str) -> Iterator[Value]:
    session, vocabulary = context.reading(), context.vocabulary()
    for name in Repository(session, vocabulary, context.config().base_url).sets():
        kind, _colon, code = name.partition(":")
        if kind == COUNTRY and code:
            yield Value("country", code, country_name(code, language), "")
    for code in repository.extent(session).languages:
        yield Value("language", code, labels.language_name(code, language), "")
