"""The names by which questions mean themes, target groups, countries and regions, as the search wants them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from threading import Lock

from kb.search.language import fold
from kb.search.thesaurus import Name, Thesaurus
from kb.services.checking import LANGUAGES
from kb.services.vocabularies import COUNTRY_ALIASES, RegionInfo, TermInfo, Vocabulary, countries, country_name

_FURTHER = Path(__file__).parents[2] / "seed" / "country_synonyms.csv"

_making = Lock()


def thesaurus(vocabulary: Vocabulary) -> Thesaurus:
    """The thesaurus of a vocabulary; made once, which takes a moment that no second thread spends as well."""
    with _making:
        return _thesaurus(vocabulary)


@lru_cache(maxsize=2)
def _thesaurus(vocabulary: Vocabulary) -> Thesaurus:
    return Thesaurus(names(vocabulary))


def names(vocabulary: Vocabulary) -> Iterator[Name]:
    """Yield every name of a vocabulary, in every language."""
    yield from _of_terms("theme", vocabulary.themes.values())
    yield from _of_terms("target_group", vocabulary.target_groups.values())
    for facet in ("theme", "target_group"):
        for slug, successor in vocabulary.term_successors.get(f"{facet}s", {}).items():
            yield Name(facet, successor, "en", slug, code=True)
    yield from _of_countries(vocabulary)
    yield from _of_regions(vocabulary)


def _of_terms(facet: str, terms: Iterable[TermInfo]) -> Iterator[Name]:
    for term in terms:
        yield Name(facet, term.slug, "en", term.slug, code=True)
        for language, label in term.labels.items():
            yield Name(facet, term.slug, language, label)
        for language, synonyms in term.synonyms.items():
            yield from (Name(facet, term.slug, language, synonym) for synonym in synonyms)


def _of_countries(vocabulary: Vocabulary) -> Iterator[Name]:
    """Yield the names of the countries of Europe in every language that practices are written in; of others, codes."""
    aliases = {code: alias for alias, code in COUNTRY_ALIASES.items()}
    for code in sorted(countries()):
        for known in filter(None, (code, aliases.get(code))):
            yield Name("country", code, "und", known, code=True)
        yield Name("country", code, "en", country_name(code), code=code not in vocabulary.european)
    for code in vocabulary.european:
        region = vocabulary.country_region(code)
        for language in LANGUAGES:
            name = country_name(code, language)
            yield Name("country", code, language, name)
            if region:
                yield Name("region", region, language, name, code=True)
    yield from _further_countries()


@lru_cache(maxsize=1)
def _further_countries() -> tuple[Name, ...]:
    """Names of countries that CLDR does not have, because they are old, short or very long."""
    with _FURTHER.open(newline="", encoding="utf-8") as file:
        return tuple(Name("country", row["code"], row["language"], row["name"]) for row in csv.DictReader(file))


def _of_regions(vocabulary: Vocabulary) -> Iterator[Name]:
    """Yield codes and names of regions. A name that is a word of its own, as Border is, is known to operators only."""
    for code, after in vocabulary.successors.items():
        yield from (Name("region", each, "und", code, code=True) for each in after)
    folded = {code: _folded(region) for code, region in vocabulary.regions.items()}
    for region in vocabulary.regions.values():
        yield Name("region", region.code, "und", region.code, code=True)
        if region.level == 0:
            continue
        # A place often bears its name at several levels, and the highest is meant.
        above = [folded[code] for code in list(vocabulary.lineage(region.code))[1:]]
        for language, name in _region_names(region):
            if not any(fold(name) in names for names in above):
                yield Name("region", region.code, language, name)


def _folded(region: RegionInfo) -> frozenset[str]:
    """Return the folded names of a region."""
    names = {name for _, name in _region_names(region)}
    if region.level == 0:
        names |= {country_name(region.country, language) for language in LANGUAGES}
    return frozenset(map(fold, names))


def _region_names(region: RegionInfo) -> Iterator[tuple[str, str]]:
    """Yield (language, name), each name once."""
    names: dict[str, str] = {}
    for language, name in (("en", region.name_en), ("und", region.name_native), ("und", region.name_latin)):
        if name:
            names.setdefault(name, language)
    for language, synonyms in region.synonyms.items():
        for name in synonyms:
            names.setdefault(name, language)
    yield from ((language, name) for name, language in names.items())
