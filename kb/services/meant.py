"""What people mean who write a label where a code belongs: tables may hold it in any case and language of the pages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from babel import Locale

from kb.models import AuthorityRole, Evidence, FundingSource, Level, OrganisationType, Status
from kb.services import labels, wording
from kb.services.checking import LANGUAGES, LICENCES
from kb.services.errors import N_, Problem
from kb.services.record import NO_MAIN, TERMS
from kb.services.vocabularies import COUNTRY_ALIASES, TermInfo, Vocabulary, countries, country_name, fold

CHOSEN = {
    "language": "language", "country": "country", "level": "level", "authority_role": "authority_role",
    "lead_organisation.type": "organisation", "status": "status", "evidence": "evidence", "licence": "licence",
    "themes": "themes", "target_groups": "target_groups", "translations.language": "language",
    "other_regions.country": "country", "partners.type": "organisation", "funding.source": "funding",
}  # fmt: skip
"""The fields whose value is chosen from a list, and which list that is."""

FIXED: dict[str, Mapping[Any, str]] = {
    "level": {each: labels.LEVEL[each] for each in Level},
    "status": {each: labels.STATUS[each] for each in Status},
    "evidence": {each: labels.EVIDENCE[each] for each in Evidence},
    "authority_role": {each: labels.AUTHORITY_ROLE[each] for each in AuthorityRole},
    "organisation": {each: labels.ORGANISATION[each] for each in OrganisationType},
    "funding": {each: labels.FUNDING[each] for each in FundingSource},
    "licence": {each: labels.LICENCES[each][0] for each in LICENCES},
}
"""The lists that are the same everywhere: code and English label."""

ALIKE = 0.8
"""Likeness from which a code is offered as the one that was meant."""

MOST_GUESSES = 200
"""Values of one file for which that is looked for: each takes some milliseconds."""

Names = Mapping[str, str]


class Meant:
    """Reads the records of one file's rows."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._found: dict[tuple[str, str], str | None] = {}
        self._close: dict[tuple[str, str], list[str]] = {}

    def read(self, data: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
        """A record with codes for labels, and a problem for each value that is neither; such a value stays."""
        problems: list[Problem] = []
        read = dict(data)
        for field, of in CHOSEN.items():
            key, _, part = field.partition(".")
            held = read.get(key)
            if key in TERMS:
                read[key] = [self._one(key, of, each, problems) for each in held] if isinstance(held, list) else held
            elif not part:
                read[key] = self._one(key, of, held, problems)
            elif isinstance(held, list):
                read[key] = [self._entry(f"{key}.{n}", part, of, each, problems) for n, each in enumerate(held)]
            else:
                read[key] = self._entry(key, part, of, held, problems)
        return read, problems

    def _entry(self, path: str, part: str, of: str, held: Any, problems: list[Problem]) -> Any:
        if not isinstance(held, Mapping) or part not in held:
            return held
        return {**held, part: self._one(f"{path}.{part}", of, held[part], problems)}

    def _one(self, path: str, of: str, value: Any, problems: list[Problem]) -> Any:
        if not isinstance(value, str) or not value.strip() or value == NO_MAIN:
            return value
        known = (of, value)
        if known not in self._found:
            self._found[known] = self._code(of, value)
        code = self._found[known]
        if code is None:
            problems.append(self._unknown(path, of, value))
        return value if code is None else code

    def _code(self, of: str, value: str) -> str | None:
        wanted = _plain(value)
        return next((names[wanted] for names in self._names(of) if wanted in names), None)

    def _unknown(self, path: str, of: str, value: str) -> Problem:
        known = (of, value)
        if known not in self._close:
            self._close[known] = self._guess(of, value) if len(self._close) < MOST_GUESSES else []
        if close := self._close[known]:
            text = N_("“%(value)s” is not in the list. Did you mean %(names)s?")
            return Problem.of(path, text, value=value[:80], names=", ".join(close))
        return Problem.of(path, N_("Not in the list: %(values)s."), values=value[:80])

    def _guess(self, of: str, value: str) -> list[str]:
        names = {name: code for each in self._names(of) for name, code in each.items()}
        close = difflib.get_close_matches(_plain(value), names, 6, ALIKE)
        return list(dict.fromkeys(names[name] for name in close))[:3]

    def _names(self, of: str) -> Iterator[Names]:
        """The names of a list's values: codes, then English labels, then those of the other languages."""
        if of not in TERMS:
            yield from map(_fixed, (of,) * 3, range(3))
            return
        terms: Mapping[str, TermInfo] = getattr(self._vocabulary, of)
        yield _meaning((slug, slug) for slug in (*terms, *self._vocabulary.term_successors.get(of, ())))
        yield _meaning((term.label, slug) for slug, term in terms.items())
        yield _meaning((label, slug) for slug, term in terms.items() for label in term.labels.values())


@cache
def _fixed(of: str, step: int) -> Names:
    """The names of a list that is the same everywhere; the third step reads the words of every language."""
    if step == 2:
        return _meaning(pair for language in _others() for pair in _called(of, language))
    if step == 1:
        return _meaning(_called(of, wording.SOURCE))
    aliases = COUNTRY_ALIASES.items() if of == "country" else ()
    return _meaning([*((code, code) for code in _codes(of)), *aliases])


def _codes(of: str) -> Iterable[str]:
    if of == "country":
        return countries()
    return LANGUAGES if of == "language" else [str(code) for code in FIXED[of]]


def _called(of: str, language: str) -> Iterator[tuple[str, str]]:
    """Each label of a list in a language, and its code."""
    for code in _codes(of):
        if of == "country":
            yield country_name(code, language), code
        elif of == "language":
            yield Locale.parse(language).languages.get(code, code), code
            yield Locale.parse(code).languages.get(code, code), code
        else:
            text = FIXED[of][code]
            yield text if language == wording.SOURCE else wording.catalogue(language).gettext(text), code


def _others() -> list[str]:
    return sorted(each.name for each in wording.FOLDER.iterdir() if wording.path(each.name).exists())


def _meaning(pairs: Iterable[tuple[str, str]]) -> Names:
    """Codes by name; what is the name of two means neither."""
    found: dict[str, str | None] = {}
    for name, code in pairs:
        plain = _plain(name)
        found[plain] = code if found.get(plain, code) == code else None
    return {name: code for name, code in found.items() if code is not None}


def _plain(text: str) -> str:
    return fold(text.replace("_", " "))
